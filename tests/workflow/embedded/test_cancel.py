from __future__ import annotations

from typing import Any

from tests.workflow.embedded.conftest import Build
from tests.workflow.embedded.program import task
from workflow.engines.embedded import EmbeddedEngine, RunStatus, RunView
from workflow.interpreter import EventType, HistoryEvent

CATCH = [{"ErrorEquals": ["Cancelled"], "ResultPath": "$.caught", "Next": "Release"}]
LONG = {"Type": "Wait", "Seconds": 3600, "End": True}


class Handlers:
    """Count calls; `work` cancels its run if told so, `release` must run through whatever was signalled."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.engine: EmbeddedEngine | None = None

    def __getitem__(self, resource: str) -> Any:
        return getattr(self, resource.removeprefix("test:"))

    def work(self, data: Any) -> Any:
        self.calls.append("work")
        if self.engine:
            self.engine.cancel(data["run"])
        return {}

    def release(self, data: Any) -> Any:
        self.calls.append("release")
        return {}

    def busy(self, data: Any) -> Any:
        self.calls.append("busy")
        return {"error": {"code": "Busy", "message": "again"}}


def states(first: dict[str, Any]) -> dict[str, Any]:
    """`First`, then work; who is cancelled releases in two Tasks."""
    work = task("work", Parameters={"run.$": "$$.Execution.Id"}, Catch=CATCH, ResultPath="$.work")
    return {
        "First": first | {"Next": "Again"},
        "Again": work,
        "Release": task("release", ResultPath=None, Next="ReleaseMore"),
        "ReleaseMore": task("release", ResultPath=None),
    }


WORK = task("work", Parameters={"run.$": "$$.Execution.Id"}, Catch=CATCH, ResultPath="$.first")
del WORK["End"]


def cancel_at(engine: EmbeddedEngine, kind: EventType) -> RunView:
    """Cancel the run as soon as it tells an event, and work on until it ends."""
    queued = engine.enqueue("machine", request_id="request", key="key", input={})

    def tell(event: HistoryEvent) -> None:
        if event.type is kind:
            engine.cancel(queued.run_id)

    return engine.work_until_done(queued.run_id, tell)


def released(run: RunView, handlers: Handlers) -> bool:
    caught = [event.error for event in run.history if event.type is EventType.STATE_CAUGHT]
    return (
        run.status is RunStatus.SUCCEEDED
        and run.cancelled
        and caught == ["Cancelled"]
        and handlers.calls[-2:] == ["release", "release"]
    )


def test_a_queued_run_starts_and_is_cancelled_at_its_first_task(build: Build):
    handlers = Handlers()
    engine = build(states(WORK), handlers)
    queued = engine.enqueue("machine", request_id="request", key="key", input={})
    assert engine.cancel(queued.run_id).cancelled

    assert released(engine.work_until_done(queued.run_id), handlers)
    assert "work" not in handlers.calls


def test_a_task_at_work_ends_and_the_next_one_is_cancelled(build: Build):
    handlers = Handlers()
    handlers.engine = engine = build(states(WORK), handlers)
    queued = engine.enqueue("machine", request_id="request", key="key", input={})

    run = engine.work_until_done(queued.run_id)

    assert released(run, handlers)
    assert handlers.calls.count("work") == 1
    assert run.output["first"] == {}


def test_a_wait_for_the_next_attempt_is_cut_short(build: Build):
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600, "MaxAttempts": 3}]
    first = task("busy", Retry=retry, Catch=CATCH)
    del first["End"]
    handlers = Handlers()
    engine = build(states(first), handlers)
    assert released(cancel_at(engine, EventType.RETRY_SCHEDULED), handlers)
    assert handlers.calls.count("busy") == 1


def test_a_wait_state_fails_with_cancelled(build: Build):
    run = cancel_at(build({"Long": LONG}), EventType.WAIT_STARTED)
    assert (run.status, run.error) == (RunStatus.FAILED, "Cancelled")


def test_every_running_branch_is_cancelled_once_and_what_follows_is_not(build: Build):
    def branch(name: str) -> dict[str, Any]:
        caught = [{"ErrorEquals": ["Cancelled"], "Next": f"{name}Stopped"}]
        inner = {"Type": "Parallel", "Branches": [{"StartAt": f"{name}Long", "States": {f"{name}Long": LONG}}]}
        return {
            "StartAt": name,
            "States": {
                name: inner | {"Catch": caught, "End": True},
                f"{name}Stopped": task("release"),
            },
        }

    both = {"Type": "Parallel", "Branches": [branch("Left"), branch("Right")], "ResultPath": None}
    handlers = Handlers()
    engine = build({"Both": both | {"Next": "After"}, "After": task("release")}, handlers)

    run = cancel_at(engine, EventType.WAIT_STARTED)

    assert run.status is RunStatus.SUCCEEDED
    caught = [event.branch for event in run.history if event.type is EventType.STATE_CAUGHT]
    assert len(set(caught)) == len(caught) == 2
    assert handlers.calls == ["release"] * 3


def test_a_run_that_ended_stays_as_it_is(build: Build):
    engine = build({"A": {"Type": "Succeed"}})
    queued = engine.enqueue("machine", request_id="request", key="key", input={})
    done = engine.work_until_done(queued.run_id)
    assert not engine.cancel(done.run_id).cancelled
    assert engine.run(done.run_id) == done
