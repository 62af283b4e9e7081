from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ErrorCode, PermanentError
from tests.workflow.embedded.conftest import Build
from tests.workflow.embedded.program import task
from workflow.engines.embedded import EmbeddedEngine, RunStatus, run_id_of
from workflow.interpreter import EventType

SECRET = "do-not-tell"


def run(engine: EmbeddedEngine, request: str = "request", key: str = "key", data: Any = None):
    return engine.work_until_done(engine.enqueue("machine", request_id=request, key=key, input=data).run_id)


def echo(parameters: Any) -> Any:
    return parameters


def flow(name: str, state: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state} | others}


def test_a_run_keeps_its_input_output_and_history(build: Build):
    engine = build({"A": task("a", Next="B"), "B": task("b")}, {"test:a": echo, "test:b": lambda data: data | {"b": 2}})
    events = []
    queued = engine.enqueue("machine", request_id="request", key="key", input={"a": 1})
    done = engine.work_until_done(queued.run_id, events.append)

    assert (queued.status, queued.started, queued.ended) == (RunStatus.QUEUED, None, None)
    assert (done.status, done.input, done.output) == (RunStatus.SUCCEEDED, {"a": 1}, {"a": 1, "b": 2})
    assert queued.created <= done.started <= done.ended
    entered = [event.state for event in done.history if event.type is EventType.STATE_ENTERED]
    assert entered == ["A", "B"]
    assert events == list(done.history) == list(engine.follow(done.run_id))


def test_branches_run_side_by_side_and_join_in_order(build: Build):
    meeting = threading.Barrier(2, timeout=5)
    handlers = {
        "test:left": lambda _: "L" if meeting.wait() >= 0 else None,
        "test:right": lambda _: "R" if meeting.wait() >= 0 else None,
    }
    both = {"Type": "Parallel", "Branches": [flow("L", task("left")), flow("R", task("right"))], "End": True}
    assert run(build({"Both": both}, handlers)).output == ["L", "R"]


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_map_runs_no_more_iterations_at_once_than_it_may(at_once: int, build: Build):
    busy, most, order = 0, 0, []
    together = threading.Barrier(at_once)

    def handler(item: int) -> int:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        order.append(item)
        together.wait(10)
        busy -= 1
        return -item

    items = {"Type": "Map", "MaxConcurrency": at_once, "ItemProcessor": flow("Do", task("do")), "End": True}
    done = run(build({"Each": items}, {"test:do": handler}), data=[1, 2, 3, 4])

    assert done.output == [-1, -2, -3, -4]
    assert most == at_once
    assert at_once > 1 or order == [1, 2, 3, 4]


def test_a_failed_branch_stops_the_others_where_they_wait_and_keeps_its_own_error(build: Build):
    inner = {"Type": "Parallel", "Branches": [flow("Long", {"Type": "Wait", "Seconds": 3600, "End": True})]}
    both = {
        "Type": "Parallel",
        "Branches": [flow("Bad", {"Type": "Fail", "Error": "Mine"}), flow("Inner", inner | {"End": True})],
        "End": True,
    }
    done = run(build({"Both": both}))
    assert (done.status, done.error) == (RunStatus.FAILED, "Mine")


def test_the_same_request_again_is_the_first_run_with_its_answer(build: Build):
    calls: list[Any] = []
    engine = build({"A": task("a")}, {"test:a": lambda data: calls.append(data) or len(calls)})
    first = run(engine, data={"x": 1, "y": 2})
    again = engine.enqueue("machine", request_id="request", key="key", input={"y": 2, "x": 1})
    assert (again.run_id, again.status, again.output) == (first.run_id, RunStatus.SUCCEEDED, 1)
    assert len(calls) == 1


@pytest.mark.parametrize(("key", "data"), [("key", {"x": 2}), ("other", {"x": 1})])
def test_a_request_id_used_again_with_other_content_is_refused(key: str, data: Any, build: Build):
    engine = build({"A": task("a")}, {"test:a": echo})
    engine.enqueue("machine", request_id="request", key="key", input={"x": 1})
    with pytest.raises(PermanentError) as refusal:
        engine.enqueue("machine", request_id="request", key=key, input=data)
    assert refusal.value.code is ErrorCode.REQUEST_REUSED
    assert refusal.value.data.field == "request_id"
    assert [each.key for each in engine.runs()] == ["key"]


