"""VPCs, subnets, peerings and route tables (VPC API; its versions are mixed because none has all of it)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import AliasChoices, AliasPath, Field

from shared.otc.client import ServiceClient, given
from shared.otc.models import Ids, QuotaUsage, Seen, Text
from shared.otc.transport import Call, Service


class Vpc(Seen):
    """A VPC; secondary ranges are in `extend_cidrs`."""

    id: str
    name: Text = ""
    cidr: str
    extend_cidrs: tuple[str, ...] = ()
    status: str = ""

    @property
    def cidrs(self) -> tuple[str, ...]:
        """All ranges, the primary one first."""
        return (self.cidr, *self.extend_cidrs)


class Subnet(Seen):
    """A subnet; `id` is the network id (DCS, route tables), ELB wants both others."""

    id: str
    name: Text = ""
    cidr: str
    vpc_id: str
    status: str = ""
    availability_zone: Text = ""
    neutron_network_id: str
    neutron_subnet_id: str


class Availability(Seen):
    """How many addresses a subnet has, without the reserved ones."""

    total_ips: int
    used_ips: int


class Peering(Seen):
    """A peering; `request` and `accept` are the two sides, whoever asked is of no consequence."""

    id: str
    name: Text = ""
    description: Text = ""
    created_at: str = ""
    status: str
    request_vpc_id: str = Field(
        validation_alias=AliasChoices(AliasPath("request_vpc_info", "vpc_id"), "request_vpc_id")
    )
    accept_vpc_id: str = Field(validation_alias=AliasChoices(AliasPath("accept_vpc_info", "vpc_id"), "accept_vpc_id"))

    @property
    def vpc_ids(self) -> frozenset[str]:
        """Both sides."""
        return frozenset({self.request_vpc_id, self.accept_vpc_id})


class Route(Seen):
    """A route; its destination is unique in its table."""

    type: str = "peering"
    destination: str
    nexthop: str
    description: Text = ""


class RouteTable(Seen):
    """A route table; lists may leave out its routes and whether it is the VPC's default one."""

    id: str
    name: Text = ""
    vpc_id: str
    default: bool | None = None
    routes: tuple[Route, ...] | None = None
    subnet_ids: Ids = Field((), validation_alias=AliasChoices("subnets", "subnet_ids"))


class VpcClient(ServiceClient):
    """The network on both sides."""

    service = Service.VPC

    def vpcs(self, *, ids: Iterable[str] = ()) -> list[Vpc]:
        """All VPCs or those of these ids, with their secondary ranges (VPC API v3)."""
        query = [("id", item) for item in ids]
        call = self._call("GET", "vpc:vpcs:list", "v3", self._project(), "vpc", "vpcs", query=query)
        return self._all(call, Vpc, "vpcs")

    def subnets(self, *, vpc_id: str | None = None) -> list[Subnet]:
        """All subnets or those of one VPC."""
        query = given(vpc_id=vpc_id).items()
        return self._all(self._v1("GET", "vpc:subnets:get", "subnets", query=query), Subnet, "subnets")

    def free_addresses(self, network_id: str) -> int:
        """How many addresses are left in a subnet."""
        call = self._call("GET", "vpc:networks:get", "v2.0", "network-ip-availabilities", network_id)
        found = self._one(call, Availability, "network_ip_availability")
        return found.total_ips - found.used_ips

    def quotas(self) -> dict[str, QuotaUsage]:
        """Limit and use of each quota, by VPC's names (`vpcPeer`, `publicIp`, ...)."""
        return self._usages(self._v1("GET", "vpc:quotas:list", "quotas"), "quotas", "resources", name="type")

    def peerings(self, *, vpc_id: str | None = None) -> list[Peering]:
        """All peerings or those of one VPC, whichever side it is on."""
        found = self._all(self._peering("GET", "get"), Peering, "peerings")
        # Whether the API's own filter sees the accepting side is nowhere said.
        return [peering for peering in found if vpc_id is None or vpc_id in peering.vpc_ids]

    def peering(self, peering_id: str) -> Peering:
        """One peering."""
        return self._one(self._peering("GET", "get", peering_id), Peering, "peering")

    def create_peering(self, name: str, description: str, request_vpc_id: str, accept_vpc_id: str) -> Peering:
        """Peer two VPCs of the project; a pair has one peering at most."""
        desired = {
            "name": name,
            "description": description,
            "request_vpc_info": {"vpc_id": request_vpc_id},
            "accept_vpc_info": {"vpc_id": accept_vpc_id},
        }
        return self._one(self._peering("POST", "create", desired=desired), Peering, "peering")

    def update_peering(self, peering_id: str, *, description: str | None = None, name: str | None = None) -> Peering:
        """Change the texts of a peering."""
        desired = given(name=name, description=description)
        return self._one(self._peering("PUT", "update", peering_id, desired=desired), Peering, "peering")

    def delete_peering(self, peering_id: str) -> None:
        """Delete a peering, and every route through it."""
        self._send(self._peering("DELETE", "delete", peering_id))

    def route_tables(self, *, vpc_id: str | None = None, subnet_id: str | None = None) -> list[RouteTable]:
        """All route tables, those of a VPC, or that of one subnet (by network id); perhaps without routes."""
        query = given(vpc_id=vpc_id, subnet_id=subnet_id).items()
        return self._all(self._v1("GET", "vpc:routeTables:list", "routetables", query=query), RouteTable, "routetables")

    def route_table(self, route_table_id: str) -> RouteTable:
        """One route table."""
        call = self._v1("GET", "vpc:routeTables:get", "routetables", route_table_id)
        return self._one(call, RouteTable, "routetable")

    def change_routes(
        self,
        route_table_id: str,
        *,
        add: Iterable[Route] = (),
        modify: Iterable[Route] = (),
        delete: Iterable[str] = (),
    ) -> RouteTable:
        """Add and modify routes, delete those with these destinations; all in one change."""
        changes = {
            "add": [route.model_dump() for route in add],
            "mod": [route.model_dump() for route in modify],
            "del": [{"destination": destination} for destination in delete],
        }
        call = self._v1(
            "PUT",
            "vpc:routeTables:update",
            "routetables",
            route_table_id,
            body={"routetable": {"routes": {name: routes for name, routes in changes.items() if routes}}},
        )
        return self._one(call, RouteTable, "routetable")

    def _v1(self, method: str, action: str, *place: str, **more: Any) -> Call:
        return self._call(method, action, "v1", self._project(), *place, **more)

    def _peering(self, method: str, action: str, *ids: str, desired: dict[str, Any] | None = None) -> Call:
        body = None if desired is None else {"peering": desired}
        return self._call(method, f"vpc:peerings:{action}", "v2.0", "vpc", "peerings", *ids, body=body)
