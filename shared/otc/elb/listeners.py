"""Listeners."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, AliasPath, Field

from shared.otc.client import given
from shared.otc.elb.common import ElbService
from shared.otc.models import Seen, Sent, TagList, Tags, Text


class ListenerIpGroup(Seen):
    """Who may use a listener."""

    ipgroup_id: str
    enable_ipgroup: bool = True
    type: Literal["white", "black"] = "white"


class Listener(Seen):
    """One port of a load balancer."""

    id: str
    name: Text = ""
    description: Text = ""
    created_at: str = ""
    protocol: str
    protocol_port: int
    load_balancer_id: str | None = Field(
        None, validation_alias=AliasChoices(AliasPath("loadbalancers", 0, "id"), "load_balancer_id")
    )
    default_pool_id: str | None = None
    ipgroup: ListenerIpGroup | None = None
    tags: Tags = Field(default_factory=dict)


class ListenerCreate(Sent):
    """ELB API: adding a listener."""

    loadbalancer_id: str
    protocol_port: int
    protocol: str = "TCP"
    name: str
    description: str = ""
    ipgroup: ListenerIpGroup | None = None
    tags: TagList = Field(default_factory=dict)


class Listeners(ElbService):
    """Listeners."""

    def listeners(self, *, load_balancer_id: str | None = None, name: str | None = None) -> list[Listener]:
        """Listeners of a load balancer or of this exact name."""
        query = given(loadbalancer_id=load_balancer_id, name=name).items()
        return self._all(self._on("GET", "listeners:list", "listeners", query=query), Listener, "listeners")

    def listener(self, listener_id: str) -> Listener:
        """One listener."""
        return self._one(self._on("GET", "listeners:get", "listeners", listener_id), Listener, "listener")

    def create_listener(self, desired: ListenerCreate) -> Listener:
        """Add a listener; its port is unique on its load balancer."""
        call = self._on("POST", "listeners:create", "listeners", body={"listener": desired.body()})
        return self._one(call, Listener, "listener")

    def update_listener(
        self,
        listener_id: str,
        *,
        description: str | None = None,
        name: str | None = None,
        ip_group_id: str | None = None,
        ip_group_enabled: bool = True,
        default_pool_id: str | None = None,
    ) -> Listener:
        """Change the texts of a listener, the IP group that admits its clients, or the pool it leads to."""
        group = {"ipgroup_id": ip_group_id, "enable_ipgroup": ip_group_enabled, "type": "white"}
        binding = group if ip_group_id else None
        changes = given(name=name, description=description, ipgroup=binding, default_pool_id=default_pool_id)
        call = self._on("PUT", "listeners:put", "listeners", listener_id, body={"listener": changes})
        return self._one(call, Listener, "listener")

    def delete_listener(self, listener_id: str) -> None:
        """Delete a listener without a pool."""
        self._send(self._on("DELETE", "listeners:delete", "listeners", listener_id))
