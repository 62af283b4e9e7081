"""Calling functions (FunctionGraph API: function invocation)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.otc.functiongraph.common import FunctionGraphService
from shared.otc.models import Seen
from shared.otc.problems import AmbiguousError, unexpected
from shared.otc.transport import Answer
from shared.urns import function_name

GATEWAY_TIMEOUT = 90.0
"""Seconds after which nobody hears the answer of a synchronous call (FunctionGraph: invoking a function)."""
# The gateway speaks first: a client that left before it could not tell its refusal from a lost answer.
_ANSWER_TIMEOUT = GATEWAY_TIMEOUT + 5

_TIMED_OUT = 4010
# What went wrong before or around the handler, by the codes of the platform's kernel; another try may do better.
_TEMPORARY = {
    4009: ErrorCode.NOT_READY,
    4201: ErrorCode.NOT_READY,
    4211: ErrorCode.NOT_READY,
    4204: ErrorCode.SERVER_ERROR,
    4205: ErrorCode.SERVER_ERROR,
    4207: ErrorCode.SERVER_ERROR,
    4208: ErrorCode.SERVER_ERROR,
    150429: ErrorCode.THROTTLED,
    150430: ErrorCode.THROTTLED,
}
_PERMANENT = {150434: ErrorCode.REFUSED}
_MEANINGS = {
    4001: "its handler cannot be imported",
    4002: "its handler raised an exception",
    4004: "its result is too large",
    4007: "its result is not JSON",
    4009: "its initializer failed",
    4201: "it could not be started",
    4204: "its process ended",
    4205: "it ran out of memory",
    4207: "its disk is full",
    4208: "it was cancelled",
    4211: "it took too long to start",
    150429: "all of its instances are busy",
    150430: "the platform is overloaded",
    150434: "it is disabled",
}


class TimedOutError(AmbiguousError):
    """The function took longer than its time-out, and was stopped wherever it was."""


class Accepted(Seen):
    """An invocation that the platform has taken."""

    request_id: str


class Invocations(FunctionGraphService):
    """Synchronous and asynchronous invocation; `urn` without a version means the latest."""

    def invoke(self, urn: str, payload: Mapping[str, Any]) -> Any:
        """Call a function and give what its handler returned.

        Raises:
            TimedOutError: it took too long.
            TemporaryError: the platform could not run it to its end.
            PermanentError: it is a defect of the function, or the call was refused.
        """
        call = self._on("POST", "function:invoke", "functions", urn, "invocations", body=payload)
        call = replace(call, timeout=_ANSWER_TIMEOUT)
        answer = self._exchange(call)
        failure = _failure(answer)
        if failure is not None:
            raise _error(urn, failure)
        try:
            return json.loads(answer.body or b"null")
        except ValueError:
            raise unexpected(call, "the function's result is not JSON") from None

    def invoke_async(self, urn: str, payload: Mapping[str, Any]) -> str:
        """Have a function called with an event of at most 256 KB; the id of the request, once it is persisted."""
        call = self._on("POST", "function:invokeAsync", "functions", urn, "invocations-async", body=payload)
        return self._one(call, Accepted).request_id


def _failure(answer: Answer) -> int | None:
    """The kernel's code of a call that failed, though the HTTP status is 200; None if it did not."""
    headers = {name.lower(): value.strip().lower() for name, value in answer.headers.items()}
    code = headers.get("x-func-err-code", "")
    if code.isdecimal() and int(code):
        return int(code)
    return 4002 if headers.get("x-is-func-err") == "true" else None


def _error(urn: str, code: int) -> AccessError:
    """Only the code is told: the text that comes with it is the function's own and may hold anything."""
    name = function_name(urn)
    if code == _TIMED_OUT:
        return TimedOutError(ErrorCode.NO_ANSWER, f"The function {name} took longer than its time-out.", resource=urn)
    message = f"The function {name} gave no result: {_MEANINGS.get(code, 'the platform says no more')} ({code})."
    if code in _TEMPORARY:
        return TemporaryError(_TEMPORARY[code], message, resource=urn, advice="Ask again later.")
    advice = "Look into the function's log; deploy it again."
    return PermanentError(_PERMANENT.get(code, ErrorCode.INTERNAL), message, resource=urn, advice=advice)
