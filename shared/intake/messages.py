"""Requests that come as messages of a topic or by direct invocation (FunctionGraph: SMN trigger)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.bodies import malformed, parsed, unwrapped
from shared.errors import AccessError, ErrorCode, PermanentError
from shared.intake.record import IntakeRecord, as_object, read_time, request_id
from shared.intake.sources import Source, check_source
from shared.intake.taking import Outcome, Taker
from shared.request import AnyRequest, ExposeRequest, RepairRequest, parse_request
from shared.settings import VARIABLE, Settings


def read_messages(event: Any, invocation: str) -> list[IntakeRecord]:
    """The messages in an event; an invocation that carries a request itself counts as one.

    Raises:
        PermanentError: `InvalidRequest`, the event is no such thing.
    """
    if check_source(event, Source.SMN, Source.DIRECT) is Source.DIRECT:
        return [IntakeRecord(invocation, event, about=event)]
    return [_message(envelope, content) for envelope, content in topic_messages(event, invocation)]


def topic_messages(event: Mapping[str, Any], invocation: str) -> Iterator[tuple[IntakeRecord, Any]]:
    """Each SMN record, as far as its envelope can be read, with what its text holds, or with what is wrong with it."""
    items = event["record"]
    if not isinstance(items, list):
        items = [items]
    for number, item in enumerate(items):
        smn = as_object(item.get("smn")) if isinstance(item, Mapping) else {}
        identifier = smn.get("message_id")
        named = str(identifier) if identifier else f"{invocation}-{number}"
        yield IntakeRecord(named, smn, read_time(smn.get("timestamp"))), _content(smn)


def _content(smn: Mapping[str, Any]) -> Any:
    text = smn.get("message")
    try:
        if isinstance(text, str):
            text = unwrapped(parsed(text))
        if not isinstance(text, dict):
            raise malformed("The message is not a JSON object.", "message")
    except AccessError as problem:
        return problem
    return text


def _message(envelope: IntakeRecord, content: Any) -> IntakeRecord:
    about = content if isinstance(content, dict) else {}
    return IntakeRecord(envelope.id, content, envelope.time, about)


def heed_message(taker: Taker) -> Iterator[Outcome]:
    """Start what a message asks for, if a message may ask for it.

    Raises:
        PermanentError: `InvalidRequest`, naming the field; `Stale`.
    """
    record, settings = taker.record, taker.services.settings
    check_age(record.time, settings, taker.services.now())
    request = {"request_id": request_id(record.id), **record.content}
    check_caps(parse_request(request), settings)
    yield taker.start(request)


def check_age(sent: datetime | None, settings: Settings, now: datetime) -> None:
    """Refuse a message that comes so late that what it asks for may have been undone on purpose since.

    Raises:
        PermanentError: `Stale`.
    """
    if sent is not None and now - sent > settings.message_max_age:
        raise PermanentError(
            ErrorCode.STALE,
            f"The message was sent at {sent.isoformat(timespec='seconds')} and comes too late to be followed.",
            advice=f"Send it again if it still holds; {VARIABLE}MESSAGE_MAX_AGE says how late a message may come.",
        )


def check_caps(request: AnyRequest, settings: Settings) -> None:
    """Refuse what only who configures the deployment may decide, not whoever may publish a message.

    Raises:
        PermanentError: `InvalidRequest`, naming the field.
    """
    if isinstance(request, ExposeRequest | RepairRequest):
        beyond = [risk for risk in request.accept if risk not in settings.message_accepts]
        if beyond:
            raise _capped("accept", f"A message may not accept {', '.join(beyond)}.", "MESSAGE_ACCEPTS")
    allowed = {host.lower() for host in settings.notify_hosts}
    if any(urlsplit(url).hostname not in allowed for url in request.notify):
        raise _capped("notify", "A message may not name the host of this webhook.", "NOTIFY_HOSTS")


def _capped(field: str, message: str, setting: str) -> PermanentError:
    return PermanentError(
        ErrorCode.INVALID_REQUEST,
        message,
        field=field,
        advice=f"Leave it out, or have {VARIABLE}{setting} allow it.",
    )
