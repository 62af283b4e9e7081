from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import one, output, run, task
from workflow.language.evaluation import CompileError, EvaluationError
from workflow.language.paths import compile_path, compile_placement
from workflow.language.templates import compile_template

DOCUMENT = {"a": {"b": [10, {"c d": 1}, 30]}, "delivery-partner": "x", "text": "abc", "none": None}


class Nothing:
    def __init__(self):
        self.variables = {"name": {"first": "Ada"}}

    def context(self):
        return {"State": {"Name": "It"}}

    def randomness(self):
        raise AssertionError("no path draws")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.a.b[0]", 10),
        ("$.a.b[-1]", 30),
        ("$.a.b[1]['c d']", 1),
        ('$["a"]["b"][0]', 10),
        ("$.delivery-partner", "x"),
        ("$.none", None),
        ("$$.State.Name", "It"),
        ("$$", {"State": {"Name": "It"}}),
        ("$name", {"first": "Ada"}),
        ("$name.first", "Ada"),
    ],
)
def test_a_path_that_can_name_one_place_gives_its_value(path, value):
    assert compile_path(path)(DOCUMENT, Nothing()) == value


@pytest.mark.parametrize("path", ["$.x", "$.a.b[3]", "$.a[0]", "$.text[0]", "$.a.b['c d']", "$other", "$$.Map"])
def test_a_path_to_one_place_that_is_not_there_is_a_runtime_error(path):
    with pytest.raises(EvaluationError) as failure:
        compile_path(path)(DOCUMENT, Nothing())
    assert failure.value.error == "States.Runtime"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.a.b[0:2]", [10, {"c d": 1}]),
        ("$.a.b[0,2]", [10, 30]),
        ("$..b[0]", [10]),
        ("$.a.*", [[10, {"c d": 1}, 30]]),
        ("$.x[*]", []),
        ("$.text[*]", []),
        ("$.a.b[?(@ == 30)]", [30]),
    ],
)
def test_a_path_that_can_name_many_places_gives_a_list_even_of_one_or_none(path, value):
    assert compile_path(path)(DOCUMENT, Nothing()) == value


@pytest.mark.parametrize("text", ["", "a", "$.", "$.a b", "$.a[", "$.length()", "$.a | $.b"])
def test_what_is_not_a_path_is_refused_when_it_is_compiled(text):
    with pytest.raises(CompileError):
        compile_path(text)


@pytest.mark.parametrize("text", ["$.a[*]", "$..a", "$$.a", "$a", "a", "$.a[-1]"])
def test_a_result_path_must_be_a_reference_path_into_the_input(text):
    with pytest.raises(CompileError):
        compile_placement(text)


KEYS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4)
DOCUMENTS = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c"]), inner), max_leaves=6
)


def reachable(document, keys):
    """Whether a path of names can be made: every level that exists on the way is an object."""
    for key in keys:
        if not isinstance(document, dict):
            return False
        document = document.get(key, {})
    return True


@given(KEYS, st.dictionaries(st.sampled_from(["a", "b", "c"]), DOCUMENTS), st.integers())
def test_a_placed_result_is_found_at_its_path_and_nothing_else_changes(keys, raw, result):
    before = repr(raw)
    path = "$." + ".".join(keys)
    if not reachable(raw, keys):
        with pytest.raises(EvaluationError) as failure:
            compile_placement(path)(raw, result)
        assert failure.value.error == "States.ResultPathMatchFailure"
        return
    placed = compile_placement(path)(raw, result)
    assert repr(raw) == before
    assert compile_path(path)(placed, Nothing()) == result
    untouched = {key: value for key, value in raw.items() if key != keys[0]}
    assert {key: value for key, value in placed.items() if key != keys[0]} == untouched


def test_a_template_takes_values_at_any_depth_and_leaves_the_rest_alone():
    template = {"x": 1, "y.$": "$.a", "z": [{"n.$": "$$.State.Name"}, "$.a", {"k": "v"}]}
    assert compile_template(template)({"a": 2}, Nothing()) == {
        "x": 1,
        "y": 2,
        "z": [{"n": "It"}, "$.a", {"k": "v"}],
    }


