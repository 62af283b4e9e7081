from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflow.embedded.program import MACHINES, resolver
from workflow.engines.embedded import EmbeddedEngine, RunStatus, RunView, run_id_of
from workflow.interpreter import EventType

OUTPUT = "End"
NAMES = {"First", "Left", "Right", "Last", "Flaky", "End"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").touch()
    return tmp_path / "log"


@pytest.fixture
def survivor(store: Path, log: Path) -> Iterator[EmbeddedEngine]:
    engine = EmbeddedEngine(store, resolver(log, "never"), MACHINES, random=lambda: 0.2)
    yield engine
    engine.close()


def spawn(store: Path, log: Path, kill: str, request: str = "request") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.workflow.embedded.program", str(store), str(log), request, kill]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def calls(log: Path) -> list[str]:
    return log.read_text().split()


def finish(engine: EmbeddedEngine) -> RunView:
    run = engine.work_until_done(run_id_of("request"))
    assert (run.status, run.output) == (RunStatus.SUCCEEDED, OUTPUT)
    return run


@pytest.mark.parametrize(
    ("kill", "repeated"),
    [
        ("event:ExecutionStarted", NAMES),
        ("before:First", set()),
        ("after:First", {"First"}),
        ("after:Left", {"Left", "Right"}),
        ("after:Last", {"Last", "Right"}),
        ("before:Flaky", set()),
        ("event:RetryScheduled", {"Flaky"}),
        ("after:End", {"End"}),
    ],
)
def test_a_killed_run_goes_on_and_repeats_only_what_was_not_recorded(
    kill: str, repeated: set[str], store: Path, log: Path, survivor: EmbeddedEngine
):
    victim = spawn(store, log, kill)
    victim.communicate(timeout=20)
    assert victim.returncode == -9

    run = finish(survivor)

    assert set(calls(log)) == NAMES
    again = {name for name in NAMES if calls(log).count(name) > (2 if name == "Flaky" else 1)}
    assert again <= repeated
    assert [event.type for event in run.history].count(EventType.EXECUTION_SUCCEEDED) == 1


def test_a_wait_ends_when_it_would_have_ended_without_the_kill(store: Path, log: Path, survivor: EmbeddedEngine):
    spawn(store, log, "event:WaitStarted").communicate(timeout=20)

    history = finish(survivor).history

    begun = next(event for event in history if event.type is EventType.WAIT_STARTED)
    ended = next(event for event in history if event.type is EventType.STATE_EXITED and event.state == "Pause")
    assert 1.0 <= ended.at - begun.at < 1.5


def test_one_request_in_two_processes_at_once_is_one_run_with_one_answer(store: Path, log: Path):
    both = [spawn(store, log, "never") for _ in range(2)]
    answers = [process.communicate(timeout=20)[0] for process in both]
    assert [json.loads(answer) for answer in answers] == [OUTPUT, OUTPUT]
    assert sorted(calls(log)) == sorted([*NAMES, "Flaky"])


def test_a_waiting_process_takes_over_when_the_worker_is_killed(store: Path, log: Path, survivor: EmbeddedEngine):
    worker = spawn(store, log, "hang:First")
    while not calls(log):
        assert worker.poll() is None
        time.sleep(0.01)
    killed = False

    def watch() -> bool:
        nonlocal killed
        if not killed:
            assert calls(log) == ["First"], "two workers at once"
            worker.kill()
            worker.communicate()
            killed = True
        return survivor.run(run_id_of("request")).status.ended

    survivor.work(watch)

    assert finish(survivor)
    assert calls(log).count("First") == 2
