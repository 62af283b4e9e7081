"""What each type of state does when it is entered, and when what it asked for is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from workflow.interpreter.frame import Frame, Goto
from workflow.interpreter.model import (
    EventType,
    Execution,
    Finish,
    Fork,
    Invoke,
    Json,
    Phase,
    Status,
    Transition,
)
from workflow.interpreter.model import Wait as WaitCommand
from workflow.language.choice import read_timestamp
from workflow.language.definition import (
    LONGEST_SECONDS,
    Choice,
    Fail,
    Linked,
    Map,
    Parallel,
    Pass,
    Succeed,
    Task,
    Wait,
    Working,
)
from workflow.language.evaluation import EvaluationError, Evaluator
from workflow.language.templates import escape

LARGEST_OUTPUT = 262_144
"""Bytes of a state's output as JSON, the limit of AWS; an execution that travels in an event needs one too."""

Step = Transition | Goto


def begin(frame: Frame) -> Step:
    """Do the work of the current state, for the first time or again."""
    return _BEGIN[frame.state.type](frame, frame.state)


def _pass(frame: Frame, state: Pass) -> Step:
    result = state.result if state.has_result else state.parameters(state.input_path(frame.input, frame), frame)
    return leave(frame, state, state.result_path(frame.input, result), result)


def _choice(frame: Frame, state: Choice) -> Step:
    data = state.input_path(frame.input, frame)
    for rule in state.choices:
        if rule.condition(data, frame):
            return _chosen(frame, state, rule.next, data, rule.assign)
    if state.default is None:
        raise EvaluationError(f"No rule of '{frame.name}' matches.", "States.NoChoiceMatched")
    return _chosen(frame, state, state.default, data, state.assign)


def _chosen(frame: Frame, state: Choice, target: str, data: Json, assign: Evaluator | None) -> Step:
    output = state.output_path(data, frame)
    _assign(frame, assign, data)
    frame.note(EventType.STATE_EXITED)
    return Goto(target, output)


def _succeed(frame: Frame, state: Succeed) -> Step:
    output = state.output_path(state.input_path(frame.input, frame), frame)
    frame.note(EventType.STATE_EXITED)
    return Goto(None, output)


def _fail(frame: Frame, state: Fail) -> Step:
    error = state.error_path(frame.input, frame) if state.error_path else state.error
    cause = state.cause_path(frame.input, frame) if state.cause_path else state.cause
    for value, field in ((error, "ErrorPath"), (cause, "CausePath")):
        if not (value is None or isinstance(value, str)):
            raise EvaluationError(f"The {field} does not lead to a string.")
    frame.note(EventType.STATE_FAILED, error=error)
    return frame.finish(Finish(Status.FAILED, error=error, cause=cause))


def _wait(frame: Frame, state: Wait) -> Step:
    data = state.input_path(frame.input, frame)
    until = _wake_up(frame, state, data)
    if until <= frame.at:
        return waited(frame, state)
    frame.note(EventType.WAIT_STARTED, seconds=until - frame.at)
    return frame.suspend(Phase.WAIT, WaitCommand(frame.name, until - frame.at, until), until)


def waited(frame: Frame, state: Wait) -> Step:
    """Leave a Wait."""
    data = state.input_path(frame.input, frame)
    return leave(frame, state, data, data)


def _wake_up(frame: Frame, state: Wait, data: Json) -> float:
    if state.seconds is not None:
        return frame.entered_at + state.seconds
    if state.seconds_path:
        seconds = state.seconds_path(data, frame)
        return frame.entered_at + _whole(seconds, "SecondsPath", most=LONGEST_SECONDS)
    moment = state.timestamp or _moment(state.timestamp_path(data, frame) if state.timestamp_path else None)
    return moment[0] + float(f"0.{moment[1] or 0}")


def _moment(value: Json) -> tuple[int, str]:
    moment = read_timestamp(value) if isinstance(value, str) else None
    if moment is None:
        raise EvaluationError("The TimestampPath does not lead to an RFC 3339 time with T and an offset.")
    return moment


def _task(frame: Frame, state: Task) -> Step:
    command = invocation(frame, state)
    frame.note(EventType.TASK_SCHEDULED, attempt=command.attempt)
    return frame.suspend(Phase.TASK, command)


