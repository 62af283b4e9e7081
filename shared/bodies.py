"""What a function is sent, out of whatever the platform wraps it in; and JSON as strangers write it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from shared.errors import ErrorCode, PermanentError

LARGEST = 128 * 1024
"""Characters of a request: far more than one needs, and half of what a function passes on."""
DEEPEST = 32
"""Levels of nesting: far more than any event has, and far from what a reader cannot follow."""
_WRAPPERS = 8


def unwrapped(event: object) -> Any:
    """The event itself, which an asynchronous invocation may hand over bare, as `{"body": ...}` or as JSON text.

    Raises:
        PermanentError: `InvalidRequest`, if a text is no JSON, or it is wrapped or nested too deeply.
    """
    for _ in range(_WRAPPERS):
        if isinstance(event, Mapping) and set(event) == {"body"}:
            event = event["body"]
        elif isinstance(event, str | bytes):
            event = parsed(event, largest=None)
        else:
            check_depth(event)
            return event
    raise malformed("The event is wrapped too often.", "body")


def parsed(text: str | bytes, *, largest: int | None = LARGEST) -> Any:
    """Read JSON that somebody wrote: once each field, not too long, not too deep.

    Raises:
        PermanentError: `InvalidRequest`, naming the place or the field.
    """
    if largest is not None and len(text) > largest:
        raise malformed(f"The request has {len(text)} characters; {largest} are allowed.")
    try:
        data = json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise malformed(f"The request is not JSON: {problem.msg} at {place}.") from None
    except UnicodeDecodeError:
        raise malformed("The request is not UTF-8 text.") from None
    except _RepeatedError as problem:
        raise malformed("The request names a field twice.", str(problem)) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise malformed("The request holds a number of too many digits.") from None
    check_depth(data)
    return data


def check_depth(data: object) -> None:
    """Refuse data that is nested so deeply that its readers might fail.

    Raises:
        PermanentError: `InvalidRequest`.
    """
    level = [data]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in inside(outer)]
        if not level:
            return
    raise _too_deep()


def malformed(message: str, field: str = "request") -> PermanentError:
    """The error for a request that cannot be read."""
    return PermanentError(
        ErrorCode.INVALID_REQUEST,
        message,
        field=field,
        advice="`dcs-access schema request` shows what a request looks like.",
    )


def inside(data: object) -> list[Any]:
    """The values that an object or a list holds; nothing in anything else."""
    if isinstance(data, Mapping):
        return list(data.values())
    return list(data) if isinstance(data, list | tuple) else []


class _RepeatedError(Exception):
    """An object has a key twice; readers of JSON differ in which value counts."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):
        times = Counter(name for name, _ in pairs)
        raise _RepeatedError(times.most_common(1)[0][0])
    return whole


def _too_deep() -> PermanentError:
    return malformed("The request is nested too deeply.")
