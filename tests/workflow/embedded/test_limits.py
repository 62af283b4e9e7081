from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from tests.workflow.embedded.program import task
from workflow.engines.embedded import EmbeddedEngine, RunStatus
from workflow.interpreter import EventType
from workflow.language import parse

ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Never"}]
NAP = {"Type": "Wait", "Seconds": 3600, "End": True}


def flow(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


@pytest.fixture
def run(tmp_path):
    def work(definition: dict[str, Any], handler=lambda data: data, data: Any = None):
        engine = EmbeddedEngine(tmp_path / "store", lambda _: handler, {"machine": parse(definition)})
        try:
            queued = engine.enqueue("machine", request_id="request", key="key", input=data)
            return engine.work_until_done(queued.run_id)
        finally:
            engine.close()

    return work


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Parallel", "Branches": [flow("Nap", NAP), flow("Other", NAP | {"Seconds": 7200})], "Catch": ALL},
        {"Type": "Task", "Resource": "test:slow", "Catch": ALL},
    ],
    ids=["waiting", "working"],
)
def test_a_run_ends_when_its_machines_time_is_up_whatever_it_does(state, run):
    steps: list[str] = []

    def slow(_: Any) -> None:
        time.sleep(1.2)
        steps.append("late")

    states = {"It": state | {"Next": "Never"}, "Never": {"Type": "Pass", "End": True}}
    done = run({"StartAt": "It", "States": states, "TimeoutSeconds": 1}, slow)
    assert (done.status, done.error) == (RunStatus.TIMED_OUT, "States.Timeout")
    assert done.history[-1].type is EventType.EXECUTION_TIMED_OUT
    assert 1.0 <= done.ended - done.started < 2.0
    assert "Never" not in {event.state for event in done.history}
    assert steps == ["late"] * (state["Type"] == "Task")


def test_tolerated_failures_of_items_stop_nobody_and_one_more_stops_the_rest(run):
    seen: list[int] = []

    def odd(item: int) -> Any:
        seen.append(item)
        return {"error": {"code": "Odd", "message": ""}} if item % 2 else item

    items = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": flow("Do", task("do")), "End": True}
    done = run(flow("Each", items | {"ToleratedFailureCount": 2}), odd, [0, 1, 2, 3, 4])
    assert [item if isinstance(item, int) else item["Error"] for item in done.output] == [0, "Odd", 2, "Odd", 4]


def test_one_failure_too_many_is_the_threshold_and_what_is_not_begun_does_not_begin(run):
    seen: list[int] = []

    def failing(item: int) -> Any:
        seen.append(item)
        return {"error": {"code": "Own", "message": ""}}

    items = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": flow("Do", task("do")), "End": True}
    done = run(flow("Each", items | {"ToleratedFailurePercentage": 25}), failing, [0, 1, 2, 3])
    assert (done.error, seen) == ("States.ExceedToleratedFailureThreshold", [0, 1])


def test_a_run_without_a_worker_until_its_time_was_up_calls_nothing_any_more(tmp_path):
    calls: list[Any] = []
    # Six seconds pass from one look at the clock to the next.
    clock = count(0, 6).__next__
    machine = parse({**flow("It", task("it")), "TimeoutSeconds": 5})
    engine = EmbeddedEngine(tmp_path / "store", lambda _: calls.append, {"machine": machine}, clock=clock)
    queued = engine.enqueue("machine", request_id="request", key="key", input=None)
    assert engine.work_until_done(queued.run_id).status is RunStatus.TIMED_OUT
    assert calls == []
    engine.close()