def invocation(frame: Frame, state: Task) -> Invoke:
    """Return the call of a Task's handler; its parameters are evaluated again for each attempt."""
    data = state.input_path(frame.input, frame)
    parameters = state.parameters(data, frame)
    limits = [
        _limit(frame, data, state.timeout_seconds, state.timeout_seconds_path, "TimeoutSecondsPath"),
        # A handler called like a function sends no heartbeat, so the first one missed ends it.
        _limit(frame, data, state.heartbeat_seconds, state.heartbeat_seconds_path, "HeartbeatSecondsPath"),
    ]
    seconds = min((limit for limit in limits if limit is not None), default=None)
    return Invoke(frame.name, state.resource, parameters, seconds, sum(frame.retries) + 1)


def _limit(frame: Frame, data: Json, seconds: int | None, path: Evaluator | None, field: str) -> int | None:
    return _whole(path(data, frame), field, least=1, most=LONGEST_SECONDS) if path else seconds


def _parallel(frame: Frame, state: Parallel) -> Step:
    return _fork(frame, fork_parallel(frame, state))


def _map(frame: Frame, state: Map) -> Step:
    command = fork_map(frame, state)
    return _fork(frame, command) if command.branches else worked(frame, state, [])


def _fork(frame: Frame, command: Fork) -> Step:
    frame.note(EventType.BRANCHES_STARTED, attempt=sum(frame.retries) + 1)
    return frame.suspend(Phase.BRANCHES, command)


def fork_parallel(frame: Frame, state: Parallel) -> Fork:
    """Return the branches of a Parallel, ready to begin with the same input."""
    data = state.parameters(state.input_path(frame.input, frame), frame)
    branches = tuple(
        _child(frame, f"Branches/{index}", index, data, frame.before.context) for index in range(len(state.branches))
    )
    return Fork(frame.name, branches)


def fork_map(frame: Frame, state: Map) -> Fork:
    """Return the iterations of a Map, ready to begin, each with its item or what the selector makes of it."""
    data = state.input_path(frame.input, frame)
    items = state.items_path(data, frame)
    if not isinstance(items, list):
        raise EvaluationError("The ItemsPath does not lead to an array.")
    most = state.max_concurrency
    if state.max_concurrency_path:
        most = _whole(state.max_concurrency_path(data, frame), "MaxConcurrencyPath")
    return Fork(frame.name, tuple(_iteration(frame, state, data, i, item) for i, item in enumerate(items)), most)


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
    )


def worked(frame: Frame, state: Working, result: Json) -> Step:
    """Leave a Task, Parallel or Map with its result."""
    selected = state.result_selector(result, frame)
    return leave(frame, state, state.result_path(frame.input, selected), selected)


def leave(frame: Frame, state: Linked, placed: Json, result: Json) -> Step:
    """Leave a state; `$` in its Assign is the result, and the variables are those at its entry."""
    output = state.output_path(placed, frame)
    if output is not frame.input:
        check_size(frame.name, output)
    _assign(frame, state.assign, result)
    frame.note(EventType.STATE_EXITED)
    return Goto(state.next, output)


def check_size(name: str, output: Json) -> None:
    """Refuse an output that is too large to be passed on."""
    text = json.dumps(output, separators=(",", ":"), ensure_ascii=False)
    if len(text) > LARGEST_OUTPUT // 4 and len(text.encode()) > LARGEST_OUTPUT:
        raise EvaluationError(f"The output of '{name}' exceeds {LARGEST_OUTPUT} bytes.", "States.DataLimitExceeded")


def _assign(frame: Frame, assign: Evaluator | None, data: Json) -> None:
    if assign:
        frame.variables = {**frame.variables, **assign(data, frame)}


def _whole(value: Json, field: str, least: int = 0, most: int | None = None) -> int:
    """Read a number that a path led to; AWS takes one written as text in some fields, and so do we."""
    number = value
    if field == "MaxConcurrencyPath" and isinstance(value, str) and value.isdecimal():
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise EvaluationError(f"The {field} does not lead to a whole number.")
    if number < least or (most is not None and number > most):
        raise EvaluationError(f"The {field} leads to a number out of range.")
    return number


_BEGIN: dict[str, Callable[[Frame, Any], Step]] = {
    "Pass": _pass,
    "Task": _task,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Parallel": _parallel,
    "Map": _map,
}
