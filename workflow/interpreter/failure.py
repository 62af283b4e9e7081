"""What becomes of an error: another try, a catcher, or the end."""

from __future__ import annotations

from workflow.interpreter.forks import error_output
from workflow.interpreter.frame import Frame, Goto
from workflow.interpreter.model import EventType, Finish, Phase, Status, Transition, Wait
from workflow.language.definition import Catcher, Map, Parallel, Retrier, Task
from workflow.language.evaluation import EvaluationError

RUNTIME = "States.Runtime"
TIMEOUT = "States.Timeout"
HEARTBEAT = "States.HeartbeatTimeout"


def failed(frame: Frame, error: str, cause: str | None, retry_after: float | None = None) -> Transition | Goto:
    """Retry the current state, go to one of its catchers, or end the execution."""
    # A path that finds nothing is a fault of the definition; AWS neither retries nor catches it.
    if isinstance(frame.state, (Task, Parallel, Map)) and error != RUNTIME:
        again = _retry(frame, frame.state.retry, error, retry_after)
        if again:
            return again
        for catcher in frame.state.catch:
            if any(matches(catcher.error_equals, each) for each in _names(frame, error)):
                return _catch(frame, catcher, error, cause)
    frame.note(EventType.STATE_FAILED, error=error)
    return frame.finish(Finish(Status.FAILED, error=error, cause=cause))


def _names(frame: Frame, error: str) -> tuple[str, ...]:
    """Return what an error may be called: AWS reports a missed heartbeat as a time-out, yet has a name for it."""
    state = frame.state
    beats = isinstance(state, Task) and (state.heartbeat_seconds or state.heartbeat_seconds_path)
    return (error, HEARTBEAT) if beats and error == TIMEOUT else (error,)


def matches(names: list[str], error: str) -> bool:
    """Whether an ErrorEquals names an error; States.TaskFailed stands for any but a time-out."""
    time_out = error in (TIMEOUT, HEARTBEAT)
    return error in names or "States.ALL" in names or ("States.TaskFailed" in names and not time_out)


def _retry(frame: Frame, retriers: list[Retrier], error: str, retry_after: float | None) -> Transition | None:
    for index, retrier in enumerate(retriers):
        if any(matches(retrier.error_equals, each) for each in _names(frame, error)):
            counts = frame.retries or (0,) * len(retriers)
            if counts[index] >= retrier.max_attempts:
                return None
            seconds = max(delay(retrier, counts[index], frame.source), retry_after or 0.0)
            frame.retries = (*counts[:index], counts[index] + 1, *counts[index + 1 :])
            frame.note(EventType.RETRY_SCHEDULED, error=error, seconds=seconds, attempt=sum(frame.retries) + 1)
            until = frame.at + seconds
            if frame.before.deadline is not None:
                until = min(until, frame.before.deadline)
            return frame.suspend(Phase.BACKOFF, Wait(frame.name, until - frame.at, until), until)
    return None


def delay(retrier: Retrier, count: int, source: float) -> float:
    """Return the seconds before a retry, after `count` earlier ones; `source` in [0, 1) is the jitter."""
    try:
        seconds = retrier.interval_seconds * retrier.backoff_rate**count
    except OverflowError:
        seconds = float("inf")
    longest = retrier.max_delay_seconds
    seconds = seconds if longest is None else min(seconds, longest)
    return seconds * source if retrier.jitter_strategy == "FULL" else seconds


def _catch(frame: Frame, catcher: Catcher, error: str, cause: str | None) -> Transition | Goto:
    caught = error_output(error, cause)
    try:
        output = catcher.result_path(frame.input, caught)
        if catcher.assign:
            frame.variables = {**frame.variables, **catcher.assign(caught, frame)}
    except EvaluationError as fault:
        frame.note(EventType.STATE_FAILED, error=fault.error)
        return frame.finish(Finish(Status.FAILED, error=fault.error, cause=str(fault)))
    frame.note(EventType.STATE_CAUGHT, error=error, next=catcher.next)
    return Goto(catcher.next, output)
