"""What the runner of recorded executions calls: `run` for an execution, `check` for a definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflow.engines.virtual import VirtualClock, VirtualEngine, VirtualRun
from workflow.interpreter import Invoke, Outcome, StartContext, TaskFailed, TaskSucceeded, start
from workflow.language import parse, validate

Json = Any
Answer = Callable[[str, str, Json], Json]


class RecordedEngine(VirtualEngine):
    """Takes each Task's answer from the recording, by the state's name."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(lambda resource: lambda parameters: parameters, clock=VirtualClock())
        self._answer = answer

    def invoke(self, command: Invoke) -> Outcome:
        now = self.clock.now()
        try:
            return TaskSucceeded(self._answer(command.state, command.resource, command.parameters), now)
        except Exception as failure:
            # The runner's own TaskError, which lives in its module.
            if not hasattr(failure, "error"):
                raise
            if failure.error == "States.Timeout" and command.timeout_seconds is not None:
                now += command.timeout_seconds
                self.clock.advance_to(now)
            return TaskFailed(failure.error, failure.cause, now)


def run(definition: Mapping[str, Json], data: Json, answer: Answer) -> dict[str, Json]:
    engine = RecordedEngine(answer)
    machine = parse(definition)
    context = StartContext(
        "arn:aws:states:::execution:m:e", engine.clock.now(), "e", "arn:aws:states:::m", "m", "snf_role_arn"
    )
    result = VirtualRun.begin(machine, engine, start(machine, data, context), None).to_end()
    if result.status == "SUCCEEDED":
        return {"status": result.status, "output": result.output, "entered": result.entered}
    return {
        "status": result.status,
        "error": result.error,
        "cause": result.cause,
        "entered": result.entered,
    }


def check(definition: str) -> list[str]:
    return [f"{problem.place}: {problem.message}" for problem in validate(definition)]
