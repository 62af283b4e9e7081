"""Load balancers and what hangs below them: what they are."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import ClassVar, Literal

from pydantic import Field

from emulator.core.resources import Resource, Strict
from emulator.core.text import networks_in

ListenerProtocol = Literal["TCP", "UDP", "HTTP"]
PoolProtocol = Literal["TCP", "UDP", "HTTP", "HTTPS", "QUIC"]
Algorithm = Literal["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "QUIC_CID"]
MonitorType = Literal["TCP", "UDP_CONNECT", "HTTP", "HTTPS"]
Protection = Literal["nonProtection", "consoleProtection"]


class LoadBalancer(Resource):
    """A dedicated load balancer; its EIP is the one bound to it. `deleting`: it goes when `pending` is over."""

    kind: ClassVar[str] = "loadbalancer"

    description: str = ""
    vpc_id: str
    vip_subnet_cidr_id: str | None = None
    vip_address: str | None = None
    vip_port_id: str | None = None
    elb_virsubnet_ids: list[str] = []
    availability_zone_list: list[str] = []
    ip_target_enable: bool = False
    l4_flavor_id: str | None = None
    l7_flavor_id: str | None = None
    deletion_protection_enable: bool = False
    protection_status: Protection = "nonProtection"
    protection_reason: str = ""
    waf_failure_action: str = "forward"
    tags: dict[str, str] = {}
    deleting: bool = False


class IpGroupBinding(Strict):
    """The IP group that admits a listener's clients."""

    ipgroup_id: str
    enable_ipgroup: bool = True
    type: Literal["white", "black"] = "white"


class Listener(Resource):
    """One port of a load balancer."""

    kind: ClassVar[str] = "listener"
    id_from: ClassVar[tuple[str, ...]] = ("loadbalancer_id", "protocol", "protocol_port")

    loadbalancer_id: str
    protocol: ListenerProtocol = "TCP"
    protocol_port: int = Field(ge=1, le=65535)
    description: str = ""
    default_pool_id: str | None = None
    ipgroup: IpGroupBinding | None = None
    keepalive_timeout: int | None = 300
    transparent_client_ip_enable: bool = True
    protection_status: Protection = "nonProtection"
    protection_reason: str = ""
    tags: dict[str, str] = {}


class SessionPersistence(Strict):
    """Which client goes to the same member again; minutes."""

    type: Literal["SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE"]
    cookie_name: str | None = None
    persistence_timeout: int = Field(default=1, ge=1, le=1440)


class Pool(Resource):
    """A backend server group; its listener is the one whose default pool it is."""

    kind: ClassVar[str] = "pool"

    loadbalancer_id: str | None = None
    protocol: PoolProtocol = "TCP"
    lb_algorithm: Algorithm = "ROUND_ROBIN"
    type: Literal["", "instance", "ip"] = ""
    vpc_id: str | None = None
    description: str = ""
    session_persistence: SessionPersistence | None = None
    member_deletion_protection_enable: bool = False


class Member(Resource):
    """A backend server; without a subnet it is an IP target."""

    kind: ClassVar[str] = "member"
    id_from: ClassVar[tuple[str, ...]] = ("pool_id", "address", "protocol_port")

    pool_id: str
    address: str
    protocol_port: int = Field(ge=1, le=65535)
    weight: int = Field(default=1, ge=0, le=100)
    subnet_cidr_id: str | None = None
    availability_zone: str | None = None


class HealthMonitor(Resource):
    """When a member is healthy; times in seconds."""

    kind: ClassVar[str] = "healthmonitor"
    id_from: ClassVar[tuple[str, ...]] = ("pool_id",)

    pool_id: str
    type: MonitorType = "TCP"
    delay: int = 5
    timeout: int = 3
    max_retries: int = 3
    max_retries_down: int = 3
    monitor_port: int | None = None
    admin_state_up: bool = True
    domain_name: str | None = None
    url_path: str | None = None
    expected_codes: str | None = None
    http_method: str | None = None


class IpEntry(Strict):
    """An address, a CIDR or a range `first-last`."""

    ip: str
    description: str = ""

    @property
    def networks(self) -> list[IPv4Network]:
        """The entry as networks.

        Raises:
            ValueError: it is none of the three.
        """
        return networks_in(self.ip)


class IpGroup(Resource):
    """A list of clients."""

    kind: ClassVar[str] = "ipgroup"

    description: str = ""
    ip_list: list[IpEntry] = []

    @property
    def networks(self) -> tuple[IPv4Network, ...]:
        """All entries as networks."""
        return tuple(network for entry in self.ip_list for network in entry.networks)
