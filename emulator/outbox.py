"""Work that the cloud does later and by itself: deliveries, timers, retries."""

from __future__ import annotations

import logging
from collections.abc import Callable
from heapq import heappop, heappush
from threading import Condition, Thread

from emulator.clock import Clock, SystemClock

LOG = logging.getLogger(__name__)
Work = Callable[[], None]
SHORT_WORKERS = 16


class Outbox:
    """Work by the time it is due, done without the emulator's lock.

    With the machine's clock worker threads do it, started as they are needed; with any other clock
    it waits for `drain`.

    Args:
        clock: When work is due.
        long_works: How much of the work may take its time at once; the rest never waits for it.
    """

    def __init__(self, clock: Clock, long_works: Callable[[], int] = lambda: 0) -> None:
        self._clock, self._long_works = clock, long_works
        self._staffed = isinstance(clock, SystemClock)
        self._condition = Condition()
        self._heap: list[tuple[float, int, Work]] = []
        self._issued = self._workers = self._idle = self._busy = 0
        self._closed = False

    def put(self, work: Work, at: float | None = None) -> None:
        """Have work done at a time (seconds since 1970), or as soon as possible; after `close` never."""
        with self._condition:
            if self._closed:
                return
            self._issued += 1
            heappush(self._heap, (self._clock.now() if at is None else at, self._issued, work))
            self._staff()
            self._condition.notify()

    @property
    def next_due(self) -> float | None:
        """When the next work is due (seconds since 1970), None without any."""
        with self._condition:
            return self._heap[0][0] if self._heap else None

    def drain(self) -> None:
        """Do all that is due in the caller's thread, also what comes of it; wait for workers under way."""
        while (work := self._take_due()) is not None:
            try:
                work()
            finally:
                self._done()

    def close(self) -> None:
        """Drop what is not done and let the workers go; who is at work is not waited for."""
        with self._condition:
            self._closed = True
            self._heap.clear()
            self._condition.notify_all()

    def _take_due(self) -> Work | None:
        with self._condition:
            while (work := self._pop()) is None and self._workers and self._busy:
                self._condition.wait(0.1)
            return work

    def _pop(self) -> Work | None:
        if not self._heap or self._heap[0][0] > self._clock.now():
            return None
        self._busy += 1
        return heappop(self._heap)[2]

    def _done(self) -> None:
        with self._condition:
            self._busy -= 1
            self._condition.notify_all()

    def _staff(self) -> None:
        room = self._workers < SHORT_WORKERS + self._long_works()
        if self._staffed and self._heap and not self._idle and room:
            self._workers += 1
            Thread(target=self._work, name="outbox", daemon=True).start()

    def _work(self) -> None:
        while (work := self._await()) is not None:
            try:
                work()
            except Exception:  # the border of a thread: a defect is logged and the cloud lives on
                LOG.exception("work of the outbox failed")
            finally:
                self._done()

    def _await(self) -> Work | None:
        with self._condition:
            self._idle += 1
            while (work := self._pop()) is None and not self._closed:
                self._condition.wait(self._heap[0][0] - self._clock.now() if self._heap else None)
            self._idle -= 1
            self._staff()
            return work
