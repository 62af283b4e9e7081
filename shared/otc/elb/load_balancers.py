"""Load balancers and their status tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from shared.otc.client import given
from shared.otc.elb.common import ElbService
from shared.otc.models import Ids, Seen, Sent, TagList, Tags, Text, tag_list


class BoundEip(Seen):
    """The public address of a load balancer."""

    id: str = Field(validation_alias=AliasChoices("publicip_id", "id"))
    address: str = Field(validation_alias=AliasChoices("publicip_address", "address"))


class LoadBalancer(Seen):
    """A dedicated load balancer."""

    id: str
    name: Text = ""
    description: Text = ""
    created_at: str = ""
    provisioning_status: str
    operating_status: str
    vpc_id: str | None = None
    vip_subnet_cidr_id: str | None = None
    vip_address: str | None = None
    vip_port_id: str | None = None
    elb_virsubnet_ids: Ids = ()
    availability_zone_list: tuple[str, ...] = ()
    ip_target_enable: bool = False
    guaranteed: bool = True
    l4_flavor_id: str | None = None
    deletion_protection_enable: bool = False
    public_ips: tuple[BoundEip, ...] = Field(
        (), validation_alias=AliasChoices("publicips", "public_ips"), description="One IPv4 EIP at most."
    )
    listener_ids: Ids = Field((), validation_alias=AliasChoices("listeners", "listener_ids"))
    pool_ids: Ids = Field((), validation_alias=AliasChoices("pools", "pool_ids"))
    tags: Tags = Field(default_factory=dict)


class InlineBandwidth(Sent):
    """The bandwidth of an EIP made with its load balancer; size in Mbit/s."""

    name: str
    size: int
    share_type: str = "PER"
    charge_mode: str = "traffic"


class InlineEip(Sent):
    """An EIP made together with its load balancer."""

    bandwidth: InlineBandwidth
    network_type: str = "5_bgp"


class LoadBalancerCreate(Sent):
    """ELB API: creating a load balancer."""

    name: str
    description: str = ""
    vpc_id: str
    vip_subnet_cidr_id: str | None = None
    elb_virsubnet_ids: tuple[str, ...] | None = None
    availability_zone_list: tuple[str, ...]
    l4_flavor_id: str | None = None
    ip_target_enable: bool = True
    publicip: InlineEip | None = None
    tags: TagList = Field(default_factory=dict)


class MemberStatus(Seen):
    """A member in the status tree."""

    id: str
    address: str
    protocol_port: int
    operating_status: str
    provisioning_status: str


class MonitorStatus(Seen):
    """A monitor in the status tree."""

    id: str
    name: Text = ""
    type: str = ""
    provisioning_status: str


class PoolStatus(Seen):
    """A pool in the status tree."""

    id: str
    name: Text = ""
    operating_status: str
    provisioning_status: str
    healthmonitor: Annotated[MonitorStatus | None, BeforeValidator(lambda value: value or None)] = None
    members: tuple[MemberStatus, ...] = ()


class ListenerStatus(Seen):
    """A listener in the status tree."""

    id: str
    name: Text = ""
    operating_status: str
    provisioning_status: str
    pools: tuple[PoolStatus, ...] = ()


class StatusTree(Seen):
    """A load balancer and all below it, with their states."""

    id: str
    name: Text = ""
    operating_status: str
    provisioning_status: str
    listeners: tuple[ListenerStatus, ...] = ()
    pools: tuple[PoolStatus, ...] = ()


class LoadBalancers(ElbService):
    """Load balancers."""

    def load_balancers(self, *, name: str | None = None, ids: Iterable[str] = ()) -> list[LoadBalancer]:
        """Load balancers of this exact name or of these ids."""
        query = [*given(name=name).items(), *(("id", item) for item in ids)]
        call = self._on("GET", "loadbalancers:list", "loadbalancers", query=query)
        return self._all(call, LoadBalancer, "loadbalancers")

    def load_balancer(self, load_balancer_id: str) -> LoadBalancer:
        """One load balancer."""
        call = self._on("GET", "loadbalancers:get", "loadbalancers", load_balancer_id)
        return self._one(call, LoadBalancer, "loadbalancer")

    def create_load_balancer(self, desired: LoadBalancerCreate) -> LoadBalancer:
        """Make a load balancer, with its EIP if asked; names are not unique."""
        call = self._on("POST", "loadbalancers:create", "loadbalancers", body={"loadbalancer": desired.body()})
        return self._one(call, LoadBalancer, "loadbalancer")

    def update_load_balancer(
        self, load_balancer_id: str, *, description: str | None = None, name: str | None = None
    ) -> LoadBalancer:
        """Change the texts of a load balancer."""
        body = {"loadbalancer": given(name=name, description=description)}
        call = self._on("PUT", "loadbalancers:put", "loadbalancers", load_balancer_id, body=body)
        return self._one(call, LoadBalancer, "loadbalancer")

    def tag_load_balancer(self, load_balancer_id: str, tags: Mapping[str, str]) -> None:
        """Set these tags and leave others; only v2.0 can, for load balancers of v3, too (ELB API: tags)."""
        place = ("v2.0", self._project(), "loadbalancers", load_balancer_id, "tags", "action")
        call = self._call("POST", "elb:loadbalancers:put", *place, body={"action": "create", "tags": tag_list(tags)})
        self._send(call)

    def delete_load_balancer(self, load_balancer_id: str) -> None:
        """Delete a load balancer without listeners; its EIP stays."""
        self._send(self._on("DELETE", "loadbalancers:delete", "loadbalancers", load_balancer_id))

    def status_tree(self, load_balancer_id: str) -> StatusTree:
        """A load balancer and all below it, with their states."""
        call = self._on("GET", "loadbalancers:get", "loadbalancers", load_balancer_id, "statuses")
        return self._one(call, StatusTree, "statuses", "loadbalancer")
