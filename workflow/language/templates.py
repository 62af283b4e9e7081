"""Payload templates: JSON in which a key ending in `.$` takes its value from a path or a function."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from workflow.language.evaluation import CompileError, Environment, Evaluator, Json, constant
from workflow.language.intrinsics import compile_intrinsic
from workflow.language.paths import compile_path


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Evaluator:
    """Compile a path or an intrinsic function.

    Raises:
        CompileError: it is neither.
    """
    return compile_path(text) if text.startswith("$") else compile_intrinsic(text)


def compile_template(template: Json) -> Evaluator:
    """Compile a payload template.

    Raises:
        CompileError: with every fault and its place within the template.
    """
    faults = list(_faults(template, ""))
    if faults:
        raise CompileError(*faults)
    return _compile(template) or constant(template)


def _faults(node: Json, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _faults(item, f"{place}/{index}")
    if isinstance(node, dict):
        for key, value in node.items():
            here = f"{place}/{escape(key)}"
            yield from _dynamic_faults(node, key, here) if key.endswith(".$") else _faults(value, here)


def _dynamic_faults(node: dict[str, Json], key: str, place: str) -> Iterator[tuple[str, str]]:
    if key[:-2] in node:
        yield place, f"'{key[:-2]}' has two values, one with and one without .$"
    if not isinstance(node[key], str):
        yield place, "the value of a key ending in .$ must be a path or an intrinsic function"
        return
    try:
        compile_expression(node[key])
    except CompileError as error:
        yield from ((place, message) for _, message in error.faults)


def _compile(node: Json) -> Evaluator | None:
    """Compile what changes; None says that the node is a constant, which needs no copy."""
    if isinstance(node, dict):
        return _object(node)
    if isinstance(node, list):
        return _array(node)
    return None


def _object(node: dict[str, Json]) -> Evaluator | None:
    fixed: dict[str, Json] = {}
    moving: list[tuple[str, Evaluator]] = []
    for key, value in node.items():
        dynamic = key.endswith(".$")
        evaluator = compile_expression(value) if dynamic else _compile(value)
        name = key[:-2] if dynamic else key
        fixed[name] = value
        if evaluator:
            moving.append((name, evaluator))
    if not moving:
        return None

    def evaluate(data: Json, environment: Environment) -> Json:
        result = fixed.copy()
        for name, evaluator in moving:
            result[name] = evaluator(data, environment)
        return result

    return evaluate


def _array(node: list[Json]) -> Evaluator | None:
    compiled = [_compile(item) for item in node]
    if not any(compiled):
        return None
    items = [evaluator or constant(item) for evaluator, item in zip(compiled, node, strict=True)]
    return lambda data, environment: [item(data, environment) for item in items]


def escape(key: str) -> str:
    """Return a key as a JSON pointer writes it (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
