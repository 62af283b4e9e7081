"""See to every record of an event: each is started, rejected, told of or ignored, and one bad one loses no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from shared.bodies import unwrapped
from shared.errors import AccessError, ErrorCode, ErrorData, PermanentError, TemporaryError
from shared.events import EventKind, build_event
from shared.intake.record import IntakeRecord, request_id
from shared.logs import log_of
from shared.platform import Context, services_of
from shared.request import parse_request
from shared.results import Frozen
from shared.services import Services
from shared.sinks import deliver
from shared.starting import start_run

_TOLD = 16_384
_SHORT = 1_000


class Fate(StrEnum):
    """What became of a record; `delayed` makes the platform hand over the whole event once more."""

    STARTED = "started"
    REJECTED = "rejected"
    TOLD = "told"
    IGNORED = "ignored"
    DELAYED = "delayed"


class Outcome(Frozen):
    """What became of a record, and why."""

    record: str
    fate: Fate
    request_id: str | None = None
    run_id: str | None = None
    code: ErrorCode | None = None
    field: str | None = None
    reason: str | None = None


class Taker:
    """Sees to one record: starts runs, tells events."""

    def __init__(self, services: Services, record: IntakeRecord) -> None:
        self.services, self.record = services, record

    def start(self, request: dict[str, Any]) -> Outcome:
        """Start the run of a request; what is wrong with it is told."""
        try:
            run = start_run(self.services, request)
        except AccessError as problem:
            return self.turn_down(problem, request)
        return Outcome(record=self.record.id, fate=Fate.STARTED, request_id=request["request_id"], run_id=run)

    def ignore(self, reason: str) -> Outcome:
        """Nothing is to be done."""
        return Outcome(record=self.record.id, fate=Fate.IGNORED, reason=reason)

    def turn_down(self, problem: AccessError, request: dict[str, Any] | None = None) -> Outcome:
        """Tell that a request is rejected; a temporary problem delays the record."""
        if isinstance(problem, TemporaryError):
            return self._outcome(Fate.DELAYED, problem)
        return self.tell(EventKind.REJECTED, problem, self.record.about if request is None else request)

    def tell(self, kind: EventKind, problem: AccessError, request: dict[str, Any], run: str | None = None) -> Outcome:
        """Tell of a failure through the configured sinks; `request` may be anything that has come in."""
        event = self._event(kind, problem.data, request, run)
        undelivered = deliver(self.services.sinks(()), event)
        if undelivered:
            return self._outcome(Fate.DELAYED, undelivered[0])
        return self._outcome(Fate.REJECTED if kind is EventKind.REJECTED else Fate.TOLD, problem, run)

    def _outcome(self, fate: Fate, problem: AccessError, run: str | None = None) -> Outcome:
        data = _shortened(problem.data)
        return Outcome(
            record=self.record.id, fate=fate, run_id=run, code=data.code, field=data.field, reason=data.message
        )

    def _event(self, kind: EventKind, error: ErrorData, request: dict[str, Any], run: str | None) -> dict[str, Any]:
        cause = _shortened(error).model_dump_json(exclude_none=True)
        cloud = self.services.cloud
        return build_event(
            kind,
            run=run,
            request=_told(request, self.record.id),
            data={"failure": {"Error": error.code.value, "Cause": cause}},
            region=cloud.region,
            project_id=cloud.project_id,
            # The record's own time, so that it is told again word for word.
            time=self.record.time or self.services.now(),
        ).to_json()


Read = Callable[[Any, str], list[IntakeRecord]]
"""The records of an event; the text names the invocation."""
Heed = Callable[[Taker], Iterable[Outcome]]
"""What becomes of a record."""


def take_in(event: object, context: Context, read: Read, heed: Heed) -> dict[str, Any]:
    """See to all records of an event.

    Returns:
        What became of each.

    Raises:
        TemporaryError: at least one record has to be seen to again; those that were started start nothing new then.
    """
    services = services_of(context)
    invocation = context.getRequestID()
    try:
        records = read(unwrapped(event), invocation)
    except PermanentError as problem:
        records = [IntakeRecord(invocation, problem)]
    outcomes = [outcome for record in records for outcome in _see_to(Taker(services, record), heed)]
    log = log_of(context)
    for outcome in outcomes:
        log(**outcome.model_dump(mode="json", exclude_none=True))
    delayed = [outcome for outcome in outcomes if outcome.fate is Fate.DELAYED]
    if delayed:
        first = delayed[0]
        raise TemporaryError(
            first.code or ErrorCode.NOT_YET,
            f"{len(delayed)} of {len(outcomes)} records have to be seen to again; {first.record}: {first.reason}",
            resource=first.record,
        )
    return {"records": [outcome.model_dump(mode="json", exclude_none=True) for outcome in outcomes]}


def _see_to(taker: Taker, heed: Heed) -> list[Outcome]:
    content = taker.record.content
    try:
        if isinstance(content, AccessError):
            raise content
        return list(heed(taker))
    except AccessError as problem:
        return [taker.turn_down(problem)]
    except Exception as defect:  # noqa: BLE001  # the border of the process: a defect must not lose other records
        message = (
            f"The record could not be seen to for a reason that is a defect of this product: {type(defect).__name__}."
        )
        return [taker.turn_down(PermanentError(ErrorCode.INTERNAL, message))]


def _told(request: dict[str, Any], record: str) -> dict[str, Any]:
    """What an event tells of a request that may be anything: nothing if it is huge, and always an id."""
    small = request if len(json.dumps(request, default=str)) <= _TOLD else {}
    return {**small, "request_id": _valid_id(request) or request_id(record)}


def _valid_id(request: dict[str, Any]) -> str | None:
    given = request.get("request_id")
    try:
        parse_request({"action": "verify", "request_id": given})
    except PermanentError:
        return None
    return str(given)


def _shortened(error: ErrorData) -> ErrorData:
    """A message that quotes a request may be as long as that."""
    texts = {name: value[:_SHORT] for name, value in error.model_dump(include={"message", "field"}).items() if value}
    return error.model_copy(update=texts)
