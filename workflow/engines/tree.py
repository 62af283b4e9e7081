"""The executions of one run, itself and its branches: what each waits for, and whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import ErrorCode
from workflow.interpreter import (
    Begun,
    BranchesFinished,
    Command,
    Elapsed,
    Execution,
    Finish,
    Fork,
    HistoryEvent,
    Invoke,
    Outcome,
    Phase,
    Status,
    TaskFailed,
    Transition,
    Wait,
    advance,
    pending,
)
from workflow.language import Machine

Json = Any


@dataclass
class Node:
    """A run, branch or iteration; `due` is when its command's turn comes, None while others have to end."""

    execution: Execution
    parent: int | None = None
    due: float | None = None
    turn: int = 0
    end: Finish | None = None
    children: tuple[int, ...] = ()
    max_concurrency: int = 0
    tolerated: int = 0
    cancelled: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return the node as plain JSON."""
        ended = self.end and self.end.to_json()
        return vars(self) | {
            "execution": self.execution.to_json(),
            "end": ended,
            "children": list(self.children),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Node:
        """Read what `to_json` wrote."""
        read = {
            "execution": Execution.from_json(data["execution"]),
            "end": data["end"] and Finish.from_json(data["end"]),
            "children": tuple(data["children"]),
        }
        return cls(**{**data, **read})


class RunTree:
    """One run between two outcomes; an engine asks what is due, does it, and tells how it went.

    `clock` gives epoch seconds, `random` numbers in [0, 1).
    """

    def __init__(
        self,
        machine: Machine,
        nodes: dict[int, Node],
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._machine, self._nodes = machine, nodes
        self._clock, self._random = clock, random
        self._last = max(nodes)
        self.history: list[HistoryEvent] = []

    @classmethod
    def begin(
        cls, machine: Machine, started: Transition, *, clock: Callable[[], float], random: Callable[[], float]
    ) -> RunTree:
        """Open a run with the transition that started it."""
        tree = cls(machine, {0: Node(started.execution)}, clock=clock, random=random)
        tree._take(0, started)
        return tree

    @property
    def end(self) -> Finish | None:
        """How the run ended; None while it has not."""
        return self._nodes[0].end

    @property
    def root(self) -> Execution:
        """The run's own execution."""
        return self._nodes[0].execution

    @property
    def executions(self) -> list[Execution]:
        """The executions that have not ended, the run's own first."""
        return [node.execution for node in self._nodes.values() if not node.end]

    def due(self) -> list[tuple[float, int]]:
        """When each command's turn comes (epoch seconds), and which; the first first, branches in turn."""
        due = [(node.due, node.turn, index) for index, node in self._nodes.items() if node.due is not None]
        return [(moment, index) for moment, _, index in sorted(due)]

    def call(self, index: int) -> Invoke | None:
        """The handler's call that is due, or None where an execution only has to go on."""
        node = self._nodes[index]
        if node.execution.phase is not Phase.TASK or node.cancelled:
            return None
        (command,) = pending(self._machine, node.execution)
        assert isinstance(command, Invoke), "a Task calls its handler"
        return command

    def go_on(self, index: int, outcome: Outcome | None = None) -> None:
        """Take the outcome of a call, or go on where none was due; a branch that was stopped meanwhile is over."""
        node = self._nodes.get(index)
        if node is None:
            return
        node.due = None
        self._take(index, advance(self._machine, node.execution, outcome or self._passed(node)))

    def cancel(self) -> None:
        """Tell all that is running now, each once: what runs later is the way back."""
        for node in self._nodes.values():
            if not node.end and not node.children:
                node.cancelled = True
                node.due = node.due and min(node.due, self._clock())

    def _passed(self, node: Node) -> Outcome:
        now, random = self._clock(), self._random()
        if node.execution.phase is Phase.READY:
            return Begun(now, random)
        if node.cancelled:
            node.cancelled = False
            return TaskFailed(ErrorCode.CANCELLED, None, now, random)
        return Elapsed(now, random)

    def _take(self, index: int, transition: Transition) -> None:
        node = self._nodes[index]
        node.execution = transition.execution
        self.history += transition.history
        for command in transition.commands:
            self._obey(index, node, command)

    def _obey(self, index: int, node: Node, command: Command) -> None:
        match command:
            case Invoke():
                self._schedule(node, self._clock())
            case Wait():
                self._schedule(node, self._clock() if node.cancelled else command.until)
            case Fork():
                self._fork(index, node, command)
            case Finish():
                node.end = command
                self._ended(node)

    def _schedule(self, node: Node, moment: float) -> None:
        """Whoever is due at the same moment comes in the order of asking, so that branches interleave."""
        node.due, node.turn = moment, max(each.turn for each in self._nodes.values()) + 1

    def _fork(self, index: int, node: Node, command: Fork) -> None:
        branches = [Node(branch, index, cancelled=node.cancelled) for branch in command.branches]
        node.children = tuple(range(self._last + 1, self._last + 1 + len(branches)))
        self._nodes.update(zip(node.children, branches, strict=True))
        # A number is not used again, for a call of a branch that was stopped may still be under way.
        self._last += len(branches)
        node.max_concurrency, node.tolerated = command.max_concurrency, command.tolerated
        node.cancelled = False
        self._admit(node)

    def _children(self, node: Node) -> list[Node]:
        return [self._nodes[index] for index in node.children]

    def _admit(self, parent: Node) -> None:
        """Let as many branches begin as may run at once."""
        children = self._children(parent)
        waiting = [each for each in children if each.execution.phase is Phase.READY and each.due is None]
        running = sum(not each.end for each in children) - len(waiting)
        room = parent.max_concurrency - running if parent.max_concurrency else len(waiting)
        for child in waiting[:room]:
            self._schedule(child, self._clock())

    def _ended(self, node: Node) -> None:
        if node.parent is None or not node.end:
            return
        parent = self._nodes[node.parent]
        ends = tuple(child.end for child in self._children(parent))
        failures = sum(end is not None and end.status is not Status.SUCCEEDED for end in ends)
        if failures <= parent.tolerated and not all(ends):
            self._admit(parent)
            return
        # Nothing of the branches is needed any more: those still at work are stopped by being forgotten.
        self._forget(parent)
        outcome = BranchesFinished(ends, self._clock(), self._random())
        self._take(node.parent, advance(self._machine, parent.execution, outcome))

    def _forget(self, parent: Node) -> None:
        for index in parent.children:
            self._forget(self._nodes.pop(index))
        parent.children = ()

    def to_json(self) -> dict[str, Json]:
        """Return all there is of the run, but for its history, as plain JSON."""
        return {str(index): node.to_json() for index, node in self._nodes.items()}

    @classmethod
    def from_json(
        cls, machine: Machine, saved: Mapping[str, Json], *, clock: Callable[[], float], random: Callable[[], float]
    ) -> RunTree:
        """Open a run where `to_json` left it."""
        nodes = {int(index): Node.from_json(each) for index, each in saved.items()}
        return cls(machine, nodes, clock=clock, random=random)
