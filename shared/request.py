"""The request: the message that asks to expose an instance, to extend that, or to withdraw it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails

from shared.errors import ErrorCode, PermanentError

_DURATION = r"^(\d{1,9})([smhdw])$"
_WEBHOOK = (
    r"^https?://([A-Za-z0-9._~!$&()*+,;=:%-]*@)?"
    r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?#][^\s\\\"'<>]*)?$"
)
_NEVER = "never"
NEVER = timedelta.max
_LONGEST = 10 * 366 * 86400
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
ANYWHERE = "0.0.0.0/0"


class Risk(StrEnum):
    """A risk that a request acknowledges."""

    PRODUCTION = "production"
    OPEN_WORLD = "open_world"
    NO_PASSWORD = "no_password"  # noqa: S105  # a risk, not a secret


class OnFailure(StrEnum):
    """What becomes of the resources of a failed run."""

    ROLLBACK = "rollback"
    KEEP = "keep"


def _cidr(value: str) -> str:
    try:
        return str(IPv4Network(value))
    except ValueError:
        msg = "give an IPv4 address or a range without host bits, such as 203.0.113.7 or 203.0.113.0/24"
        raise ValueError(msg) from None


def _node(value: str) -> str:
    address, _, port = value.rpartition(":")
    try:
        valid = ip_address(address).is_private and port.isdecimal() and 0 < int(port) < 65536
    except ValueError:
        valid = False
    if not valid:
        msg = "give the node's private address and port, such as 192.168.0.11:6379"
        raise ValueError(msg)
    return value


def _webhook(value: str) -> str:
    # Readers disagree about the host of a sloppy URL, and the host decides whether a message may name it.
    try:
        plain = re.fullmatch(_WEBHOOK, value) is not None and urlsplit(value).port != 0
    except ValueError:
        plain = False
    if not plain:
        msg = "give a URL such as https://hooks.example/path, without spaces, quotes, angle brackets and backslashes"
        raise ValueError(msg)
    return value


def _duration(value: Any) -> Any:
    match = re.fullmatch(_DURATION, value) if isinstance(value, str) else None
    if match is None or int(match[1]) * _SECONDS[match[2]] > _LONGEST:
        msg = "give a number and a unit, such as 30m, 8h or 7d"
        raise ValueError(msg)
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def _span(value: timedelta) -> str:
    return _NEVER if value == NEVER else f"{int(value.total_seconds())}s"


def _bandwidth(size: int) -> int:
    step = 1 if size <= 300 else 50 if size <= 1000 else 500
    if size % step:
        msg = "sizes go by 1 Mbit/s up to 300, by 50 up to 1000 and by 500 above"
        raise ValueError(msg)
    return size


Cidr = Annotated[str, AfterValidator(_cidr)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Webhook = Annotated[str, AfterValidator(_webhook), WithJsonSchema({"type": "string", "pattern": _WEBHOOK})]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    Field(gt=timedelta(0)),
    PlainSerializer(_span, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DURATION}),
]
Lifetime = Annotated[
    timedelta,
    BeforeValidator(lambda value: NEVER if value == _NEVER else _duration(value)),
    Field(gt=timedelta(0)),
    PlainSerializer(_span, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"{_DURATION}|^{_NEVER}$"}),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    request_id: str = Field(
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Idempotency key: the same id is the same request, and its run is made once.",
    )
    project_id: Id | None = Field(default=None, description="Refused if it is not the project of the credentials.")
    notify: tuple[Webhook, ...] = Field(
        default=(), max_length=5, description="Webhooks that get the event beyond the configured ones."
    )


class _InstanceRequest(_Request):
    instance_id: Id = Field(description="The DCS instance.")
    node: Annotated[str, AfterValidator(_node)] | None = Field(
        default=None, description="ip:port of a node; required for a Redis Cluster, refused otherwise."
    )


class _Expiring(_InstanceRequest):
    expires_after: Lifetime | None = Field(
        default=None, description="Such as 30m, 8h or 7d; never has to be said where a limit is set."
    )
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _one_expiry(self) -> Self:
        if self.expires_after is not None and self.expires_at is not None:
            msg = "give expires_after or expires_at, not both"
            raise ValueError(msg)
        return self

    def expiry(self, now: datetime, limit: timedelta | None = None) -> int | None:
        """When the exposure expires, in epoch seconds, or None for never; `limit` holds where nothing is said."""
        if self.expires_at is not None:
            return int(self.expires_at.timestamp())
        after = self.expires_after or limit
        return None if after is None or after == NEVER else int((now + after).timestamp())


class ExposeRequest(_Expiring):
    """Publish an instance at a public address and port."""

    action: Literal["expose"]
    allow: tuple[Cidr, ...] = Field(
        min_length=1, max_length=300, description="Client addresses or ranges (IPv4 CIDR) that may connect."
    )
    port: int = Field(default=80, ge=1, le=65535, description="Listener port; 80 as in the document.")
    vpc_id: Id | None = Field(default=None, description="Where the load balancer stands.")
    subnet_id: Id | None = Field(default=None, description="The load balancer's subnet (its network id).")
    same_vpc: Literal["documented", "direct"] = Field(
        default="documented",
        description="Load balancer and instance in one VPC: as documented, or without a peering.",
    )
    helper_vpc_id: Id | None = Field(default=None, description="The other VPC that a same-VPC peering needs.")
    availability_zones: tuple[str, ...] | None = Field(default=None, min_length=1)
    flavor: str | None = Field(default=None, description="Id or name of an L4 flavor.")
    bandwidth_mbit: Annotated[int, AfterValidator(_bandwidth)] = Field(default=5, ge=1, le=2000)
    accept: tuple[Risk, ...] = Field(default=(), description="Risks that are acknowledged.")
    on_failure: OnFailure = OnFailure.ROLLBACK
    require_probe: bool = Field(default=False, description="Fail unless Redis was seen to answer from outside.")
    repair: bool = Field(default=False, description="The schedule repairs what differs, and does not only report it.")

    def accepts(self, risk: Risk) -> bool:
        """Whether the request acknowledges the risk."""
        return risk in self.accept


class WithdrawRequest(_InstanceRequest):
    """Take an exposure down without a trace."""

    action: Literal["withdraw"]


class ExtendRequest(_Expiring):
    """Move the end of an exposure, which stays as it is."""

    action: Literal["extend"]

    @model_validator(mode="after")
    def _an_expiry(self) -> Self:
        if self.expires_after is None and self.expires_at is None:
            msg = "give expires_after or expires_at"
            raise ValueError(msg)
        return self


class RepairRequest(_InstanceRequest):
    """Make an exposure what its record says again."""

    action: Literal["repair"]
    allow: tuple[Cidr, ...] | None = Field(
        default=None, min_length=1, max_length=300, description="The allow-list, where every copy of it is lost."
    )
    accept: tuple[Risk, ...] = Field(default=(), description="Risks that are acknowledged.")
    replace: bool = Field(default=False, description="A load balancer or an address that is gone may be made anew.")


class VerifyRequest(_Request):
    """Say of exposures whether they are as they should be; changes nothing."""

    action: Literal["verify"]
    exposures: tuple[Id, ...] = Field(default=(), description="Exposures or instances; empty means all.")
    skip: tuple[Id, ...] = Field(default=(), description="Exposures or instances that a run is at work on.")
    repair: bool = Field(default=False, description="Say what to repair, whatever the records say about it.")
    report_only: bool = Field(default=False, description="Leave what is due, ends and repairs, to the schedule.")


AnyRequest = ExposeRequest | ExtendRequest | RepairRequest | VerifyRequest | WithdrawRequest
Request = Annotated[AnyRequest, Field(discriminator="action")]
ACTIONS = ("expose", "extend", "repair", "verify", "withdraw")
# Where the place of an error begins with the action that tells the requests apart; a field may be called so, too.
_TAGGED = frozenset((action,) for action in ACTIONS)


@cache
def _adapter() -> TypeAdapter[AnyRequest]:
    return TypeAdapter(Request)


def parse_request(data: object) -> AnyRequest:
    """Read a request, strictly.

    Raises:
        PermanentError: `InvalidRequest`, naming every field that is wrong.
    """
    try:
        return _adapter().validate_json(json.dumps(data), strict=True)
    except ValidationError as problem:
        raise invalid(problem, "request") from None


def normalised(data: object) -> dict[str, Any]:
    """A request as plain JSON with every default spelled out: what a run is given, and what is compared.

    Raises:
        PermanentError: `InvalidRequest`, naming every field that is wrong.
    """
    return parse_request(data).model_dump(mode="json", exclude_none=True)


def notify_of(data: object) -> tuple[str, ...]:
    """The webhooks that a request names; none if it is not valid."""
    try:
        return parse_request(data).notify
    except PermanentError:
        return ()


def request_schema() -> dict[str, Any]:
    """The JSON Schema of a request."""
    return _adapter().json_schema()


def invalid(problem: ValidationError, what: str) -> PermanentError:
    """The error for input that does not fit its model; quotes no value, since one may be a secret."""
    found = faults(problem)
    return PermanentError(
        ErrorCode.INVALID_REQUEST,
        f"The {what} is not valid: " + "; ".join(f"{place or what}: {reason}" for place, reason in found),
        field=found[0][0] or what,
        advice="Correct the field and send it again; nothing was created.",
    )


def faults(problem: ValidationError) -> list[tuple[str, str]]:
    """Each field that does not fit its model, and why; quotes no value, since one may be a secret."""
    found = problem.errors(include_url=False, include_input=False, include_context=False)
    # A list with a bad item is also said to be too short; the item is what has to be corrected.
    outer = {error["loc"][:depth] for error in found for depth in range(len(error["loc"]))}
    return [(_place(error), _reason(error)) for error in found if error["loc"] not in outer]


def _place(error: ErrorDetails) -> str:
    if error["type"].startswith("union_tag"):
        return "action"
    return ".".join(map(str, error["loc"][1:] if error["loc"][:1] in _TAGGED else error["loc"]))


def _reason(error: Mapping[str, object]) -> str:
    if str(error["type"]).startswith("union_tag"):
        return f"give {', '.join(ACTIONS[:-1])} or {ACTIONS[-1]}"
    text = str(error["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    return text.replace("Tuple", "List").replace("a valid tuple", "a list")
