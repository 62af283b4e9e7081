from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from sqlite3 import Error, connect
from typing import Any

import pytest

from tests.workflow.embedded.conftest import Build
from tests.workflow.embedded.program import task
from workflow.engines.embedded import STORE_ERRORS, EmbeddedEngine, RunStatus
from workflow.engines.embedded.guard import MOST_DEATHS
from workflow.engines.embedded.lock import ProcessLock
from workflow.interpreter import EventType

TWO = {"A": task("a", Next="B"), "B": task("b")}
TIMEOUT = 5


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path):
    first, second = ProcessLock(tmp_path / "lock"), ProcessLock(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    assert not first.acquire()
    second.release()


def test_a_lock_that_nobody_can_take_is_not_waited_for(tmp_path: Path):
    (tmp_path / "lock").write_bytes(b"no database" * 500)
    with pytest.raises(Error):
        ProcessLock(tmp_path / "lock").acquire()


def test_a_run_whose_store_fails_is_no_failed_run_and_goes_on_with_the_next_worker(build: Build, tmp_path: Path):
    calls = []

    def on_store(statement: str) -> None:
        with closing(connect(tmp_path / "store" / "runs.sqlite", isolation_level=None)) as store:
            store.execute(statement)

    def first(data: Any) -> Any:
        calls.append("a")
        if calls == ["a"]:
            # From now on a step can be read, but not written.
            on_store(
                "CREATE TRIGGER broken BEFORE INSERT ON operation_outputs BEGIN INSERT INTO absent VALUES (1); END"
            )
        return data

    handlers = {"test:a": first, "test:b": lambda _: calls.append("b")}
    run_id = build(TWO, handlers).enqueue("machine", request_id="r", key="k", input={}).run_id
    with pytest.raises(STORE_ERRORS):
        build(TWO, handlers).work_until_done(run_id)
    on_store("DROP TRIGGER broken")
    assert build(TWO, handlers).work_until_done(run_id).status is RunStatus.SUCCEEDED
    assert calls == ["a", "a", "b"]


class Slow:
    """The handlers of `TWO`: the worker is made to leave while the first is at work."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._begun, self._go_on = threading.Event(), threading.Event()

    def __getitem__(self, resource: str) -> Any:
        return {"test:a": self._first, "test:b": lambda _: self.calls.append("b")}[resource]

    def _first(self, data: Any) -> Any:
        self.calls.append("a")
        self._begun.set()
        assert self._go_on.wait(TIMEOUT)
        return data

    def leave_in_the_middle(self, engine: EmbeddedEngine) -> None:
        leaving = threading.Thread(target=engine.work, args=(self._begun.is_set,))
        leaving.start()
        assert self._begun.wait(TIMEOUT)
        leaving.join(0.2)
        assert leaving.is_alive(), "left while a handler was at work"
        self._go_on.set()
        leaving.join(TIMEOUT)
        assert self.calls == ["a"]


def test_a_leaving_worker_waits_for_its_handler_and_leaves_the_next_state_to_the_next_worker(build: Build):
    slow = Slow()
    engine = build(TWO, slow)
    queued = engine.enqueue("machine", request_id="request", key="key", input={})
    slow.leave_in_the_middle(engine)

    assert engine.run(queued.run_id).status is engine.runs()[0].status is RunStatus.RUNNING
    assert engine.work_until_done(queued.run_id).status is RunStatus.SUCCEEDED
    assert slow.calls == ["a", "b"]


def test_two_engines_of_a_process_take_turns_in_working(build: Build):
    working = 0

    def alone(_: Any) -> bool:
        nonlocal working
        working += 1
        assert working == 1
        working -= 1
        return True

    engines = [build(TWO, {"test:a": alone, "test:b": alone}) for _ in range(2)]
    runs = [
        engine.enqueue("machine", request_id=str(number), key="key", input={}).run_id
        for number, engine in enumerate(engines)
    ]
    threads = [
        threading.Thread(target=engine.work_until_done, args=(run_id,))
        for engine, run_id in zip(engines, runs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert [engines[0].run(run_id).status for run_id in runs] == [RunStatus.SUCCEEDED] * 2


def test_a_follower_sees_a_state_entered_while_its_handler_is_still_at_work(build: Build):
    seen = threading.Event()
    engine = build(TWO, {"test:a": lambda data: data, "test:b": lambda _: seen.wait(TIMEOUT)})
    queued = engine.enqueue("machine", request_id="request", key="key", input={})
    worker = threading.Thread(target=engine.work_until_done, args=(queued.run_id,))
    worker.start()
    for event in build(TWO).follow(queued.run_id, timeout=TIMEOUT):
        if (event.type, event.state) == (EventType.STATE_ENTERED, "B"):
            seen.set()
    worker.join(TIMEOUT)
    assert engine.run(queued.run_id).output is True


def test_what_a_handler_does_to_its_parameters_stays_with_it(build: Build):
    def spoil(data: dict[str, Any]) -> None:
        data["list"].append("spoilt")

    engine = build({"A": task("a", ResultPath=None)}, {"test:a": spoil})
    queued = engine.enqueue("machine", request_id="request", key="key", input={"list": []})
    assert engine.work_until_done(queued.run_id).output == {"list": []}


@pytest.mark.parametrize(
    ("steps", "deaths", "died", "called"),
    [
        (2, MOST_DEATHS - 1, True, ["a"]),
        (2, MOST_DEATHS - 2, True, ["a", "b"]),
        (2, MOST_DEATHS - 1, False, ["a", "b"]),
        (1, MOST_DEATHS - 1, True, ["a", "b"]),
    ],
)
def test_only_a_step_that_killed_its_worker_too_often_is_refused(
    build: Build, tmp_path: Path, *, steps: int, deaths: int, died: bool, called: list[str]
):
    slow = Slow()
    engine = build(TWO, slow)
    queued = engine.enqueue("machine", request_id="request", key="key", input={})
    slow.leave_in_the_middle(engine)
    # As if workers had died: the run stands at its second task, after two recorded steps.
    record = {"running": died, "frontiers": {queued.run_id: {"steps": steps, "deaths": deaths}}}
    (tmp_path / "store" / "worker.json").write_text(json.dumps(record))

    run = engine.work_until_done(queued.run_id)

    assert slow.calls == called
    assert run.error == (None if "b" in called else "Internal")
