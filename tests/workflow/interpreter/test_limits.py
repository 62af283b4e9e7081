from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import START, events, failing, one, output, run, task
from workflow.engines.virtual import VirtualClock, VirtualEngine
from workflow.interpreter import EventType
from workflow.interpreter.states import LARGEST_DATA
from workflow.language import parse

CAUGHT = {"Type": "Pass", "End": True}
ALL = [{"ErrorEquals": ["States.ALL"], "Next": "Caught", "ResultPath": "$.e"}]
TOO_LARGE = "x" * (LARGEST_DATA - 1)


def limited(seconds, machine):
    return {"TimeoutSeconds": seconds, **machine}


def taking(seconds, machine, limit):
    clock = VirtualClock(START)
    engine = VirtualEngine(lambda _: lambda _: clock.advance_to(clock.now() + seconds), clock=clock)
    return engine.run(parse(limited(limit, machine)), {})


def lasted(result):
    return result.history[-1].at - result.history[0].at


NAP = {"Type": "Wait", "Seconds": 100}
BRANCH = {"StartAt": "In", "States": {"In": {**NAP, "End": True}}}


@pytest.mark.parametrize(
    "state",
    [
        NAP,
        {"Type": "Wait", "Timestamp": "2100-01-01T00:00:00Z"},
        {"Type": "Parallel", "Branches": [BRANCH], "Catch": ALL, "Retry": [{"ErrorEquals": ["States.ALL"]}]},
        {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": BRANCH, "ToleratedFailurePercentage": 100},
        task(Retry=[{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100}], Catch=ALL),
    ],
    ids=["wait", "timestamp", "parallel", "map", "backoff"],
)
def test_a_machine_that_runs_longer_than_its_time_out_ends_at_once_past_all_catchers(state):
    machine = limited(10, one({**state, "Next": "Caught"}, Caught=CAUGHT))
    result = run(machine, {"items": [1, 2]}, handler=failing("E"))
    assert (result.status, result.error, lasted(result)) == ("TIMED_OUT", "States.Timeout", 10)
    assert "Caught" not in result.entered
    assert result.history[-1].type is EventType.EXECUTION_TIMED_OUT


def test_a_machine_that_ends_in_time_does_not_notice_its_time_out():
    assert run(limited(101, one(NAP))).status == "SUCCEEDED"


def test_a_handler_at_work_when_the_machines_time_is_up_is_neither_retried_nor_caught():
    state = task(TimeoutSeconds=50, Retry=[{"ErrorEquals": ["States.Timeout"]}], Catch=ALL, Next="Caught")
    assert taking(20, one(state, Caught=CAUGHT), 10).status == "TIMED_OUT"
    assert taking(60, one(state, Caught=CAUGHT), 1000).output == {"e": {"Error": "States.Timeout", "Cause": ""}}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(1, 20))
def test_the_time_out_of_a_machine_ends_it_exactly_when_its_waits_reach_it(naps, limit):
    names = [f"S{i}" for i in range(len(naps))]
    states = {
        name: {"Type": "Wait", "Seconds": nap} | ({"Next": following} if following else {"End": True})
        for name, nap, following in zip(names, naps, [*names[1:], None], strict=True)
    }
    result = run(limited(limit, {"StartAt": "S0", "States": states}))
    # A wait that is over at the deadline itself is over too late.
    in_time = sum(naps) < limit
    assert (result.status == "SUCCEEDED", lasted(result)) == (in_time, min(sum(naps), limit))


@pytest.mark.parametrize("names", [["States.HeartbeatTimeout"], ["States.Timeout"], ["States.ALL"]])
def test_a_missed_heartbeat_is_a_time_out_that_goes_by_its_own_name_too(names):
    caught = [{"ErrorEquals": names, "Next": "Caught"}]
    state = task(TimeoutSeconds=50, HeartbeatSeconds=5, Catch=caught, Next="Caught")
    assert taking(6, one(state, Caught=CAUGHT), 100).output == {"Error": "States.Timeout", "Cause": ""}


def test_a_time_out_without_heartbeats_is_no_missed_one_and_no_failed_task():
    caught = [{"ErrorEquals": ["States.HeartbeatTimeout", "States.TaskFailed"], "Next": "Caught"}]
    state = task(TimeoutSeconds=5, Catch=caught, Next="Caught")
    assert taking(6, one(state, Caught=CAUGHT), 100).error == "States.Timeout"


@pytest.mark.parametrize("path", ["TimeoutSecondsPath", "HeartbeatSecondsPath"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True, None, 100_000_000])
def test_a_path_to_a_time_out_that_is_no_positive_whole_number_is_a_runtime_error(path, value):
    assert run(one(task(**{path: "$.t"})), {"t": value}).error == "States.Runtime"


