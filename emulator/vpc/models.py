"""VPCs, subnets, peerings and route tables: what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from uuid import uuid5

from pydantic import Field, model_validator

from emulator.core.resources import NAMESPACE, Resource, Strict, Table, find
from emulator.core.state import State
from emulator.core.text import Address, AddressIfAny

if TYPE_CHECKING:
    from emulator.world import World

# The network, the gateway, two system addresses and the broadcast address (VPC manual: creating a subnet).
RESERVED_LAST = 3
SYSTEM_ROUTES = ("198.19.128.0/20", "127.0.0.0/8", "100.64.0.0/10")
MAX_ROUTES = 200
QUOTAS = {
    "vpc": 5,
    "subnet": 100,
    "securityGroup": 100,
    "securityGroupRule": 5000,
    "publicIp": 10,
    "vpn": 5,
    "vpngw": 2,
    "vpcPeer": 50,
    "firewall": 200,
    "shareBandwidth": 5,
    "shareBandwidthIP": 20,
    "loadbalancer": 10,
    "listener": 10,
    "physicalConnect": 10,
    "virtualInterface": 50,
    "vpcContainRoutetable": 10,
    "routetableContainRoutes": MAX_ROUTES,
}


class Vpc(Resource):
    """A private network."""

    kind: ClassVar[str] = "vpc"

    cidr: str
    extend_cidrs: list[str] = []
    description: str = ""
    enterprise_project_id: str = "0"
    enable_shared_snat: bool = False

    @property
    def networks(self) -> list[IPv4Network]:
        """The primary and the secondary ranges."""
        return [IPv4Network(cidr) for cidr in (self.cidr, *self.extend_cidrs)]


class Subnet(Resource):
    """A subnet; its id is the network id, which most APIs want. `addresses` says who uses which."""

    kind: ClassVar[str] = "subnet"
    id_from: ClassVar[tuple[str, ...]] = ("vpc_id", "name")

    neutron_subnet_id: str = ""
    vpc_id: str
    cidr: str
    gateway_ip: AddressIfAny = ""
    description: str = ""
    availability_zone: str = ""
    dhcp_enable: bool = True
    primary_dns: AddressIfAny = "100.125.4.25"
    secondary_dns: AddressIfAny = "100.125.129.199"
    further_dns: list[Address] = []
    ntp: str | None = None
    addresses: dict[str, str] = {}

    @model_validator(mode="after")
    def _fill_in(self) -> Subnet:
        self.neutron_subnet_id = self.neutron_subnet_id or str(uuid5(NAMESPACE, f"neutron-subnet/{self.id}"))
        self.gateway_ip = self.gateway_ip or str(self.network[1])
        return self

    @property
    def network(self) -> IPv4Network:
        """The range of the subnet."""
        return IPv4Network(self.cidr)

    @property
    def total(self) -> int:
        """How many addresses can be given out at all."""
        return self.network.num_addresses - RESERVED_LAST - 2

    @property
    def free(self) -> int:
        """How many addresses are left."""
        return self.total - len(self.addresses)

    @property
    def dns(self) -> list[str]:
        """The name servers."""
        return [server for server in (self.primary_dns, self.secondary_dns, *self.further_dns) if server]

    def use_dns(self, servers: Iterable[str]) -> None:
        """Use these name servers, in this order; empty ones are none."""
        first, second, *further = [*dict.fromkeys(filter(None, servers)), "", ""]
        self.primary_dns, self.secondary_dns = first, second
        self.further_dns = [server for server in further if server]

    def assignable(self, address: str) -> bool:
        """Whether an address is free and not reserved."""
        if address in self.addresses or address == self.gateway_ip:
            return False
        offset = int(IPv4Address(address)) - int(self.network.network_address)
        return 0 < offset < self.network.num_addresses - RESERVED_LAST

    def free_addresses(self) -> Iterator[str]:
        """Addresses that can be given out, the lowest first."""
        first = int(self.network.network_address)
        for number in range(first + 1, first + self.network.num_addresses - RESERVED_LAST):
            # Written by hand: worlds of thousands of instances spend their time here.
            address = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            if address not in self.addresses and address != self.gateway_ip:
                yield address

    def take(self, owner: str, address: str | None = None) -> str | None:
        """Give an owner (a resource id) this address, or the lowest free one; None if it is not to be had."""
        found = next(self.free_addresses(), None) if address is None else address
        if found is None or not (self.addresses.get(found) == owner or self.assignable(found)):
            return None
        self.addresses[found] = owner
        return found


class RouteEntry(Strict):
    """A route; `since` (epoch seconds) is when packets begin to follow it."""

    type: str = "peering"
    destination: str
    nexthop: str
    description: str = ""
    since: float = 0.0

    @property
    def network(self) -> IPv4Network:
        """The destination."""
        return IPv4Network(self.destination)


class RouteTable(Resource):
    """A route table; the default one has every subnet that no custom table has."""

    kind: ClassVar[str] = "route table"
    id_from: ClassVar[tuple[str, ...]] = ("vpc_id", "name")

    vpc_id: str
    default: bool = False
    description: str = ""
    routes: list[RouteEntry] = []
    subnet_ids: list[str] = []

    def route_id(self, route: RouteEntry) -> str:
        """The id that the v2.0 API knows a route by."""
        return str(uuid5(NAMESPACE, f"route/{self.id}/{route.destination}"))


PeeringStatus = Literal["PENDING_ACCEPTANCE", "REJECTED", "EXPIRED", "DELETED", "ACTIVE"]


class Peering(Resource):
    """A connection of two VPCs; the requester's project owns it, the accepter's sees it."""

    kind: ClassVar[str] = "peering"
    id_from: ClassVar[tuple[str, ...]] = ("request_vpc_id", "accept_vpc_id")

    status: PeeringStatus = "ACTIVE"
    description: str = ""
    request_vpc_id: str
    accept_vpc_id: str
    accept_project_id: str = ""

    def holds(self, vpc_id: str, other_vpc_id: str) -> bool:
        """Whether no further one may be between these two, in either direction: it is neither refused nor gone."""
        is_open = self.status in ("ACTIVE", "PENDING_ACCEPTANCE")
        return is_open and {self.request_vpc_id, self.accept_vpc_id} == {vpc_id, other_vpc_id}

    def joins(self, vpc_id: str) -> bool:
        """Whether the VPC is one of the two."""
        return vpc_id in (self.request_vpc_id, self.accept_vpc_id)


class VpcState(State):
    """Networks of the account."""

    vpcs: Table[Vpc] = {}
    subnets: Table[Subnet] = {}
    peerings: Table[Peering] = {}
    route_tables: Table[RouteTable] = {}
    quotas: dict[str, int] = Field(default_factory=lambda: dict(QUOTAS))

    def resolve(self, world: World) -> None:
        """Turn names into ids, give every VPC its default table, refuse what cannot exist."""
        for vpc in self.vpcs.values():
            _check_ranges(vpc)
        for subnet in self.subnets.values():
            self._resolve_subnet(subnet, world)
        for peering in self.peerings.values():
            self._resolve_peering(peering)
        for table in self.route_tables.values():
            self._resolve_table(table)
        for vpc in self.vpcs.values():
            self._give_default_table(vpc)
        self.quotas = {**QUOTAS, **self.quotas}

    def _resolve_subnet(self, subnet: Subnet, world: World) -> None:
        where = f"vpc.subnets[{subnet.name}]"
        vpc = find(self.vpcs, subnet.vpc_id, f"{where}.vpc_id")
        subnet.vpc_id = vpc.id
        subnet.availability_zone = subnet.availability_zone or world.zones[0]
        _network(subnet.cidr, f"{where}.cidr")
        if not any(subnet.network.subnet_of(network) for network in vpc.networks):
            raise ValueError(f"{where}.cidr: {subnet.cidr} is not in {vpc.name} ({vpc.cidr})")
        if not is_host(subnet.gateway_ip, subnet.network):
            raise ValueError(f"{where}.gateway_ip: {subnet.gateway_ip} cannot be the gateway of {subnet.cidr}")
        for other in self.subnets.values():
            if other is not subnet and other.vpc_id in (vpc.id, vpc.name) and overlap(other.cidr, subnet.cidr):
                raise ValueError(f"{where}.cidr: {subnet.cidr} overlaps subnet {other.name} ({other.cidr})")

    def _resolve_peering(self, peering: Peering) -> None:
        where = f"vpc.peerings[{peering.name or peering.id}]"
        peering.request_vpc_id = find(self.vpcs, peering.request_vpc_id, f"{where}.request_vpc_id").id
        accepter = find(self.vpcs, peering.accept_vpc_id, f"{where}.accept_vpc_id")
        peering.accept_vpc_id, peering.accept_project_id = accepter.id, accepter.project_id
        if peering.request_vpc_id == peering.accept_vpc_id:
            raise ValueError(f"{where}.accept_vpc_id: a VPC cannot be peered with itself")
        ends = peering.request_vpc_id, peering.accept_vpc_id
        for other in self.peerings.values():
            if other is not peering and other.holds(*ends) and peering.holds(*ends):
                raise ValueError(f"{where}: the two VPCs are peered already by {other.name or other.id}")

    def _resolve_table(self, table: RouteTable) -> None:
        where = f"vpc.route_tables[{table.name}]"
        table.vpc_id = find(self.vpcs, table.vpc_id, f"{where}.vpc_id").id
        table.subnet_ids = [find(self.subnets, name, f"{where}.subnet_ids").id for name in table.subnet_ids]
        for subnet_id in table.subnet_ids:
            if self.subnets[subnet_id].vpc_id != table.vpc_id:
                raise ValueError(f"{where}.subnet_ids: {subnet_id} is in another VPC")
        for route in table.routes:
            _network(route.destination, f"{where}.routes.destination")
            if route.type == "peering":
                peering = find(self.peerings, route.nexthop, f"{where}.routes.nexthop")
                route.nexthop = peering.id
                if not peering.joins(table.vpc_id):
                    raise ValueError(f"{where}.routes.nexthop: {peering.name} does not join this VPC")
        if len({route.destination for route in table.routes}) != len(table.routes):
            raise ValueError(f"{where}.routes: a destination is used twice")

    def _give_default_table(self, vpc: Vpc) -> None:
        defaults = [table for table in self.route_tables.values() if table.vpc_id == vpc.id and table.default]
        if len(defaults) > 1:
            raise ValueError(f"vpc.route_tables: {vpc.name} has several default tables")
        if not defaults:
            table = default_table(vpc)
            self.route_tables[table.id] = table


def default_table(vpc: Vpc, **fields: Any) -> RouteTable:
    """The table that every VPC starts with."""
    fields = {"name": f"rtb-{vpc.name}", "project_id": vpc.project_id, "created_at": vpc.created_at, **fields}
    fields.setdefault("updated_at", vpc.updated_at)
    return RouteTable.model_validate({"vpc_id": vpc.id, "default": True, **fields})


def overlap(cidr: str, other: str) -> bool:
    """Whether two ranges share an address."""
    return IPv4Network(cidr).overlaps(IPv4Network(other))


def is_host(address: str, network: IPv4Network) -> bool:
    """Whether something in a network can have an address."""
    return network.network_address < IPv4Address(address) < network.broadcast_address


def _network(cidr: str, where: str) -> IPv4Network:
    try:
        return IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _check_ranges(vpc: Vpc) -> None:
    for cidr in (vpc.cidr, *vpc.extend_cidrs):
        _network(cidr, f"vpc.vpcs[{vpc.name}].cidr")
