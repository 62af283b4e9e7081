"""What a definition must be beyond the shape of its parts: rules over the raw JSON, each with its place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflow.language.templates import escape

Json = Any

LONGEST_NAME = 80
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_VARIABLE_NAME = re.compile(r"[^\W\d]\w*")
_TERMINAL = frozenset({"Succeed", "Fail"})
_LINKED = frozenset({"Pass", "Task", "Wait", "Parallel", "Map"})
_WAITS = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
_EITHER = {
    "Task": (("TimeoutSeconds", "TimeoutSecondsPath"), ("HeartbeatSeconds", "HeartbeatSecondsPath")),
    "Fail": (("Error", "ErrorPath"), ("Cause", "CausePath")),
    "Map": (
        ("MaxConcurrency", "MaxConcurrencyPath"),
        ("ToleratedFailureCount", "ToleratedFailureCountPath"),
        ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
        ("ItemProcessor", "Iterator"),
        ("ItemSelector", "Parameters"),
    ),
}
_REFUSED_FIELDS = {
    "Credentials": "not supported: Credentials; a handler has its own agency",
    "ItemReader": "not supported: distributed Map (ItemReader)",
    "ItemBatcher": "not supported: distributed Map (ItemBatcher)",
    "ResultWriter": "not supported: distributed Map (ResultWriter)",
    "Label": "not supported: distributed Map (Label)",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of the definition (a JSON pointer)."""

    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The states of a machine, branch or iteration, and the variables that outer scopes assign."""

    place: str
    flow: Mapping[str, Json]
    outer: frozenset[str] = frozenset()

    @property
    def states(self) -> dict[str, Mapping[str, Json]]:
        """The states that are objects; others are reported by their shape."""
        return _objects(self.flow.get("States"))

    def at(self, *keys: object) -> str:
        """Return the JSON pointer of something within."""
        return self.place + "".join(f"/{escape(str(key))}" for key in keys)


def _objects(value: Json) -> dict[str, Mapping[str, Json]]:
    if not isinstance(value, Mapping):
        return {}
    return {key: each for key, each in value.items() if isinstance(each, Mapping)}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _type(state: Mapping[str, Json]) -> str:
    return _text(state.get("Type"))


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _items(state: Mapping[str, Json], field: str) -> Iterator[tuple[int, Mapping[str, Json]]]:
    return ((i, each) for i, each in enumerate(_list(state.get(field))) if isinstance(each, Mapping))


def scopes(root: Mapping[str, Json]) -> list[Scope]:
    """List the scopes of a definition, outer before inner."""
    found = [Scope("", root)]
    for scope in found:
        inner_outer = scope.outer | _assigned(scope)
        found += [Scope(place, flow, inner_outer) for place, flow in _inner_flows(scope)]
    return found


def _inner_flows(scope: Scope) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for name, state in scope.states.items():
        for index, branch in _items(state, "Branches"):
            yield scope.at("States", name, "Branches", index), branch
        for field in ("ItemProcessor", "Iterator"):
            if isinstance(state.get(field), Mapping):
                yield scope.at("States", name, field), state[field]


def _assigns(scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield each assigned variable with its place."""
    for name, state in scope.states.items():
        holders = [((), state)]
        for field in ("Choices", "Catch"):
            holders += [((field, index), each) for index, each in _items(state, field)]  # type: ignore[misc]
        for keys, holder in holders:
            assign = holder.get("Assign")
            for key in assign if isinstance(assign, Mapping) else ():
                yield key.removesuffix(".$"), scope.at("States", name, *keys, "Assign", key)


def _assigned(scope: Scope) -> frozenset[str]:
    return frozenset(name for name, _ in _assigns(scope))


def targets(state: Mapping[str, Json]) -> list[tuple[tuple[object, ...], str]]:
    """List the states that a state may lead to, each with where it says so."""
    found: list[tuple[tuple[object, ...], Json]] = [((f,), state[f]) for f in ("Next", "Default") if f in state]
    for field in ("Choices", "Catch"):
        found += [((field, i, "Next"), each["Next"]) for i, each in _items(state, field) if "Next" in each]
    return [(keys, target) for keys, target in found if isinstance(target, str)]


def _targets_exist(scope: Scope) -> Iterator[Problem]:
    states = scope.flow.get("States")
    known = states if isinstance(states, Mapping) else {}
    start = scope.flow.get("StartAt")
    if isinstance(start, str) and start not in known:
        yield Problem(scope.at("StartAt"), f"there is no state '{start}' here")
    for name, state in scope.states.items():
        for keys, target in targets(state):
            if target not in known:
                yield Problem(scope.at("States", name, *keys), f"there is no state '{target}' here")


def _reached(scope: Scope) -> set[str]:
    states, reached, ahead = scope.states, set[str](), [scope.flow.get("StartAt")]
    while ahead:
        name = ahead.pop()
        if isinstance(name, str) and name in states and name not in reached:
            reached.add(name)
            ahead += [target for _, target in targets(states[name])]
    return reached


def _every_state_is_reached_and_an_end_too(scope: Scope) -> Iterator[Problem]:
    states = scope.states
    if _text(scope.flow.get("StartAt")) not in states:
        return
    reached = _reached(scope)
    for name in states.keys() - reached:
        yield Problem(scope.at("States", name), "no state leads here")
    if not any(states[name].get("End") is True or _type(states[name]) in _TERMINAL for name in reached):
        yield Problem(scope.at("States"), "no end can be reached")


