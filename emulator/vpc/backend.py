"""The rules of networks that other services rely on, too."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from emulator.core.resources import owned
from emulator.vpc.models import Peering, RouteTable, Subnet, Vpc, VpcState

if TYPE_CHECKING:
    from emulator.account import Account


class VpcBackend:
    """Networks, and who uses which of their addresses. Lookups give None where there is nothing."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def state(self) -> VpcState:
        """The tables."""
        return self._account.world.vpc

    def vpc(self, project_id: str, vpc_id: str) -> Vpc | None:
        """A VPC of the project."""
        vpc = self.state.vpcs.get(vpc_id)
        return vpc if vpc and vpc.project_id == project_id else None

    def subnet(self, project_id: str, network_id: str) -> Subnet | None:
        """A subnet of the project by its network id (`elb_virsubnet_ids`, DCS `subnet_id`)."""
        subnet = self.state.subnets.get(network_id)
        return subnet if subnet and subnet.project_id == project_id else None

    def subnet_by_neutron_id(self, project_id: str, subnet_id: str) -> Subnet | None:
        """A subnet of the project by its IPv4 subnet id (`vip_subnet_cidr_id`)."""
        mine = owned(self.state.subnets, project_id)
        return next((subnet for subnet in mine if subnet.neutron_subnet_id == subnet_id), None)

    def subnets_of(self, vpc_id: str) -> list[Subnet]:
        """The subnets of a VPC."""
        return [subnet for subnet in self.state.subnets.values() if subnet.vpc_id == vpc_id]

    def subnet_of_address(self, vpc_id: str, address: str) -> Subnet | None:
        """The subnet of the VPC in which an address lies."""
        ip = IPv4Address(address)
        return next((subnet for subnet in self.subnets_of(vpc_id) if ip in subnet.network), None)

    def tables_of(self, vpc_id: str) -> list[RouteTable]:
        """The route tables of a VPC."""
        return [table for table in self.state.route_tables.values() if table.vpc_id == vpc_id]

    def default_table_of(self, vpc_id: str) -> RouteTable:
        """The table for every subnet that no custom table has."""
        return next(table for table in self.tables_of(vpc_id) if table.default)

    def table_of(self, subnet: Subnet) -> RouteTable:
        """The one table that decides for a subnet."""
        custom = (table for table in self.tables_of(subnet.vpc_id) if subnet.id in table.subnet_ids)
        return next(custom, self.default_table_of(subnet.vpc_id))

    def subnets_using(self, table: RouteTable) -> list[Subnet]:
        """The subnets that a table decides for."""
        return [subnet for subnet in self.subnets_of(table.vpc_id) if self.table_of(subnet) is table]

    def active_peerings(self, vpc_id: str) -> list[Peering]:
        """The peerings that carry packets of a VPC."""
        peerings = self.state.peerings.values()
        return [peering for peering in peerings if peering.joins(vpc_id) and peering.status == "ACTIVE"]

    def claim(self, subnet: Subnet, owner: str, address: str | None = None) -> str | None:
        """Take an address of a subnet for an owner (a resource id): this one, or the lowest free one.

        Returns None if it is not to be had.
        """
        if address is not None and subnet.addresses.get(address) == owner:
            return address
        found = subnet.first_free() if address is None else address
        if found is None or IPv4Address(found) not in subnet.network or not subnet.assignable(found):
            return None
        subnet.addresses[found] = owner
        return found

    def release(self, owner: str) -> None:
        """Give back every address that an owner has, in whatever subnet."""
        for subnet in self.state.subnets.values():
            subnet.addresses = {ip: user for ip, user in subnet.addresses.items() if user != owner}