@pytest.mark.parametrize(
    "state",
    [
        task(ResultPath="$.r"),
        task(ResultPath=None),
        task(ResultSelector={"small": 1}),
        task(Parameters={"big.$": "States.Format('{}{}', $.half, $.half)"}),
        {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "In", "States": {"In": task(End=True)}},
        },
    ],
    ids=["result", "dropped result", "selected result", "parameters", "results of all items"],
)
def test_data_beyond_the_limit_is_an_error_that_all_catches(state):
    machine = one({**state, "Catch": ALL, "Next": "Caught"}, Caught=CAUGHT)
    half = "x" * (LARGEST_DATA // 2)
    handler = (lambda _: half) if state["Type"] == "Map" else (lambda _: TOO_LARGE)
    result = output(machine, {"items": [1, 2], "half": half}, handler=handler)
    assert result["e"]["Error"] == "States.DataLimitExceeded"


def test_data_up_to_the_limit_passes_counted_in_bytes():
    assert run(one(task()), handler=lambda _: TOO_LARGE[1:]).status == "SUCCEEDED"
    assert run(one(task()), handler=lambda _: "ä" * (LARGEST_DATA // 2)).error == "States.DataLimitExceeded"


def test_the_input_of_an_execution_and_what_is_assigned_are_limited_too():
    assert run(one(CAUGHT), TOO_LARGE).error == "States.DataLimitExceeded"
    twice = {"Type": "Pass", "Assign": {"a.$": "$", "b.$": "$"}}
    assert run(one(twice), "x" * (LARGEST_DATA // 2)).error == "States.DataLimitExceeded"


FRAGILE = {"StartAt": "Each", "States": {"Each": task(End=True)}}


def fragile(items, handler=None, **fields):
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": FRAGILE, **fields}
    answer = handler or (lambda ok: ok if ok else {"error": {"code": "Own", "message": ""}})
    return run(one(state), {"items": items, "n": fields.pop("n", None)}, handler=answer)


@given(
    st.lists(st.booleans(), max_size=8),
    st.one_of(st.none(), st.integers(0, 8)),
    st.one_of(st.none(), st.floats(0, 100), st.sampled_from([0, 12.5, 25, 50, 100])),
    st.integers(0, 3),
)
def test_a_map_fails_once_more_items_failed_than_either_limit_tolerates(items, count, share, most):
    fields = {"ToleratedFailureCount": count, "ToleratedFailurePercentage": share}
    given_fields = {name: value for name, value in fields.items() if value is not None}
    result = fragile(items, MaxConcurrency=most, **given_fields)
    failures = items.count(False)
    exceeded = failures > (count if count is not None else len(items)) or (
        share is not None and failures * 100 > share * len(items)
    )
    if not given_fields:
        assert result.error == ("Own" if failures else None)
    elif exceeded:
        assert result.error == "States.ExceedToleratedFailureThreshold"
    else:
        places = [ok or {"Error": "Own", "Cause": '{"code": "Own", "message": ""}'} for ok in items]
        assert (result.status, result.output) == ("SUCCEEDED", places)


def test_an_exceeded_threshold_can_be_retried_and_caught_by_its_name():
    name = "States.ExceedToleratedFailureThreshold"
    retry = [{"ErrorEquals": [name], "MaxAttempts": 1}]
    state = {"Type": "Map", "ItemProcessor": FRAGILE, "ToleratedFailureCount": 1, "Retry": retry}
    result = run(one(state), [1, 2, 3], handler=failing("E", "E", "E"))
    assert result.status == "SUCCEEDED"
    assert len(events(result, EventType.RETRY_SCHEDULED)) == 1


@pytest.mark.parametrize(
    ("field", "value", "ending"),
    [
        ("ToleratedFailureCountPath", 1, "SUCCEEDED"),
        ("ToleratedFailureCountPath", "1", "SUCCEEDED"),
        ("ToleratedFailureCountPath", 0, "States.ExceedToleratedFailureThreshold"),
        ("ToleratedFailureCountPath", -1, "States.Runtime"),
        ("ToleratedFailureCountPath", {}, "States.Runtime"),
        ("ToleratedFailurePercentagePath", 50, "SUCCEEDED"),
        ("ToleratedFailurePercentagePath", "50.0", "SUCCEEDED"),
        ("ToleratedFailurePercentagePath", 49.9, "States.ExceedToleratedFailureThreshold"),
        ("ToleratedFailurePercentagePath", 100.1, "States.Runtime"),
        ("ToleratedFailurePercentagePath", "NaN", "States.Runtime"),
        ("ToleratedFailurePercentagePath", "some", "States.Runtime"),
        ("ToleratedFailurePercentagePath", True, "States.Runtime"),
    ],
)
def test_a_threshold_may_come_from_a_path(field, value, ending):
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": FRAGILE, field: "$.limit"}
    result = run(one(state), {"items": [1, 2], "limit": value}, handler=failing("E"))
    assert (result.error or result.status) == ending


def test_a_cancelled_run_is_not_tolerated():
    nap = {"StartAt": "Nap", "States": {"Nap": {"Type": "Wait", "Seconds": 100, "End": True}}}
    caught = [{"ErrorEquals": ["Cancelled"], "Next": "Caught"}]
    state = {"Type": "Map", "ItemProcessor": nap, "ToleratedFailurePercentage": 100, "Catch": caught, "Next": "On"}
    result = run(one(state, Caught=CAUGHT, On=CAUGHT), [1, 2], cancel_at=START + 3)
    assert result.entered[-1] == "Caught"
