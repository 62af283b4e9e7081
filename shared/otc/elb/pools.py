"""Pools and their members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, AliasPath, Field, model_validator

from shared.otc.client import given
from shared.otc.elb.common import ElbService
from shared.otc.models import Ids, Seen, Sent, Text


class Pool(Seen):
    """A backend server group."""

    id: str
    name: Text = ""
    description: Text = ""
    created_at: str = ""
    protocol: str
    lb_algorithm: str = ""
    type: Text = ""
    load_balancer_id: str | None = Field(
        None, validation_alias=AliasChoices(AliasPath("loadbalancers", 0, "id"), "load_balancer_id")
    )
    listener_ids: Ids = Field((), validation_alias=AliasChoices("listeners", "listener_ids"))
    member_ids: Ids = Field((), validation_alias=AliasChoices("members", "member_ids"))
    healthmonitor_id: str | None = None


class PoolCreate(Sent):
    """ELB API: creating a backend server group."""

    listener_id: str
    name: str
    description: str = ""
    protocol: str = "TCP"
    lb_algorithm: str = "ROUND_ROBIN"
    type: Literal["", "instance", "ip"] | None = None


class Member(Seen):
    """A backend server; the status that its listener reports counts before its own."""

    id: str
    name: Text = ""
    created_at: str = ""
    address: str
    protocol_port: int
    weight: int = 1
    subnet_cidr_id: str | None = None
    operating_status: str
    reason_code: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _listener_first(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or not data.get("status"):
            return data
        reports = data["status"]
        worst = next((report for report in reports if report["operating_status"] != "ONLINE"), reports[0])
        reason = worst.get("reason") or {}
        return {
            **data,
            "operating_status": worst["operating_status"],
            "reason_code": reason.get("reason_code"),
        }


class MemberCreate(Sent):
    """ELB API: adding a backend server; without a subnet it is an IP target."""

    address: str
    protocol_port: int
    name: str
    weight: int | None = None


class Pools(ElbService):
    """Pools and their members."""

    def pools(self, *, load_balancer_id: str | None = None, name: str | None = None) -> list[Pool]:
        """Pools of a load balancer or of this exact name."""
        query = given(loadbalancer_id=load_balancer_id, name=name).items()
        return self._all(self._on("GET", "pools:list", "pools", query=query), Pool, "pools")

    def pool(self, pool_id: str) -> Pool:
        """One pool."""
        return self._one(self._on("GET", "pools:get", "pools", pool_id), Pool, "pool")

    def create_pool(self, desired: PoolCreate) -> Pool:
        """Make the pool of a listener that has none."""
        return self._one(self._on("POST", "pools:create", "pools", body={"pool": desired.body()}), Pool, "pool")

    def update_pool(
        self, pool_id: str, *, description: str | None = None, name: str | None = None, lb_algorithm: str | None = None
    ) -> Pool:
        """Change the texts of a pool, or how it chooses a member."""
        body = {"pool": given(name=name, description=description, lb_algorithm=lb_algorithm)}
        return self._one(self._on("PUT", "pools:put", "pools", pool_id, body=body), Pool, "pool")

    def delete_pool(self, pool_id: str) -> None:
        """Delete a pool without members and monitor."""
        self._send(self._on("DELETE", "pools:delete", "pools", pool_id))

    def members(self, pool_id: str) -> list[Member]:
        """The members of a pool."""
        call = self._on("GET", "members:list", "pools", pool_id, "members")
        return self._all(call, Member, "members")

    def all_members(self) -> list[Member]:
        """The members of all pools of the project."""
        return self._all(self._on("GET", "members:list", "members"), Member, "members")

    def member(self, pool_id: str, member_id: str) -> Member:
        """One member."""
        call = self._on("GET", "members:get", "pools", pool_id, "members", member_id)
        return self._one(call, Member, "member")

    def create_member(self, pool_id: str, desired: MemberCreate) -> Member:
        """Add an IP target; its address and port are unique in its pool."""
        body = {"member": desired.body()}
        call = self._on("POST", "members:create", "pools", pool_id, "members", body=body)
        return self._one(call, Member, "member")

    def update_member(self, pool_id: str, member_id: str, *, name: str, weight: int) -> Member:
        """Change the name and the share of a member; its address and port are fixed."""
        body = {"member": {"name": name, "weight": weight}}
        call = self._on("PUT", "members:put", "pools", pool_id, "members", member_id, body=body)
        return self._one(call, Member, "member")

    def delete_member(self, pool_id: str, member_id: str) -> None:
        """Remove a member."""
        self._send(self._on("DELETE", "members:delete", "pools", pool_id, "members", member_id))