@pytest.mark.parametrize("look", ["run", "cancel", "work_until_done"])
def test_a_run_nobody_queued_is_not_found(look: str, build: Build):
    with pytest.raises(PermanentError) as refusal:
        getattr(build({"A": task("a")}), look)("run-x")
    assert refusal.value.code is ErrorCode.NOT_FOUND


def test_runs_of_one_key_go_one_at_a_time_in_their_order_and_others_beside_them(build: Build):
    busy: list[str] = []
    seen: list[tuple[str, list[str]]] = []
    together = threading.Barrier(2, timeout=5)

    def handler(data: dict[str, str]) -> None:
        busy.append(data["key"])
        seen.append((data["request"], list(busy)))
        if data["request"] in ("a0", "b0"):
            together.wait()
        time.sleep(0.02)
        busy.remove(data["key"])

    engine = build({"A": task("a")}, {"test:a": handler})
    requests = [f"a{number}" for number in range(4)] + ["b0"]
    for request in requests:
        engine.enqueue("machine", request_id=request, key=request[0], input={"key": request[0], "request": request})
    engine.work(lambda: all(each.status.ended for each in engine.runs()))

    assert [request for request, _ in seen if request[0] == "a"] == requests[:4]
    assert all(keys.count("a") <= 1 for _, keys in seen)
    assert [each.request_id for each in engine.runs(key="a", status=[RunStatus.SUCCEEDED])] == requests[3::-1]
    assert [each.request_id for each in engine.runs(key="b")] == ["b0"]


def test_a_run_follows_the_definition_it_was_queued_with(build: Build):
    waiting = build({"Old": {"Type": "Pass", "Result": "old", "End": True}})
    queued = waiting.enqueue("machine", request_id="request", key="key", input=None)
    newer = build({"New": {"Type": "Pass", "Result": "new", "End": True}})
    assert newer.work_until_done(queued.run_id).output == "old"


def raising(_: Any) -> Any:
    raise KeyError(SECRET)


def leaving(_: Any) -> Any:
    raise SystemExit(SECRET)


@pytest.mark.parametrize("handler", [raising, leaving, lambda _: {SECRET: object()}])
def test_a_handler_that_raises_is_internal_and_its_text_is_stored_nowhere(
    handler: Any, build: Build, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    done = run(build({"A": task("a")}, {"test:a": handler}))
    assert (done.status, done.error) == (RunStatus.FAILED, "Internal")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())
    assert SECRET.encode() not in stored
    assert SECRET not in caplog.text


def test_a_timed_out_task_is_waited_for_before_the_machine_goes_on(build: Build):
    steps: list[str] = []

    def late(_: Any) -> str:
        time.sleep(1.1)
        steps.append("late handler ends")
        return "too late"

    engine = build(
        {
            "A": task("a", TimeoutSeconds=1, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "B"}], Next="B"),
            "B": task("b"),
        },
        {"test:a": late, "test:b": lambda data: steps.append("next state") or data},
    )
    assert run(engine).output["Error"] == "States.Timeout"
    assert steps == ["late handler ends", "next state"]


def test_following_ends_at_its_time_out_while_the_run_goes_on(build: Build):
    engine = build({"A": task("a")})
    queued = engine.enqueue("machine", request_id="request", key="key", input=None)
    assert list(engine.follow(queued.run_id, timeout=0.0)) == []
    assert engine.run(queued.run_id).status is RunStatus.QUEUED


def test_what_is_old_and_ended_is_pruned_and_its_request_forgotten(build: Build):
    both = {"Type": "Parallel", "Branches": [flow("A", task("a"))], "End": True}
    engine = build({"Both": both}, {"test:a": echo})
    done = run(engine)
    engine.enqueue("machine", request_id="waiting", key="key", input=None)

    assert engine.prune(done.ended - 60) == []
    assert engine.prune(done.ended + 60) == [done.run_id]
    assert [each.request_id for each in engine.runs()] == ["waiting"]
    assert run(engine, data="other").run_id == run_id_of("request")
