"""What a verification gives rise to: withdrawals of what has expired, repairs of what may be repaired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.expiry import expired_id


def follow_ups(output: Mapping[str, Any] | None, slot: str) -> list[dict[str, Any]]:
    """The requests that follow from a verification's output; none if it failed.

    An end is withdrawn by its own id, however many verifications find it; a repair is asked for once a slot.

    Args:
        output: what the run of the verification has ended with.
        slot: names this verification, in at most 64 characters.
    """
    found = (output or {}).get("verified")
    if found is None:
        return []
    return [
        *(_request("withdraw", due, expired_id(due["exposure"], due["expires_at"])) for due in found["expired"]),
        *(_request("repair", due, f"repair-{due['exposure']}-{slot}") for due in found["repairs"]),
    ]


def once_more(request: Mapping[str, Any], slot: str) -> dict[str, Any]:
    """The same request by a name of this verification's own, for one that may have failed by its first name."""
    return {**request, "request_id": f"{request['request_id']}-{slot}"}


def _request(action: str, due: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    named = {name: due[name] for name in ("instance_id", "node") if due.get(name)}
    return {"action": action, "request_id": request_id, **named}
