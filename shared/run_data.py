"""What the data of a run tells: step results and failures, wherever in it the machine put them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from shared.errors import ErrorCode, ErrorData
from shared.results import Did, Finding, StepResult, StepTimes, Touched
from shared.verification.verdict import Difference

T = TypeVar("T")

_RESULT = frozenset(StepResult.model_fields)
_FAILURE = frozenset({"Error", "Cause"})
_PLAN = frozenset({"exposure", "listener_port", "expires_at"})
# An engine's own errors come without our data, and free text of unknown origin is never shown.
_ENGINE = {
    "States.Timeout": (ErrorCode.INTERNAL, "A step took longer than its time-out."),
    "States.HeartbeatTimeout": (ErrorCode.INTERNAL, "A step gave no sign of life."),
    ErrorCode.CANCELLED.value: (ErrorCode.CANCELLED, "The run was cancelled."),
}
_UNKNOWN = (ErrorCode.INTERNAL, "The run failed for a reason that is a defect of this product.")


def step_results(data: Any) -> list[StepResult]:
    """Every step result in the data once, in the order in which the steps began."""
    found: dict[str, StepResult] = {}
    for each in _mappings(data):
        if each.keys() >= _RESULT:
            result = StepResult.model_validate({name: each[name] for name in _RESULT})
            found.setdefault(result.model_dump_json(), result)
    return sorted(found.values(), key=lambda result: result.step.started if result.step else "")


def failures(data: Any) -> list[ErrorData]:
    """Every failure in the data once; the run's own first, then in the order in which the steps began."""
    own = data.get("failure") if isinstance(data, Mapping) else None
    found = [read_failure(each) for each in _mappings(data) if each.keys() >= _FAILURE and each is not own]
    found.sort(key=_began)
    return _once(([read_failure(own)] if own else []) + found)


def leftovers(data: Any) -> list[ErrorData]:
    """What kept a roll back or a withdrawal from taking everything down, in the order in which the steps began."""
    left = data.get("left") if isinstance(data, Mapping) else None
    found = [read_failure(each) for each in _mappings(left) if each.keys() >= _FAILURE]
    return _once(sorted(found, key=_began))


def read_failure(caught: Mapping[str, Any]) -> ErrorData:
    """What a Catch left behind (`Error` and `Cause`), read as one of our errors."""
    try:
        return ErrorData.model_validate(json.loads(caught.get("Cause") or "null"))
    except (ValueError, ValidationError):
        code, message = _ENGINE.get(str(caught.get("Error")), _UNKNOWN)
        return ErrorData(code=code, message=message)


def planned(data: Any) -> Mapping[str, Any]:
    """What was planned, or nothing."""
    return next((each for each in _mappings(data) if each.keys() >= _PLAN), {})


def differences(data: Any) -> list[Difference]:
    """What the exposure differed in when the run began, or nothing."""
    found = next((each["differences"] for each in _mappings(data) if "differences" in each), ())
    return [Difference.model_validate(each) for each in found]


def last_touches(results: list[StepResult], failed: list[ErrorData]) -> list[Touched]:
    """What was done to each resource in the end; `unchanged` hides nothing that was done before."""
    # What hung below a parent that vanished went with it.
    broken = [error for error in failed if error.touched and error.code is not ErrorCode.PARENT_GONE]
    told = [(_span(result.step), each) for result in results for each in result.touched]
    told += [(_span(error.step), each) for error in broken for each in error.touched or ()]
    last: dict[tuple[str, str], Touched] = {}
    # A clock may show one moment for two steps; what was released in it was made before.
    for _, touched in sorted(told, key=lambda pair: (pair[0], pair[1].did is Did.RELEASED)):
        key = (touched.kind, touched.id)
        if touched.did is not Did.UNCHANGED or key not in last:
            last[key] = touched
    return list(last.values())


def distinct_findings(results: list[StepResult]) -> list[Finding]:
    """Every finding once."""
    return _once([finding for result in results for finding in result.findings])


def facts_with(results: list[StepResult], name: str) -> dict[str, str]:
    """The facts of the latest step that knew this one, or nothing."""
    return next((result.facts for result in reversed(results) if name in result.facts), {})


def timeline(results: list[StepResult], failed: list[ErrorData]) -> list[tuple[StepTimes, ErrorCode | None]]:
    """The times of every step, with the error of those that failed, in the order in which they began."""
    times = [(result.step, None) for result in results if result.step]
    errors = [(StepTimes.model_validate(error.step), error.code) for error in failed if error.step]
    return sorted([*times, *errors], key=lambda pair: _span(pair[0]))


def _span(step: StepTimes | Mapping[str, Any] | None) -> tuple[str, str]:
    times = StepTimes.model_validate(step) if step else None
    return (times.started, times.ended) if times else ("", "")


def _began(error: ErrorData) -> str:
    return str((error.step or {}).get("started", ""))


def _mappings(data: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(data, Mapping):
        yield data
        for each in data.values():
            yield from _mappings(each)
    elif isinstance(data, list):
        for each in data:
            yield from _mappings(each)


def _once(values: list[T]) -> list[T]:
    return [value for place, value in enumerate(values) if value not in values[:place]]
