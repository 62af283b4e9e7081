"""Settings that hold for every request: from the environment outside, from user data inside a function."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from shared.errors import PermanentError
from shared.request import Cidr, Duration, Risk, Webhook, faults, invalid
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


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:]+", value):
        msg = "give host names such as hooks.example, with a space between them"
        raise ValueError(msg)
    return value


def _network(value: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", value):
        msg = "give an id such as 5f0d8a3e-6c1b-4f7e-9d2a-0b3c4d5e6f70"
        raise ValueError(msg)
    return value


def _tag(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,36}", value):
        msg = "give a tag's key: letters, digits, - and _, at most 36"
        raise ValueError(msg)
    return value


NetworkId = Annotated[str, AfterValidator(_network)]
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
    verification. What was made in the longer of that time and `settle_seconds` is no leak.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    vpc_id: NetworkId | None = None
    subnet_id: NetworkId | None = None
    helper_vpc_id: NetworkId | None = None
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
    notify_hosts: Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(_words)] = ()
    message_max_age: Duration = timedelta(hours=1)
    opt_in_tag: Annotated[str, AfterValidator(_tag)] = "dcs-access-allow"
    opt_in_port: int = Field(default=80, ge=1, le=65535)
    allow_lists: Annotated[dict[str, AllowList], BeforeValidator(_json)] = Field(default_factory=dict)
    own_agencies: Words = ()
    debounce_seconds: float = Field(default=300.0, ge=0)


def read_settings(get: Callable[[str], str | None]) -> Settings:
    """Read the settings through `get`, which looks one variable up.

    Raises:
        PermanentError: `InvalidRequest`, naming the variable.
    """
    try:
        return Settings.model_validate(_given(get))
    except ValidationError as problem:
        error, variable = invalid(problem, "setting").data, _variable(faults(problem)[0][0])
        advice = f"Correct {variable}, or unset it."
        raise PermanentError(error.code, error.message, field=variable, advice=advice) from None


def setting_faults(get: Callable[[str], str | None]) -> list[tuple[str, str]]:
    """Each variable that could not be read, and why; quotes no value, since one may be a secret."""
    try:
        Settings.model_validate(_given(get))
    except ValidationError as problem:
        return [(_variable(place), _why(place, reason)) for place, reason in faults(problem)]
    return []


def _given(get: Callable[[str], str | None]) -> dict[str, Any]:
    # An empty variable counts as absent, as in the environment of a shell.
    return {name: value for name in Settings.model_fields if (value := get(VARIABLE + name.upper())) not in (None, "")}


def _variable(place: str) -> str:
    return VARIABLE + place.partition(".")[0].upper()


def _why(place: str, reason: str) -> str:
    # The number of a word among others helps nobody.
    inner = place.partition(".")[2]
    return reason if inner.isdecimal() or not inner else f"{inner}: {reason}"
