"""Every problem of a definition, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.language.definition import Machine


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of the definition (a JSON pointer)."""

    place: str
    message: str


class InvalidDefinitionError(ValueError):
    """The definition has problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{each.place or '/'}: {each.message}" for each in problems))
        self.problems = problems


def parse(source: str | Mapping[str, Any]) -> Machine:
    """Read a definition.

    Raises:
        InvalidDefinitionError: with every problem found.
    """
    raise NotImplementedError


def validate(source: str | Mapping[str, Any]) -> list[Problem]:
    """Report every problem of a definition; an empty list says that it can run."""
    raise NotImplementedError
