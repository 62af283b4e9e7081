"""The account as plain JSON, made to be compared."""

from __future__ import annotations

import json
from typing import Any

from emulator.world import World

TIME_STAMPS = frozenset({"created_at", "updated_at", "modified_at", "agency_at"})
# How many reads a resource has seen, ids the account has given, or what it was asked, is not what it holds.
PASSING = frozenset(
    {
        "pending",
        "hidden_reads",
        "ids_issued",
        "seed",
        "since",
        "whitelist_before",
        "whitelist_pending",
        "traces",
        "traces_recorded",
        "jobs",
        "deliveries",
        "invocations",
        "queued",
        "due_at",
    }
)
# Megabytes, which the digests of the functions stand for.
LEFT_OUT = {"functiongraph": {"codes"}}


def snapshot(world: World, *, timestamps: bool) -> dict[str, Any]:
    """Two snapshots are equal if and only if the accounts hold the same."""
    dropped = PASSING if timestamps else PASSING | TIME_STAMPS
    plain: dict[str, Any] = _plain(world.model_dump(mode="json", exclude=LEFT_OUT), dropped)
    return plain


def _plain(value: Any, dropped: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _plain(value[key], dropped) for key in sorted(value) if key not in dropped}
    if isinstance(value, list):
        return sorted((_plain(item, dropped) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value
