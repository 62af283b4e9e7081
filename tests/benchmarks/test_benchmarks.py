from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.machines import INPUT, MACHINES
from tests.benchmarks.peering import running
from tests.benchmarks.transitions import durable
from workflow.engines.virtual import VirtualEngine
from workflow.interpreter import Status
from workflow.language import parse


@pytest.mark.parametrize("name", MACHINES)
def test_a_measured_machine_enters_as_many_states_as_are_counted(name):
    definition, states = MACHINES[name]
    result = VirtualEngine(lambda _: lambda event: event).run(parse(definition), INPUT)
    assert (result.status, len(result.entered)) == (Status.SUCCEEDED, states)


def test_the_durable_engine_runs_what_is_measured():
    with durable() as engine:
        runs = [engine.enqueue(name, request_id=name, key=name, input=INPUT).run_id for name in MACHINES]
        for run in runs:
            list(engine.follow(run, timeout=20))
        assert {engine.run(run).status for run in runs} == {Status.SUCCEEDED}


def test_a_peer_that_cannot_start_ends_the_measurement(tmp_path: Path):
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\n")
    interpreter.chmod(0o755)
    with pytest.raises(SystemExit), running(interpreter):
        pass
