"""The working copy of an execution while one outcome is being digested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from workflow.interpreter.model import (
    Command,
    EventType,
    Execution,
    Finish,
    HistoryEvent,
    Json,
    Outcome,
    Phase,
    Status,
    Transition,
)
from workflow.language.definition import Flow, Machine, State
from workflow.language.evaluation import EvaluationError

MOST_STEPS = 25_000
"""States one execution may enter: what AWS allows in history events, so that a loop without end ends."""
_ENDS = {
    Status.SUCCEEDED: EventType.EXECUTION_SUCCEEDED,
    Status.FAILED: EventType.EXECUTION_FAILED,
    Status.TIMED_OUT: EventType.EXECUTION_TIMED_OUT,
}


@dataclass(frozen=True, slots=True)
class Goto:
    """The current state is left with this output; None as `next` ends the scope well."""

    next: str | None
    output: Json


class Frame:
    """Mutable where an execution is frozen; also what expressions read besides their input."""

    __slots__ = (
        "_random",
        "at",
        "before",
        "entered_at",
        "flow",
        "history",
        "input",
        "machine",
        "name",
        "retries",
        "source",
        "state",
        "steps",
        "variables",
    )

    def __init__(self, machine: Machine, execution: Execution, at: float, source: float) -> None:
        self.machine, self.before = machine, execution
        self.at, self.source = at, source
        self.flow: Flow = machine.flows[execution.scope]
        self.variables = execution.variables
        self.input = execution.input
        self.entered_at = execution.entered_at
        self.retries = execution.retries
        self.steps = execution.steps
        self.name = execution.state
        self.state: State = self.flow.states[self.name or self.flow.start_at]
        self.history: list[HistoryEvent] = []
        self._random: Random | None = None

    @classmethod
    def of(cls, machine: Machine, execution: Execution, outcome: Outcome) -> Frame:
        """Open a frame for an outcome."""
        return cls(machine, execution, outcome.at, outcome.random)

    def context(self) -> Mapping[str, Json]:
        """Return the context object, `$$`."""
        state = {
            "Name": self.name,
            "EnteredTime": timestamp(self.entered_at),
            "RetryCount": sum(self.retries),
        }
        return {**self.before.context, "State": state}

    def randomness(self) -> Random:
        """Return a source that draws the same whenever the same outcome meets the same state again."""
        if self._random is None:
            identity = self.before.context["Execution"]["Id"]
            seed = f"{identity}{self.before.branch}/{self.steps}/{self.source}"
            self._random = Random(seed)  # noqa: S311  # no secret depends on it
        return self._random

    def enter(self, name: str, data: Json) -> None:
        """Go to a state with its raw input."""
        self.name, self.state, self.input = name, self.flow.states[name], data
        self.entered_at, self.retries, self._random = self.at, (), None
        self.steps += 1
        self.note(EventType.STATE_ENTERED, state_type=self.state.type)
        if self.steps > MOST_STEPS:
            raise EvaluationError(f"More than {MOST_STEPS} states were entered.")

    def note(self, event: EventType, **facts: Json) -> None:
        """Write a line of history about the current state."""
        self.history.append(HistoryEvent(event, self.at, self.before.branch, self.name, **facts))

    def suspend(self, phase: Phase, command: Command, until: float = 0.0) -> Transition:
        """Stop here until the command is carried out."""
        return Transition(self._execution(phase, until), (command,), tuple(self.history))

    def finish(self, end: Finish) -> Transition:
        """End the execution; only a run's own end, not a branch's, is an event of the execution."""
        if not self.before.branch:
            self.history.append(HistoryEvent(_ENDS[end.status], self.at, error=end.error))
        return Transition(self._execution(Phase.DONE, 0.0), (end,), tuple(self.history))

    def _execution(self, phase: Phase, until: float) -> Execution:
        return Execution(
            digest=self.before.digest,
            scope=self.before.scope,
            branch=self.before.branch,
            phase=phase,
            context=self.before.context,
            variables=self.variables,
            input=self.input,
            state=self.name,
            entered_at=self.entered_at,
            retries=self.retries,
            until=until,
            steps=self.steps,
            at=self.at,
            random=self.source,
            deadline=self.before.deadline,
        )


def timestamp(seconds: float) -> str:
    """Write epoch seconds as the context object does."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
