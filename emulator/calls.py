"""The record of every call."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from emulator.core.message import Request
from emulator.cts.traces import SECRETS

KEPT = 10_000
# In bytes; what is longer is the code of a function.
LONGEST_BODY = 4096
SECRET = re.compile(rf"""("(?:{"|".join(sorted(SECRETS))})"\s*:\s*")(?:[^"\\]|\\.)*""")


@dataclass
class CallRecord:
    """One call; `start` and `end` are monotonic seconds, `status` is None when the answer was lost.

    `body` is cut where it is long, and tells no secrets. `committed` says that the service carried the call out,
    whatever the client was told.
    """

    number: int
    method: str
    path: str
    query: list[tuple[str, str]]
    body: str
    start: float
    end: float = 0.0
    route: str = ""
    service: str = ""
    action: str = ""
    mutating: bool = False
    status: int | None = None
    committed: bool = False
    fault: dict[str, Any] | None = field(default=None)

    def as_json(self) -> dict[str, Any]:
        """The record as plain JSON."""
        return asdict(self)


class CallLog:
    """The last calls in the order in which they came in; may be read while calls come in."""

    def __init__(self) -> None:
        self._records: deque[CallRecord] = deque(maxlen=KEPT)
        self._issued = 0
        self._lock = threading.Lock()

    def open(self, request: Request) -> CallRecord:
        """Record that a call has come in."""
        with self._lock:
            self._issued += 1
            record = CallRecord(
                self._issued,
                request.method,
                request.path,
                request.query,
                _shown(request.body),
                start=time.monotonic(),
            )
            self._records.append(record)
        return record

    def mutating(self) -> list[CallRecord]:
        """The calls that ask for a change; asking for a token is none."""
        return [record for record in self if record.mutating]

    def clear(self) -> None:
        """Forget the calls; numbers go on."""
        with self._lock:
            self._records.clear()

    def __iter__(self) -> Iterator[CallRecord]:
        with self._lock:
            return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)


def _shown(body: bytes) -> str:
    return SECRET.sub(r"\1******", body[:LONGEST_BODY].decode(errors="replace"))
