"""Choice rules: comparisons of a value, joined by And, Or and Not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from operator import eq, ge, gt, le, lt

from workflow.language.evaluation import (
    CompileError,
    Condition,
    Environment,
    EvaluationError,
    Evaluator,
    Json,
    constant,
)
from workflow.language.paths import compile_path

Comparison = Callable[[Json, Json], bool]
Reader = Callable[[Json], Json]

_ORDER: dict[str, Comparison] = {
    "Equals": eq,
    "LessThan": lt,
    "GreaterThan": gt,
    "LessThanEquals": le,
    "GreaterThanEquals": ge,
}
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


@lru_cache(maxsize=1024)
def read_timestamp(text: str) -> tuple[int, str] | None:
    """Read an RFC 3339 time with `T` and an offset as (epoch seconds, fraction); None if it is none."""
    match = _TIMESTAMP.fullmatch(text)
    if not match:
        return None
    try:
        moment = datetime.fromisoformat(match[1] + match[3])
    except ValueError:
        return None
    return int(moment.timestamp()), (match[2] or "").rstrip("0")


def _string(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _boolean(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _timestamp(value: Json) -> tuple[int, str] | None:
    return read_timestamp(value) if isinstance(value, str) else None


_KINDS: dict[str, tuple[Reader, dict[str, Comparison]]] = {
    "String": (_string, _ORDER),
    "Numeric": (_number, _ORDER),
    "Timestamp": (_timestamp, _ORDER),
    "Boolean": (_boolean, {"Equals": eq}),
}
_TYPE_TESTS: dict[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": lambda value: _number(value) is not None,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _timestamp(value) is not None,
}
_COMPARISONS: dict[str, tuple[Reader, Comparison]] = {
    kind + name: (reader, comparison) for kind, (reader, order) in _KINDS.items() for name, comparison in order.items()
}
_JOINS = frozenset({"And", "Or", "Not"})
OPERATORS = (
    frozenset(_COMPARISONS)
    | {f"{name}Path" for name in _COMPARISONS}
    | frozenset(_TYPE_TESTS)
    | {"IsPresent", "StringMatches"}
    | _JOINS
)
"""Every key that says what a rule tests."""


def compile_condition(rule: Json) -> Condition:
    """Compile a rule's test, without its Next, Assign and Comment.

    Raises:
        CompileError: with every fault and its place within the rule.
    """
    if not isinstance(rule, Mapping):
        raise CompileError(("", "a rule must be an object"))
    operators = sorted(OPERATORS & rule.keys())
    if len(operators) != 1:
        raise CompileError(("", f"a rule needs exactly one operator, not {len(operators)}: {operators}"))
    operator = operators[0]
    allowed = {operator} if operator in _JOINS else {operator, "Variable"}
    unknown = tuple((f"/{key}", "unknown field") for key in rule if key not in allowed)
    if unknown:
        raise CompileError(*unknown)
    return _join(operator, rule[operator]) if operator in _JOINS else _test(operator, rule)


def _join(operator: str, operand: Json) -> Condition:
    if operator == "Not":
        (inner,) = _inner([operand], "/Not", indexed=False)
        return lambda data, environment: not inner(data, environment)
    if not isinstance(operand, list) or not operand:
        raise CompileError((f"/{operator}", "must be an array of at least one rule"))
    parts = _inner(operand, f"/{operator}", indexed=True)
    if operator == "And":
        return lambda data, environment: all(part(data, environment) for part in parts)
    return lambda data, environment: any(part(data, environment) for part in parts)


def _inner(rules: list[Json], place: str, *, indexed: bool) -> list[Condition]:
    conditions: list[Condition] = []
    faults: list[tuple[str, str]] = []
    for index, rule in enumerate(rules):
        here = f"{place}/{index}" if indexed else place
        try:
            conditions.append(compile_condition(_uncommented(rule)))
        except CompileError as error:
            faults += [(here + inner, message) for inner, message in error.faults]
    if faults:
        raise CompileError(*faults)
    return conditions


def _uncommented(rule: Json) -> Json:
    return {k: v for k, v in rule.items() if k != "Comment"} if isinstance(rule, Mapping) else rule


def _test(operator: str, rule: Mapping[str, Json]) -> Condition:
    variable, operand = rule.get("Variable"), rule[operator]
    if not isinstance(variable, str):
        raise CompileError(("/Variable", "a comparison needs a Variable, which is a path"))
    try:
        value = compile_path(variable)
    except CompileError as error:
        raise CompileError(("/Variable", str(error))) from None
    try:
        return _comparison(operator, operand, value)
    except CompileError as error:
        raise CompileError((f"/{operator}", str(error))) from None


def _comparison(operator: str, operand: Json, value: Evaluator) -> Condition:
    if operator == "IsPresent":
        return _is_present(_flag(operand), value)
    if operator in _TYPE_TESTS:
        test, wanted = _TYPE_TESTS[operator], _flag(operand)
        return lambda data, environment: test(value(data, environment)) is wanted
    if operator == "StringMatches":
        return _matches(operand, value)
    name = operator.removesuffix("Path")
    reader, comparison = _COMPARISONS[name]
    return _compare(reader, comparison, value, _operand(name, reader, operand, path=name != operator))


def _operand(operator: str, reader: Reader, operand: Json, *, path: bool) -> Evaluator:
    if path:
        if not isinstance(operand, str):
            raise CompileError(("", "must be a path"))
        return compile_path(operand)
    if reader(operand) is None:
        raise CompileError(("", f"{operator} cannot compare with {operand!r}"))
    return constant(operand)


def _flag(operand: Json) -> bool:
    if not isinstance(operand, bool):
        raise CompileError(("", "must be true or false"))
    return operand


def _compare(reader: Reader, comparison: Comparison, left: Evaluator, right: Evaluator) -> Condition:
    def condition(data: Json, environment: Environment) -> bool:
        one, other = reader(left(data, environment)), reader(right(data, environment))
        return one is not None and other is not None and comparison(one, other)

    return condition


def _is_present(wanted: bool, value: Evaluator) -> Condition:
    def condition(data: Json, environment: Environment) -> bool:
        try:
            value(data, environment)
        except EvaluationError:
            return not wanted
        return wanted

    return condition


def _matches(pattern: Json, value: Evaluator) -> Condition:
    if not isinstance(pattern, str):
        raise CompileError(("", "must be a string"))
    regex = re.compile("".join(_regex_parts(pattern)), re.DOTALL)

    def condition(data: Json, environment: Environment) -> bool:
        text = value(data, environment)
        return isinstance(text, str) and regex.fullmatch(text) is not None

    return condition


def _regex_parts(pattern: str) -> Iterator[str]:
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            yield ".*"
        elif character == "\\":
            escaped = next(characters, "")
            if escaped not in {"*", "\\"}:
                raise CompileError(("", "a backslash must precede * or another backslash"))
            yield re.escape(escaped)
        else:
            yield re.escape(character)
