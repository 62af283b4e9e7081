"""Time as the emulator sees it: real, or moved by a test."""

from __future__ import annotations

import threading
import time
from typing import Protocol

EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z


class Clock(Protocol):
    """Where every time stamp, expiry and health check comes from."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for `seconds`."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to, or when somebody sleeps on it."""

    def __init__(self, start: float = EPOCH) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970, UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        with self._lock:
            self._now += seconds

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` instead of waiting."""
        self.advance(seconds)
