from __future__ import annotations

import json

import pytest

from tests.workflow.running import one, run, task
from workflow.interpreter import Status
from workflow.language import InvalidDefinitionError, Problem, parse, validate

END = {"Type": "Succeed"}


def places(definition):
    return {problem.place: problem.message for problem in validate(definition)}


def catch(*names):
    return [{"ErrorEquals": list(each), "Next": "End"} for each in names]


def test_a_definition_without_a_problem_becomes_a_machine_with_a_digest_of_its_meaning():
    text = json.dumps(one(END), indent=2)
    assert validate(text) == []
    assert parse(text).digest == parse(one(END)).digest != parse(one({"Type": "Fail"})).digest


@pytest.mark.parametrize(
    ("state", "place", "message"),
    [
        ({"Type": "Pass", "Next": "Nowhere"}, "/Next", "no state 'Nowhere'"),
        ({"Type": "Pass", "Next": "End", "End": True}, "", "either Next or End"),
        (task(Catch=[{"ErrorEquals": ["E"], "Next": "Nowhere"}]), "/Catch/0/Next", "no state"),
        (task(Catch=catch(["States.ALL"], ["E"])), "/Catch/0/ErrorEquals", "States.ALL"),
        (task(Catch=catch(["States.ALL", "E"])), "/Catch/0/ErrorEquals", "States.ALL"),
        (task(Retry=[{"ErrorEquals": []}]), "/Retry/0/ErrorEquals", "at least 1"),
        (task(Retry=[{"ErrorEquals": ["E"], "BackoffRate": 0.5}]), "/Retry/0/BackoffRate", "greater"),
        (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": -1}]), "/Retry/0/MaxAttempts", "greater"),
        (task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 0}]), "/Retry/0/IntervalSeconds", "greater"),
        (
            task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 5, "MaxDelaySeconds": 5}]),
            "/Retry/0/MaxDelaySeconds",
            "greater",
        ),
        (task(Retry=[{"ErrorEquals": ["E"], "JitterStrategy": "HALF"}]), "/Retry/0/JitterStrategy", "FULL"),
        (task(TimeoutSeconds=1, TimeoutSecondsPath="$.t"), "", "exclude"),
        (task(TimeoutSeconds=5, HeartbeatSeconds=5), "/HeartbeatSeconds", "less than"),
        (task(TimeoutSeconds="5"), "/TimeoutSeconds", "integer"),
        (task(TimeoutSeconds=True), "/TimeoutSeconds", "integer"),
        (task(InputPath="a"), "/InputPath", "path"),
        (task(ResultPath="$.a[*]"), "/ResultPath", "reference path"),
        (task(Parameters={"a": {"b.$": 1}}), "/Parameters/a/b.$", "path"),
        (task(Assign={"1x": 1}), "/Assign/1x", "name of a variable"),
        (task(Colour="red"), "/Colour", "unknown field"),
        ({"Type": "Task"}, "/Resource", "missing"),
        ({"Type": "Task", "Resource": "nowhere"}, "/Resource", "not a URI"),
        ({"Type": "Wait"}, "", "exactly one"),
        ({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s"}, "", "exactly one"),
        ({"Type": "Wait", "Seconds": -1}, "/Seconds", "greater"),
        ({"Type": "Wait", "Timestamp": "2030-01-01 00:00:00Z"}, "/Timestamp", "RFC 3339"),
        ({"Type": "Map"}, "", "ItemProcessor"),
        ({"Type": "Parallel", "Branches": []}, "/Branches", "at least 1"),
        ({"Type": "Parallel", "Branches": [one({"Type": "Pass", "Next": "End"})]}, "/Branches/0/", "no state 'End'"),
        ({"Type": "Nap"}, "", "Type must be"),
        ({"End": True}, "", "Type is missing"),
        ({"Type": "Fail", "Error": "States.Mine"}, "/Error", "States."),
        ({"Type": "Fail", "Error": "A", "ErrorPath": "$.e"}, "", "exclude"),
        # What is refused is named.
        (task(QueryLanguage="JSONata", Arguments={}, Output="{% 1 %}"), "/QueryLanguage", "JSONata"),
        ({"Type": "Task", "Resource": "arn:x:y.waitForTaskToken"}, "/Resource", "task tokens"),
        ({"Type": "Map", "ItemReader": {}, "ItemProcessor": one({"Type": "Pass"})}, "/ItemReader", "distributed Map"),
        ({"Type": "Map", "ToleratedFailureCount": -1}, "/ToleratedFailureCount", "0"),
        ({"Type": "Map", "ToleratedFailurePercentage": 100.5}, "/ToleratedFailurePercentage", "100"),
        (
            {
                "Type": "Map",
                "ItemProcessor": one({"Type": "Pass"}),
                "ToleratedFailureCount": 1,
                "ToleratedFailureCountPath": "$.n",
            },
            "",
            "exclude",
        ),
        ({"Type": "Map", "ToleratedFailurePercentagePath": 5}, "/ToleratedFailurePercentagePath", "string"),
    ],
)
def test_a_problem_is_reported_at_its_place(state, place, message):
    machine = {"StartAt": "First", "States": {"First": state, "End": END}}
    if state.get("Type") not in {"Fail"} and not state.keys() & {"Next", "End"}:
        machine["States"]["First"] = {**state, "Next": "End"}
    found = places(machine)
    assert any(each.startswith(f"/States/First{place}") and message in text for each, text in found.items()), found


