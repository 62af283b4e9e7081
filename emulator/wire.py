"""How the body of a request comes over a connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from io import BufferedIOBase

LONGEST_LINE = 65_536


def read_body(headers: Message, stream: BufferedIOBase) -> bytes:
    """Read exactly what belongs to this request, by its length or in chunks (RFC 9112, sections 6 and 7).

    Raises:
        ValueError: nobody can tell where it ends.
        ConnectionError: the client went before its end.
    """
    coding = headers.get("Transfer-Encoding")
    if coding is None:
        return _exactly(stream, _number(headers.get("Content-Length") or "0", 10))
    if coding.strip().lower() != "chunked":
        raise ValueError(f"the transfer encoding {coding} is not read")
    return b"".join(_chunks(stream))


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    while size := _number(_line(stream).partition(";")[0], 16):
        yield _exactly(stream, size)
        if _line(stream):
            raise ValueError("a chunk is longer than it says")
    while _line(stream):
        pass


def _line(stream: BufferedIOBase) -> str:
    line = stream.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise ConnectionError("the connection ended within the body")
    return line.decode("latin-1").strip()


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionError("the connection ended within the body")
    return data


def _number(text: str, base: int) -> int:
    # What int() takes beyond digits, such as a sign, is no length.
    if not re.fullmatch("[0-9]+" if base == 10 else "[0-9A-Fa-f]+", text.strip()):
        raise ValueError(f"{text!r} is not a length")
    return int(text, base)
