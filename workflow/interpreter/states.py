"""What each type of state does when it is entered, and when what it asked for is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from workflow.interpreter.forks import fork
from workflow.interpreter.frame import Frame, Goto
from workflow.interpreter.model import (
    EventType,
    Finish,
    Invoke,
    Json,
    Phase,
    Status,
    Transition,
)
from workflow.interpreter.model import Wait as WaitCommand
from workflow.interpreter.numbers import whole
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

LARGEST_DATA = 262_144
"""Bytes as JSON of any input, result, output or Assign, the limit of AWS; an execution that travels needs one, too."""

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
    if frame.before.deadline is not None:
        until = min(until, frame.before.deadline)
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
        return frame.entered_at + whole(seconds, "SecondsPath", most=LONGEST_SECONDS)
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
    if parameters is not frame.input:
        check_size(f"input of '{frame.name}'", parameters)
    limits = [
        _limit(frame, data, state.timeout_seconds, state.timeout_seconds_path, "TimeoutSecondsPath"),
        # A handler called like a function sends no heartbeat, so the first one missed ends it.
        _limit(frame, data, state.heartbeat_seconds, state.heartbeat_seconds_path, "HeartbeatSecondsPath"),
        None if frame.before.deadline is None else frame.before.deadline - frame.at,
    ]
    seconds = min((limit for limit in limits if limit is not None), default=None)
    attempt = sum(frame.retries) + 1
    return Invoke(frame.name, state.resource, parameters, seconds, attempt, frame.before.deadline)


def _limit(frame: Frame, data: Json, seconds: int | None, path: Evaluator | None, field: str) -> int | None:
    return whole(path(data, frame), field, least=1, most=LONGEST_SECONDS) if path else seconds


def _fork(frame: Frame, state: Parallel | Map) -> Step:
    command = fork(frame, state)
    if not command.branches:
        return worked(frame, state, [])
    frame.note(EventType.BRANCHES_STARTED, attempt=sum(frame.retries) + 1)
    return frame.suspend(Phase.BRANCHES, command)


def worked(frame: Frame, state: Working, result: Json) -> Step:
    """Leave a Task, Parallel or Map with its result."""
    selected = state.result_selector(result, frame)
    placed = state.result_path(frame.input, selected)
    if placed is not result:
        check_size(f"result of '{frame.name}'", result)
    return leave(frame, state, placed, selected)


def leave(frame: Frame, state: Linked, placed: Json, result: Json) -> Step:
    """Leave a state; `$` in its Assign is the result, and the variables are those at its entry."""
    output = state.output_path(placed, frame)
    if output is not frame.input:
        check_size(f"output of '{frame.name}'", output)
    _assign(frame, state.assign, result)
    frame.note(EventType.STATE_EXITED)
    return Goto(state.next, output)


def _assign(frame: Frame, assign: Evaluator | None, data: Json) -> None:
    if assign:
        assigned = assign(data, frame)
        check_size(f"Assign of '{frame.name}'", assigned)
        frame.variables = {**frame.variables, **assigned}


def check_size(what: str, data: Json) -> None:
    """Refuse what is too large to be passed on.

    Raises:
        EvaluationError: `States.DataLimitExceeded`, which States.ALL catches.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    if len(text) > LARGEST_DATA // 4 and len(text.encode()) > LARGEST_DATA:
        raise EvaluationError(f"The {what} exceeds {LARGEST_DATA} bytes.", "States.DataLimitExceeded")


_BEGIN: dict[str, Callable[[Frame, Any], Step]] = {
    "Pass": _pass,
    "Task": _task,
    "Choice": _choice,
    "Wait": _wait,
    "Succeed": _succeed,
    "Fail": _fail,
    "Parallel": _fork,
    "Map": _fork,
}
