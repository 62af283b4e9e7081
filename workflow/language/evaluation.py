"""What a path, template or condition needs to be evaluated, and how that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

Json = Any


class Environment(Protocol):
    """What an expression may read besides its input."""

    @property
    def variables(self) -> Mapping[str, Json]:
        """The variables in sight."""

    def context(self) -> Mapping[str, Json]:
        """The context object, `$$`."""

    def randomness(self) -> Random:
        """A source seeded from the engine's record, so that a replay draws the same."""


Evaluator = Callable[[Json, Environment], Json]
Condition = Callable[[Json, Environment], bool]
Placement = Callable[[Json, Json], Json]


class EvaluationError(Exception):
    """An expression failed while a machine ran; `error` is the ASL name, `str` of it the cause."""

    def __init__(self, cause: str, error: str = "States.Runtime") -> None:
        super().__init__(cause)
        self.error = error


class CompileError(ValueError):
    """An expression cannot be read; `faults` are (JSON pointer within the expression, message) pairs."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("; ".join(message for _, message in faults))
        self.faults = faults


def constant(value: Json) -> Evaluator:
    """Return an evaluator that ignores what it is given; the value is shared and must not be changed."""
    return lambda _input, _environment: value


def whole_input(data: Json, _environment: Environment) -> Json:
    """Evaluate `$`."""
    return data
