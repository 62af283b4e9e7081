"""LTS v2: log groups and their streams (LTS API: log group management, log stream management)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field

from shared.otc.client import ServiceClient, listed, read
from shared.otc.models import Seen, Tags, tag_list
from shared.otc.transport import Call, Service


class LogGroup(Seen):
    """Streams that are kept for the same time, in days."""

    id: str = Field(validation_alias=AliasChoices("log_group_id", "id"))
    name: str = Field(validation_alias=AliasChoices("log_group_name", "name"))
    ttl_in_days: int
    tags: Tags = Field(default_factory=dict, validation_alias=AliasChoices("tag", "tags"))


class LogStream(Seen):
    """One log."""

    id: str = Field(validation_alias=AliasChoices("log_stream_id", "id"))
    name: str = Field(validation_alias=AliasChoices("log_stream_name", "name"))
    tags: Tags = Field(default_factory=dict, validation_alias=AliasChoices("tag", "tags"))


class MadeGroup(Seen):
    """A log group that was just made."""

    log_group_id: str


class MadeStream(Seen):
    """A log stream that was just made."""

    log_stream_id: str


class LtsClient(ServiceClient):
    """The calls below `/v2/{project_id}/groups`."""

    service = Service.LTS

    def groups(self) -> list[LogGroup]:
        """All log groups of the project."""
        call = self._on("GET", "groups:list")
        return [read(call, LogGroup, item) for item in listed(call, self._send(call), "log_groups")]

    def create_group(self, name: str, ttl_in_days: int, tags: Mapping[str, str]) -> str:
        """Make a log group; its id. Names are unique."""
        body = {"log_group_name": name, "ttl_in_days": ttl_in_days, "tags": tag_list(tags)}
        return self._one(self._on("POST", "groups:create", body=body), MadeGroup).log_group_id

    def update_group(self, group_id: str, ttl_in_days: int) -> None:
        """Change how long a group's streams are kept."""
        self._send(self._on("POST", "groups:put", group_id, body={"ttl_in_days": ttl_in_days}))

    def delete_group(self, group_id: str) -> None:
        """Delete a log group with its streams."""
        self._send(self._on("DELETE", "groups:delete", group_id))

    def streams(self, group_id: str) -> list[LogStream]:
        """The streams of a group."""
        call = self._on("GET", "topics:list", group_id, "streams")
        return [read(call, LogStream, item) for item in listed(call, self._send(call), "log_streams")]

    def create_stream(self, group_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Make a log stream; its id."""
        body = {"log_stream_name": name, "tags": tag_list(tags)}
        call = self._on("POST", "topics:create", group_id, "streams", body=body)
        return self._one(call, MadeStream).log_stream_id

    def delete_stream(self, group_id: str, stream_id: str) -> None:
        """Delete a log stream."""
        self._send(self._on("DELETE", "topics:delete", group_id, "streams", stream_id))

    def _on(self, method: str, action: str, *place: str, body: Mapping[str, Any] | None = None) -> Call:
        return self._call(method, f"lts:{action}", "v2", self._project(), "groups", *place, body=body)
