"""What a stranger without a password sees at a public address."""

from __future__ import annotations

import socket
import time
from enum import StrEnum

_PING = b"*1\r\n$4\r\nPING\r\n"
_LONGEST_LINE = 512
_REFUSALS = frozenset({"NOAUTH", "WRONGPASS", "DENIED"})
# Redis answers these only after the password check, so whoever reads them has passed it.
_BEYOND_THE_LOCK = frozenset({"LOADING", "BUSY", "MISCONF", "MASTERDOWN", "NOPERM", "NOREPLICAS"})


class ProbeAnswer(StrEnum):
    """What a client without a password gets."""

    LOCKED = "locked"
    OPEN = "open"
    UNSEEN = "unseen"
    NOT_REDIS = "not_redis"


def probe(host: str, port: int, *, timeout: float = 5.0) -> ProbeAnswer:
    """Ask for a PING without any password and judge the answer; takes at most `timeout` seconds."""
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(_PING)
            line = _first_line(connection, deadline)
    except OSError:
        return ProbeAnswer.UNSEEN
    return judge(line)


def judge(line: bytes) -> ProbeAnswer:
    """What the first line of an answer to PING means; nothing at all is `unseen`."""
    if not line:
        return ProbeAnswer.UNSEEN
    text = line.decode("ascii", "replace").strip()
    if text == "+PONG":
        return ProbeAnswer.OPEN
    return _judge_error(text[1:]) if text.startswith("-") else ProbeAnswer.NOT_REDIS


def _judge_error(text: str) -> ProbeAnswer:
    word, _, rest = text.partition(" ")
    rest = rest.lower()
    if word in _REFUSALS or (word == "ERR" and ("auth" in rest or "operation not permitted" in rest)):
        return ProbeAnswer.LOCKED
    if word in _BEYOND_THE_LOCK:
        return ProbeAnswer.OPEN
    # Said before any password is asked for, so it tells nothing about the lock.
    return ProbeAnswer.UNSEEN if "max number of clients" in rest else ProbeAnswer.NOT_REDIS


def _first_line(connection: socket.socket, deadline: float) -> bytes:
    seen = b""
    while b"\n" not in seen and len(seen) < _LONGEST_LINE and (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            piece = connection.recv(_LONGEST_LINE)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    return seen.partition(b"\n")[0]
