"""An engine for tests and dry runs: in memory, over waits in no time, one command after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.engines import Resolver, call, outcome_of
from workflow.engines.tree import RunTree
from workflow.interpreter import (
    EventType,
    HistoryEvent,
    Invoke,
    Outcome,
    StartContext,
    Status,
    TaskFailed,
    Transition,
    start,
)
from workflow.language import Machine

Json = Any


class VirtualClock:
    """A clock that moves only when told to; seconds since the epoch."""

    def __init__(self, start: float = 1_900_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Return the time."""
        return self._now

    def advance_to(self, moment: float) -> None:
        """Move on to a moment, never back."""
        self._now = max(self._now, moment)


@dataclass(frozen=True)
class Result:
    """How a run ended."""

    status: Status
    output: Json
    error: str | None
    cause: str | None
    history: tuple[HistoryEvent, ...]

    @property
    def entered(self) -> list[str]:
        """The states in the order in which they were entered, branches interleaved."""
        return [each.state for each in self.history if each.type is EventType.STATE_ENTERED and each.state]


class VirtualEngine:
    """Runs machines with the handlers of a resolver, on a virtual clock and without threads."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        clock: VirtualClock | None = None,
        random: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._resolver = resolver
        self.clock = clock or VirtualClock()
        self.random = random

    def invoke(self, command: Invoke) -> Outcome:
        """Call a Task's handler, which takes no time unless it moves the clock itself."""
        begun = self.clock.now()
        result = call(self._resolver(command.resource), command.parameters)
        now, limit = self.clock.now(), command.timeout_seconds
        if limit is not None and now - begun > limit:
            return TaskFailed("States.Timeout", None, now, self.random())
        return outcome_of(result, at=now, random=self.random())

    def begin(
        self, machine: Machine, data: Json, *, execution_id: str = "run", cancel_at: float | None = None
    ) -> VirtualRun:
        """Start a run up to its first command."""
        context = StartContext(execution_id, self.clock.now(), name=execution_id)
        return VirtualRun.begin(machine, self, start(machine, data, context, random=self.random()), cancel_at)

    def resume(self, machine: Machine, saved: Mapping[str, Json]) -> VirtualRun:
        """Take up a run that `VirtualRun.to_json` saved, as a new process would."""
        return VirtualRun.from_json(machine, self, saved)

    def run(self, machine: Machine, data: Json, *, execution_id: str = "run", cancel_at: float | None = None) -> Result:
        """Run a machine to its end; at `cancel_at` (epoch seconds) it is told to stop."""
        return self.begin(machine, data, execution_id=execution_id, cancel_at=cancel_at).to_end()


class VirtualRun:
    """One run; every `step` carries out one command, and between steps `to_json` says all there is."""

    def __init__(self, engine: VirtualEngine, tree: RunTree, cancel_at: float | None = None) -> None:
        self._engine, self.tree, self._cancel_at = engine, tree, cancel_at

    @classmethod
    def begin(cls, machine: Machine, engine: VirtualEngine, started: Transition, cancel_at: float | None) -> VirtualRun:
        """Open a run with the transition that started it."""
        tree = RunTree.begin(machine, started, clock=engine.clock.now, random=engine.random)
        return cls(engine, tree, cancel_at)

    @property
    def result(self) -> Result | None:
        """How the run ended; None while it has not."""
        end = self.tree.end
        return Result(end.status, end.output, end.error, end.cause, tuple(self.tree.history)) if end else None

    def to_end(self) -> Result:
        """Carry out every command."""
        while self.step():
            pass
        assert self.result, "a run without a due command has ended"
        return self.result

    def step(self) -> bool:
        """Carry out the command that is due first, branches in turn; false once the run has ended."""
        due = self.tree.due()
        if not due:
            return False
        moment, index = due[0]
        if self._cancel_at is not None and moment >= self._cancel_at:
            self._engine.clock.advance_to(self._cancel_at)
            self._cancel_at = None
            self.tree.cancel()
            return True
        self._engine.clock.advance_to(moment)
        command = self.tree.call(index)
        self.tree.go_on(index, self._engine.invoke(command) if command else None)
        return True

    def to_json(self) -> dict[str, Json]:
        """Return the whole run as plain JSON."""
        return {
            "now": self._engine.clock.now(),
            "tree": self.tree.to_json(),
            "history": [event.to_json() for event in self.tree.history],
            "cancel_at": self._cancel_at,
        }

    @classmethod
    def from_json(cls, machine: Machine, engine: VirtualEngine, saved: Mapping[str, Json]) -> VirtualRun:
        """Open a run where `to_json` left it."""
        engine.clock.advance_to(saved["now"])
        tree = RunTree.from_json(machine, saved["tree"], clock=engine.clock.now, random=engine.random)
        tree.history += [HistoryEvent.from_json(each) for each in saved["history"]]
        return cls(engine, tree, saved["cancel_at"])
