"""How calls are refused: the gateway's own envelopes, and what each service must be able to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from emulator.core.message import Answer


class ApiError(Exception):
    """A refusal in the words of the service that refuses."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {dict(body)}")
        self.answer = Answer(status, body, headers or {})


class Refusal(Exception):  # noqa: N818  # a reason; it becomes an error in the envelope of the API asked
    """Why a rule says no, before it is known which API has to say so."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@contextmanager
def refusing(envelope: Callable[[int, str, str], ApiError]) -> Iterator[None]:
    """Say every refusal within in the envelope of one API, given status, code and message."""
    try:
        yield
    except Refusal as refusal:
        raise envelope(refusal.status, refusal.code, refusal.message) from None


class ErrorForm(Protocol):
    """The refusals that the framework makes on behalf of a service, each in that service's envelope."""

    def invalid(self, field: str, why: str) -> ApiError:
        """A body field or query parameter that is unknown, missing or of a wrong value."""

    def unauthorized(self) -> ApiError:
        """No token, or one that is unknown or expired."""

    def wrong_project(self) -> ApiError:
        """The project in the path is not the token's."""

    def forbidden(self, action: str) -> ApiError:
        """The user lacks the permission for `action`."""

    def internal(self) -> ApiError:
        """The service failed."""


def gateway_error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> ApiError:
    """An error of the API gateway in front of every service."""
    return ApiError(status, {"error_code": code, "error_msg": message}, headers)


def api_not_found() -> ApiError:
    """No such API in this region: not the same as a missing resource."""
    return gateway_error(404, "APIGW.0101", "API not found")


def throttled(retry_after: float | None = None) -> ApiError:
    """Too many requests; `retry_after` in seconds."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return gateway_error(429, "APIGW.0308", "The throttling threshold has been reached", headers)


def bad_gateway(status: int) -> ApiError:
    """The gateway gave up on the service (502, 503, 504); the call may have been carried out."""
    return gateway_error(status, "APIGW.0201", "Backend timeout" if status == 504 else "Backend unavailable")
