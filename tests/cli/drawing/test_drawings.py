from __future__ import annotations

from xml.etree import ElementTree

import pytest

from cli.drawing.conditions import describe
from cli.drawing.graph import graph, walk
from cli.drawing.mermaid import mermaid
from cli.drawing.overlay import Mark, overlay
from cli.drawing.palette import COLOURS, SYMBOLS
from cli.drawing.svg import svg
from tests.workflow.running import failing, one, run, task
from workflow.machines import NAMES, load_machine

SVG = "{http://www.w3.org/2000/svg}"
CAUGHT = {"Type": "Pass", "End": True}


def texts(drawing):
    return ["".join(each.itertext()) for each in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def over(definition, data=None, **more):
    """The overlay of a run of a machine."""
    return overlay(run(definition, data, **more).history)


@pytest.mark.parametrize("name", NAMES)
def test_every_state_and_what_happens_on_its_errors_is_in_both_drawings(name):
    machine = load_machine(name)
    flow = graph(machine.source)
    drawing, text = svg(flow, name), mermaid(flow)
    written = " ".join(texts(drawing))
    for node in walk(flow):
        assert node.name in texts(drawing)
        assert f'["{node.name}<br/>' in text or f'{{{{"{node.name}<br/>' in text
        for inner in node.flows:
            assert inner.title in texts(drawing)
            assert f'["{inner.title}"]' in text
    catchers = [
        (each, catcher)
        for scope in machine.flows.values()
        for each in scope.states.values()
        for catcher in getattr(each, "catch", ())
    ]
    assert text.count(".->") == len(catchers)
    for _, catcher in catchers:
        assert catcher.error_equals == ["States.ALL"] or all(error in written for error in catcher.error_equals)


def test_a_stranger_reads_what_a_failure_in_the_peering_branch_leads_to():
    text = mermaid(graph(load_machine("expose").source))
    names = {
        line.split('"')[1].split("<br/>")[0]: line.split("[")[0].split("{")[0].strip()
        for line in text.splitlines()
        if "<br/>" in line
    }
    peering, failed = names["EnsurePeering"], names["PrivateSideFailed"]
    assert f'{peering} -. "on any error" .-> {failed}' in text
    assert "PrivateSideFailed<br/>Pass · ends the branch" in text
    build = names["Build"].removeprefix("subgraph ")
    assert f"{build} --> {names['Joined']}" in text
    assert f'{names["Joined"]} -- "otherwise" --> {names["TakeFailure"]}' in text


@pytest.mark.parametrize(
    ("definition", "data", "codes", "marks"),
    [
        (one(task()), {}, [None], {"It": Mark.SUCCEEDED}),
        (one(task(Retry=[{"ErrorEquals": ["E"]}])), {}, ["E"], {"It": Mark.RETRIED}),
        (one(task()), {}, ["E"], {"It": Mark.FAILED}),
        (
            one(task(Catch=[{"ErrorEquals": ["E"], "Next": "Back"}], Next="On"), Back=CAUGHT, On=CAUGHT),
            {},
            ["E"],
            {"It": Mark.CAUGHT, "Back": Mark.SUCCEEDED, "On": Mark.NOT_REACHED},
        ),
        (
            one(
                {
                    "Type": "Parallel",
                    "Branches": [
                        {"StartAt": "Bad", "States": {"Bad": task(End=True)}},
                        {"StartAt": "Nap", "States": {"Nap": {"Type": "Wait", "Seconds": 9, "End": True}}},
                    ],
                }
            ),
            {},
            ["E"],
            {"It": Mark.FAILED, "Bad": Mark.FAILED, "Nap": Mark.STOPPED},
        ),
        (
            one(
                {
                    "Type": "Map",
                    "ItemProcessor": {"StartAt": "Each", "States": {"Each": task(End=True)}},
                    "ToleratedFailureCount": 1,
                }
            ),
            [1, 2, 3],
            [None, "E"],
            {"It": Mark.SUCCEEDED, "Each": Mark.FAILED},
        ),
    ],
    ids=["succeeded", "retried", "failed", "caught", "stopped", "worst item"],
)
def test_a_state_has_the_colour_and_the_sign_of_its_outcome(definition, data, codes, marks):
    found = over(definition, data, handler=failing(*codes))
    assert {state: found.mark(state) for state in marks} == marks
    flow = graph(definition)
    drawing, text = svg(flow, "M", run=found), mermaid(flow, found)
    for state, mark in marks.items():
        if not definition["States"].get(state, {}).get("Branches"):
            assert any(line.startswith(f"{SYMBOLS[mark]} {mark}") for line in texts(drawing))
        assert COLOURS[mark].fill in drawing
    assert text.count("classDef") == len(Mark)
    assert all(f"{SYMBOLS[mark]} {mark}" in text for mark in Mark)


def test_a_run_that_goes_on_shows_where_it_is_and_a_loop_its_last_round():
    again = {"Type": "Choice", "Choices": [{"Variable": "$.done", "IsPresent": True, "Next": "Out"}], "Default": "It"}
    machine = one(task(ResultPath=None, Next="Again"), Again=again, Out={"Type": "Succeed"})
    history = run(machine, {"done": True}).history
    assert overlay(history[:2]).mark("It") is Mark.RUNNING
    assert overlay(history[:2]).mark("Out") is Mark.NOT_REACHED
    retried = one(
        {
            "Type": "Parallel",
            "Branches": [{"StartAt": "In", "States": {"In": task(End=True)}}],
            "Retry": [{"ErrorEquals": ["E"]}],
        }
    )
    found = over(retried, handler=failing("E"))
    assert (found.mark("It"), found.mark("In")) == (Mark.RETRIED, Mark.SUCCEEDED)
    assert found.note("It").startswith("2 attempts")


def test_only_the_ways_a_run_took_are_dark():
    machine = one(task(Catch=[{"ErrorEquals": ["E"], "Next": "Back"}], Next="Back"), Back=CAUGHT)
    found = over(machine, handler=failing("E"))
    assert found.taken == {("", "It", False), ("It", "Back", True)}
    drawing = svg(graph(machine), "M", run=found)
    assert drawing.count('marker-end="url(#head-c9ced4)"') == 1


def test_names_and_conditions_of_strangers_cannot_break_out_of_a_drawing():
    name = '"]<script>alert(1)</script>#quot; & \\'
    rule = {"Variable": "$.a", "StringEquals": name, "Next": name}
    machine = {
        "StartAt": "It",
        "States": {"It": {"Type": "Choice", "Choices": [rule]}, name: {"Type": "Succeed"}},
    }
    drawing, text = svg(graph(machine), name, name), mermaid(graph(machine))
    assert name in texts(drawing)
    assert not list(ElementTree.fromstring(drawing).iter(f"{SVG}script"))
    assert "<script>" not in text
    assert '"]#lt;script' not in text


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"Variable": "$.a", "IsPresent": False}, "$.a is not there"),
        ({"Variable": "$.a", "NumericGreaterThanEquals": 5}, "$.a ≥ 5"),
        ({"Variable": "$.a", "NumericLessThanPath": "$.b"}, "$.a < $.b"),
        ({"Variable": "$.a", "StringMatches": "x*"}, "$.a is like x*"),
        ({"Variable": "$.a", "BooleanEquals": True}, "$.a = true"),
        ({"Not": {"Variable": "$.a", "IsNull": True}}, "$.a is not null"),
        ({"Not": {"Variable": "$.a", "StringEquals": "b"}}, "not ($.a = b)"),
        (
            {
                "Or": [
                    {"And": [{"Variable": "$.a", "IsString": True}, {"Variable": "$.b", "StringEquals": "c"}]},
                    {"Variable": "$.d", "IsNumeric": False},
                ]
            },
            "($.a is a string and $.b = c) or $.d is no number",
        ),
    ],
)
def test_a_rule_is_told_in_words(rule, words):
    assert describe(rule) == words
