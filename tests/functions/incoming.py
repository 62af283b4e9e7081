"""Events as the platform delivers them, and the intake at work on a deployed product."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from shared.services import LocalContext
from tests.support.product import Product

MESSAGE_ID = "a51671f77d4a479cacb09e2cd591a983"
TRACE_ID = "f828ab77-0f5c-11f1-9d4e-fa163e3c2f01"
Wrapping = Callable[[Any], Any]

WRAPPINGS: dict[str, Wrapping] = {
    "bare": lambda event: event,
    "in a body": lambda event: {"body": event},
    "as text": json.dumps,
    "as text in a body": lambda event: {"body": json.dumps(event)},
    "in a body as text": lambda event: json.dumps({"body": event}),
}


def smn(*messages: Any, time: str | None = "2018-01-09T07:11:40Z", **fields: Any) -> dict[str, Any]:
    """The event of a topic's trigger; a message that is no text is written as JSON."""
    return {
        "record": [
            {
                "event_version": "1.0",
                "smn": {
                    "topic_urn": "urn:smn:eu-de:p:dcs-access-requests",
                    "timestamp": time,
                    "message_attributes": None,
                    "message": each if isinstance(each, str) else json.dumps(each),
                    "type": "notification",
                    "message_id": f"{MESSAGE_ID}{number or ''}",
                    "subject": "text",
                    **fields,
                },
                "event_subscription_urn": "urn:fss:eu-de:p:function:dcs-access:on_message",
                "event_source": "smn",
            }
            for number, each in enumerate(messages)
        ],
        "functionname": "on_message",
        "requestId": "7c307f6a-cf68-4e65-8be0-4c77405a1b2c",
        "timestamp": "Tue Jan 09 2018 15:11:40 GMT+0800 (CST)",
    }


def cts(name: str, resource_id: str, **fields: Any) -> dict[str, Any]:
    """The event of a trace's trigger, as captured."""
    trace = {
        "api_version": "",
        "code": 0,
        "domain_id": "d",
        "message": name,
        "operation_id": name[:1].upper() + name[1:],
        "read_only": False,
        "request": {},
        "resource_account_id": "",
        "resource_id": resource_id,
        "resource_name": resource_id,
        "resource_type": "Redis",
        "response": {},
        "service_type": "DCS",
        "source_ip": "62.156.151.4",
        "trace_id": TRACE_ID,
        "trace_name": name,
        "trace_rating": "normal",
        "trace_status": "normal",
        "trace_type": "ConsoleAction",
        "user": {"domain": {"name": "OTC", "id": "d"}, "name": "somebody", "id": "u"},
    }
    return {"cts": {**trace, **fields}}


def timer(**fields: Any) -> dict[str, Any]:
    """The event of a timer."""
    return {
        "version": "v1.0",
        "time": "2023-06-01T08:30:00+08:00",
        "trigger_type": "TIMER",
        "trigger_name": "Timer_001",
        "user_event": "",
        **fields,
    }


def destination(function: str, payload: Any, **fields: Any) -> dict[str, Any]:
    """What a failure destination gets of an invocation."""
    return {
        "timestamp": "2020-08-20T12:00:00.000Z+08:00",
        "request_context": {
            "request_id": "0b7e1c1d-1d8c-4f70-a1ef-4cbb2d1f0001",
            "function_urn": function,
            "condition": "HandlerError",
            "approximate_invoke_count": 4,
        },
        "request_payload": payload if isinstance(payload, str) else json.dumps(payload),
        "response_context": {"status_code": 200, "function_error": "TemporaryError"},
        "response_payload": "hello world!",
        **fields,
    }


def taken(handler: Callable[[Any, Any], dict[str, Any]], product: Product, event: Any) -> list[dict[str, Any]]:
    """What became of each record."""
    records: list[dict[str, Any]] = handler(event, LocalContext(product.services))["records"]
    return records


def told(product: Product) -> list[tuple[str, str | None, str | None]]:
    """Kind, code and field of each event."""
    events = [(event["type"].rpartition(".")[2], event["data"].get("error") or {}) for event in product.sink.events]
    return [(kind, error.get("code"), error.get("field")) for kind, error in events]


def ago(product: Product, seconds: float) -> str:
    """A moment before now on the product's clock, as the platform writes it."""
    return datetime.fromtimestamp(product.clock.now() - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
