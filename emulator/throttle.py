"""Counts the calls of each service against its throttle."""

from __future__ import annotations

import threading
from collections import defaultdict

from emulator.clock import Clock
from emulator.core.problems import throttled
from emulator.dials import Throttle


class Throttler:
    """A token bucket of one second's worth of calls for each service, and a plain count."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._count: dict[str, int] = defaultdict(int)
        self._bucket: dict[str, tuple[float, float]] = {}

    def check(self, service: str, limit: Throttle | None) -> None:
        """Count one call.

        Raises:
            ApiError: 429.
        """
        if limit is None:
            return
        with self._lock:
            self._count[service] += 1
            over = limit.every is not None and self._count[service] % limit.every == 0
            if over or (limit.rate is not None and not self._spend(service, limit.rate)):
                raise throttled(limit.retry_after)

    def _spend(self, service: str, rate: float) -> bool:
        now, size = self._clock.now(), max(rate, 1.0)
        left, last = self._bucket.get(service, (size, now))
        left = min(size, left + (now - last) * rate)
        enough = left >= 1.0
        self._bucket[service] = (left - 1.0 if enough else left, now)
        return enough
