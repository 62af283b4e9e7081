"""Messages as they arrive: at HTTP endpoints, and as the event of a function.

HTTP messages are not signed: `signature` is empty, as nothing here could make one that a receiver might
check against a certificate of the cloud.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from emulator.core.resources import NAMESPACE
from emulator.core.times import with_z

VALID = "The subscribe_url is valid only within 48 hours."


def confirmation(topic_urn: str, subscribe_url: str) -> dict[str, str]:
    """The message that asks an endpoint whether it wants the subscription (SMN manual: HTTP message format)."""
    text = f"You are invited to subscribe to topic: {topic_urn}. To confirm, visit the subscribe_url. {VALID}"
    return {**_message("SubscriptionConfirmation", topic_urn, text), "subscribe_url": subscribe_url}


def unsubscription(topic_urn: str, subscribe_url: str) -> dict[str, str]:
    """The message that a subscription has ended."""
    text = f"You are unsubscribed from topic: {topic_urn}. To subscribe again, visit the subscribe_url. {VALID}"
    return {**_message("UnsubscribeConfirmation", topic_urn, text), "subscribe_url": subscribe_url}


def notification(topic_urn: str, subject: str, text: str, unsubscribe_url: str) -> dict[str, str]:
    """A published message."""
    message = _message("Notification", topic_urn, text)
    return {**message, "subject": subject, "unsubscribe_url": unsubscribe_url}


def _message(kind: str, topic_urn: str, text: str) -> dict[str, str]:
    region = topic_urn.split(":")[2]
    return {
        "type": kind,
        "signature": "",
        "signature_version": "v1",
        "signing_cert_url": f"https://smn.{region}.example.com/smn/SMN_{region}.pem",
        "topic_urn": topic_urn,
        "message": text,
    }


def function_event(
    function_urn: str, topic_urn: str, *, message_id: str, subject: str, text: str, now: float
) -> dict[str, Any]:
    """What a function subscribed to a topic is invoked with (FunctionGraph: SMN event source)."""
    record = {
        "event_version": "1.0",
        "smn": {
            "topic_urn": topic_urn,
            "timestamp": with_z(now),
            "message_attributes": None,
            "message": text,
            "type": "notification",
            "message_id": message_id,
            "subject": subject,
        },
        "event_subscription_urn": function_urn,
        "event_source": "smn",
    }
    return {
        "record": [record],
        "functionname": function_urn.split(":")[6] if function_urn.count(":") >= 6 else function_urn,
        "requestId": str(uuid5(NAMESPACE, f"record/{message_id}/{function_urn}")),
        "timestamp": datetime.fromtimestamp(now, UTC).strftime("%a %b %d %Y %H:%M:%S GMT+0000 (UTC)"),
    }
