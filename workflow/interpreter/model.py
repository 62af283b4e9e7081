"""What the interpreter takes and gives: executions, outcomes, commands and history, all plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

Json = Any


class Status(StrEnum):
    """How an execution, a branch or an iteration ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


class Phase(StrEnum):
    """What an execution is waiting for."""

    READY = "READY"
    TASK = "TASK"
    WAIT = "WAIT"
    BACKOFF = "BACKOFF"
    BRANCHES = "BRANCHES"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class StartContext:
    """The facts of the context object that hold for a whole execution; `start_time` in epoch seconds."""

    execution_id: str
    start_time: float
    name: str = ""
    machine_id: str = ""
    machine_name: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution (or branch, or iteration) between two outcomes: small, frozen, plain JSON.

    `digest` pins the definition, `scope` points at the states it runs ("" is the machine itself), `branch`
    tells the executions of one run apart ("" is the run itself). `steps` counts the states entered, `at` and
    `random` are the last outcome's. `deadline` is when the machine's time-out ends the run, if it has one.
    Times are epoch seconds.
    """

    digest: str
    scope: str
    branch: str
    phase: Phase
    context: Mapping[str, Json]
    variables: Mapping[str, Json]
    input: Json
    state: str = ""
    entered_at: float = 0.0
    retries: tuple[int, ...] = ()
    until: float = 0.0
    steps: int = 0
    at: float = 0.0
    random: float = 0.0
    deadline: float | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the execution as plain JSON."""
        return plain(self) | {"retries": list(self.retries)}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**data, "phase": Phase(data["phase"]), "retries": tuple(data["retries"])})


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call the handler of a Task; `attempt` counts from 1.

    `until` is when the run's time is up (epoch seconds), for an engine that comes to it late.
    """

    state: str
    resource: str
    parameters: Json
    timeout_seconds: float | None
    attempt: int
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back with `Elapsed` after `seconds`, which is at `until` (epoch seconds)."""

    state: str
    seconds: float
    until: float


@dataclass(frozen=True, slots=True)
class Fork:
    """Run branches or iterations, each by `Begun`; `max_concurrency` 0 means no limit.

    More failures than `tolerated` stop what still runs; until then, all go on to their ends.
    """

    state: str
    branches: tuple[Execution, ...]
    max_concurrency: int = 0
    tolerated: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The execution is over."""

    status: Status
    output: Json = None
    error: str | None = None
    cause: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the ending as plain JSON."""
        return plain(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**data, "status": Status(data["status"])})


Command = Invoke | Wait | Fork | Finish


@dataclass(frozen=True, slots=True)
class Begun:
    """A READY execution starts. As in every outcome, `at` is epoch seconds and `random` is in [0, 1)."""

    at: float
    random: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    """The handler's result."""

    output: Json
    at: float
    random: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The handler's error by its ASL name; `retry_after` (seconds) may lengthen a retry's delay."""

    error: str
    cause: str | None
    at: float
    random: float = 0.0
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A `Wait` is over."""

    at: float
    random: float = 0.0


@dataclass(frozen=True, slots=True)
class BranchesFinished:
    """How each branch of a `Fork` ended, in order; None for one stopped because another failed."""

    results: tuple[Finish | None, ...]
    at: float
    random: float = 0.0


Outcome = Begun | TaskSucceeded | TaskFailed | Elapsed | BranchesFinished

_OUTCOMES: dict[str, type[Begun | TaskSucceeded | TaskFailed | Elapsed]] = {
    kind.__name__: kind for kind in (Begun, TaskSucceeded, TaskFailed, Elapsed)
}


def outcome_to_json(outcome: Outcome) -> dict[str, Json]:
    """Return an outcome as plain JSON, for an engine's record."""
    data = plain(outcome) | {"kind": type(outcome).__name__}
    if isinstance(outcome, BranchesFinished):
        data["results"] = [result and result.to_json() for result in outcome.results]
    return data


def outcome_from_json(data: Mapping[str, Json]) -> Outcome:
    """Read what `outcome_to_json` wrote."""
    values = {key: value for key, value in data.items() if key != "kind"}
    if data["kind"] == BranchesFinished.__name__:
        results = tuple(result and Finish.from_json(result) for result in values.pop("results"))
        return BranchesFinished(results, **values)
    return _OUTCOMES[data["kind"]](**values)


class EventType(StrEnum):
    """The kinds of history event: the console vocabulary of AWS Step Functions."""

    EXECUTION_STARTED = "ExecutionStarted"
    EXECUTION_SUCCEEDED = "ExecutionSucceeded"
    EXECUTION_FAILED = "ExecutionFailed"
    EXECUTION_TIMED_OUT = "ExecutionTimedOut"
    STATE_ENTERED = "StateEntered"
    STATE_EXITED = "StateExited"
    STATE_FAILED = "StateFailed"
    STATE_CAUGHT = "StateCaught"
    TASK_SCHEDULED = "TaskScheduled"
    TASK_SUCCEEDED = "TaskSucceeded"
    TASK_FAILED = "TaskFailed"
    RETRY_SCHEDULED = "RetryScheduled"
    WAIT_STARTED = "WaitStarted"
    BRANCHES_STARTED = "BranchesStarted"
    BRANCHES_SUCCEEDED = "BranchesSucceeded"
    BRANCHES_FAILED = "BranchesFailed"


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One line of a run's history: names, times and codes only, never data of the request.

    `at` is epoch seconds; `seconds` is the delay of a retry or wait; `next` is the state a catcher chose.
    """

    type: EventType
    at: float
    branch: str = ""
    state: str | None = None
    state_type: str | None = None
    attempt: int | None = None
    error: str | None = None
    seconds: float | None = None
    next: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the event as plain JSON without what does not apply."""
        return {key: value for key, value in plain(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**{**data, "type": EventType(data["type"])})


@dataclass(frozen=True, slots=True)
class Transition:
    """What one outcome led to: the execution to keep, what to do now, and what to tell."""

    execution: Execution
    commands: tuple[Command, ...]
    history: tuple[HistoryEvent, ...] = field(default=())


class DefinitionChangedError(Exception):
    """The execution was started with another definition."""


def plain(value: Any) -> dict[str, Json]:
    """Return a dataclass's fields without copying what is in them."""
    return {each.name: getattr(value, each.name) for each in fields(value)}
