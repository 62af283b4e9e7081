"""What callers may send; a field that is not here is refused, as are those of HTTP on a TCP listener."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emulator.core.tags import TagList
from emulator.core.text import Address, EnterpriseProject
from emulator.elb.models import (
    Algorithm,
    IpEntry,
    ListenerProtocol,
    MonitorType,
    PoolProtocol,
    Protection,
)

Text = Annotated[str, Field(max_length=255)]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=50)]
Count = Annotated[int, Field(ge=1, le=10)]
OnlyTrue = Literal[True]


class Body(BaseModel):
    """JSON as it was sent: nothing unknown, no other type than the one asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class BandwidthBody(Body):
    """The bandwidth of an inline EIP; size in Mbit/s."""

    name: str | None = Field(default=None, min_length=1, max_length=64)
    size: int | None = Field(default=None, ge=1, le=2000)
    share_type: Literal["PER", "WHOLE"]
    charge_mode: Literal["traffic"] | None = None
    id: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> BandwidthBody:
        if self.id is None and (self.size is None or self.charge_mode is None):
            raise ValueError("a new bandwidth needs size and charge_mode")
        return self


class PublicIpBody(Body):
    """An EIP to be made together with its load balancer."""

    network_type: str
    ip_version: Literal[4] = 4
    description: Text = ""
    bandwidth: BandwidthBody


class LoadBalancerCreate(Body):
    """ELB API: creating a load balancer."""

    name: Text = ""
    description: Text = ""
    availability_zone_list: list[str] = Field(min_length=1)
    vpc_id: str | None = None
    vip_subnet_cidr_id: str | None = None
    vip_address: Address | None = None
    elb_virsubnet_ids: list[str] | None = None
    ip_target_enable: bool = False
    l4_flavor_id: str | None = None
    l7_flavor_id: str | None = None
    guaranteed: OnlyTrue = True
    provider: Literal["vlb"] = "vlb"
    admin_state_up: OnlyTrue = True
    tags: TagList = []
    publicip_ids: list[str] = []
    publicip: PublicIpBody | None = None
    deletion_protection_enable: bool = False
    protection_status: Protection = "nonProtection"
    protection_reason: Text = ""
    waf_failure_action: Literal["discard", "forward"] = "forward"
    enterprise_project_id: EnterpriseProject | None = None


class LoadBalancerUpdate(Body):
    """ELB API: updating a load balancer; nothing about EIP, VPC, zones or tags."""

    name: Text = ""
    description: Text = ""
    vip_subnet_cidr_id: str | None = None
    vip_address: Address | None = None
    l4_flavor_id: str | None = None
    l7_flavor_id: str | None = None
    ip_target_enable: bool = False
    elb_virsubnet_ids: list[str] = []
    admin_state_up: OnlyTrue = True
    deletion_protection_enable: bool = False
    protection_status: Protection = "nonProtection"
    protection_reason: Text = ""


class IpGroupBindingBody(Body):
    """The IP group of a listener."""

    ipgroup_id: str
    enable_ipgroup: bool = True
    type: Literal["white", "black"] = "white"


class ListenerUpdate(Body):
    """ELB API: updating a listener; protocol and port are fixed."""

    name: Text = ""
    description: Text = ""
    default_pool_id: str | None = None
    ipgroup: IpGroupBindingBody | None = None
    keepalive_timeout: int | None = Field(default=None, ge=10, le=4000)
    transparent_client_ip_enable: OnlyTrue = True
    admin_state_up: OnlyTrue = True
    protection_status: Protection = "nonProtection"
    protection_reason: Text = ""


class ListenerCreate(ListenerUpdate):
    """ELB API: adding a listener."""

    loadbalancer_id: str
    protocol: ListenerProtocol
    protocol_port: Port
    tags: TagList = []


class PersistenceBody(Body):
    """Session persistence; minutes."""

    type: Literal["SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE"]
    cookie_name: str | None = None
    persistence_timeout: int = Field(default=1, ge=1, le=1440)


