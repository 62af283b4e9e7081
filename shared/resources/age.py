"""How old a resource is by the cloud's own time stamp."""

from __future__ import annotations

from datetime import UTC, datetime


def older_than(created_at: str, seconds: float, now: float) -> bool:
    """Whether something made at `created_at` (with or without zone, UTC) is older; unknown is young."""
    try:
        made = datetime.fromisoformat(created_at)
    except ValueError:
        return False
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    return now - made.timestamp() > seconds
