"""The schedule of `serve`: look at all exposures regularly, end what has expired, repair what may be repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.errors import PermanentError
from shared.verification.following import follow_ups, once_more

if TYPE_CHECKING:
    from cli.composition import Composition
    from workflow.engines.embedded import RunView

JITTER = 0.1
"""Which part of the interval a look may come late, so that many schedules do not call at once."""
_PAUSE = 1.0


class Schedule:
    """Decides, whenever it is polled, whether something is to be queued; has nothing of its own to stop.

    A look is named after its slot, the interval it falls in: a slot is looked at once, whoever asks, and one
    that has passed is not made up for.
    """

    def __init__(
        self,
        composed: Composition,
        every: timedelta,
        *,
        repair: bool,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._composed, self._repair = composed, repair
        self._every = every.total_seconds()
        self._clock, self._random = clock, random
        self._asked = float("-inf")
        self._looking: str | None = None
        self._slot = self._slot_at(clock())
        self._due = clock() + random() * self._every * JITTER

    def poll(self) -> None:
        """Queue what is due; asked more often than once a second, it does nothing."""
        now = self._clock()
        if now - self._asked < _PAUSE:
            return
        self._asked = now
        if self._looking is not None:
            self._see_to(self._looking)
        elif now >= self._due:
            self._look(now)

    def _look(self, now: float) -> None:
        self._slot = self._slot_at(now)
        self._due = (self._slot + 1 + self._random() * JITTER) * self._every
        # What a run is at work on differs from its record until the run has ended.
        busy = sorted({view.key for view in self._at_work()})
        request = {"action": "verify", "request_id": f"verify-{self._every:.0f}-{self._slot}", "repair": self._repair}
        try:
            self._looking = self._composed.enqueue({**request, "skip": busy}).run_id
        except PermanentError:
            # Another process has this slot and saw other runs at work.
            self._looking = None

    def _see_to(self, run_id: str) -> None:
        view = self._composed.engine.run(run_id)
        if not view.status.ended:
            return
        self._looking = None
        busy = {view.key for view in self._at_work()}
        for request in follow_ups(view.output, str(self._slot)):
            if request["action"] == "withdraw":
                self._end(request)
            elif request["instance_id"] not in busy:
                self._composed.enqueue(request)

    def _end(self, request: Mapping[str, Any]) -> None:
        """Withdraw an exposure by the id of its end; where that has failed before, this slot tries once more."""
        view = self._composed.enqueue({**request})
        if view.status.ended and (view.output or {}).get("outcome") != "withdrawn":
            self._composed.enqueue(once_more(request, str(self._slot)))

    def _at_work(self) -> list[RunView]:
        return [view for view in self._composed.engine.unended() if view.machine != "verify"]

    def _slot_at(self, now: float) -> int:
        return int(now // self._every)
