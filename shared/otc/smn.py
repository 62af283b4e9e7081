"""SMN v2: topics (SMN API: message publish)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.otc.client import Query, ServiceClient
from shared.otc.models import Seen
from shared.otc.transport import Call, Service


class Published(Seen):
    """A message that the topic has taken."""

    message_id: str


class SmnClient(ServiceClient):
    """The calls below `/v2/{project_id}/notifications`."""

    service = Service.SMN

    def publish(self, topic_urn: str, subject: str, message: str) -> str:
        """Publish a message of at most 256 KB under a subject of at most 512 characters; the message's id."""
        body = {"subject": subject, "message": message}
        call = self._on("POST", "topic:publish", "topics", topic_urn, "publish", body=body)
        return self._one(call, Published).message_id

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