def _one_way_on(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        if _type(state) in _LINKED and ("Next" in state) == (state.get("End") is True):
            yield Problem(scope.at("States", name), "needs either Next or End, and not both")


def _one_form_of_a_field(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        place = scope.at("States", name)
        for one, other in _EITHER.get(_type(state), ()):
            if one in state and other in state:
                yield Problem(place, f"{one} and {other} exclude each other")
        if state.get("Type") == "Wait" and len(state.keys() & set(_WAITS)) != 1:
            yield Problem(place, f"needs exactly one of {', '.join(_WAITS)}")
        if state.get("Type") == "Map" and not state.keys() & {"ItemProcessor", "Iterator"}:
            yield Problem(place, "needs an ItemProcessor")


def _all_errors_come_last(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        for field in ("Retry", "Catch"):
            for index, entry in _items(state, field):
                names = _list(entry.get("ErrorEquals"))
                last = index == len(state[field]) - 1
                if "States.ALL" in names and (len(names) > 1 or not last):
                    place = scope.at("States", name, field, index, "ErrorEquals")
                    yield Problem(place, "States.ALL must stand alone, in the last entry")


def _longest_delay_exceeds_the_first(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        for index, retrier in _items(state, "Retry"):
            first, longest = retrier.get("IntervalSeconds", 1), retrier.get("MaxDelaySeconds")
            if isinstance(longest, int) and isinstance(first, int) and longest <= first:
                place = scope.at("States", name, "Retry", index, "MaxDelaySeconds")
                yield Problem(place, "must be greater than IntervalSeconds")


def _a_heartbeat_is_shorter_than_the_time_out(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        beat, limit = state.get("HeartbeatSeconds"), state.get("TimeoutSeconds")
        if isinstance(beat, int) and isinstance(limit, int) and beat >= limit:
            yield Problem(scope.at("States", name, "HeartbeatSeconds"), "must be less than TimeoutSeconds")


def _own_errors_keep_off_the_reserved_names(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        if state.get("Type") == "Fail" and str(state.get("Error", "")).startswith("States."):
            yield Problem(scope.at("States", name, "Error"), "an own error must not begin with 'States.'")


def _a_resource_is_a_uri(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        resource = state.get("Resource")
        if state.get("Type") == "Task" and isinstance(resource, str) and not _URI.fullmatch(resource):
            yield Problem(scope.at("States", name, "Resource"), f"'{resource}' is not a URI")


def _names_are_short(scope: Scope) -> Iterator[Problem]:
    for name in scope.states:
        if len(name) > LONGEST_NAME:
            yield Problem(scope.at("States", name), f"a state's name has at most {LONGEST_NAME} characters")


def _variables_are_named_well_and_owned(scope: Scope) -> Iterator[Problem]:
    for name, place in _assigns(scope):
        if not _VARIABLE_NAME.fullmatch(name) or name == "states" or len(name) > LONGEST_NAME:
            yield Problem(place, f"'{name}' cannot be the name of a variable")
        if name in scope.outer:
            yield Problem(place, f"'{name}' belongs to an outer scope and cannot be assigned here")


def _unsupported(scope: Scope) -> Iterator[Problem]:
    for name, state in scope.states.items():
        yield from (
            Problem(scope.at("States", name, field), message)
            for field, message in _REFUSED_FIELDS.items()
            if field in state
        )
        if state.get("QueryLanguage") == "JSONata":
            yield Problem(scope.at("States", name, "QueryLanguage"), "not supported: JSONata")
        if str(state.get("Resource", "")).endswith(".waitForTaskToken"):
            yield Problem(scope.at("States", name, "Resource"), "not supported: task tokens")
    config = _objects(scope.flow).get("ProcessorConfig", {})
    if config.get("Mode") == "DISTRIBUTED":
        yield Problem(scope.at("ProcessorConfig"), "not supported: distributed Map")


_RULES: tuple[Callable[[Scope], Iterator[Problem]], ...] = (
    _targets_exist,
    _every_state_is_reached_and_an_end_too,
    _one_way_on,
    _one_form_of_a_field,
    _all_errors_come_last,
    _longest_delay_exceeds_the_first,
    _a_heartbeat_is_shorter_than_the_time_out,
    _own_errors_keep_off_the_reserved_names,
    _a_resource_is_a_uri,
    _names_are_short,
    _variables_are_named_well_and_owned,
)


def check_rules(root: Mapping[str, Json]) -> list[Problem]:
    """Check every rule in every scope."""
    found = scopes(root)
    return [each for scope in found for rule in _RULES for each in rule(scope)] + _repeated_names(found)


def refusals(root: Mapping[str, Json]) -> list[Problem]:
    """Name what the language has and we do not."""
    problems = []
    if root.get("QueryLanguage") == "JSONata":
        problems.append(Problem("/QueryLanguage", "not supported: JSONata"))
    return problems + [each for scope in scopes(root) for each in _unsupported(scope)]


def _repeated_names(found: list[Scope]) -> list[Problem]:
    counts = Counter(name for scope in found for name in scope.states)
    return [
        Problem(scope.at("States", name), f"the name '{name}' is used {counts[name]} times in this machine")
        for scope in found
        for name in scope.states
        if counts[name] > 1
    ]
