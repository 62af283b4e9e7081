"""What the world is told of a run: CloudEvents 1.0, the same facts in each kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, Field

from shared.errors import ErrorCode, ErrorData
from shared.ids import exposure_id
from shared.masking import mask
from shared.probe import ProbeAnswer
from shared.record import read_record
from shared.request import AnyRequest
from shared.results import Did, Finding, Frozen, Kind, StepResult, Touched
from shared.run_data import (
    differences,
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
from shared.verification.verdict import Difference, VerdictKind

_TYPE = "dcs-public-access.exposure"
_SCHEMA = "urn:dcs-public-access:schema:1"
_REQUEST_FIELDS = frozenset().union(*(model.model_fields for model in get_args(AnyRequest)))


class EventKind(StrEnum):
    """How a request ended, or what was found of an exposure; `rejected` means that nothing was changed."""

    COMPLETED = "completed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    REPAIRED = "repaired"
    VERIFIED = "verified"
    DRIFTED = "drifted"
    EXPIRING = "expiring"
    EXPIRED = "expired"


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


class Repaired(Frozen):
    """One field of one resource as it was found, and as it is again."""

    kind: Kind
    id: str
    field: str
    before: str
    after: str


class RepairedData(EventData):
    """The facts of a repair; `repaired` is what the exposure differed in."""

    endpoint: Endpoint
    repaired: tuple[Repaired, ...]


class VerdictData(Frozen):
    """What was found of an exposure; `endpoint` is where its record and its load balancer say that it is."""

    run_id: str
    exposure: str
    instance: Exposed | None
    endpoint: Endpoint | None
    verdict: VerdictKind
    reason: str
    reason_code: str | None
    differences: tuple[Difference, ...]
    expires_at: AwareDatetime | None


class EndingData(VerdictData):
    """The facts of an exposure that ends."""

    expires_at: AwareDatetime


class Envelope(Frozen):
    """The CloudEvents envelope; a consumer that has seen the `id` has seen the event."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1)
    source: str = Field(description="/dcs-public-access/<region>/<project>")
    type: str
    subject: str | None = Field(default=None, description="The exposure.")
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str

    def to_json(self) -> dict[str, Any]:
        """The event as it goes over the wire; an attribute that does not apply is left out."""
        dumped = self.model_dump(mode="json", by_alias=True)
        return {name: value for name, value in dumped.items() if value is not None}


class Event(Envelope):
    """How a request ended."""

    id: str = Field(min_length=1, description="<run>.<kind>, or <request>.<kind> where there was no run.")
    data: EventData


class VerdictEvent(Envelope):
    """What was found of an exposure."""

    subject: str
    data: VerdictData


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


class RepairedEvent(Event):
    """The exposure is again as its record says."""

    type: Literal["dcs-public-access.exposure.repaired"]
    data: RepairedData


class VerifiedEvent(VerdictEvent):
    """The exposure was looked at; `verdict` says how it does."""

    id: str = Field(min_length=1, description="<run>.<exposure>.<kind>")
    type: Literal["dcs-public-access.exposure.verified"]


class DriftedEvent(VerdictEvent):
    """The exposure is not what its record says; `differences` says where."""

    id: str = Field(min_length=1, description="<run>.<exposure>.<kind>")
    type: Literal["dcs-public-access.exposure.drifted"]


class ExpiringEvent(VerdictEvent):
    """The exposure ends soon; every look that finds the same end near tells the same event."""

    id: str = Field(min_length=1, description="expiring-<exposure>-<epoch seconds of the end>")
    type: Literal["dcs-public-access.exposure.expiring"]
    data: EndingData


class ExpiredEvent(VerdictEvent):
    """The exposure's end has come; who has a schedule withdraws it, which is told by an event of its own."""

    id: str = Field(min_length=1, description="expired-<exposure>-<epoch seconds of the end>")
    type: Literal["dcs-public-access.exposure.expired"]
    data: EndingData


_FAILURES = frozenset({EventKind.FAILED, EventKind.REJECTED})
_STANDING = frozenset({EventKind.COMPLETED, EventKind.REPAIRED})
_RUN_EVENTS: Mapping[EventKind, type[Event]] = {
    EventKind.COMPLETED: CompletedEvent,
    EventKind.FAILED: FailedEvent,
    EventKind.WITHDRAWN: WithdrawnEvent,
    EventKind.REJECTED: RejectedEvent,
    EventKind.REPAIRED: RepairedEvent,
}
VERDICT_EVENTS: Mapping[EventKind, type[VerdictEvent]] = {
    EventKind.VERIFIED: VerifiedEvent,
    EventKind.DRIFTED: DriftedEvent,
    EventKind.EXPIRING: ExpiringEvent,
    EventKind.EXPIRED: ExpiredEvent,
}
_EVENTS: Mapping[EventKind, type[Envelope]] = {**_RUN_EVENTS, **VERDICT_EVENTS}


def event_schema(kind: EventKind) -> dict[str, Any]:
    """The JSON Schema of an event, envelope and data."""
    schema = _EVENTS[kind].model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{_SCHEMA}:{kind}", **schema}


