"""What there is to draw of a machine: states, what leads from one to the next, and what is inside of which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cli.drawing.conditions import describe

Json = Any
START = ""
"""The name of the mark in front of a flow's first state."""


class EdgeKind(StrEnum):
    """Why one state follows another."""

    NEXT = "next"
    CHOICE = "choice"
    CATCH = "catch"


@dataclass(frozen=True, slots=True)
class Edge:
    """One way from a state to another, with the condition or the errors that lead there."""

    source: str
    target: str
    kind: EdgeKind = EdgeKind.NEXT
    label: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One state; `facts` are lines that say what it does, `flows` what a Parallel or Map runs inside."""

    name: str
    type: str
    facts: tuple[str, ...] = ()
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """A machine, branch or iteration: states that lead to one another."""

    title: str
    start: str
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]


def graph(definition: Mapping[str, Json]) -> Flow:
    """Return the graph of a valid definition."""
    return _flow(definition, "", "ends the run")


def walk(flow: Flow) -> Iterator[Node]:
    """Yield every state, those inside of others too."""
    for node in flow.nodes.values():
        yield node
        for inner in node.flows:
            yield from walk(inner)


def _flow(raw: Mapping[str, Json], title: str, end: str) -> Flow:
    states: Mapping[str, Mapping[str, Json]] = raw["States"]
    nodes = {name: _node(name, state, end) for name, state in states.items()}
    edges = tuple(edge for name, state in states.items() for edge in _edges(name, state))
    return Flow(title, raw["StartAt"], nodes, edges)


def _node(name: str, state: Mapping[str, Json], end: str) -> Node:
    kind = f"{state['Type']} · {end}" if _ends(state) else state["Type"]
    about = [state["Comment"]] if state.get("Comment") else []
    facts = [kind, *about, *_retries(state), *_limits(state)]
    return Node(name, state["Type"], tuple(facts), tuple(_inside(state)))


def _ends(state: Mapping[str, Json]) -> bool:
    return state.get("End") is True or state["Type"] in ("Succeed", "Fail")


def _retries(state: Mapping[str, Json]) -> Iterator[str]:
    for retrier in state.get("Retry", ()):
        most, first = retrier.get("MaxAttempts", 3), retrier.get("IntervalSeconds", 1)
        every = f"every {first} s" if retrier.get("BackoffRate", 2.0) == 1.0 else f"from {first} s on"
        times = f"{most} times" if most > 1 else "once"
        yield f"↻ {_errors(retrier)}: {times}, {every}" if most else f"no retry of {_errors(retrier)}"


def _errors(entry: Mapping[str, Json]) -> str:
    names = ", ".join(entry["ErrorEquals"])
    return "any error" if names == "States.ALL" else names


def _limits(state: Mapping[str, Json]) -> Iterator[str]:
    for field, words in (
        ("TimeoutSeconds", "time-out {} s"),
        ("Seconds", "waits {} s"),
        ("SecondsPath", "waits {}"),
        ("Timestamp", "waits until {}"),
        ("TimestampPath", "waits until {}"),
        ("MaxConcurrency", "at most {} at once"),
        ("Error", "error {}"),
    ):
        if field in state:
            yield words.format(state[field])


def _inside(state: Mapping[str, Json]) -> Iterator[Flow]:
    for index, branch in enumerate(state.get("Branches", ()), 1):
        yield _flow(branch, f"branch {index}", "ends the branch")
    if processor := state.get("ItemProcessor") or state.get("Iterator"):
        yield _flow(processor, "each item", "ends the item")


def _edges(name: str, state: Mapping[str, Json]) -> Iterator[Edge]:
    if "Next" in state:
        yield Edge(name, state["Next"])
    for rule in state.get("Choices", ()):
        yield Edge(name, rule["Next"], EdgeKind.CHOICE, rule.get("Comment") or describe(rule))
    if "Default" in state:
        yield Edge(name, state["Default"], EdgeKind.CHOICE, "otherwise")
    for catcher in state.get("Catch", ()):
        yield Edge(name, catcher["Next"], EdgeKind.CATCH, f"on {_errors(catcher)}")