class PoolUpdate(Body):
    """ELB API: updating a backend server group."""

    name: Text = ""
    description: Text = ""
    lb_algorithm: Algorithm = "ROUND_ROBIN"
    session_persistence: PersistenceBody | None = None
    member_deletion_protection_enable: bool = False
    admin_state_up: OnlyTrue = True


class PoolCreate(PoolUpdate):
    """ELB API: adding a backend server group."""

    lb_algorithm: Algorithm
    protocol: PoolProtocol
    listener_id: str | None = None
    loadbalancer_id: str | None = None
    type: Literal["", "instance", "ip"] = ""
    vpc_id: str | None = None


class MemberUpdate(Body):
    """ELB API: updating a backend server; its address and port are fixed. The state is ignored."""

    name: Text = ""
    weight: int = Field(default=1, ge=0, le=100)
    admin_state_up: bool = True


class MemberCreate(MemberUpdate):
    """ELB API: adding a backend server."""

    address: Address
    protocol_port: Port
    subnet_cidr_id: str | None = None
    availability_zone: str | None = None


class MonitorUpdate(Body):
    """ELB API: updating a health check."""

    name: Text = ""
    type: MonitorType = "TCP"
    delay: Seconds = 5
    timeout: Seconds = 3
    max_retries: Count = 3
    max_retries_down: Count = 3
    monitor_port: Port | None = None
    admin_state_up: bool = True
    domain_name: str | None = None
    url_path: str | None = None
    expected_codes: str | None = None
    http_method: str | None = None


class MonitorCreate(MonitorUpdate):
    """ELB API: configuring a health check."""

    pool_id: str
    type: MonitorType
    delay: Seconds
    timeout: Seconds
    max_retries: Count


class EntryBody(Body):
    """An address, CIDR or range."""

    ip: str
    description: Text = ""

    @model_validator(mode="after")
    def _readable(self) -> EntryBody:
        _ = self.entry().networks
        return self

    def entry(self) -> IpEntry:
        """The entry as it is kept."""
        return IpEntry(ip=self.ip, description=self.description)


class IpGroupUpdate(Body):
    """ELB API: updating an IP address group; `ip_list` replaces all entries."""

    name: Text = ""
    description: Text = ""
    ip_list: list[EntryBody] = []


class IpGroupCreate(IpGroupUpdate):
    """ELB API: creating an IP address group."""

    enterprise_project_id: EnterpriseProject | None = None


class IpListBody(Body):
    """Entries to add, or to change by their address."""

    ip_list: list[EntryBody] = Field(min_length=1)


class AddressBody(Body):
    """An entry to remove."""

    ip: str


class AddressListBody(Body):
    """Entries to remove."""

    ip_list: list[AddressBody] = Field(min_length=1)


class LoadBalancerCreateBody(Body):
    """The envelope."""

    loadbalancer: LoadBalancerCreate


class LoadBalancerUpdateBody(Body):
    """The envelope."""

    loadbalancer: LoadBalancerUpdate


class ListenerCreateBody(Body):
    """The envelope."""

    listener: ListenerCreate


class ListenerUpdateBody(Body):
    """The envelope."""

    listener: ListenerUpdate


class PoolCreateBody(Body):
    """The envelope."""

    pool: PoolCreate


class PoolUpdateBody(Body):
    """The envelope."""

    pool: PoolUpdate


class MemberCreateBody(Body):
    """The envelope."""

    member: MemberCreate


class MemberUpdateBody(Body):
    """The envelope."""

    member: MemberUpdate


class MonitorCreateBody(Body):
    """The envelope."""

    healthmonitor: MonitorCreate


class MonitorUpdateBody(Body):
    """The envelope."""

    healthmonitor: MonitorUpdate


class IpGroupCreateBody(Body):
    """The envelope."""

    ipgroup: IpGroupCreate


class IpGroupUpdateBody(Body):
    """The envelope."""

    ipgroup: IpGroupUpdate


class IpListEnvelope(Body):
    """The envelope."""

    ipgroup: IpListBody


class AddressListEnvelope(Body):
    """The envelope."""

    ipgroup: AddressListBody
