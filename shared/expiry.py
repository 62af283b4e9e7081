"""When an exposure ends, when its end is announced, and the ids by which both happen once."""

from __future__ import annotations

_HOUR = 3600.0
_SHARE = 0.1


def warning_time(begun: float | None, expires_at: int) -> float:
    """When the end is announced (epoch seconds): an hour before it, or a tenth of the lifetime if that is more.

    Args:
        begun: when the exposure was made, in epoch seconds, or None where nobody knows.
        expires_at: when it ends, in epoch seconds.
    """
    lifetime = 0.0 if begun is None else expires_at - begun
    return expires_at - max(_HOUR, lifetime * _SHARE)


def is_expired(expires_at: int | None, now: float) -> bool:
    """Whether the end has come."""
    return expires_at is not None and now >= expires_at


def is_expiring(begun: float | None, expires_at: int | None, now: float) -> bool:
    """Whether the end is near enough to be announced, and has not come."""
    return expires_at is not None and warning_time(begun, expires_at) <= now < expires_at


def expiring_id(exposure: str, expires_at: int) -> str:
    """The id of the announcement: the same for every tick that finds the same end near."""
    return f"expiring-{exposure}-{expires_at}"


def expired_id(exposure: str, expires_at: int) -> str:
    """The id of the request that ends the exposure, and of its event; an extended one has another end."""
    return f"expired-{exposure}-{expires_at}"
