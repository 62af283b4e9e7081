"""Two kinds of failure, temporary and permanent, each with a stable code and advice."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.results import Touched


class ErrorCode(StrEnum):
    """Every code an event, a log line, an exit or an ASL error name may carry."""

    # Temporary: the machine's Retry handles them.
    NOT_YET = "NotYet"
    NOT_READY = "NotReady"
    THROTTLED = "Throttled"
    SERVER_ERROR = "ServerError"
    NO_ANSWER = "NoAnswer"
    BUSY = "Busy"
    EVENT_UNDELIVERED = "EventUndelivered"
    UNHEALTHY = "Unhealthy"
    PROBE_FAILED = "ProbeFailed"
    # Permanent, but worth another pass over the resources: a parent vanished or lost its election.
    PARENT_GONE = "ParentGone"
    # Permanent: the request.
    INVALID_REQUEST = "InvalidRequest"
    REQUEST_REUSED = "RequestReused"
    STALE = "Stale"
    FOREIGN_PROJECT = "ForeignProject"
    INSTANCE_NOT_FOUND = "InstanceNotFound"
    EXPOSURE_NOT_FOUND = "ExposureNotFound"
    EXPOSURE_DIFFERS = "ExposureDiffers"
    # Permanent: safety rules.
    PRODUCTION_UNACKNOWLEDGED = "ProductionUnacknowledged"
    PASSWORD_FREE = "PasswordFree"  # noqa: S105  # an error code, not a secret
    OPEN_WORLD = "OpenWorld"
    NOT_REDIS = "NotRedis"
    VERSION_UNSUPPORTED = "VersionUnsupported"
    INSTANCE_FAILED = "InstanceFailed"
    NODE_REQUIRED = "NodeRequired"
    NODE_REFUSED = "NodeRefused"
    NODE_NOT_FOUND = "NodeNotFound"
    SUBNETS_OVERLAP = "SubnetsOverlap"
    CLIENT_RANGE_FORBIDDEN = "ClientRangeForbidden"
    ROUTE_IN_THE_WAY = "RouteInTheWay"
    TOO_FEW_ADDRESSES = "TooFewAddresses"
    WHITELIST_FULL = "WhitelistFull"
    QUOTA_EXCEEDED = "QuotaExceeded"
    PORT_TAKEN = "PortTaken"
    HELPER_VPC_REQUIRED = "HelperVpcRequired"
    NETWORK_NOT_FOUND = "NetworkNotFound"
    NO_CAPACITY = "NoCapacity"
    PEERING_UNUSABLE = "PeeringUnusable"
    OPEN_TO_ALL = "OpenToAll"
    # Permanent: a repair that would lose something.
    HELD = "Held"
    RECORD_LOST = "RecordLost"
    ALLOW_LIST_LOST = "AllowListLost"
    REPLACE_REQUIRED = "ReplaceRequired"
    # Permanent: the cloud.
    UNAUTHORIZED = "Unauthorized"
    FORBIDDEN = "Forbidden"
    NOT_FOUND = "NotFound"
    CONFLICT = "Conflict"
    REFUSED = "Refused"
    API_MISSING = "ApiMissing"
    ENDPOINT_UNREACHABLE = "EndpointUnreachable"
    UNEXPECTED_ANSWER = "UnexpectedAnswer"
    # Permanent: the run.
    CANCELLED = "Cancelled"
    GIVEN_UP = "GivenUp"
    INTERNAL = "Internal"


class ErrorData(BaseModel):
    """A failure as it crosses a handler's border; `retry_after` is in seconds, `touched` was done before it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    code: ErrorCode
    message: str
    field: str | None = None
    resource: str | None = None
    advice: str | None = None
    retry_after: float | None = None
    step: dict[str, Any] | None = None
    touched: tuple[Touched, ...] | None = None


class AccessError(Exception):
    """A failure with a stable code; never carries a secret. Raise one of its two children."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        resource: str | None = None,
        advice: str | None = None,
        field: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.data = ErrorData(
            code=code, message=message, field=field, resource=resource, advice=advice, retry_after=retry_after
        )

    @property
    def code(self) -> ErrorCode:
        """The stable code."""
        return self.data.code

    def tell(self, touched: Iterable[Touched]) -> None:
        """Add what had been done when it came to the failure."""
        told = (*touched, *(self.data.touched or ()))
        self.data = self.data.model_copy(update={"touched": told or None})

    def envelope(self) -> dict[str, Any]:
        """What a handler returns in place of a result: `{"error": {...}}`."""
        return {"error": self.data.model_dump(mode="json", exclude_none=True)}


class TemporaryError(AccessError):
    """Worth another try; the machine's Retry decides when, `retry_after` may lengthen the delay."""


class PermanentError(AccessError):
    """No retry will help; the machine's Catch takes it."""


TEMPORARY = frozenset(
    {
        ErrorCode.NOT_YET,
        ErrorCode.NOT_READY,
        ErrorCode.THROTTLED,
        ErrorCode.SERVER_ERROR,
        ErrorCode.NO_ANSWER,
        ErrorCode.BUSY,
        ErrorCode.EVENT_UNDELIVERED,
        ErrorCode.UNHEALTHY,
        ErrorCode.PROBE_FAILED,
    }
)
