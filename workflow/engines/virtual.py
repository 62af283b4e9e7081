"""An engine for tests and dry runs: in memory, over waits in no time, one command after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import ErrorCode
from workflow.engines import Resolver, call, outcome_of
from workflow.interpreter import (
    Begun,
    BranchesFinished,
    Command,
    Elapsed,
    EventType,
    Execution,
    Finish,
    Fork,
    HistoryEvent,
    Invoke,
    Outcome,
    Phase,
    StartContext,
    Status,
    TaskFailed,
    Transition,
    Wait,
    advance,
    pending,
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


@dataclass
class _Node:
    """A run, branch or iteration; `due` is when its command's turn comes, None while others have to end."""

    execution: Execution
    parent: int | None = None
    due: float | None = None
    turn: int = 0
    end: Finish | None = None
    children: tuple[int, ...] = ()
    max_concurrency: int = 0
    cancelled: bool = False

    def to_json(self) -> dict[str, Json]:
        ended = self.end and self.end.to_json()
        return vars(self) | {
            "execution": self.execution.to_json(),
            "end": ended,
            "children": list(self.children),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> _Node:
        read = {
            "execution": Execution.from_json(data["execution"]),
            "end": data["end"] and Finish.from_json(data["end"]),
            "children": tuple(data["children"]),
        }
        return cls(**{**data, **read})


class VirtualRun:
    """One run; every `step` carries out one command, and between steps `to_json` says all there is."""

    def __init__(self, machine: Machine, engine: VirtualEngine, nodes: list[_Node]) -> None:
        self._machine, self._engine, self._nodes = machine, engine, nodes
        self._history: list[HistoryEvent] = []
        self._cancel_at: float | None = None

    @classmethod
    def begin(cls, machine: Machine, engine: VirtualEngine, started: Transition, cancel_at: float | None) -> VirtualRun:
        """Open a run with the transition that started it."""
        run = cls(machine, engine, [_Node(started.execution)])
        run._cancel_at = cancel_at
        run._take(0, started)
        return run

    @property
    def result(self) -> Result | None:
        """How the run ended; None while it has not."""
        end = self._nodes[0].end
        return Result(end.status, end.output, end.error, end.cause, tuple(self._history)) if end else None

    def to_end(self) -> Result:
        """Carry out every command."""
        while self.step():
            pass
        assert self.result, "a run without a due command has ended"
        return self.result

    def step(self) -> bool:
        """Carry out the command that is due first, branches in turn; false once the run has ended."""
        due = [(n.due, n.turn, index) for index, n in enumerate(self._nodes) if n.due is not None]
        if not due:
            return False
        moment, _, index = min(due)
        if self._cancel_at is not None and moment >= self._cancel_at:
            self._cancel(self._cancel_at)
            return True
        self._engine.clock.advance_to(moment)
        node = self._nodes[index]
        node.due = None
        self._take(index, advance(self._machine, node.execution, self._outcome(node)))
        return True

    def _cancel(self, moment: float) -> None:
        """Tell all that is running now, each once: what runs later is the way back."""
        self._engine.clock.advance_to(moment)
        self._cancel_at = None
        for node in self._nodes:
            if not node.end and not node.children:
                node.cancelled = True
                node.due = node.due and min(node.due, self._engine.clock.now())

    def _outcome(self, node: _Node) -> Outcome:
        now, random = self._engine.clock.now(), self._engine.random
        if node.execution.phase is Phase.READY:
            return Begun(now, random())
        if node.cancelled:
            node.cancelled = False
            return TaskFailed(ErrorCode.CANCELLED, None, now, random())
        if node.execution.phase is Phase.TASK:
            (command,) = pending(self._machine, node.execution)
            assert isinstance(command, Invoke), "a Task calls its handler"
            return self._engine.invoke(command)
        return Elapsed(now, random())

    def _take(self, index: int, transition: Transition) -> None:
        node = self._nodes[index]
        node.execution = transition.execution
        self._history += transition.history
        for command in transition.commands:
            self._obey(index, node, command)

    def _obey(self, index: int, node: _Node, command: Command) -> None:
        match command:
            case Invoke():
                self._schedule(node, self._engine.clock.now())
            case Wait():
                self._schedule(node, self._engine.clock.now() if node.cancelled else command.until)
            case Fork():
                self._fork(index, node, command)
            case Finish():
                node.end = command
                self._ended(node)

    def _schedule(self, node: _Node, moment: float) -> None:
        """Whoever is due at the same moment comes in the order of asking, so that branches interleave."""
        node.due, node.turn = moment, max(each.turn for each in self._nodes) + 1

    def _fork(self, index: int, node: _Node, command: Fork) -> None:
        first = len(self._nodes)
        node.children = tuple(range(first, first + len(command.branches)))
        node.max_concurrency = command.max_concurrency
        self._nodes += [_Node(branch, index, cancelled=node.cancelled) for branch in command.branches]
        node.cancelled = False
        self._admit(node)

    def _children(self, node: _Node) -> list[_Node]:
        return [self._nodes[index] for index in node.children]

    def _admit(self, parent: _Node) -> None:
        """Let as many branches begin as may run at once."""
        children = self._children(parent)
        waiting = [each for each in children if each.execution.phase is Phase.READY and each.due is None]
        running = sum(not each.end for each in children) - len(waiting)
        room = parent.max_concurrency - running if parent.max_concurrency else len(waiting)
        for child in waiting[:room]:
            self._schedule(child, self._engine.clock.now())

    def _ended(self, node: _Node) -> None:
        if node.parent is None or not node.end:
            return
        parent = self._nodes[node.parent]
        children = self._children(parent)
        if node.end.status is not Status.SUCCEEDED:
            for child in children:
                self._stop(child)
        elif not all(child.end for child in children):
            self._admit(parent)
            return
        self._join(node.parent, tuple(child.end for child in children))

    def _stop(self, node: _Node) -> None:
        node.due = None
        for child in self._children(node):
            self._stop(child)

    def _join(self, index: int, results: tuple[Finish | None, ...]) -> None:
        node = self._nodes[index]
        node.children = ()
        outcome = BranchesFinished(results, self._engine.clock.now(), self._engine.random())
        self._take(index, advance(self._machine, node.execution, outcome))

    def to_json(self) -> dict[str, Json]:
        """Return the whole run as plain JSON."""
        return {
            "now": self._engine.clock.now(),
            "nodes": [node.to_json() for node in self._nodes],
            "history": [event.to_json() for event in self._history],
            "cancel_at": self._cancel_at,
        }

    @classmethod
    def from_json(cls, machine: Machine, engine: VirtualEngine, saved: Mapping[str, Json]) -> VirtualRun:
        """Open a run where `to_json` left it."""
        run = cls(machine, engine, [_Node.from_json(each) for each in saved["nodes"]])
        run._history = [HistoryEvent.from_json(each) for each in saved["history"]]
        run._cancel_at = saved["cancel_at"]
        engine.clock.advance_to(saved["now"])
        return run
