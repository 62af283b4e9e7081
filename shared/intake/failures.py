"""Invocations that the platform has given up (FunctionGraph: asynchronous execution notification)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.bodies import unwrapped
from shared.errors import ErrorCode, PermanentError
from shared.events import EventKind
from shared.ids import run_id
from shared.intake.messages import read_messages, topic_messages
from shared.intake.record import IntakeRecord, read_time
from shared.intake.sources import Source, check_source
from shared.intake.taking import Outcome, Read, Taker
from shared.intake.timers import read_timer
from shared.intake.traces import read_traces
from shared.starting import ENGINE, request_in
from shared.urns import function_name, function_urn

INTAKE: Mapping[str, Read] = {"on_message": read_messages, "on_trace": read_traces, "on_timer": read_timer}


def read_failures(event: Any, invocation: str) -> list[IntakeRecord]:
    """The failed invocations in an event, each named by its own id.

    Raises:
        PermanentError: `InvalidRequest`, the event is no such thing.
    """
    if check_source(event, Source.SMN, Source.DESTINATION) is Source.DESTINATION:
        return [_failure(IntakeRecord(invocation, None), event)]
    return [_failure(envelope, content) for envelope, content in topic_messages(event, invocation)]


def _failure(envelope: IntakeRecord, content: Any) -> IntakeRecord:
    if not isinstance(content, dict):
        return IntakeRecord(envelope.id, content, envelope.time)
    context = content.get("request_context")
    named = str(context.get("request_id") or envelope.id) if isinstance(context, dict) else envelope.id
    return IntakeRecord(named, content, read_time(content.get("timestamp")) or envelope.time)


def heed_failure(taker: Taker) -> Iterator[Outcome]:
    """Tell of a run that will not go on, or of the records of an event that nobody will see to."""
    failure = taker.record.content
    context = failure.get("request_context")
    urn = str(context.get("function_urn")) if isinstance(context, dict) else ""
    name = _our_function(taker, urn)
    if name == ENGINE:
        yield _run_lost(taker, failure.get("request_payload"))
    elif name is not None and name in INTAKE:
        yield from _records_lost(taker, name, failure.get("request_payload"))
    else:
        yield taker.ignore(f"{urn or 'What failed'} takes no requests.")


def _our_function(taker: Taker, urn: str) -> str | None:
    """The name of a function of this deployment, or None."""
    cloud, application = taker.services.cloud, taker.services.settings.application
    try:
        name = function_name(urn)
    except ValueError:
        return None
    return name if urn.startswith(function_urn(cloud.region, cloud.project_id, application, name)) else None


def _run_lost(taker: Taker, payload: Any) -> Outcome:
    request = request_in(_body(payload))
    run = run_id(taker.services.cloud.project_id, str(request["request_id"])) if request else None
    problem = PermanentError(
        ErrorCode.GIVEN_UP,
        "The platform has given the run up: an invocation of the engine failed each time.",
        resource=run,
        advice="Verify the exposure; send the request again, with another id, to make it or to take it down.",
    )
    return taker.tell(EventKind.FAILED, problem, request, run)


def _records_lost(taker: Taker, name: str, payload: Any) -> Iterator[Outcome]:
    body = _body(payload)
    try:
        records = INTAKE[name](body, taker.record.id)
    except PermanentError:
        records = [IntakeRecord(taker.record.id, body)]
    for record in records:
        problem = PermanentError(
            ErrorCode.GIVEN_UP,
            f"The platform has given the record up: {name} failed each time.",
            advice="The function's log says why. Send the request again; what was started starts nothing new.",
        )
        yield Taker(taker.services, record).tell(EventKind.REJECTED, problem, record.about)


def _body(payload: Any) -> Any:
    """What the failed function was given; nothing if that cannot be read."""
    try:
        return unwrapped(payload)
    except PermanentError:
        return None
