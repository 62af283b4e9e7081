"""One step of a state machine: an execution and an outcome in, the next execution and commands out."""

from __future__ import annotations

from workflow.interpreter.failure import TIMEOUT, failed
from workflow.interpreter.forks import failure, fork, results
from workflow.interpreter.frame import Frame, Goto, timestamp
from workflow.interpreter.model import (
    Begun,
    BranchesFinished,
    Command,
    DefinitionChangedError,
    Elapsed,
    EventType,
    Execution,
    Finish,
    HistoryEvent,
    Invoke,
    Json,
    Outcome,
    Phase,
    StartContext,
    Status,
    TaskFailed,
    TaskSucceeded,
    Transition,
)
from workflow.interpreter.model import Wait as WaitCommand
from workflow.interpreter.states import begin, check_size, invocation, waited, worked
from workflow.language.definition import Machine, Map, Parallel, Task, Wait
from workflow.language.evaluation import EvaluationError

_EXPECTED: dict[Phase, tuple[type[Outcome], ...]] = {
    Phase.READY: (Begun,),
    # A failure may come at any time: that is how a run is cancelled.
    Phase.TASK: (TaskSucceeded, TaskFailed),
    Phase.WAIT: (Elapsed, TaskFailed),
    Phase.BACKOFF: (Elapsed, TaskFailed),
    Phase.BRANCHES: (BranchesFinished, TaskFailed),
    Phase.DONE: (),
}


def start(machine: Machine, data: Json, context: StartContext, *, random: float = 0.0) -> Transition:
    """Start an execution of a machine with its input, as of the context's start time."""
    seconds = machine.definition.timeout_seconds
    execution = Execution(
        digest=machine.digest,
        scope="",
        branch="",
        phase=Phase.READY,
        context=_context(data, context),
        variables={},
        input=data,
        deadline=None if seconds is None else context.start_time + seconds,
    )
    return advance(machine, execution, Begun(context.start_time, random))


def _context(data: Json, context: StartContext) -> dict[str, Json]:
    return {
        "Execution": {
            "Id": context.execution_id,
            "Input": data,
            "Name": context.name,
            "RoleArn": context.role,
            "StartTime": timestamp(context.start_time),
        },
        "StateMachine": {"Id": context.machine_id, "Name": context.machine_name},
    }


def advance(machine: Machine, execution: Execution, outcome: Outcome) -> Transition:
    """Take an outcome and go on to the next command; Pass, Choice and the like ride along.

    Raises:
        DefinitionChangedError: the execution was started with another definition.
        TypeError: the execution does not wait for this kind of outcome.
    """
    if execution.digest != machine.digest:
        raise DefinitionChangedError(f"started with {execution.digest[:12]}, not {machine.digest[:12]}")
    if not isinstance(outcome, _EXPECTED[execution.phase]):
        raise TypeError(f"{type(outcome).__name__} does not fit the phase {execution.phase}")
    frame = Frame.of(machine, execution, outcome)
    if _is_overdue(frame, outcome):
        return frame.finish(Finish(Status.TIMED_OUT, error=TIMEOUT))
    step = _guarded(frame, outcome)
    while isinstance(step, Goto):
        if step.next is None:
            return frame.finish(Finish(Status.SUCCEEDED, output=step.output))
        step = _guarded(frame, step)
    return step


def _is_overdue(frame: Frame, outcome: Outcome) -> bool:
    """Whether the machine's time is up, which nothing catches; the engine's clocks may differ by a little."""
    deadline = frame.before.deadline
    if deadline is None or frame.at >= deadline:
        return deadline is not None
    if not (isinstance(outcome, TaskFailed) and outcome.error == TIMEOUT and frame.before.phase is Phase.TASK):
        return False
    (command,) = pending(frame.machine, frame.before)
    return isinstance(command, Invoke) and command.timeout_seconds == deadline - frame.before.at


def _guarded(frame: Frame, cause: Outcome | Goto) -> Transition | Goto:
    try:
        return _enter(frame, cause) if isinstance(cause, Goto) else _digest(frame, cause)
    except EvaluationError as error:
        return failed(frame, error.error, str(error))


def _enter(frame: Frame, step: Goto) -> Transition | Goto:
    assert step.next is not None, "an end is no state"
    frame.enter(step.next, step.output)
    return begin(frame)


def _digest(frame: Frame, outcome: Outcome) -> Transition | Goto:
    match outcome:
        case Begun():
            return _begun(frame)
        case TaskFailed():
            frame.note(EventType.TASK_FAILED, error=outcome.error, attempt=sum(frame.retries) + 1)
            return failed(frame, outcome.error, outcome.cause, outcome.retry_after)
        case TaskSucceeded():
            frame.note(EventType.TASK_SUCCEEDED, attempt=sum(frame.retries) + 1)
            return worked(frame, _task(frame), outcome.output)
        case BranchesFinished():
            return _joined(frame, outcome)
        case Elapsed():
            return _elapsed(frame)


def _begun(frame: Frame) -> Transition | Goto:
    if not frame.before.branch:
        frame.history.append(HistoryEvent(EventType.EXECUTION_STARTED, frame.at))
        try:
            check_size("input of the execution", frame.input)
        except EvaluationError as error:
            return frame.finish(Finish(Status.FAILED, error=error.error, cause=str(error)))
    return Goto(frame.flow.start_at, frame.input)


def _elapsed(frame: Frame) -> Transition | Goto:
    return waited(frame, frame.state) if isinstance(frame.state, Wait) else begin(frame)


def _joined(frame: Frame, outcome: BranchesFinished) -> Transition | Goto:
    state = _forking(frame)
    broken = failure(frame, state, outcome.results)
    if broken:
        frame.note(EventType.BRANCHES_FAILED, error=broken.error)
        return failed(frame, broken.error or "", broken.cause)
    frame.note(EventType.BRANCHES_SUCCEEDED)
    return worked(frame, state, results(outcome.results))


def _task(frame: Frame) -> Task:
    assert isinstance(frame.state, Task), "only a Task waits for a handler"
    return frame.state


def _forking(frame: Frame) -> Parallel | Map:
    assert isinstance(frame.state, (Parallel, Map)), "only these fork"
    return frame.state


def pending(machine: Machine, execution: Execution) -> tuple[Command, ...]:
    """Say again what an execution waits for, so that it can be taken up from its JSON alone."""
    frame = Frame(machine, execution, execution.at, execution.random)
    match execution.phase:
        case Phase.TASK:
            return (invocation(frame, _task(frame)),)
        case Phase.WAIT | Phase.BACKOFF:
            return (WaitCommand(execution.state, execution.until - execution.at, execution.until),)
        case Phase.BRANCHES:
            return (fork(frame, _forking(frame)),)
        case _:
            return ()
