"""Requests as people give them: a file, standard input, or options."""

from __future__ import annotations

from typing import Any, TextIO
from uuid import uuid4

from shared.bodies import malformed, parsed
from shared.request import parse_request


def read_request(file: TextIO) -> dict[str, Any]:
    """Read one request and give it an id if it has none.

    Raises:
        PermanentError: `InvalidRequest`, naming the place or the field.
    """
    try:
        text = file.read()
    except UnicodeDecodeError:
        raise malformed("The request is not UTF-8 text.") from None
    return checked(parsed(text))


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
