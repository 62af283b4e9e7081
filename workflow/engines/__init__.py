"""Engines carry out the interpreter's commands; what they share is how a handler is found and answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import ErrorCode
from workflow.interpreter import TaskFailed, TaskSucceeded

Handler = Callable[[Any], Any]
Resolver = Callable[[str], Handler]


_log = logging.getLogger(__name__)


def call(handler: Handler, parameters: Any) -> Any:
    """Call a handler; an exception is a bug, and only its class is told, for its text may hold secrets."""
    try:
        return handler(parameters)
    except Exception as error:  # noqa: BLE001  # the border between an engine and its handlers
        _log.error("a handler raised %s", type(error).__name__)  # a trace holds the text
        return {"error": {"code": ErrorCode.INTERNAL, "message": "The step failed in an unforeseen way."}}


def outcome_of(result: Any, *, at: float, random: float) -> TaskSucceeded | TaskFailed:
    """Read a handler's answer: its result, or `{"error": {code, message, retry_after, ...}}` as a failure."""
    error = result.get("error") if isinstance(result, Mapping) else None
    if not (isinstance(error, Mapping) and "code" in error):
        return TaskSucceeded(result, at, random)
    cause = json.dumps(error, sort_keys=True)
    return TaskFailed(str(error["code"]), cause, at, random, error.get("retry_after"))
