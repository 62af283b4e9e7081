"""Parallel and Map: the executions they fork, and what becomes of the ends of those."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import ErrorCode
from workflow.interpreter.frame import Frame
from workflow.interpreter.model import Execution, Finish, Fork, Json, Phase, Status
from workflow.interpreter.numbers import spelled_percentage, spelled_whole
from workflow.language.definition import Map, Parallel
from workflow.language.evaluation import EvaluationError
from workflow.language.templates import escape

EXCEEDED = "States.ExceedToleratedFailureThreshold"


def fork(frame: Frame, state: Parallel | Map) -> Fork:
    """Return the branches or iterations of the current state, ready to begin."""
    return _map(frame, state) if isinstance(state, Map) else _parallel(frame, state)


def _parallel(frame: Frame, state: Parallel) -> Fork:
    data = state.parameters(state.input_path(frame.input, frame), frame)
    branches = tuple(
        _child(frame, f"Branches/{index}", index, data, frame.before.context) for index in range(len(state.branches))
    )
    return Fork(frame.name, branches)


def _map(frame: Frame, state: Map) -> Fork:
    data = state.input_path(frame.input, frame)
    items = state.items_path(data, frame)
    if not isinstance(items, list):
        raise EvaluationError("The ItemsPath does not lead to an array.")
    most = state.max_concurrency
    if state.max_concurrency_path:
        most = spelled_whole(state.max_concurrency_path(data, frame), "MaxConcurrencyPath")
    tolerated = _tolerated(frame, state, data, len(items))
    branches = tuple(_iteration(frame, state, data, index, item) for index, item in enumerate(items))
    return Fork(frame.name, branches, most, tolerated or 0)


def _tolerated(frame: Frame, state: Map, data: Json, items: int) -> int | None:
    """Return how many iterations may fail: the smaller of both limits; None if the state sets none."""
    count, share = state.tolerated_failure_count, state.tolerated_failure_percentage
    if state.tolerated_failure_count_path:
        count = spelled_whole(state.tolerated_failure_count_path(data, frame), "ToleratedFailureCountPath")
    if state.tolerated_failure_percentage_path:
        value = state.tolerated_failure_percentage_path(data, frame)
        share = spelled_percentage(value, "ToleratedFailurePercentagePath")
    limits = [count] if count is not None else []
    if share is not None:
        limits.append(max(n for n in range(items + 1) if 100 * n <= share * items))
    return min(limits, default=None)


class _ItemFrame:
    """What a selector reads: the Map's own surroundings and the item."""

    def __init__(self, frame: Frame, item: Json) -> None:
        self._frame, self._item = frame, item
        self.variables, self.randomness = frame.variables, frame.randomness

    def context(self) -> Json:
        return {**self._frame.context(), "Map": self._item}


def _iteration(frame: Frame, state: Map, data: Json, index: int, value: Json) -> Execution:
    item = {"Item": {"Index": index, "Value": value}}
    chosen = state.selector(data, _ItemFrame(frame, item)) if state.selector else value
    return _child(frame, state.processor[0], index, chosen, {**frame.before.context, "Map": item})


def _child(frame: Frame, part: str, index: int, data: Json, context: Json) -> Execution:
    before = frame.before
    return Execution(
        digest=before.digest,
        scope=f"{before.scope}/States/{escape(frame.name)}/{part}",
        branch=f"{before.branch}/{frame.name}.{index}",
        phase=Phase.READY,
        context=context,
        variables=frame.variables,
        input=data,
        deadline=before.deadline,
    )


def failure(frame: Frame, state: Parallel | Map, ends: Sequence[Finish | None]) -> Finish | None:
    """Return what the state fails with after its branches ended as they did; None if it does not."""
    failures = [end for end in ends if end and end.status is not Status.SUCCEEDED]
    # A run that was told to stop does stop.
    cancelled = next((end for end in failures if end.error == ErrorCode.CANCELLED), None)
    if cancelled or not failures:
        return cancelled
    limit = None
    if isinstance(state, Map):
        limit = _tolerated(frame, state, state.input_path(frame.input, frame), len(ends))
    if limit is None:
        return failures[0]
    if len(failures) <= limit:
        return None
    return Finish(Status.FAILED, error=EXCEEDED, cause=f"{len(failures)} of {len(ends)} items failed.")


def results(ends: Sequence[Finish | None]) -> list[Json]:
    """Return the outputs in order; a tolerated failure stands at its item's place as a catcher would get it."""
    return [_result(end) for end in ends if end]


def _result(end: Finish) -> Json:
    return end.output if end.status is Status.SUCCEEDED else error_output(end.error, end.cause)


def error_output(error: str | None, cause: str | None) -> dict[str, Json]:
    """Return the output of an error: both parts are strings, whatever is known."""
    return {"Error": error or "", "Cause": cause or ""}
