"""One thing to see to among those that an event carries, and how the platform spells ids, times and objects."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_UNPRINTABLE = re.compile(r"[^\x21-\x7e]")
_LONGEST_ID = 128
_MILLISECONDS = 1e11
"""What is more than that cannot be seconds: they would lie beyond the year 5000."""


@dataclass(frozen=True)
class IntakeRecord:
    """What came in, when it was sent if that is known, and what may be told of what it asks for.

    `content` is an `AccessError` where the record cannot be read.
    """

    id: str
    content: Any
    time: datetime | None = None
    about: dict[str, Any] = field(default_factory=dict)


def request_id(*parts: str) -> str:
    """An id for a request, made of what names its cause: at most 128 printable characters without spaces."""
    return _UNPRINTABLE.sub("-", "-".join(filter(None, parts)))[:_LONGEST_ID]


def read_time(value: object) -> datetime | None:
    """A time as the platform gives it: seconds, milliseconds, or text with or without a zone (UTC)."""
    try:
        if isinstance(value, str) and not value.strip().isdecimal():
            read = datetime.fromisoformat(value.strip())
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        number = float(value)  # type: ignore[arg-type]  # what is no number is refused right here
        return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def as_object(value: object) -> dict[str, Any]:
    """An object that may also come as JSON text, as an empty text, or not at all."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}
