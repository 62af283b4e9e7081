"""Health checks by the clock: when they are due, and what their results make of a member."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Literal
from zlib import crc32

from emulator.dataplane import Connection

LOG = logging.getLogger(__name__)
Health = Literal["ONLINE", "OFFLINE"]


@dataclass(frozen=True)
class Schedule:
    """A health monitor's rules: seconds between checks and per check, results to rise and to fall."""

    delay: int
    timeout: int
    rise: int
    fall: int


@dataclass
class Checked:
    """What the checks of one member have found; `reason` says why the last one failed."""

    due: float
    health: Health = "OFFLINE"
    reason: Connection | None = None
    proven: bool = False
    streak: int = 0

    def take(self, result: Connection, schedule: Schedule) -> None:
        """Count a result: a new member rises at its first success, later each change takes its number."""
        good = result is Connection.OPENED
        self.reason = None if good else result
        if self.proven and good is (self.health == "ONLINE"):
            self.streak = 0
            return
        self.streak += 1
        needed = (schedule.rise if self.proven else 1) if good else schedule.fall
        if self.streak >= needed:
            self.health, self.streak = ("ONLINE" if good else "OFFLINE"), 0
            self.proven = True

    def run(self, result: Connection, schedule: Schedule, now: float) -> None:
        """Count a result for every check that ended by `now`; one without an answer ends at its time-out."""
        length = schedule.timeout if result in (Connection.TIMED_OUT, Connection.MUTE) else 0
        for _ in range(max(schedule.rise, schedule.fall)):
            if self.due + length > now:
                return
            self.take(result, schedule)
            self.due += length + schedule.delay
        # The same result cannot change anything further.
        if self.due + length <= now:
            rounds = int((now - self.due - length) // (length + schedule.delay)) + 1
            self.due += rounds * (length + schedule.delay)


class HealthChecks:
    """The checks of all members that have a monitor and a listener."""

    def __init__(self) -> None:
        self._checked: dict[str, Checked] = {}

    def __getitem__(self, member_id: str) -> Checked | None:
        return self._checked.get(member_id)

    def due(self, now: float) -> bool:
        """Whether any check is to be made."""
        return any(checked.due <= now for checked in self._checked.values())

    def follow(self, schedules: Mapping[str, Schedule], now: float) -> None:
        """Start the checks of new members and forget those that are no longer checked."""
        for member_id in set(self._checked) - set(schedules):
            del self._checked[member_id]
        for member_id, schedule in schedules.items():
            if member_id not in self._checked:
                self._checked[member_id] = Checked(now + first_delay(member_id, schedule))

    def tick(self, schedules: Mapping[str, Schedule], probe: Callable[[str], Connection], now: float) -> bool:
        """Run what is due; `probe` connects to a member.

        Returns:
            Whether the health of any member changed.
        """
        changed = False
        for member_id, checked in self._checked.items():
            if checked.due <= now:
                before = checked.health
                checked.run(probe(member_id), schedules[member_id], now)
                changed |= checked.health != before
        return changed


def first_delay(member_id: str, schedule: Schedule) -> float:
    """Return when in its first interval a member is first checked: anywhere, yet the same in every run."""
    return schedule.delay * crc32(member_id.encode()) / 2**32


class Ticker:
    """Lets time pass in an emulator that nobody calls."""

    def __init__(self, tick: Callable[[], None], seconds: float = 0.25) -> None:
        self._tick, self._seconds = tick, seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="ticker", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self._tick()
            except Exception:  # the border of a thread: a defect is logged and time goes on
                LOG.exception("a tick failed")

    def close(self) -> None:
        """Stop; waits for a tick under way."""
        self._stopped.set()
        self._thread.join()