@pytest.mark.parametrize(
    ("definition", "place", "message"),
    [
        ({}, "/StartAt", "missing"),
        ({**one(END), "StartAt": "Other"}, "/StartAt", "no state 'Other'"),
        ({**one(END), "QueryLanguage": "JSONata"}, "/QueryLanguage", "JSONata"),
        ({**one(END), "TimeoutSeconds": 0}, "/TimeoutSeconds", "1"),
        (one(END, Island=END), "/States/Island", "no state leads here"),
        (one({"Type": "Pass", "Next": "It"}), "/States", "no end"),
        (one({"Type": "Pass", "Next": "x" * 81}, **{"x" * 81: END}), f"/States/{'x' * 81}", "80"),
        ("{", "", "not JSON"),
        ("[]", "", "object"),
        ('{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "A": {"Type": "Fail"}}}', "", "twice"),
    ],
)
def test_a_problem_of_the_whole_is_reported_too(definition, place, message):
    assert message in places(definition)[place]


def test_every_problem_is_reported_at_once_in_every_scope():
    inner = {"StartAt": "Lost", "States": {"In/ner": task(TimeoutSeconds=0, Colour=1, End=True)}}
    state = {"Type": "Parallel", "Branches": [inner], "ResultPath": "x", "Next": "It"}
    machine = one(state, Spare=END, Odd=5)
    base = "/States/It/Branches/0"
    assert set(places(machine)) == {
        "/States",
        "/States/Spare",
        "/States/Odd",
        "/States/It/ResultPath",
        f"{base}/StartAt",
        f"{base}/States/In~1ner/TimeoutSeconds",
        f"{base}/States/In~1ner/Colour",
    }


def test_a_name_is_used_once_in_a_machine_whatever_the_scope():
    branch = one({"Type": "Pass"})
    assert len(places(one({"Type": "Parallel", "Branches": [branch, branch]}))) == 3


def test_an_inner_scope_may_not_assign_an_outer_variable():
    def branch(variable):
        return {"StartAt": "In", "States": {"In": {"Type": "Pass", "Assign": {variable: 1}, "End": True}}}

    def machine(variable):
        return one({"Type": "Parallel", "Branches": [branch(variable)], "Assign": {"mine.$": "$"}})

    assert places(machine("own")) == {}
    assert "/States/It/Branches/0/States/In/Assign/mine" in places(machine("mine"))


def test_a_machine_is_not_made_of_a_definition_with_problems():
    with pytest.raises(InvalidDefinitionError) as failure:
        parse(one({"Type": "Pass", "Next": "Nowhere"}))
    assert "/States/It/Next" in [problem.place for problem in failure.value.problems]


WHOLE = {
    "StartAt": "It",
    "TimeoutSeconds": 5,
    "States": {
        "It": {
            "Type": "Map",
            "ItemsPath": "$.a",
            "ItemSelector": {"v.$": "$$.Map.Item.Value"},
            "ToleratedFailureCountPath": "$.n",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Nap",
                "States": {"Nap": {"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z", "End": True}},
            },
            "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 1, "MaxDelaySeconds": 5}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "End", "Assign": {"e.$": "$"}}],
            "Next": "Way",
        },
        "Way": {
            "Type": "Choice",
            "Choices": [{"Not": {"And": [{"Variable": "$.a", "NumericEquals": 1}]}, "Next": "Both"}],
            "Default": "Call",
        },
        "Both": {"Type": "Parallel", "Branches": [{"StartAt": "In", "States": {"In": END}}], "Next": "End"},
        "Call": task(Parameters={"a.$": "States.Format('{}', $.a)"}, HeartbeatSeconds=1, TimeoutSeconds=2, Next="End"),
        "End": END,
    },
}
JUNK = [None, True, 0, -1, 1.5, 10**20, "", "$", "States.X(", "States.ALL", [], {}, [None], [[]], {"a": 1}]


def places_within(node, place=()):
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*place, key)
        yield from places_within(child, (*place, key))


def replaced(node, place, value):
    if not place:
        return value
    copy = node.copy()
    copy[place[0]] = replaced(node[place[0]], place[1:], value)
    return copy


@pytest.mark.parametrize("value", JUNK, ids=repr)
def test_whatever_stands_anywhere_is_judged_and_what_has_no_problem_runs_to_its_end(value):
    assert validate(WHOLE) == []
    for place in places_within(WHOLE):
        changed = replaced(WHOLE, place, value)
        problems = validate(changed)
        assert all(isinstance(problem, Problem) for problem in problems)
        if not problems:
            assert run(changed, {"a": [1], "n": 0}).status in Status


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"Type": "Wait", "Seconds": None}, "Seconds"),
        (task(TimeoutSeconds=None), "TimeoutSeconds"),
        (task(Retry=None), "Retry"),
        (task(Catch=[{"ErrorEquals": ["E"], "Next": "End", "Assign": None}]), "Catch/0/Assign"),
        (
            {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "End"}], "Default": None},
            "Default",
        ),
    ],
)
def test_null_stands_only_where_it_is_a_value(state, field):
    ways = {} if state["Type"] == "Choice" else {"Next": "End"}
    assert places(one({**state, **ways}, End=END)) == {f"/States/It/{field}": "must not be null"}
    nothing = dict.fromkeys(("InputPath", "OutputPath", "ResultPath", "Result", "Parameters"))
    assert places(one({"Type": "Pass", **nothing})) == {}