_ENDS = frozenset({"Expires", "NeverExpires", "NobodyExpires"})
_PUBLIC_SIDE = frozenset({Kind.IP_GROUP, Kind.LOAD_BALANCER})
_BEFORE = frozenset({"restore", "review"})
_LOOK = "The exposure that stood before may differ from its record: verify it."
_WITHDRAW = "What is not released may be open and is billed: withdraw the exposure."
_AGAIN = "What is not released may be open and is billed: withdraw it again."


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
    return _RUN_EVENTS[kind].model_validate(
        {"id": _event_id(kind, run or facts["request_id"]), **envelope(kind, region, project_id, time), **about(facts)}
    )


def _event_id(kind: EventKind, name: str) -> str:
    """Delivered twice, a run may come to two ends, and what has told of one must not pass for the other."""
    return f"{name}.{kind}"


def envelope(kind: EventKind, region: str, project_id: str, time: datetime) -> dict[str, Any]:
    """What every event of a kind says of itself."""
    return {
        "source": f"/dcs-public-access/{region}/{project_id}",
        "type": f"{_TYPE}.{kind}",
        "time": time,
        "dataschema": f"{_SCHEMA}:{kind}#/properties/data",
    }


def about(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an event, and the exposure that they are about."""
    return {"subject": facts["exposure"], "data": facts}


def _facts(kind: EventKind, run: str | None, request: Mapping[str, Any], data: Any, project_id: str) -> dict[str, Any]:
    results, failed, plan = step_results(data), failures(data), planned(data)
    instance, node = _text(request, "instance_id"), _text(request, "node")
    touched, health = last_touches(results, failed), _health(results)
    stands = kind in _STANDING or (kind is EventKind.FAILED and _serves(touched, health))
    facts = {
        "request": {name: request[name] for name in _REQUEST_FIELDS if _is_plain(request.get(name))},
        "request_id": _text(request, "request_id"),
        "run_id": run,
        "exposure": exposure_id(project_id, instance, node) if instance else None,
        "instance": {"id": instance, "name": plan.get("instance_name"), "node": node} if instance else None,
        "endpoint": _endpoint(results, plan) if stands else None,
        "resources": [each.model_dump() for each in touched],
        "health": health,
        "probe": facts_with(results, "answer").get("answer"),
        "findings": [each.model_dump() for each in (*_findings(kind, touched, results), *_incomplete(request, data))],
        "steps": [{**times.model_dump(), "error": code} for times, code in timeline(results, failed)],
        "error": _failure(failed) if kind in _FAILURES else None,
        "expires_at": _end(results, plan) if stands else None,
    }
    return {**facts, "repaired": _repaired(data)} if kind is EventKind.REPAIRED else facts


def _repaired(data: Any) -> list[dict[str, Any]]:
    return [
        {"kind": each.kind, "id": each.id, "field": each.field, "before": each.is_, "after": each.should}
        for each in differences(data)
    ]


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
    errors = leftovers(data)
    code, advice = ("WithdrawalIncomplete", _AGAIN) if request.get("action") == "withdraw" else _rolled_back(data)
    told = [" ".join(filter(None, (error.message, error.advice))) for error in errors]
    return [Finding(code=code, message=message) for message in (*told, *([advice] if told else []))]


def _rolled_back(data: Any) -> tuple[str, str]:
    """What stood before and stands still is not for a person to take down."""
    left = data.get("left") if isinstance(data, Mapping) else None
    before = isinstance(left, Mapping) and left.keys() <= _BEFORE
    return "RollBackIncomplete", _LOOK if before else _WITHDRAW


def _findings(kind: EventKind, touched: list[Touched], results: list[StepResult]) -> list[Finding]:
    """What should be known; who ends an exposure is said of what there is only."""
    stands = any(each.kind in _PUBLIC_SIDE and each.did is not Did.RELEASED for each in touched)
    gone = kind in _FAILURES and not stands
    return [each for each in distinct_findings(results) if not (gone and each.code in _ENDS)]


def _endpoint(results: list[StepResult], plan: Mapping[str, Any]) -> dict[str, Any] | None:
    address = facts_with(results, "public_address").get("public_address")
    return {"address": address, "port": plan["listener_port"]} if address and plan else None


def _end(results: list[StepResult], plan: Mapping[str, Any]) -> datetime | None:
    """When the exposure ends: the anchor's record counts, and another delivery of the run may have written it."""
    record = read_record(facts_with(results, "record").get("record"))
    return moment(record.expires_at if record else plan.get("expires_at"))


def _failure(failed: list[ErrorData]) -> dict[str, Any]:
    error = failed[0] if failed else read_failure({})
    return error.model_dump(include=set(Failure.model_fields))


def _health(results: list[StepResult]) -> dict[str, Any] | None:
    facts = facts_with(results, "member_status")
    return {"status": facts["member_status"], "reason_code": facts.get("reason_code")} if facts else None


def moment(seconds: int | None) -> datetime | None:
    """Epoch seconds as a moment."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
