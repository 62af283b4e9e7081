"""Settings that hold for every request: from the environment outside, from user data inside a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import PermanentError
from shared.request import Duration, Webhook, invalid

PREFIX = "DCS_ACCESS_"


class Settings(BaseModel):
    """Each field is the variable `DCS_ACCESS_<FIELD>`; an empty variable counts as absent.

    `settle_seconds`: how long a lost creation may take to show up. `fresh_seconds`: how long an observation
    may stand in for a new one. `default_expires_after`: how long an exposure lasts if its request does not say;
    `expirer` is whose schedule ends it. `whitelist_slice`: of how many exposures, taking turns, a verification
    reads the whitelist beyond those that are not reached. `events_on_change`: the embedded engine tells a verdict
    only if it is another one than before.
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
    event_webhooks: tuple[Webhook, ...] = ()
    events_on_change: bool = False


def read_settings(get: Callable[[str], str | None]) -> Settings:
    """Read the settings through `get`, which looks one variable up.

    Raises:
        PermanentError: `InvalidRequest`, naming the variable.
    """
    found: dict[str, Any] = {
        name: value for name in Settings.model_fields if (value := get(PREFIX + name.upper())) not in (None, "")
    }
    if "event_webhooks" in found:
        found["event_webhooks"] = tuple(found["event_webhooks"].split())
    try:
        return Settings.model_validate(found)
    except ValidationError as problem:
        error = invalid(problem, "setting").data
        variable = PREFIX + str(error.field).partition(".")[0].upper()
        advice = f"Correct {variable}, or unset it."
        raise PermanentError(error.code, error.message, field=variable, advice=advice) from None
