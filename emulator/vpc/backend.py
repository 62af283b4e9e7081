"""The rules of networks that other services rely on, too."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from emulator.core.problems import Refusal
from emulator.core.resources import owned
from emulator.vpc.models import RouteTable, Subnet, Vpc, VpcState, default_table, is_host

if TYPE_CHECKING:
    from emulator.account import Account

PRIVATE = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
LONGEST_PREFIX = 28
# VPC manual: adding a secondary IPv4 CIDR block to a VPC.
NOT_SECONDARY = tuple(
    IPv4Network(cidr)
    for cidr in (
        "172.31.0.0/16",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "214.0.0.0/7",
        "198.18.0.0/15",
        "169.254.0.0/16",
        "0.0.0.0/8",
        "127.0.0.0/8",
        "240.0.0.0/4",
    )
)
MAX_SECONDARY = 5


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

    def release(self, owner: str) -> None:
        """Give back every address that an owner has, in whatever subnet."""
        for subnet in self.state.subnets.values():
            subnet.addresses = {ip: user for ip, user in subnet.addresses.items() if user != owner}

    def create_vpc(self, project_id: str, name: str, cidr: str, description: str) -> Vpc:
        """A new VPC with its default route table.

        Raises:
            Refusal: quota, name or range stand in the way.
        """
        mine = owned(self.state.vpcs, project_id)
        self._check_quota("vpc", len(mine), "router")
        fields = {"name": name, "cidr": cidr, "description": description}
        draft = Vpc(id="draft", project_id=project_id, **fields)
        self._check_range(draft)
        self._check_name(draft)
        vpc = self._account.add(self.state.vpcs, Vpc, "vpc", project_id, **fields)
        table = default_table(vpc)
        self.state.route_tables[table.id] = table
        return vpc

    def update_vpc(self, vpc: Vpc, **changes: Any) -> Vpc:
        """A VPC with changes; every subnet stays in it.

        Raises:
            Refusal: name or range stand in the way; nothing has changed.
        """
        changed = vpc.model_copy(update=changes)
        # A world may hold what a call may not make; what a change leaves alone does not stand in its way.
        if changed.cidr != vpc.cidr:
            self._check_range(changed)
        if changed.name != vpc.name:
            self._check_name(changed)
        if not self._holds_subnets(changed):
            raise Refusal(400, "VPC.0117", "VPC CIDR block cannot contain the subnet CIDR block.")
        self.state.vpcs[vpc.id] = changed
        self._account.touch(changed)
        return changed

    def extend_vpc(self, vpc: Vpc, cidrs: list[str]) -> None:
        """Add secondary ranges.

        Raises:
            Refusal: their number, or one that is not possible; nothing has changed.
        """
        if len(vpc.extend_cidrs) + len(cidrs) > MAX_SECONDARY:
            message = "The number of secondary CIDR blocks to be added exceeds the upper limit."
            raise Refusal(400, "VPC.9912", message)
        networks = vpc.networks
        for network in map(IPv4Network, cidrs):
            _check_size(network)
            if any(network.overlaps(other) for other in NOT_SECONDARY):
                raise Refusal(400, "VPC.0101", f"Secondary CIDR block {network} is not supported.")
            if any(network.overlaps(other) for other in networks):
                raise Refusal(409, "VPC.9914", "The secondary CIDR block conflicts with an existing CIDR block.")
            networks.append(network)
        vpc.extend_cidrs = [*vpc.extend_cidrs, *cidrs]
        self._account.touch(vpc)

    def shorten_vpc(self, vpc: Vpc, cidrs: list[str]) -> None:
        """Remove secondary ranges that no subnet is in.

        Raises:
            Refusal: there is no such range, or it is in use; nothing has changed.
        """
        if not set(cidrs) <= set(vpc.extend_cidrs):
            raise Refusal(404, "VPC.9915", "The secondary CIDR block to be removed not found.")
        left = [cidr for cidr in vpc.extend_cidrs if cidr not in cidrs]
        if not self._holds_subnets(vpc.model_copy(update={"extend_cidrs": left})):
            raise Refusal(409, "VPC.9914", "The secondary CIDR block is used by a subnet.")
        vpc.extend_cidrs = left
        self._account.touch(vpc)

    def delete_vpc(self, vpc: Vpc) -> None:
        """Delete a VPC that nothing is in.

        Raises:
            Refusal: what is still in it.
        """
        if self._account.elb.in_vpc(vpc.id):
            raise Refusal(409, "VPC.0118", "ELB exists under this router. Delete ELB first.")
        if self.subnets_of(vpc.id):
            raise Refusal(409, "VPC.0104", "Router contains subnets, please delete subnet first.")
        if any(table.routes for table in self.tables_of(vpc.id)):
            message = "Extension routes exist under this router. Delete the routes first."
            raise Refusal(409, "VPC.0120", message)
        if any(peering.joins(vpc.id) for peering in self.state.peerings.values()):
            raise Refusal(409, "VPC.0108", "Router is being used and cannot be deleted.")
        for table in self.tables_of(vpc.id):
            del self.state.route_tables[table.id]
        del self.state.vpcs[vpc.id]

    def create_subnet(self, vpc: Vpc, name: str, cidr: str, **fields: Any) -> Subnet:
        """A new subnet, which the default table decides for.

        Raises:
            Refusal: quota or range stand in the way.
        """
        self._check_quota("subnet", len(owned(self.state.subnets, vpc.project_id)), "network")
        network = IPv4Network(cidr)
        if network.prefixlen > LONGEST_PREFIX:
            raise Refusal(400, "VPC.0212", "Invalid subnet CIDR block.")
        if not any(network.subnet_of(own) for own in vpc.networks):
            raise Refusal(400, "VPC.0203", "Subnet is not in the range of VPC.")
        if any(network.overlaps(other.network) for other in self.subnets_of(vpc.id)):
            message = "The subnet already exists in the VPC or conflicts with an existing VPC subnet."
            raise Refusal(400, "VPC.0204", message)
        if not is_host(fields["gateway_ip"], network):
            raise Refusal(400, "VPC.0201", "Subnet gateway_ip is invalid.")
        fields["availability_zone"] = fields.get("availability_zone") or self._account.world.zones[0]
        return self._account.add(
            self.state.subnets, Subnet, "vpc", vpc.project_id, vpc_id=vpc.id, name=name, cidr=cidr, **fields
        )

    def delete_subnet(self, subnet: Subnet) -> None:
        """Delete a subnet that nothing is in.

        Raises:
            Refusal: 500, as this API has it, where an address is in use.
        """
        if subnet.addresses:
            raise Refusal(500, "VPC.0209", "The subnet is being used by an ECS or a load balancer.")
        for table in self.tables_of(subnet.vpc_id):
            table.subnet_ids = [known for known in table.subnet_ids if known != subnet.id]
        del self.state.subnets[subnet.id]

    def used(self, project_id: str) -> dict[str, int]:
        """How much of each quota is used."""
        tables = owned(self.state.route_tables, project_id)
        return {
            "vpc": len(owned(self.state.vpcs, project_id)),
            "subnet": len(owned(self.state.subnets, project_id)),
            "vpcPeer": len(owned(self.state.peerings, project_id)),
            "publicIp": len(owned(self._account.eip.state.publicips, project_id)),
            "vpcContainRoutetable": max((len(self.tables_of(table.vpc_id)) for table in tables), default=0),
            "routetableContainRoutes": max((len(table.routes) for table in tables), default=0),
        }

    def _holds_subnets(self, vpc: Vpc) -> bool:
        subnets = self.subnets_of(vpc.id)
        return all(any(subnet.network.subnet_of(own) for own in vpc.networks) for subnet in subnets)

    @staticmethod
    def _check_range(vpc: Vpc) -> None:
        network = IPv4Network(vpc.cidr)
        _check_size(network)
        if not any(network.subnet_of(private) for private in PRIVATE):
            raise Refusal(400, "VPC.0101", "Invalid VPC parameter values: cidr")
        if any(network.overlaps(other) for other in vpc.networks[1:]):
            raise Refusal(400, "VPC.0101", "The CIDR block conflicts with a secondary one.")

    def _check_name(self, vpc: Vpc) -> None:
        mine = owned(self.state.vpcs, vpc.project_id)
        if any(other.name == vpc.name for other in mine if other.id != vpc.id):
            raise Refusal(400, "VPC.0115", "The router name exists.")

    def _check_quota(self, name: str, used: int, shown: str) -> None:
        if 0 <= self.state.quotas[name] <= used:
            raise Refusal(409, "VPC.0114", f"Quota exceeded for resources: ['{shown}'].")


def _check_size(network: IPv4Network) -> None:
    if network.prefixlen > LONGEST_PREFIX:
        raise Refusal(400, "VPC.0101", "Invalid VPC parameter values: cidr")
