"""The schedule of `serve`: look at all exposures regularly, end what has expired, repair what may be repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.errors import PermanentError
from shared.expiry import expired_id

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
        found = (view.output or {}).get("verified")
        if found is None:
            return
        for due in found["expired"]:
            self._end(due)
        busy = {view.key for view in self._at_work()}
        for due in found["repairs"]:
            if due["instance_id"] not in busy:
                self._enqueue("repair", due, f"repair-{due['exposure']}-{self._slot}")

    def _end(self, due: Mapping[str, Any]) -> None:
        """Withdraw an exposure by the id of its end; where that has failed before, this slot tries once more."""
        request_id = expired_id(due["exposure"], due["expires_at"])
        view = self._enqueue("withdraw", due, request_id)
        if view.status.ended and (view.output or {}).get("outcome") != "withdrawn":
            self._enqueue("withdraw", due, f"{request_id}-{self._slot}")

    def _enqueue(self, action: str, due: Mapping[str, Any], request_id: str) -> RunView:
        named = {name: due[name] for name in ("instance_id", "node") if due[name]}
        return self._composed.enqueue({"action": action, "request_id": request_id, **named})

    def _at_work(self) -> list[RunView]:
        return [view for view in self._composed.engine.runs() if not view.status.ended and view.machine != "verify"]

    def _slot_at(self, now: float) -> int:
        return int(now // self._every)