def test_a_template_names_every_fault_with_its_place():
    with pytest.raises(CompileError) as failure:
        compile_template({"a": [{"b.$": 5}], "c/d.$": "nonsense", "e": 1, "e.$": "$"})
    assert [place for place, _ in failure.value.faults] == ["/a/0/b.$", "/c~1d.$", "/e.$"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("States.Array()", []),
        ("States.Array(1, 'two', null, true, $.n, States.Array(1.5))", [1, "two", None, True, 3, [1.5]]),
        ("States.ArrayPartition($.list, 2)", [[1, 2], [2, 3]]),
        ("States.ArrayContains($.mixed, true)", False),
        ("States.ArrayContains($.mixed, 1)", True),
        ("States.ArrayRange(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("States.ArrayRange(3, 1, -1)", [3, 2, 1]),
        ("States.ArrayGetItem($.list, 1)", 2),
        ("States.ArrayLength($.list)", 4),
        ("States.ArrayUnique($.list)", [1, 2, 3]),
        ("States.ArrayUnique(States.Array(1, 2, 1, true, 'b'))", [1, 2, True, "b"]),
        ("States.Base64Encode('Data to encode')", "RGF0YSB0byBlbmNvZGU="),
        ("States.Base64Decode('RGVjb2RlZA==')", "Decoded"),
        ("States.Hash('input data', 'SHA-1')", "aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ("States.JsonMerge($.one, $.other, false)", {"a": {"x": 1}, "b": 2}),
        ("States.StringToJson('{\"a\":[1]}')", {"a": [1]}),
        ("States.StringToJson('  ')", None),
        ("States.JsonToString($.other)", '{"a":{"x":1}}'),
        ("States.MathAdd($.n, -1)", 2),
        ("States.MathAdd(-1.5, 0)", -1),
        ("States.MathAdd(1.49, -1.49)", 0),
        ("States.StringSplit('a.b+c', '.+')", ["a", "b", "c"]),
        ("States.Format('{} {}', $.n, $.other)", "3 {a={x=1}}"),
        (r"States.Format('\'\{\}\\ {}', true)", "'{}\\ true"),
        (r"States.Array('it\'s, (ok)')", ["it's, (ok)"]),
        ("States.ArrayLength($.mixed[?(@ == 1 && @ != 'a, b)')])", 1),
        ("States.MathRandom(5, 6)", 5),
    ],
)
def test_an_intrinsic_function_gives_what_the_language_says(expression, value):
    data = {
        "n": 3,
        "list": [1, 2, 2, 3],
        "mixed": [1, "a"],
        "one": {"a": 1, "b": 2},
        "other": {"a": {"x": 1}},
    }
    assert output(one({"Type": "Pass", "Parameters": {"r.$": expression}}), data)["r"] == value


@pytest.mark.parametrize(
    "expression",
    [
        "States.ArrayRange(1, 2000, 1)",
        "States.ArrayGetItem($.list, 9)",
        "States.ArrayPartition($.list, 0)",
        "States.Base64Decode('?')",
        "States.Hash('x', 'CRC')",
        "States.JsonMerge($, $, true)",
        "States.StringToJson('{')",
        "States.MathAdd('1', 2)",
        "States.Format('{}')",
        "States.Format('no', 1)",
        "States.StringToJson('NaN')",
        "States.StringToJson($.deep)",
        "States.ArrayRange(1, 2, 0)",
    ],
)
def test_an_intrinsic_function_that_fails_is_a_runtime_error_that_no_catcher_sees(expression):
    caught = task(Parameters={"r.$": expression}, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}])
    caught |= {"Next": "Caught"}
    result = run(one(caught, Caught={"Type": "Succeed"}), {"list": [1], "deep": "[" * 100_000})
    assert (result.status, result.error) == ("FAILED", "States.Runtime")


@pytest.mark.parametrize(
    "expression",
    [
        "States.Nope()",
        "States.Array(",
        "States.Array(1 2)",
        "States.Array('a)",
        "States.UUID() x",
        "States.UUID(1)",
        "States.ArrayLength()",
        "States.MathRandom(1)",
        "Array()",
    ],
)
def test_an_expression_that_cannot_be_read_is_refused_when_it_is_compiled(expression):
    with pytest.raises(CompileError):
        compile_template({"a.$": expression})


def test_random_functions_draw_from_the_engines_record_and_so_repeat_on_a_replay():
    machine = one({"Type": "Pass", "Parameters": {"a.$": "States.UUID()", "b.$": "States.UUID()"}})
    first, again, other = (output(machine, random=lambda n=n: n) for n in (0.1, 0.1, 0.2))
    assert first == again
    assert len({*first.values(), *other.values()}) == 4
