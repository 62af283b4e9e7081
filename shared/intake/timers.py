"""What a timer asks for (FunctionGraph: TIMER trigger)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.bodies import malformed, parsed
from shared.intake.record import IntakeRecord, read_time, request_id
from shared.intake.sources import Source, check_source
from shared.intake.taking import Outcome, Taker


def read_timer(event: Any, invocation: str) -> list[IntakeRecord]:
    """The tick of a timer, named after trigger and time, so that one told twice is one.

    Raises:
        PermanentError: `InvalidRequest`, the event is no such thing.
    """
    check_source(event, Source.TIMER)
    time = event.get("time")
    name = request_id(str(event.get("trigger_name") or ""), str(time)) if time else invocation
    return [IntakeRecord(name, event.get("user_event"), read_time(time), {"action": "verify"})]


def heed_timer(taker: Taker) -> Iterator[Outcome]:
    """Start what the trigger's `user_event` says: a request without an id; a verification of all if it is empty.

    Raises:
        PermanentError: `InvalidRequest`.
    """
    yield taker.start(timer_request(taker.record.content, taker.record.id))


def timer_request(given: Any, identifier: str) -> dict[str, Any]:
    """The request of a timer's user event.

    Raises:
        PermanentError: `InvalidRequest`.
    """
    wanted = parsed(given) if isinstance(given, str) and given.strip() else given or {}
    if not isinstance(wanted, dict):
        raise malformed("The timer's user event is not a request.", "user_event")
    return {"action": "verify", **wanted, "request_id": identifier}
