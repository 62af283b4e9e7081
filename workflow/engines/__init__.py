"""Engines carry out the interpreter's commands; what they share is how a handler is found and answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from workflow.interpreter import TaskFailed, TaskSucceeded

Handler = Callable[[Any], Any]
Resolver = Callable[[str], Handler]


def outcome_of(result: Any, *, at: float, random: float) -> TaskSucceeded | TaskFailed:
    """Read a handler's answer: its result, or `{"error": {code, message, retry_after, ...}}` as a failure."""
    error = result.get("error") if isinstance(result, Mapping) else None
    if not (isinstance(error, Mapping) and "code" in error):
        return TaskSucceeded(result, at, random)
    cause = json.dumps(error, sort_keys=True)
    return TaskFailed(str(error["code"]), cause, at, random, error.get("retry_after"))
