"""What an audit trace says (CTS: trace structure), as far as it matters here; a hint, and never the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.bodies import malformed
from shared.intake.record import IntakeRecord, as_object, read_time, request_id
from shared.intake.sources import Source, check_source

_FAILED_RATINGS = frozenset({"warning", "incident"})
_LONGEST_CODE = 9
_INSTANCE_KEYS = frozenset({"instance", "instances", "instance_id", "instance_ids"})


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _number(value: Any) -> int:
    text = _text(value).strip()
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_CODE else 0


Loose = Annotated[str, BeforeValidator(_text)]
"""A text, whatever comes in its place."""


class User(BaseModel):
    """Who did it; the name of an agency, if one did."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    name: Loose = ""


class Trace(BaseModel):
    """One trace; what a service leaves out or spells otherwise is empty."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    id: Loose = Field("", alias="trace_id")
    name: Loose = Field("", alias="trace_name")
    service: Loose = Field("", alias="service_type")
    kind: Loose = Field("", alias="resource_type")
    resource_id: Loose = ""
    resource_name: Loose = ""
    project_id: Loose = ""
    code: Annotated[int, BeforeValidator(_number)] = 0
    rating: Loose = Field("", alias="trace_rating")
    status: Loose = Field("", alias="trace_status")
    read_only: Annotated[bool, BeforeValidator(lambda value: _text(value).lower() == "true")] = False
    user: Annotated[User, BeforeValidator(as_object)] = User()
    request: Annotated[dict[str, Any], BeforeValidator(as_object)] = Field(default_factory=dict)
    response: Annotated[dict[str, Any], BeforeValidator(as_object)] = Field(default_factory=dict)
    time: Annotated[datetime | None, BeforeValidator(read_time)] = None
    record_time: Annotated[datetime | None, BeforeValidator(read_time)] = None

    @property
    def failed(self) -> bool:
        """Whether the operation did not succeed."""
        return self.code >= 400 or bool({self.rating, self.status} & _FAILED_RATINGS)

    @property
    def at(self) -> datetime | None:
        """When it happened."""
        return self.time or self.record_time

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """The instances that it names: its resource, or those of a batch in its request and response."""
        named = [self.resource_id, *_named(self.request), *_named(self.response)]
        return tuple(dict.fromkeys(one for one in named if one and one != "null"))


def read_traces(event: Any, invocation: str) -> list[IntakeRecord]:
    """The trace in an event.

    Raises:
        PermanentError: `InvalidRequest`, the event is no such thing.
    """
    check_source(event, Source.CTS)
    traces = event["cts"] if isinstance(event["cts"], list) else [event["cts"]]
    return [_record(as_object(each), f"{invocation}-{number}") for number, each in enumerate(traces)]


def _record(data: dict[str, Any], default: str) -> IntakeRecord:
    if not data:
        return IntakeRecord(default, malformed("The trace is not a JSON object.", "cts"))
    trace = Trace.model_validate(data)
    about = {"instance_id": trace.resource_id} if trace.service == "DCS" and trace.resource_id else {}
    return IntakeRecord(request_id(trace.id) or default, trace, trace.at, about)


def _named(data: Any) -> Iterator[str]:
    """Ids under the keys that batches use for instances."""
    if isinstance(data, list):
        for each in data:
            yield from _named(each)
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key in _INSTANCE_KEYS:
                yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
            yield from _named(value)
