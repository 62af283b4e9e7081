"""Reading a definition: every problem, each with its place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from workflow.language.definition import Definition, Flow, Machine, Map, Parallel
from workflow.language.evaluation import CompileError
from workflow.language.rules import Problem, check_rules, refusals
from workflow.language.templates import escape

Json = Any

_WORDS = {
    "extra_forbidden": "unknown field",
    "missing": "required field is missing",
    "union_tag_invalid": "Type must be Pass, Task, Choice, Wait, Succeed, Fail, Parallel or Map",
    "union_tag_not_found": "required field Type is missing",
}


class InvalidDefinitionError(ValueError):
    """The definition has problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{each.place or '/'}: {each.message}" for each in problems))
        self.problems = problems


def parse(source: str | Mapping[str, Json]) -> Machine:
    """Read a definition.

    Raises:
        InvalidDefinitionError: with every problem found.
    """
    raw, definition, problems = _examine(source)
    if problems or definition is None:
        raise InvalidDefinitionError(problems)
    return Machine(definition, digest(raw), dict(_flows(definition, "")), raw)


def validate(source: str | Mapping[str, Json]) -> list[Problem]:
    """Report every problem of a definition; an empty list says that it can run."""
    return _examine(source)[2]


def digest(raw: Json) -> str:
    """Return the SHA-256 of a definition, whatever its spaces and the order of its keys."""
    text = json.dumps(raw, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _examine(source: str | Mapping[str, Json]) -> tuple[Json, Definition | None, list[Problem]]:
    problems: list[Problem] = []
    raw = _load(source, problems) if isinstance(source, str) else source
    if problems:
        return raw, None, problems
    if not isinstance(raw, Mapping):
        return raw, None, [Problem("", "a definition must be a JSON object")]
    refused = refusals(raw)
    if raw.get("QueryLanguage") == "JSONata":
        # What else such a machine holds is nothing that we could judge.
        return raw, None, refused
    definition, shape = _shape(raw)
    rest = [*check_rules(raw), *shape]
    return raw, definition, refused + [each for each in rest if not _is_refused(each.place, refused)]


def _is_refused(place: str, refused: list[Problem]) -> bool:
    """Whether a refusal has said more already: of this place, what it is in, or the state's language."""
    state = place.rsplit("/", 1)[0]
    return any(f"{place}/".startswith(f"{each.place}/") or each.place == f"{state}/QueryLanguage" for each in refused)


def _load(source: str, problems: list[Problem]) -> Json:
    def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        result = dict(pairs)
        if len(result) < len(pairs):
            twice = sorted({key for key, _ in pairs if [name for name, _ in pairs].count(key) > 1})
            problems.append(Problem("", f"the same key stands twice in one object: {', '.join(twice)}"))
        return result

    try:
        return json.loads(source, object_pairs_hook=unique)
    except ValueError as error:
        problems.append(Problem("", f"not JSON: {error}"))
        return None


def _shape(raw: Mapping[str, Json]) -> tuple[Definition | None, list[Problem]]:
    try:
        return Definition.model_validate(raw), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return None, [problem for each in details for problem in _problems(raw, each)]


def _problems(raw: Json, detail: Mapping[str, Json]) -> Iterator[Problem]:
    place = _place(raw, detail["loc"], missing=detail["type"] == "missing")
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, CompileError):
        yield from (Problem(place + inner, message) for inner, message in cause.faults)
    else:
        message = _WORDS.get(detail["type"], detail["msg"].removeprefix("Value error, "))
        yield Problem(place, message)


def _place(raw: Json, location: tuple[str | int, ...], *, missing: bool) -> str:
    """Return the JSON pointer of a pydantic location, which also holds the types chosen on the way."""
    place, node = "", raw
    for key in location:
        if isinstance(node, Mapping) and key in node:
            node = node[str(key)]
        elif isinstance(node, list) and isinstance(key, int):
            node = node[key]
        elif not (missing and key == location[-1]):
            continue
        place += f"/{escape(str(key))}"
    return place


def _flows(flow: Flow, place: str) -> Iterator[tuple[str, Flow]]:
    yield place, flow
    for name, state in flow.states.items():
        here = f"{place}/States/{escape(name)}"
        if isinstance(state, Parallel):
            for index, branch in enumerate(state.branches):
                yield from _flows(branch, f"{here}/Branches/{index}")
        if isinstance(state, Map):
            field, processor = state.processor
            yield from _flows(processor, f"{here}/{field}")
