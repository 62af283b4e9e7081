"""A run as a drawing shows it: how each state ended, and which ways were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from workflow.interpreter import EventType, HistoryEvent

# Seconds; a state that only moves data takes none.
_WORTH_TELLING = 0.05


class Mark(StrEnum):
    """What became of a state; of several items or branches the first of these that applies."""

    RUNNING = "running"
    FAILED = "failed"
    CAUGHT = "caught"
    STOPPED = "stopped"
    RETRIED = "retried"
    SUCCEEDED = "succeeded"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one branch in a state; times in epoch seconds."""

    mark: Mark
    entered: float
    ended: float | None = None
    retries: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """The last visits of each state, and the ways taken as (from, to, whether an error led there)."""

    visits: Mapping[str, tuple[Visit, ...]]
    taken: frozenset[tuple[str, str, bool]]

    def mark(self, state: str) -> Mark:
        """What became of a state."""
        marks = {visit.mark for visit in self.visits.get(state, ())}
        return next((mark for mark in Mark if mark in marks), Mark.NOT_REACHED)

    def note(self, state: str) -> str:
        """What there is to say of how it went."""
        visits = self.visits.get(state, ())
        if not visits:
            return ""
        worst = min(visits, key=lambda visit: list(Mark).index(visit.mark))
        parts = [f"{len(visits)} items"] if len(visits) > 1 else []
        parts += [f"{worst.retries + 1} attempts"] if worst.retries else []
        took = (worst.ended or worst.entered) - worst.entered
        parts += [f"{took:.1f} s"] if took >= _WORTH_TELLING else []
        return ", ".join([*parts, worst.error] if worst.error else parts)


def overlay(history: Iterable[HistoryEvent]) -> Overlay:
    """Read a run's history."""
    reader = _Reader()
    for event in sorted(history, key=lambda event: event.at):
        reader.read(event)
    return reader.overlay()


class _Reader:
    def __init__(self) -> None:
        self._visits: dict[tuple[str, str], Visit] = {}
        self._last: dict[str, tuple[str, bool]] = {}
        self._taken: set[tuple[str, str, bool]] = set()
        self._ended = False

    def read(self, event: HistoryEvent) -> None:
        if event.state is None:
            self._ended = event.type is not EventType.EXECUTION_STARTED
            return
        place = event.branch, event.state
        if event.type is EventType.STATE_ENTERED:
            self._enter(event.branch, event.state, event.at)
        elif visit := self._visits.get(place):
            self._visits[place] = _after(visit, event)
            if event.type in (EventType.STATE_EXITED, EventType.STATE_CAUGHT):
                self._last[event.branch] = event.state, event.type is EventType.STATE_CAUGHT

    def _enter(self, branch: str, state: str, at: float) -> None:
        source, caught = self._last.pop(branch, ("", False))
        self._taken.add((source, state, caught))
        self._visits[branch, state] = Visit(Mark.RUNNING, at)
        # What an earlier attempt of a Parallel or an earlier round of a loop did inside is past.
        inside = f"{branch}/{state}."
        self._visits = {place: visit for place, visit in self._visits.items() if not place[0].startswith(inside)}

    def overlay(self) -> Overlay:
        states: dict[str, tuple[Visit, ...]] = {}
        for (_, state), visit in self._visits.items():
            stopped = self._ended and visit.mark is Mark.RUNNING
            final = replace(visit, mark=Mark.STOPPED) if stopped else visit
            states[state] = (*states.get(state, ()), final)
        return Overlay(states, frozenset(self._taken))


def _after(visit: Visit, event: HistoryEvent) -> Visit:
    match event.type:
        case EventType.RETRY_SCHEDULED:
            return replace(visit, retries=visit.retries + 1)
        case EventType.STATE_EXITED:
            mark = Mark.RETRIED if visit.retries else Mark.SUCCEEDED
            return replace(visit, mark=mark, ended=event.at)
        case EventType.STATE_CAUGHT:
            return replace(visit, mark=Mark.CAUGHT, ended=event.at, error=event.error or "")
        case EventType.STATE_FAILED:
            return replace(visit, mark=Mark.FAILED, ended=event.at, error=event.error or "")
        case _:
            return visit
