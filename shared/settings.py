"""Settings that hold for every request: from the environment outside, from user data inside a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from shared.errors import PermanentError
from shared.request import Cidr, Duration, Risk, Webhook, invalid
from shared.signing import read_key

VARIABLE = "DCS_ACCESS_"
"""What the variable of every setting begins with."""


def _words(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


def _risks(value: Any) -> Any:
    # An empty variable counts as absent, so that nobody allows nothing by accident.
    return () if value == "none" else _words(value)


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        msg = "it is nested too deeply"
        raise ValueError(msg) from None


def _signing(secret: SecretStr) -> SecretStr:
    read_key(secret.get_secret_value())
    return secret


SigningSecret = Annotated[SecretStr, AfterValidator(_signing)]
AllowList = Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=300)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Settings(BaseModel):
    """Each field is the variable `DCS_ACCESS_<FIELD>`; an empty variable counts as absent.

    `settle_seconds`: how long a lost creation may take to show up. `fresh_seconds`: how long an observation
    may stand in for a new one. `default_expires_after`: how long an exposure lasts if its request does not say;
    `expirer` is whose schedule ends it. `whitelist_slice`: of how many exposures, taking turns, a verification
    reads the whitelist beyond those that are not reached. `events_on_change`: the embedded engine tells a verdict
    only if it is another one than before. `event_webhook_secret` signs what webhooks get; while it is being
    changed there are two, with a space between them.

    Where it is deployed: `application` is the name that all of its functions share, `endpoint` the pattern of a
    service's address, `event_topic` the URN of the topic that gets the events.

    What messages and console events may ask for: `message_accepts` are the risks they may acknowledge, or `none`,
    `notify_hosts` the webhooks' hosts they may name; they are stale after `message_max_age`. An instance with the
    tag `opt_in_tag` is exposed at `opt_in_port` to the list of `allow_lists` that the tag names. Traces of
    `own_agencies` are dropped. What a run began to change less than `debounce_seconds` ago is not verified for a
    trace, and a verification says `changing` of what is still missing of it; one trace in that time sets off a
    verification, and what was made in that time is no leak.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    vpc_id: str | None = None
    subnet_id: str | None = None
    helper_vpc_id: str | None = None
    settle_seconds: float = Field(default=30.0, ge=0)
    fresh_seconds: float = Field(default=10.0, ge=0)
    minimum_free_addresses: int = Field(default=16, ge=0)
    eip_type: str = "5_bgp"
    default_expires_after: Duration | None = None
    expirer: str | None = None
    whitelist_slice: int = Field(default=50, ge=0)
    event_file: str | None = None
    event_webhooks: Annotated[tuple[Webhook, ...], BeforeValidator(_words)] = ()
    event_webhook_secret: Annotated[tuple[SigningSecret, ...], BeforeValidator(_words)] = ()
    events_on_change: bool = False
    application: str = Field(default="dcs-access", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")
    region: str | None = None
    endpoint: str = Field(default="https://{service}.{region}.otc.t-systems.com", pattern=r"^https?://\S+$")
    event_topic: str | None = None
    message_accepts: Annotated[tuple[Risk, ...], BeforeValidator(_risks)] = (Risk.PRODUCTION,)
    notify_hosts: Words = ()
    message_max_age: Duration = timedelta(hours=1)
    opt_in_tag: str = "dcs-access-allow"
    opt_in_port: int = Field(default=80, ge=1, le=65535)
    allow_lists: Annotated[dict[str, AllowList], BeforeValidator(_json)] = Field(default_factory=dict)
    own_agencies: Words = ()
    debounce_seconds: float = Field(default=300.0, ge=0)


def read_settings(get: Callable[[str], str | None]) -> Settings:
    """Read the settings through `get`, which looks one variable up.

    Raises:
        PermanentError: `InvalidRequest`, naming the variable.
    """
    found: dict[str, Any] = {
        name: value for name in Settings.model_fields if (value := get(VARIABLE + name.upper())) not in (None, "")
    }
    try:
        return Settings.model_validate(found)
    except ValidationError as problem:
        error = invalid(problem, "setting").data
        variable = VARIABLE + str(error.field).partition(".")[0].upper()
        advice = f"Correct {variable}, or unset it."
        raise PermanentError(error.code, error.message, field=variable, advice=advice) from None
