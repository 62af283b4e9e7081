"""Whether a packet from a load balancer gets to an address and back, and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

SameVpc = Literal["reachable", "not_routable", "needs_peering"]

# Client ranges that DCS cannot answer, by the range the instance is in (DCS FAQ: cross-VPC access).
UNANSWERED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("172.16.0.0/12",), ("192.168.1.0/24", "192.168.2.0/24", "192.168.3.0/24")),
    (("192.168.0.0/16", "10.0.0.0/8"), ("172.31.1.0/24", "172.31.2.0/24", "172.31.3.0/24")),
)


@dataclass(frozen=True)
class Route:
    """A custom route; `peering_id` is None where it leads anywhere but over a peering."""

    destination: IPv4Network
    peering_id: str | None


@dataclass(frozen=True)
class Subnet:
    """A subnet with the routes of the table it is in."""

    id: str
    vpc_id: str
    cidr: IPv4Network
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Peering:
    """A peering between two VPCs."""

    id: str
    vpc_ids: frozenset[str]
    active: bool = True


@dataclass(frozen=True)
class Host:
    """An address that an instance has; `whitelist` is None where everybody may connect."""

    vpc_id: str
    subnet_id: str
    ip: str
    whitelist: tuple[IPv4Network, ...] | None = None


@dataclass(frozen=True)
class Path:
    """Where an address leads from some subnets; with a `problem`, packets get lost."""

    vpc_id: str | None = None
    problem: str | None = None

    @property
    def open(self) -> bool:
        """Whether packets go there and back."""
        return self.problem is None


class Network:
    """What decides about paths: subnets with their routes, peerings, and who is at which address."""

    def __init__(
        self,
        subnets: Iterable[Subnet],
        peerings: Iterable[Peering] = (),
        hosts: Iterable[Host] = (),
        same_vpc: SameVpc = "reachable",
    ) -> None:
        self.subnets: Mapping[str, Subnet] = {subnet.id: subnet for subnet in subnets}
        self.peerings: Mapping[str, Peering] = {peering.id: peering for peering in peerings}
        self.hosts: Mapping[tuple[str, str], Host] = {(host.vpc_id, host.ip): host for host in hosts}
        self.same_vpc = same_vpc

    def path(self, source_ids: Sequence[str], ip: str) -> Path:
        """Follow packets from each of the subnets to an address and back; the first problem counts."""
        paths = [self._path(self.subnets[source_id], ip) for source_id in source_ids]
        if not paths:
            return Path(problem="the load balancer has no backend subnet")
        return next((path for path in paths if not path.open), paths[0])

    def _path(self, source: Subnet, ip: str) -> Path:
        if self._local(source.vpc_id, IPv4Address(ip)):
            return self._path_in_vpc(source, ip)
        route = longest(source.routes, IPv4Network(ip))
        if route is None:
            return Path(problem=f"the route table of subnet {source.id} has no route to {ip}")
        peering, problem = self._peering(route, source.vpc_id)
        if peering is None:
            return Path(problem=problem)
        (vpc_id,) = peering.vpc_ids - {source.vpc_id}
        host = self.hosts.get((vpc_id, ip))
        if host is None:
            return Path(vpc_id, f"nothing has the address {ip} in VPC {vpc_id}")
        return Path(vpc_id, self._way_back(host, source, peering) or refusal(host, source))

    def _path_in_vpc(self, source: Subnet, ip: str) -> Path:
        vpc_id = source.vpc_id
        if self.same_vpc == "not_routable":
            return Path(vpc_id, f"{ip} is in the load balancer's own VPC, which is not routable")
        if self.same_vpc == "needs_peering" and not self._any_peering(vpc_id):
            return Path(vpc_id, f"VPC {vpc_id} takes part in no active peering")
        host = self.hosts.get((vpc_id, ip))
        if host is None:
            return Path(vpc_id, f"nothing has the address {ip} in VPC {vpc_id}")
        return Path(vpc_id, refusal(host, source))

    def _way_back(self, host: Host, source: Subnet, peering: Peering) -> str | None:
        own = next((item for item in self._of(host.vpc_id) if item.cidr.overlaps(source.cidr)), None)
        if own:
            return f"answers to {source.cidr} stay in VPC {host.vpc_id}: its subnet {own.id} overlaps"
        route = longest(self.subnets[host.subnet_id].routes, source.cidr)
        if route is None:
            return f"the route table of subnet {host.subnet_id} has no route back to {source.cidr}"
        if route.peering_id != peering.id:
            return f"the route back to {source.cidr} does not lead over peering {peering.id}"
        return None

    def _peering(self, route: Route, vpc_id: str) -> tuple[Peering | None, str]:
        peering = self.peerings.get(route.peering_id or "")
        if peering is None or vpc_id not in peering.vpc_ids:
            return None, f"the route to {route.destination} does not lead over a peering"
        if not peering.active:
            return None, f"peering {peering.id} is not active"
        return peering, ""

    def _any_peering(self, vpc_id: str) -> bool:
        return any(peering.active and vpc_id in peering.vpc_ids for peering in self.peerings.values())

    def _local(self, vpc_id: str, address: IPv4Address) -> bool:
        return any(address in subnet.cidr for subnet in self._of(vpc_id))

    def _of(self, vpc_id: str) -> Iterable[Subnet]:
        return (subnet for subnet in self.subnets.values() if subnet.vpc_id == vpc_id)


def longest(routes: Iterable[Route], target: IPv4Network) -> Route | None:
    """Return the route with the longest prefix that covers the whole target."""
    covering = [route for route in routes if target.subnet_of(route.destination)]
    return max(covering, key=lambda route: route.destination.prefixlen, default=None)


def refusal(host: Host, source: Subnet) -> str | None:
    """Say why the instance itself would not answer the subnet."""
    address = IPv4Address(host.ip)
    for instances, clients in UNANSWERED:
        if any(address in IPv4Network(range_) for range_ in instances) and any(
            source.cidr.overlaps(IPv4Network(range_)) for range_ in clients
        ):
            return f"DCS cannot answer clients in {source.cidr}"
    if host.whitelist is not None and not any(source.cidr.subnet_of(entry) for entry in host.whitelist):
        return f"the whitelist of the instance at {host.ip} does not hold {source.cidr}"
    return None
