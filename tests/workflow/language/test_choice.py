from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import one, output, run
from workflow.language import validate

YES, NO = {"Type": "Succeed"}, {"Type": "Fail", "Error": "No"}


def choose(rule, data):
    machine = one({"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}, Yes=YES, No=NO)
    result = run(machine, data)
    assert result.error in {None, "No"}, (result.error, result.cause)
    return result.status == "SUCCEEDED"


ORDERS = {
    "Equals": lambda one, other: one == other,
    "LessThan": lambda one, other: one < other,
    "GreaterThan": lambda one, other: one > other,
    "LessThanEquals": lambda one, other: one <= other,
    "GreaterThanEquals": lambda one, other: one >= other,
}
SAMPLES = {
    "String": ["a", "b", "2030-01-01T00:00:00Z"],
    "Numeric": [0, 1, 1.0, -2.5],
    "Timestamp": ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00.5Z", "2030-01-01T00:00:00.45Z"],
}
STRANGERS = [None, True, [], {}, ["a"], {"a": 1}]


@pytest.mark.parametrize(("kind", "order"), [*product(SAMPLES, ORDERS)])
def test_a_comparison_orders_values_of_its_kind_and_is_false_for_any_other(kind, order):
    key = {value: float(value[17:-1]) for value in SAMPLES["Timestamp"]} if kind == "Timestamp" else None
    strangers = STRANGERS + ([1] if kind != "Numeric" else []) + (["x"] if kind != "String" else [])
    for value, other in product(SAMPLES[kind], SAMPLES[kind]):
        wanted = ORDERS[order](key[value], key[other]) if key else ORDERS[order](value, other)
        assert choose({"Variable": "$.v", kind + order: other}, {"v": value}) is wanted
        assert choose({"Variable": "$.v", f"{kind}{order}Path": "$.o"}, {"v": value, "o": other}) is wanted
    for stranger in strangers:
        assert not choose({"Variable": "$.v", kind + order: SAMPLES[kind][0]}, {"v": stranger})
        assert not choose({"Variable": "$.v", f"{kind}{order}Path": "$.o"}, {"v": stranger, "o": stranger})


def test_a_timestamp_is_compared_as_a_moment_whatever_its_offset():
    assert choose({"Variable": "$.v", "TimestampEquals": "2030-01-01T00:00:00Z"}, {"v": "2030-01-01T02:00:00+02:00"})


@pytest.mark.parametrize(("value", "other"), [*product([True, False, 1, 0, None, "true"], [True, False])])
def test_a_boolean_equals_a_boolean_only(value, other):
    assert choose({"Variable": "$.v", "BooleanEquals": other}, {"v": value}) is (value is other)
    rule = {"Variable": "$.v", "BooleanEqualsPath": "$.o"}
    assert choose(rule, {"v": value, "o": other}) is (value is other)


@pytest.mark.parametrize(
    ("operator", "fitting"),
    [
        ("IsNull", [None]),
        ("IsNumeric", [1, 1.5]),
        ("IsString", ["x", "2030-01-01T00:00:00Z"]),
        ("IsBoolean", [True]),
        ("IsTimestamp", ["2030-01-01T00:00:00Z"]),
    ],
)
def test_a_type_test_tells_every_type_apart(operator, fitting):
    for value in [None, 1, 1.5, "x", "2030-01-01T00:00:00Z", True, [], {}]:
        fits = any(value is each or (value == each and type(value) is type(each)) for each in fitting)
        for wanted in (True, False):
            assert choose({"Variable": "$.v", operator: wanted}, {"v": value}) is (fits is wanted)


def test_presence_is_the_only_question_a_missing_value_may_be_asked():
    assert choose({"Variable": "$.v", "IsPresent": False}, {})
    assert choose({"Variable": "$.v", "IsPresent": True}, {"v": None})
    guarded = {"And": [{"Variable": "$.v", "IsPresent": True}, {"Variable": "$.v", "NumericGreaterThan": 1}]}
    assert not choose(guarded, {})
    bare = {"Variable": "$.v", "NumericGreaterThan": 1, "Next": "It"}
    result = run(one({"Type": "Choice", "Choices": [bare], "Default": "Yes"}, Yes=YES))
    assert (result.status, result.error) == ("FAILED", "States.Runtime")


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("log-*.txt", "log-2030\n1.txt", True),
        ("*", "", True),
        ("a.c", "abc", False),
        (r"a\*c", "a*c", True),
        (r"a\*c", "abc", False),
        (r"a\\c", "a\\c", True),
        ("a", 1, False),
    ],
)
def test_a_pattern_knows_the_star_and_its_escapes(pattern, text, wanted):
    assert choose({"Variable": "$.v", "StringMatches": pattern}, {"v": text}) is wanted


LEAF = st.booleans().map(lambda wanted: ({"Variable": "$.t", "BooleanEquals": wanted}, wanted))


def join(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda parts: ({"And": [rule for rule, _ in parts]}, all(value for _, value in parts))),
        several.map(lambda parts: ({"Or": [rule for rule, _ in parts]}, any(value for _, value in parts))),
        inner.map(lambda part: ({"Not": part[0]}, not part[1])),
    )


@given(st.recursive(LEAF, join, max_leaves=8))
def test_rules_join_as_logic_does(tree):
    rule, wanted = tree
    assert choose(rule, {"t": True}) is wanted


def test_the_first_matching_rule_wins_and_its_assignments_replace_the_states():
    machine = one(
        {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.v", "NumericEquals": 1, "Assign": {"by": "first"}, "Next": "Tell"},
                {"Variable": "$.v", "NumericLessThan": 9, "Assign": {"by": "second"}, "Next": "Tell"},
            ],
            "Default": "Tell",
            "Assign": {"by": "none"},
        },
        Tell={"Type": "Pass", "Parameters": {"by.$": "$by"}, "End": True},
    )
    assert [output(machine, {"v": v})["by"] for v in (1, 2, 9)] == ["first", "second", "none"]


def test_no_match_and_no_default_fails_by_name():
    machine = one({"Type": "Choice", "Choices": [{"Variable": "$.v", "IsNull": True, "Next": "Yes"}]}, Yes=YES)
    assert run(machine, {"v": 1}).error == "States.NoChoiceMatched"


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"Variable": "$.v"}, ""),
        ({"Variable": "$.v", "IsNull": True, "IsString": True}, ""),
        ({"Variable": "v", "IsNull": True}, "/Variable"),
        ({"IsNull": True}, "/Variable"),
        ({"Variable": "$.v", "IsNull": "yes"}, "/IsNull"),
        ({"Variable": "$.v", "NumericEquals": True}, "/NumericEquals"),
        ({"Variable": "$.v", "StringEquals": 1}, "/StringEquals"),
        ({"Variable": "$.v", "TimestampEquals": "2030"}, "/TimestampEquals"),
        ({"Variable": "$.v", "StringEqualsPath": "o"}, "/StringEqualsPath"),
        ({"Variable": "$.v", "StringMatches": r"a\b"}, "/StringMatches"),
        ({"And": []}, "/And"),
        ({"Or": [{"Variable": "$.v", "IsNull": True}, {"Not": {"Variable": "$.v", "IsNull": 1}}]}, "/Or/1/Not/IsNull"),
        ({"Not": {"Variable": "$.v", "IsNull": True, "Next": "Yes"}}, "/Not/Next"),
        ({"Variable": "$.v", "IsNull": True, "Colour": 1}, "/Colour"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_place(rule, place):
    machine = one({"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "Yes"}, Yes=YES)
    assert [problem.place for problem in validate(machine)] == [f"/States/It/Choices/0{place}"]
