"""Requests as people give them: a file, standard input, or options."""

from __future__ import annotations

import json
from typing import Any, TextIO
from uuid import uuid4

from shared.errors import ErrorCode, PermanentError
from shared.request import parse_request


def read_request(file: TextIO) -> dict[str, Any]:
    """Read one request and give it an id if it has none.

    Raises:
        PermanentError: `InvalidRequest`, naming the place or the field.
    """
    try:
        data = json.load(file, object_pairs_hook=_each_once)
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise _malformed(f"The request is not JSON: {problem.msg} at {place}.") from None
    except UnicodeDecodeError:
        raise _malformed("The request is not UTF-8 text.") from None
    except _RepeatedError as problem:
        raise _malformed("The request names a field twice.", str(problem)) from None
    except RecursionError:
        raise _malformed("The request is nested too deeply.") from None
    return checked(data)


def checked(data: Any) -> dict[str, Any]:
    """A request that is valid, with an id.

    Raises:
        PermanentError: `InvalidRequest`, naming every field that is wrong.
    """
    if isinstance(data, dict):
        data = {"request_id": str(uuid4()), **data}
    parse_request(data)
    whole: dict[str, Any] = data
    return whole


class _RepeatedError(Exception):
    """An object has a key twice; readers of JSON differ in which value counts."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedError(next(name for name in names if names.count(name) > 1))
    return whole


def _malformed(message: str, field: str = "request") -> PermanentError:
    return PermanentError(
        ErrorCode.INVALID_REQUEST,
        message,
        field=field,
        advice="`dcs-access schema request` shows what a request looks like.",
    )
