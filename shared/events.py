"""What the world is told of a run: CloudEvents 1.0, the same facts in each kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from shared.errors import ErrorCode, ErrorData
from shared.ids import exposure_id
from shared.masking import mask
from shared.probe import ProbeAnswer
from shared.request import ExposeRequest, WithdrawRequest
from shared.results import Did, Finding, Frozen, Kind, StepResult, Touched
from shared.run_data import (
    distinct_findings,
    facts_with,
    failures,
    last_touches,
    leftovers,
    planned,
    read_failure,
    step_results,
    timeline,
)

_TYPE = "dcs-public-access.exposure"
_SCHEMA = "urn:dcs-public-access:schema:1"
_REQUEST_FIELDS = ExposeRequest.model_fields.keys() | WithdrawRequest.model_fields.keys()


class EventKind(StrEnum):
    """How a request ended; `rejected` means that nothing was created for it."""

    COMPLETED = "completed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class Endpoint(Frozen):
    """Where Redis answers."""

    address: str
    port: int


class Exposed(Frozen):
    """The instance that the request is about."""

    id: str
    name: str | None = None
    node: str | None = None


class Health(Frozen):
    """What the load balancer last said of the member."""

    status: str
    reason_code: str | None = None


class Step(Frozen):
    """A step, its attempts and times, and the code it failed with."""

    state: str
    attempts: int
    started: AwareDatetime
    ended: AwareDatetime
    error: ErrorCode | None = None


class Failure(Frozen):
    """Why it failed, and what to do about it."""

    code: ErrorCode
    message: str
    field: str | None = None
    resource: str | None = None
    advice: str | None = None


class EventData(Frozen):
    """The facts. `endpoint` is where Redis can be reached after this event, if anywhere."""

    request: dict[str, Any]
    request_id: str | None
    run_id: str | None
    exposure: str | None
    instance: Exposed | None
    endpoint: Endpoint | None
    resources: tuple[Touched, ...]
    health: Health | None
    probe: ProbeAnswer | None
    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    error: Failure | None
    expires_at: AwareDatetime | None


class CompletedData(EventData):
    """The facts of an exposure that stands."""

    endpoint: Endpoint


class FailedData(EventData):
    """The facts of a failure."""

    error: Failure


class Event(Frozen):
    """The CloudEvents envelope; a consumer that has seen the `id` has seen the event."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, description="The run, or the request where there was no run.")
    source: str = Field(description="/dcs-public-access/<region>/<project>")
    type: str
    subject: str | None = Field(default=None, description="The exposure.")
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    data: EventData

    def to_json(self) -> dict[str, Any]:
        """The event as it goes over the wire; an attribute that does not apply is left out."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}


class CompletedEvent(Event):
    """The instance is exposed."""

    type: Literal["dcs-public-access.exposure.completed"]
    data: CompletedData


class FailedEvent(Event):
    """The run failed; `resources` says what was rolled back or kept."""

    type: Literal["dcs-public-access.exposure.failed"]
    data: FailedData


class WithdrawnEvent(Event):
    """The exposure is gone."""

    type: Literal["dcs-public-access.exposure.withdrawn"]


class RejectedEvent(Event):
    """The request was refused before anything was created."""

    type: Literal["dcs-public-access.exposure.rejected"]
    data: FailedData


_FAILURES = frozenset({EventKind.FAILED, EventKind.REJECTED})
_EVENTS: Mapping[EventKind, type[Event]] = {
    EventKind.COMPLETED: CompletedEvent,
    EventKind.FAILED: FailedEvent,
    EventKind.WITHDRAWN: WithdrawnEvent,
    EventKind.REJECTED: RejectedEvent,
}


def event_schema(kind: EventKind) -> dict[str, Any]:
    """The JSON Schema of an event, envelope and data."""
    schema = _EVENTS[kind].model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{_SCHEMA}:{kind}", **schema}


def build_event(
    kind: EventKind,
    *,
    run: str | None,
    request: Mapping[str, Any],
    data: Any,
    region: str,
    project_id: str,
    time: datetime,
) -> Event:
    """The event of a run from its data alone, so that it can be told again word for word.

    Nothing secret gets in: what is no field of a request is left out, URLs are cut down to their host.
    """
    facts = mask(_facts(kind, run, request, data, project_id))
    return _EVENTS[kind].model_validate(
        {
            "id": run or facts["request_id"],
            "source": f"/dcs-public-access/{region}/{project_id}",
            "type": f"{_TYPE}.{kind}",
            "subject": facts["exposure"],
            "time": time,
            "dataschema": f"{_SCHEMA}:{kind}#/properties/data",
            "data": facts,
        }
    )


def _facts(kind: EventKind, run: str | None, request: Mapping[str, Any], data: Any, project_id: str) -> dict[str, Any]:
    results, failed, plan = step_results(data), failures(data), planned(data)
    instance, node = _text(request, "instance_id"), _text(request, "node")
    touched, health = last_touches(results), _health(results)
    stands = kind is EventKind.COMPLETED or (kind is EventKind.FAILED and _serves(touched, health))
    return {
        "request": {name: request[name] for name in _REQUEST_FIELDS if _is_plain(request.get(name))},
        "request_id": _text(request, "request_id"),
        "run_id": run,
        "exposure": exposure_id(project_id, instance, node) if instance else None,
        "instance": {"id": instance, "name": plan.get("instance_name"), "node": node} if instance else None,
        "endpoint": _endpoint(results, plan) if stands else None,
        "resources": [each.model_dump() for each in touched],
        "health": health,
        "probe": facts_with(results, "answer").get("answer"),
        "findings": [each.model_dump() for each in (*distinct_findings(results), *_incomplete(request, data))],
        "steps": [{**times.model_dump(), "error": code} for times, code in timeline(results, failed)],
        "error": _failure(failed) if kind in _FAILURES else None,
        "expires_at": _moment(plan.get("expires_at")) if stands else None,
    }


def _text(request: Mapping[str, Any], name: str) -> str | None:
    value = request.get(name)
    return value if isinstance(value, str) else None


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(each) for each in value)
    return isinstance(value, str | int)


def _serves(touched: list[Touched], health: Mapping[str, Any] | None) -> bool:
    """Whether the public port is still there and something answers behind it."""
    standing = {each.kind for each in touched if each.did is not Did.RELEASED}
    # Health was seen before a roll back, so what became of the members counts first.
    known = any(each.kind is Kind.MEMBER for each in touched)
    online = not known and health is not None and health["status"] == "ONLINE"
    return Kind.LISTENER in standing and (online or Kind.MEMBER in standing)


def _incomplete(request: Mapping[str, Any], data: Any) -> list[Finding]:
    """What was to be taken down and is still there: somebody may have to pay for it or to close it."""
    code = "WithdrawalIncomplete" if request.get("action") == "withdraw" else "RollBackIncomplete"
    return [
        Finding(code=code, message=" ".join(filter(None, (error.message, error.advice)))) for error in leftovers(data)
    ]


def _endpoint(results: list[StepResult], plan: Mapping[str, Any]) -> dict[str, Any] | None:
    address = facts_with(results, "public_address").get("public_address")
    return {"address": address, "port": plan["listener_port"]} if address and plan else None


def _failure(failed: list[ErrorData]) -> dict[str, Any]:
    error = failed[0] if failed else read_failure({})
    return error.model_dump(include=set(Failure.model_fields))


def _health(results: list[StepResult]) -> dict[str, Any] | None:
    facts = facts_with(results, "member_status")
    return {"status": facts["member_status"], "reason_code": facts.get("reason_code")} if facts else None


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
