from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import START, failing, one, run, task
from workflow.engines.virtual import VirtualClock, VirtualEngine
from workflow.interpreter import TaskFailed, outcome_from_json, outcome_to_json
from workflow.interpreter.model import BranchesFinished, Finish, Status
from workflow.language import parse


def retry(*errors):
    return [{"ErrorEquals": list(errors), "MaxAttempts": 1, "IntervalSeconds": 2}]


def steps(draw, prefix, depth):
    """A chain of one to three states of any kind, each named uniquely below the prefix."""
    names = [f"{prefix}{i}" for i in range(draw(st.integers(1, 3)))]
    states = {}
    for index, name in enumerate(names):
        state = states[name] = one_state(draw, name, depth)
        state |= {"Next": names[index + 1]} if index + 1 < len(names) else {"End": True}
    return {"StartAt": names[0], "States": states}


def one_state(draw, name, depth):
    kinds = ["Pass", "Wait", "Task"] + (["Parallel", "Map"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "Pass":
        return {"Type": "Pass", "Assign": {f"v{name}.$": "$"}, "Parameters": {"at": name, "in.$": "$"}}
    if kind == "Wait":
        return {"Type": "Wait", "Seconds": draw(st.integers(0, 5))}
    if kind == "Task":
        return task(Parameters={"name": name, "n.$": "$$.State.RetryCount"}, Retry=retry("E"), ResultPath=None)
    if kind == "Parallel":
        return {"Type": "Parallel", "Branches": [steps(draw, f"{name}{b}", depth - 1) for b in "xy"]}
    inner = steps(draw, f"{name}m", depth - 1)
    most = draw(st.integers(0, 2))
    items = {"Type": "Map", "ItemProcessor": inner, "MaxConcurrency": most, "ItemsPath": "$$.Execution.Input.items"}
    limit = draw(st.sampled_from([{}, {"ToleratedFailureCount": 1}, {"ToleratedFailurePercentage": 100}]))
    return items | {"Retry": retry("E")} | limit


@st.composite
def machines(draw):
    limit = draw(st.one_of(st.just({}), st.builds(lambda seconds: {"TimeoutSeconds": seconds}, st.integers(1, 12))))
    return parse(steps(draw, "s", 2) | limit)


class World:
    """Handlers that are repeatable, as a step must be: how a call ends depends on the call alone."""

    def __init__(self, flaky):
        self.flaky = flaky

    def __call__(self, resource):
        return self.handle

    def handle(self, parameters):
        if parameters["n"] == 0 and len(parameters["name"]) % 3 < self.flaky:
            return {"error": {"code": "E", "message": "once more"}}
        return parameters


def engine(flaky):
    return VirtualEngine(World(flaky), clock=VirtualClock(START))


@given(machines(), st.integers(0, 2), st.one_of(st.none(), st.integers(0, 10)))
def test_killed_anywhere_and_taken_up_from_its_json_a_run_ends_as_if_never_killed(machine, flaky, cancel):
    cancel_at = None if cancel is None else START + cancel
    data = {"items": [1, 2]}
    wanted = engine(flaky).run(machine, data, cancel_at=cancel_at)
    run = engine(flaky).begin(machine, data, cancel_at=cancel_at)
    saved = [json.dumps(run.to_json())]
    while run.step():
        saved.append(json.dumps(run.to_json()))
    for text in saved:
        assert engine(flaky).resume(machine, json.loads(text)).to_end() == wanted


def test_a_cancelled_wait_ends_at_once_and_what_comes_after_runs_to_its_end():
    calls = []
    machine = one(
        {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Nap", "States": {"Nap": {"Type": "Wait", "Seconds": 1000, "End": True}}},
                {"StartAt": "Long", "States": {"Long": {"Type": "Wait", "Seconds": 2000, "End": True}}},
            ],
            "Catch": [{"ErrorEquals": ["Cancelled"], "Next": "Back"}],
            "Next": "Back",
        },
        Back=task(Next="Rest"),
        Rest={"Type": "Wait", "Seconds": 5, "End": True},
    )
    result = run(machine, handler=lambda p: calls.append(p) or {"released": True}, cancel_at=START + 10)
    assert (result.status, result.output) == ("SUCCEEDED", {"released": True})
    assert len(calls) == 1
    assert result.history[-1].at - START == 15


def test_each_running_branch_is_cancelled_once_and_catches_for_itself():
    def branch(name):
        caught = [{"ErrorEquals": ["Cancelled"], "Next": f"{name}Back"}]
        states = {
            name: task(Catch=caught, Retry=[{"ErrorEquals": ["NotYet"], "MaxAttempts": 99}], End=True),
            f"{name}Back": task(End=True),
        }
        return {"StartAt": name, "States": states}

    waiting = {"error": {"code": "NotYet", "message": ""}}
    answers = iter([waiting] * 4)
    machine = one({"Type": "Parallel", "Branches": [branch("A"), branch("B")]})
    result = run(machine, handler=lambda _: next(answers, "back"), cancel_at=START + 2)
    assert result.output == ["back", "back"]
    assert sorted(result.entered) == ["A", "ABack", "B", "BBack", "It"]


def test_an_exception_of_a_handler_is_permanent_and_its_text_stays_outside(caplog):
    def broken(parameters):
        raise RuntimeError("token=secret")

    with caplog.at_level(logging.ERROR):
        result = run(one(task()), handler=broken)
    assert result.error == "Internal"
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text + str(result)


def test_a_handler_that_outlasts_its_time_out_fails_by_name():
    clock = VirtualClock(START)
    slow = VirtualEngine(lambda _: lambda p: clock.advance_to(clock.now() + 6), clock=clock)
    assert slow.run(parse(one(task(TimeoutSeconds=5))), {}).error == "States.Timeout"
    assert slow.run(parse(one(task(TimeoutSeconds=6))), {}).status == "SUCCEEDED"


@pytest.mark.parametrize(
    "outcome",
    [
        TaskFailed("E", None, 1.0, 0.25, 3.0),
        BranchesFinished((Finish(Status.SUCCEEDED, output=[1]), None), 2.0),
    ],
)
def test_an_outcome_survives_as_json(outcome):
    assert outcome_from_json(json.loads(json.dumps(outcome_to_json(outcome)))) == outcome


def test_jitter_comes_from_the_engine():
    retriers = [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "JitterStrategy": "FULL"}]
    result = run(one(task(Retry=retriers)), handler=failing("E"), random=lambda: 0.25)
    assert result.history[-1].at - START == 25
