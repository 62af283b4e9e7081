from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import START, one, output, run, task
from workflow.engines.virtual import VirtualEngine
from workflow.interpreter import Execution, Invoke, StartContext, start
from workflow.language import parse

NAMES = ["a", "b", "c"]
VALUES = st.one_of(st.integers(0, 9), st.text(max_size=3), st.dictionaries(st.sampled_from(NAMES), st.integers()))
INPUTS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))
SELECT = st.one_of(st.none(), st.just("$"), st.sampled_from([f"$.{name}" for name in NAMES]))
PLACE = st.one_of(st.none(), st.just("$"), st.sampled_from([f"$.{name}" for name in [*NAMES, "new"]]))


def select(path, data):
    if path is None:
        return {}
    return data if path == "$" else data[path[2:]]


def put(path, raw, result):
    if path is None:
        return raw
    return result if path == "$" else {**raw, path[2:]: result}


@given(
    INPUTS,
    st.tuples(SELECT, PLACE, st.sampled_from(["$", "$$.State.Name", None])),
    st.booleans(),
    st.booleans(),
)
def test_data_flows_through_the_six_fields_in_their_order(data, paths, shapes, selects):
    in_path, place, out_path = paths
    before = json.dumps(data)
    state = task(InputPath=in_path, ResultPath=place, OutputPath=out_path)
    state |= {"Parameters": {"whole.$": "$", "fixed": [1]}} if shapes else {}
    state |= {"ResultSelector": {"picked.$": "$.echo", "from.$": "$$.State.Name"}} if selects else {}

    effective = select(in_path, data)
    sent = {"whole": effective, "fixed": [1]} if shapes else effective
    result = {"picked": sent, "from": "It"} if selects else {"echo": sent}
    placed = put(place, data, result)
    wanted = {"$": placed, "$$.State.Name": "It", None: {}}[out_path]

    assert output(one(state), data, handler=lambda parameters: {"echo": parameters}) == wanted
    assert json.dumps(data) == before


def test_the_result_of_a_pass_is_taken_as_it_is_and_may_be_null():
    assert output(one({"Type": "Pass", "Result": {"a.$": "$.b"}})) == {"a.$": "$.b"}
    assert output(one({"Type": "Pass", "Result": None}), {"a": 1}) is None
    assert output(one({"Type": "Pass"}), {"a": 1}) == {"a": 1}


def test_a_result_that_has_no_place_in_the_input_is_caught_by_its_name():
    state = task(ResultPath="$.a.b", Catch=[{"ErrorEquals": ["States.ResultPathMatchFailure"], "Next": "Caught"}])
    machine = one({**state, "Next": "Caught"}, Caught={"Type": "Pass", "OutputPath": "$.Error", "End": True})
    assert output(machine, {"a": 1}) == "States.ResultPathMatchFailure"


