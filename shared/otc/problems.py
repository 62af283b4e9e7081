"""What a refusal means: each service's own error envelope read as one of our errors."""

from __future__ import annotations

import json
from typing import Any

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.otc.transport import Answer, Call

# The services say the same thing in different words and with different statuses, so their codes decide
# first (appendix "Error Codes" of the API references).
_BY_CODE = {
    "ELB.1091": ErrorCode.QUOTA_EXCEEDED,
    "ELB.2001": ErrorCode.QUOTA_EXCEEDED,
    "ELB.6091": ErrorCode.QUOTA_EXCEEDED,
    "ELB.8905": ErrorCode.QUOTA_EXCEEDED,
    "ELB.9807": ErrorCode.QUOTA_EXCEEDED,
    "VPC.0114": ErrorCode.QUOTA_EXCEEDED,
    "VPC.0521": ErrorCode.QUOTA_EXCEEDED,
    "OverQuota": ErrorCode.QUOTA_EXCEEDED,
    "DCS.4035": ErrorCode.QUOTA_EXCEEDED,
    "DCS.4036": ErrorCode.QUOTA_EXCEEDED,
    "DCS.4039": ErrorCode.QUOTA_EXCEEDED,
    "VPC.0516": ErrorCode.CONFLICT,
    "VPC.2812": ErrorCode.CONFLICT,
    "VPC.0103": ErrorCode.BUSY,
    "VPC.0110": ErrorCode.BUSY,
    "VPC.0512": ErrorCode.BUSY,
    "DCS.3022": ErrorCode.NOT_FOUND,
    "DCS.4061": ErrorCode.NOT_FOUND,
    "LTS.0201": ErrorCode.NOT_FOUND,
    "LTS.0208": ErrorCode.NOT_FOUND,
    "DCS.4017": ErrorCode.BUSY,
    "DCS.4026": ErrorCode.BUSY,
    "DCS.4049": ErrorCode.BUSY,
    "DCS.4096": ErrorCode.BUSY,
    "DCS.4097": ErrorCode.BUSY,
    "DCS.4111": ErrorCode.BUSY,
    "DCS.4113": ErrorCode.BUSY,
    "DCS.4114": ErrorCode.BUSY,
    "DCS.4115": ErrorCode.BUSY,
    "DCS.4116": ErrorCode.BUSY,
    "DCS.4117": ErrorCode.BUSY,
    "DCS.4118": ErrorCode.BUSY,
    "DCS.4120": ErrorCode.BUSY,
    "APIG.0101": ErrorCode.API_MISSING,
    "APIGW.0101": ErrorCode.API_MISSING,
}

_BY_STATUS = {
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    408: ErrorCode.SERVER_ERROR,
    409: ErrorCode.CONFLICT,
    429: ErrorCode.THROTTLED,
}
_TEMPORARY = frozenset({ErrorCode.BUSY, ErrorCode.THROTTLED, ErrorCode.SERVER_ERROR})
_ADVICE = {
    ErrorCode.UNAUTHORIZED: "Get a new token or check the credentials and their project.",
    ErrorCode.NOT_FOUND: "Check the id and the project.",
    ErrorCode.API_MISSING: "Check the region and the endpoint; not every region offers every API.",
    ErrorCode.QUOTA_EXCEEDED: "Raise the quota or remove resources that are not needed.",
    ErrorCode.CONFLICT: "Something else holds the resource or its place; look at what is there.",
    ErrorCode.BUSY: "The resource is being changed; try again later.",
    ErrorCode.THROTTLED: "Too many calls; try again later.",
    ErrorCode.SERVER_ERROR: "Try again later; look for the resource first if the call was to change one.",
    ErrorCode.UNEXPECTED_ANSWER: "Check the endpoint; report the answer if it is the cloud's.",
    ErrorCode.REFUSED: "Correct what the message names.",
}
_LONGEST_MESSAGE = 300
PACED = frozenset({ErrorCode.THROTTLED, ErrorCode.SERVER_ERROR})
"""The failures of which a gateway may say how long to wait before another try."""
LONGEST_RETRY_AFTER = 60.0
"""Seconds that are believed of what it asks for: an engine sleeps them, and sleeping is paid for."""


