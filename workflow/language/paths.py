"""Paths of the States Language: `$` the input, `$$` the context object, `$name` a variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from workflow.language.evaluation import (
    CompileError,
    Environment,
    EvaluationError,
    Evaluator,
    Json,
    Placement,
    constant,
    whole_input,
)

if TYPE_CHECKING:
    from jsonpath import JSONPath

Query = Callable[[Json], Json]
Keys = tuple[str | int, ...]

_SEGMENT = r"""\.[^\W\d][\w-]*|\[-?\d+\]|\['[^'\\]*'\]|\["[^"\\]*"\]"""
_REFERENCE = re.compile(rf"\$(?:{_SEGMENT})*")
_SEGMENTS = re.compile(_SEGMENT)
_VARIABLE = re.compile(r"\$([^\W\d]\w*)(.*)", re.DOTALL)


def reference(text: str) -> Keys | None:
    """Split a reference path into its keys; None if it is none or needs the JSONPath library to be read."""
    if not _REFERENCE.fullmatch(text):
        return None
    return tuple(_key(segment) for segment in _SEGMENTS.findall(text))


def _key(segment: str) -> str | int:
    if segment[0] == ".":
        return segment[1:]
    return segment[2:-2] if segment[1] in "'\"" else int(segment[1:-1])


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Evaluator:
    """Compile a path of any kind.

    Raises:
        CompileError: it is not a path.
    """
    if text == "$":
        return whole_input
    if text.startswith("$$"):
        query = _query("$" + text[2:])
        return lambda _input, environment: query(environment.context())
    if variable := _VARIABLE.fullmatch(text):
        return _variable(variable[1], _query("$" + variable[2]))
    query = _query(text)
    return lambda data, _environment: query(data)


def _variable(name: str, query: Query) -> Evaluator:
    def evaluate(_input: Json, environment: Environment) -> Json:
        if name not in environment.variables:
            raise EvaluationError(f"The variable '{name}' has no value here.")
        return query(environment.variables[name])

    return evaluate


@lru_cache(maxsize=4096)
def _query(text: str) -> Query:
    keys = reference(text)
    if keys is not None:
        return _walk(keys, text)
    compiled = _compile(text)
    return _single(compiled, text) if compiled.singular_query() else _every(compiled)


def _compile(text: str) -> JSONPath:
    # Most paths are reference paths and need no library, whose import is a third of a cold start.
    from jsonpath import JSONPath, JSONPathError  # noqa: PLC0415
    from jsonpath import compile as compile_jsonpath  # noqa: PLC0415

    if not text.startswith("$"):
        raise CompileError(("", f"'{text}' is not a path: it does not begin with $"))
    try:
        compiled = compile_jsonpath(text)
    except JSONPathError as error:
        raise CompileError(("", f"'{text}' is not a path: {error.args[0]}")) from None
    if not isinstance(compiled, JSONPath):
        raise CompileError(("", f"'{text}' is not a path: compound queries are not part of the language"))
    return compiled


def _walk(keys: Keys, text: str) -> Query:
    def query(value: Json) -> Json:
        try:
            for key in keys:
                if type(value) is str:
                    # A string has items too, and no path reaches into it.
                    raise KeyError(key)
                value = value[key]
        except (KeyError, IndexError, TypeError):
            raise EvaluationError(f"No value at the path '{text}'.") from None
        return value

    return query


def _single(compiled: JSONPath, text: str) -> Query:
    def query(value: Json) -> Json:
        found = _matches(compiled, value)
        if not found:
            raise EvaluationError(f"No value at the path '{text}'.")
        return found[0]

    return query


def _every(compiled: JSONPath) -> Query:
    return lambda value: _matches(compiled, value)


def _matches(compiled: JSONPath, value: Json) -> list[Json]:
    # The library would read a string as a JSON text.
    return [] if isinstance(value, str) else compiled.findall(value)


def input_path(text: str | None) -> Evaluator:
    """Compile an InputPath or OutputPath; null means an empty object."""
    return constant({}) if text is None else compile_path(text)


@lru_cache(maxsize=1024)
def compile_placement(text: str | None) -> Placement:
    """Compile a ResultPath: where in the raw input the result goes; null discards the result.

    Raises:
        CompileError: it is no reference path into the input.
    """
    if text is None:
        return lambda raw, _result: raw
    keys = reference(text)
    if keys is None or any(isinstance(key, int) and key < 0 for key in keys):
        raise CompileError(("", f"'{text}' is not a reference path: it may name one place only"))
    return (lambda raw, result: _put(raw, keys, result)) if keys else (lambda _raw, result: result)


def _put(raw: Json, keys: Keys, result: Json) -> Json:
    if not keys:
        return result
    key, rest = keys[0], keys[1:]
    if isinstance(key, str):
        if not isinstance(raw, dict):
            raise _no_place(key)
        return {**raw, key: _put(raw.get(key, _container(rest)), rest, result)}
    if not isinstance(raw, list) or key >= len(raw):
        raise _no_place(key)
    return [*raw[:key], _put(raw[key], rest, result), *raw[key + 1 :]]


def _container(rest: Keys) -> Json:
    return {} if rest and isinstance(rest[0], str) else None


def _no_place(key: str | int) -> EvaluationError:
    return EvaluationError(f"The result cannot be placed at '{key}' of the input.", "States.ResultPathMatchFailure")
