"""IP groups: who may use a listener."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import AliasChoices, Field, model_validator

from shared.otc.client import given
from shared.otc.elb.common import ElbService
from shared.otc.models import Ids, Seen, Text


class IpGroup(Seen):
    """A list of client addresses."""

    id: str
    name: Text = ""
    description: Text = ""
    created_at: str = ""
    updated_at: Text = ""
    entries: tuple[str, ...] = Field((), validation_alias=AliasChoices("ip_list", "entries"))
    listener_ids: Ids = Field((), validation_alias=AliasChoices("listeners", "listener_ids"))

    @model_validator(mode="before")
    @classmethod
    def _addresses_only(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "ip_list" not in data:
            return data
        return {**data, "ip_list": tuple(entry["ip"] for entry in data["ip_list"] or ())}


class IpGroups(ElbService):
    """IP groups."""

    def ip_groups(self, *, name: str | None = None) -> list[IpGroup]:
        """All IP groups, or those of this exact name."""
        call = self._on("GET", "ipgroups:list", "ipgroups", query=given(name=name).items())
        return self._all(call, IpGroup, "ipgroups")

    def ip_group(self, ip_group_id: str) -> IpGroup:
        """One IP group."""
        return self._one(self._on("GET", "ipgroups:get", "ipgroups", ip_group_id), IpGroup, "ipgroup")

    def create_ip_group(self, name: str, description: str, entries: Iterable[str]) -> IpGroup:
        """Make an IP group of these CIDRs; names are not unique."""
        group = {"name": name, "description": description, "ip_list": _ip_list(entries)}
        call = self._on("POST", "ipgroups:create", "ipgroups", body={"ipgroup": group})
        return self._one(call, IpGroup, "ipgroup")

    def update_ip_group(
        self,
        ip_group_id: str,
        *,
        description: str | None = None,
        name: str | None = None,
        entries: Iterable[str] | None = None,
    ) -> IpGroup:
        """Change the texts, or replace all entries; new connections only feel it."""
        ip_list = None if entries is None else _ip_list(entries)
        body = {"ipgroup": given(name=name, description=description, ip_list=ip_list)}
        call = self._on("PUT", "ipgroups:put", "ipgroups", ip_group_id, body=body)
        return self._one(call, IpGroup, "ipgroup")

    def delete_ip_group(self, ip_group_id: str) -> None:
        """Delete an IP group that no listener uses."""
        self._send(self._on("DELETE", "ipgroups:delete", "ipgroups", ip_group_id))


def _ip_list(entries: Iterable[str]) -> list[dict[str, str]]:
    return [{"ip": entry} for entry in entries]