class AmbiguousError(TemporaryError):
    """A mutation whose answer is missing or a server fault: it may have been carried out."""


def ambiguous(error: AccessError) -> bool:
    """Whether the failed call may have been carried out, so that a step must look before it repeats it."""
    return isinstance(error, AmbiguousError)


def unanswered(call: Call, error: TemporaryError) -> TemporaryError:
    """The transport's error, marked as ambiguous when the call was a mutation."""
    if call.method == "GET" or error.code is not ErrorCode.NO_ANSWER:
        return error
    return AmbiguousError(error.code, str(error), resource=error.data.resource, advice=error.data.advice)


def unexpected(call: Call, why: str) -> PermanentError:
    """The error for a success whose body is not what the API documents."""
    return PermanentError(
        ErrorCode.UNEXPECTED_ANSWER,
        f"{call.method} {call.path} succeeded with an answer that cannot be read: {why}.",
        resource=call.path,
        advice=_ADVICE[ErrorCode.UNEXPECTED_ANSWER],
    )


def problem(call: Call, answer: Answer) -> AccessError:
    """What an answer other than 2xx means."""
    cloud_code, cloud_message = envelope(answer)
    code = _meaning(answer.status, cloud_code)
    kind = _kind(call, code)
    return kind(
        code,
        _message(call, answer.status, code, cloud_code, cloud_message),
        resource=call.path,
        advice=_advice(call, code),
        retry_after=_retry_after(answer) if code in PACED else None,
    )


def envelope(answer: Answer) -> tuple[str, str]:
    """The cloud's own code and message, empty where there are none.

    ELB, DCS and the gateway send `error_code`, VPC and EIP `code`, the Neutron paths `NeutronError`,
    IAM `error`.
    """
    try:
        body: Any = json.loads(answer.body)
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    inner = body.get("NeutronError") or body.get("error") or body
    if not isinstance(inner, dict):
        return "", str(inner)
    code = inner.get("error_code") or inner.get("code") or inner.get("type") or ""
    message = inner.get("error_msg") or inner.get("message") or ""
    return str(code), str(message)[:_LONGEST_MESSAGE]


def _meaning(status: int, cloud_code: str) -> ErrorCode:
    if cloud_code in _BY_CODE:
        return _BY_CODE[cloud_code]
    # A 404 that is not the service's own (a proxy's) says nothing about the resource, and a release must
    # not take it for "already gone".
    if status == 404 and not cloud_code:
        return ErrorCode.API_MISSING
    if status >= 500:
        return ErrorCode.SERVER_ERROR
    if status < 400:
        return ErrorCode.UNEXPECTED_ANSWER
    return _BY_STATUS.get(status, ErrorCode.REFUSED)


def _kind(call: Call, code: ErrorCode) -> type[AccessError]:
    if code is ErrorCode.SERVER_ERROR and call.method != "GET":
        return AmbiguousError
    return TemporaryError if code in _TEMPORARY else PermanentError


def _message(call: Call, status: int, code: ErrorCode, cloud_code: str, cloud_message: str) -> str:
    said = ": ".join(part for part in (cloud_code, cloud_message) if part)
    lacking = f"; the credentials lack {call.action}" if code is ErrorCode.FORBIDDEN else ""
    return f"{call.method} {call.path} was answered {status}" + (f" ({said})" if said else "") + lacking + "."


def _advice(call: Call, code: ErrorCode) -> str:
    if code is ErrorCode.FORBIDDEN:
        return f"Grant {call.action} to the user or agency."
    return _ADVICE[code]


def _retry_after(answer: Answer) -> float | None:
    """The seconds that the gateway asks for, within reason: nobody waits for a day."""
    for name, value in answer.headers.items():
        if name.lower() == "retry-after" and value.strip().isdecimal():
            return min(float(value), LONGEST_RETRY_AFTER)
    return None
