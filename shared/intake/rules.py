"""Which traces are looked into: those that may be of an exposure, and are not our own doing."""

from __future__ import annotations

from collections.abc import Iterator

from shared.intake.taking import Outcome, Taker
from shared.intake.traces import Trace
from shared.settings import Settings

_SERVICES = frozenset({"DCS", "ELB"})
_ADDRESSES = frozenset({"eip", "publicip", "bandwidth"})


def heed_trace(taker: Taker) -> Iterator[Outcome]:
    """Look into a trace that may be of an exposure; the cloud says what has to be done.

    Raises:
        AccessError: as `shared.intake.changes` says.
    """
    trace, settings = taker.record.content, taker.services.settings
    if reason := irrelevant(trace, settings, taker.services.cloud.project_id):
        yield taker.ignore(reason)
        return
    # Most traces are of our own doing, and need none of the clients.
    from shared.intake.changes import instance_changed, public_side_changed  # noqa: PLC0415

    yield from (instance_changed if trace.service.upper() == "DCS" else public_side_changed)(taker, trace)


def irrelevant(trace: Trace, settings: Settings, project_id: str) -> str:
    """Why a trace needs no look at the cloud, or nothing if it does."""
    own = any(trace.user.name.rpartition("/")[2] == name for name in settings.own_agencies)
    watched = trace.service.upper() in _SERVICES or trace.kind.lower() in _ADDRESSES
    reasons = {
        "It is of another project.": trace.project_id not in {"", project_id},
        "It changed nothing.": trace.read_only or trace.failed,
        "It is our own doing.": own,
        "Its result has a trace of its own.": trace.name.lower().startswith("submit"),
        "No exposure depends on it.": not watched,
    }
    return next((reason for reason, applies in reasons.items() if applies), "")
