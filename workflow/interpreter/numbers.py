"""Numbers that a path led to while a machine ran."""

from __future__ import annotations

from workflow.interpreter.model import Json
from workflow.language.evaluation import EvaluationError


def whole(value: Json, field: str, least: int = 0, most: int | None = None) -> int:
    """Read a whole number of a field.

    Raises:
        EvaluationError: it is none, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise EvaluationError(f"The {field} does not lead to a whole number.")
    return int(_within(value, field, least, most))


def spelled_whole(value: Json, field: str) -> int:
    """Read a whole number of a field where AWS takes one written as text, too.

    Raises:
        EvaluationError: it is none, or negative.
    """
    return whole(int(value) if isinstance(value, str) and value.isdecimal() else value, field)


def spelled_percentage(value: Json, field: str) -> float:
    """Read a number from 0 to 100, which may be written as text.

    Raises:
        EvaluationError: it is none, or out of range.
    """
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise EvaluationError(f"The {field} does not lead to a number.")
    return _within(number, field, 0, 100)


def _within(number: float, field: str, least: float, most: float | None) -> float:
    # A comparison with NaN is never true, so the range is asked for, not what lies outside of it.
    if not (least <= number and (most is None or number <= most)):
        raise EvaluationError(f"The {field} leads to a number out of range.")
    return number
