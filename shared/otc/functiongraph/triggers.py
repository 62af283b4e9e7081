"""Triggers: what calls a function (FunctionGraph API: function triggers)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared.otc.client import read
from shared.otc.functiongraph.common import FunctionGraphService
from shared.otc.models import Seen
from shared.otc.problems import unexpected


class Trigger(Seen):
    """A trigger of a function."""

    trigger_id: str
    trigger_type_code: str
    trigger_status: str = "ACTIVE"
    event_data: dict[str, Any]


class Triggers(FunctionGraphService):
    """The triggers of a function; its URN is without a version."""

    def triggers(self, urn: str) -> list[Trigger]:
        """What calls a function."""
        call = self._on("GET", "trigger:list", "triggers", urn)
        try:
            # The one list of this API that is not inside an object.
            items = json.loads(self._exchange(call).body)
        except ValueError:
            raise unexpected(call, "it is not JSON") from None
        if not isinstance(items, list):
            raise unexpected(call, "it is not a list")
        return [read(call, Trigger, item) for item in items]

    def create_trigger(self, urn: str, kind: str, status: str, event_data: Mapping[str, Any]) -> Trigger:
        """Have something call a function."""
        body = {"trigger_type_code": kind, "trigger_status": status, "event_data": event_data}
        return self._one(self._on("POST", "trigger:create", "triggers", urn, body=body), Trigger)

    def update_trigger(self, urn: str, kind: str, trigger_id: str, status: str) -> None:
        """Switch a trigger on or off; what it reacts to cannot be changed."""
        self._send(
            self._on("PUT", "trigger:update", "triggers", urn, kind, trigger_id, body={"trigger_status": status})
        )

    def delete_trigger(self, urn: str, kind: str, trigger_id: str) -> None:
        """Delete a trigger."""
        self._send(self._on("DELETE", "trigger:delete", "triggers", urn, kind, trigger_id))
