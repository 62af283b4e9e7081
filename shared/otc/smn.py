"""SMN v2: topics (SMN API: message publish)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import ErrorCode, PermanentError
from shared.otc.client import Query, ServiceClient, decoded, listed, read
from shared.otc.models import Seen, Text
from shared.otc.transport import Call, Service

_PAGE = 100
_MADE = 201


class Published(Seen):
    """A message that the topic has taken."""

    message_id: str


class Topic(Seen):
    """Where messages are published."""

    topic_urn: str
    name: str
    display_name: Text = ""


class MadeTopic(Seen):
    """A topic that was just made."""

    topic_urn: str


class Subscribed(Seen):
    """A subscription that was just made, or was there already; it counts once its endpoint has confirmed it."""

    subscription_urn: str


class SmnClient(ServiceClient):
    """The calls below `/v2/{project_id}/notifications`."""

    service = Service.SMN

    def topics(self) -> list[Topic]:
        """All topics of the project."""
        found: list[Topic] = []
        while True:
            query = [("offset", str(len(found))), ("limit", str(_PAGE))]
            call = self._on("GET", "topic:list", "topics", query=query)
            items = listed(call, self._send(call), "topics")
            found += [read(call, Topic, item) for item in items]
            if len(items) < _PAGE:
                return found

    def create_topic(self, name: str, display_name: str) -> str:
        """Make a topic; its URN.

        Raises:
            PermanentError: `Conflict`, there is one of this name; it stays as it is (SMN API: creating a topic, 200).
        """
        body = {"name": name, "display_name": display_name}
        call = self._on("POST", "topic:create", "topics", body=body)
        answer = self._exchange(call)
        if answer.status != _MADE:
            raise PermanentError(
                ErrorCode.CONFLICT,
                f"There is a topic {name} already.",
                resource=name,
                advice="Look at what is there.",
            )
        return read(call, MadeTopic, decoded(call, answer)).topic_urn

    def delete_topic(self, topic_urn: str) -> None:
        """Delete a topic with its subscriptions."""
        self._send(self._on("DELETE", "topic:delete", "topics", topic_urn))

    def publish(self, topic_urn: str, subject: str, message: str) -> str:
        """Publish a message of at most 256 KB under a subject of at most 512 characters; the message's id."""
        body = {"subject": subject, "message": message}
        call = self._on("POST", "topic:publish", "topics", topic_urn, "publish", body=body)
        return self._one(call, Published).message_id

    def subscribe(self, topic_urn: str, protocol: str, endpoint: str) -> str:
        """Have messages sent to an endpoint (`email`, `sms`, `http`, `https`); the subscription's URN."""
        body = {"protocol": protocol, "endpoint": endpoint}
        call = self._on("POST", "topic:update", "topics", topic_urn, "subscriptions", body=body)
        return self._one(call, Subscribed).subscription_urn

    def unsubscribe(self, subscription_urn: str) -> None:
        """Delete a subscription."""
        self._send(self._on("DELETE", "topic:update", "subscriptions", subscription_urn))

    def _on(
        self,
        method: str,
        action: str,
        *place: str,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        return self._call(
            method, f"smn:{action}", "v2", self._project(), "notifications", *place, query=query, body=body
        )