def test_a_path_that_finds_nothing_ends_the_run_whatever_would_catch_it():
    caught = [{"ErrorEquals": ["States.Runtime"], "Next": "Caught"}, {"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    retried = [{"ErrorEquals": ["States.ALL"]}]
    machine = one(task(InputPath="$.none", Catch=caught, Retry=retried, Next="Caught"), Caught={"Type": "Succeed"})
    result = run(machine)
    assert (result.error, result.entered) == ("States.Runtime", ["It"])


def test_the_context_object_tells_where_the_run_is():
    machine = parse(one(task(Parameters={"all.$": "$$"})))
    context = StartContext("id-1", START + 0.25, "name", "machine-1", "expose", "agency")
    (command,) = start(machine, {"in": 1}, context).commands
    assert isinstance(command, Invoke)
    assert command.parameters["all"] == {
        "Execution": {
            "Id": "id-1",
            "Input": {"in": 1},
            "Name": "name",
            "RoleArn": "agency",
            "StartTime": "2001-09-09T01:46:40.250Z",
        },
        "StateMachine": {"Id": "machine-1", "Name": "expose"},
        "State": {"Name": "It", "EnteredTime": "2001-09-09T01:46:40.250Z", "RetryCount": 0},
    }


def test_an_execution_is_plain_json_and_pins_its_definition():
    machine = parse(one(task()))
    execution = start(machine, {"a": [1]}, StartContext("id", START)).execution
    assert Execution.from_json(json.loads(json.dumps(execution.to_json()))) == execution
    assert execution.digest == machine.digest


def test_variables_are_set_when_a_state_is_left_from_the_values_at_its_entry():
    machine = one(
        {"Type": "Pass", "Result": {"n": 2}, "Assign": {"x": 1, "y.$": "$.n", "kept": 0}, "Next": "Swap"},
        Swap={"Type": "Pass", "Assign": {"x.$": "$y", "y.$": "$x"}, "Parameters": {"x.$": "$x"}, "Next": "Tell"},
        Tell={"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y", "was.$": "$.x", "kept.$": "$kept"}, "End": True},
    )
    assert output(machine) == {"x": 2, "y": 1, "was": 1, "kept": 0}


def test_a_wait_assigns_from_its_input_and_a_catcher_from_the_error():
    machine = one(
        {"Type": "Wait", "Seconds": 1, "Assign": {"seen.$": "$.a"}, "Next": "Work"},
        Work=task(
            Catch=[{"ErrorEquals": ["Bad"], "Assign": {"why.$": "$.Error"}, "ResultPath": None, "Next": "Tell"}],
            Assign={"why": "none"},
            Next="Tell",
        ),
        Tell={"Type": "Pass", "Parameters": {"seen.$": "$seen", "why.$": "$why", "in.$": "$"}, "End": True},
    )
    bad = {"error": {"code": "Bad", "message": ""}}
    assert output(machine, {"a": 7}, handler=lambda _: bad) == {"seen": 7, "why": "Bad", "in": {"a": 7}}


@pytest.mark.parametrize(
    ("fields", "data", "waited"),
    [
        ({"Seconds": 0}, {}, 0),
        ({"Seconds": 90}, {}, 90),
        ({"SecondsPath": "$.s"}, {"s": 5}, 5),
        ({"Timestamp": "2001-09-09T01:46:41.5Z"}, {}, 1.5),
        ({"Timestamp": "2001-09-09T03:46:42+02:00"}, {}, 2),
        ({"Timestamp": "1999-01-01T00:00:00Z"}, {}, 0),
        ({"TimestampPath": "$.t"}, {"t": "2001-09-09T01:46:43Z"}, 3),
    ],
)
def test_a_wait_lasts_as_long_as_it_says(fields, data, waited):
    result = run(one({"Type": "Wait", **fields}), data)
    assert result.history[-1].at - START == pytest.approx(waited, abs=1e-6)
    assert result.output == data


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ({"SecondsPath": "$.s"}, {"s": -1}),
        ({"SecondsPath": "$.s"}, {"s": "5"}),
        ({"SecondsPath": "$.s"}, {"s": True}),
        ({"SecondsPath": "$.s"}, {"s": 100_000_000}),
        ({"TimestampPath": "$.s"}, {"s": "2030-01-01T00:00:00"}),
        ({"TimestampPath": "$.s"}, {"s": "2030-13-01T00:00:00Z"}),
        ({"TimestampPath": "$.s"}, {"s": 5}),
    ],
)
def test_a_wait_that_cannot_be_read_is_a_runtime_error(fields, data):
    assert run(one({"Type": "Wait", **fields}), data).error == "States.Runtime"


def test_a_fail_takes_error_and_cause_from_itself_or_from_paths():
    bare = run(one({"Type": "Fail"}))
    assert (bare.error, bare.cause) == (None, None)
    paths = {"ErrorPath": "$.e", "CausePath": "States.Format('because {}', $.n)"}
    result = run(one({"Type": "Fail", **paths}), {"e": "Mine", "n": 1})
    assert (result.error, result.cause) == ("Mine", "because 1")


def test_an_output_too_large_to_pass_on_fails_by_name():
    assert output(one({"Type": "Pass", "Result": "é" * 131_000}))
    assert run(one({"Type": "Pass", "Result": "é" * 132_000})).error == "States.DataLimitExceeded"


def test_a_loop_without_end_ends():
    looped = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Out"}], "Default": "It"}
    result = VirtualEngine(lambda resource: lambda parameters: parameters).run(
        parse(one(looped, Out={"Type": "Succeed"})), {"a": 1}
    )
    assert result.error == "States.Runtime"
