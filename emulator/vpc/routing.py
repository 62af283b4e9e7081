"""The rules of route tables, behind both APIs that change routes."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from emulator.core.problems import Refusal
from emulator.vpc.models import MAX_ROUTES, SYSTEM_ROUTES, RouteEntry, RouteTable, Subnet, Vpc

if TYPE_CHECKING:
    from emulator.account import Account

CUSTOM_TYPES = ("ecs", "eni", "vip", "nat", "peering", "vpn", "dc", "er")


def change_routes(
    account: Account,
    table: RouteTable,
    *,
    add: list[RouteEntry] | None = None,
    modify: list[RouteEntry] | None = None,
    delete: list[str] | None = None,
) -> None:
    """Change a table's routes: all that is asked, or nothing.

    Raises:
        Refusal: the first rule that stands in the way.
    """
    routes = {route.destination: route for route in table.routes}
    for destination in delete or []:
        if routes.pop(destination, None) is None:
            raise Refusal(404, "VPC.2811", f"The route to {destination} does not exist.")
    for route in modify or []:
        if route.destination not in routes:
            raise Refusal(404, "VPC.2811", f"The route to {route.destination} does not exist.")
        _check_next_hop(account, table, route)
        routes[route.destination] = _dated(account, route)
    for route in add or []:
        if route.destination in routes:
            status = account.dials.duplicate_route_status
            raise Refusal(status, "VPC.2812", f"The route destination {route.destination} already exists.")
        _check_destination(account, table, route)
        _check_next_hop(account, table, route)
        routes[route.destination] = _dated(account, route)
    if len(routes) > min(MAX_ROUTES, account.vpc.state.quotas["routetableContainRoutes"]):
        raise Refusal(409, "VPC.2813", "Quota exceeded for resources: ['routes'].")
    table.routes = list(routes.values())
    account.touch(table)


def create_table(account: Account, vpc: Vpc, name: str, description: str, routes: list[RouteEntry]) -> RouteTable:
    """A custom table.

    Raises:
        Refusal: the quota, or a route that is not possible.
    """
    if 0 <= account.vpc.state.quotas["vpcContainRoutetable"] <= len(account.vpc.tables_of(vpc.id)):
        raise Refusal(409, "VPC.2802", "Quota exceeded for resources: ['routetable'].")
    tables = account.vpc.state.route_tables
    trial = RouteTable(id="", vpc_id=vpc.id)
    change_routes(account, trial, add=routes)
    return account.add(
        tables,
        RouteTable,
        "vpc",
        vpc.project_id,
        name=name,
        vpc_id=vpc.id,
        description=description,
        routes=trial.routes,
    )


def delete_table(account: Account, table: RouteTable) -> None:
    """Delete a custom table that no subnet uses.

    Raises:
        Refusal: it is the default one, or in use.
    """
    if table.default:
        raise Refusal(400, "VPC.2803", "The default route table cannot be deleted.")
    if table.subnet_ids:
        raise Refusal(409, "VPC.2804", "The route table is associated with subnets.")
    del account.vpc.state.route_tables[table.id]


def associate(account: Account, table: RouteTable, subnets: list[Subnet]) -> None:
    """Let a table decide for subnets, and no other table.

    Raises:
        Refusal: a subnet of another VPC.
    """
    if any(subnet.vpc_id != table.vpc_id for subnet in subnets):
        raise Refusal(400, "VPC.2805", "The subnet and the route table are in different VPCs.")
    moved = [subnet.id for subnet in subnets]
    for other in account.vpc.tables_of(table.vpc_id):
        other.subnet_ids = [known for known in other.subnet_ids if known not in moved]
    if not table.default:
        table.subnet_ids = [*table.subnet_ids, *moved]
    account.touch(table)


def disassociate(account: Account, table: RouteTable, subnets: list[Subnet]) -> None:
    """Give subnets back to the default table.

    Raises:
        Refusal: a subnet that the table does not decide for; 400, as this API has it.
    """
    gone = [subnet.id for subnet in subnets]
    if table.default or not set(gone) <= set(table.subnet_ids):
        raise Refusal(400, "VPC.2806", "The subnet is not associated with the route table.")
    table.subnet_ids = [known for known in table.subnet_ids if known not in gone]
    account.touch(table)


def system_routes(account: Account, table: RouteTable) -> list[RouteEntry]:
    """The routes that nobody made: one for each subnet of the VPC, and the cloud's own."""
    subnets = [subnet.cidr for subnet in account.vpc.subnets_of(table.vpc_id)]
    return [RouteEntry(type="local", destination=cidr, nexthop="-") for cidr in (*subnets, *SYSTEM_ROUTES)]


def _dated(account: Account, route: RouteEntry) -> RouteEntry:
    return route.model_copy(update={"since": account.now() + account.dials.routes.seconds})


def _check_destination(account: Account, table: RouteTable, route: RouteEntry) -> None:
    system = [IPv4Network(cidr) for cidr in SYSTEM_ROUTES]
    if any(route.network.subnet_of(network) for network in system):
        raise Refusal(400, "VPC.2814", f"{route.destination} is a system route.")
    if account.dials.routes_may_overlap_subnets:
        return
    for subnet in account.vpc.subnets_of(table.vpc_id):
        if route.network.overlaps(subnet.network):
            message = f"The route destination {route.destination} conflicts with subnet {subnet.cidr}."
            raise Refusal(400, "VPC.2815", message)


def _check_next_hop(account: Account, table: RouteTable, route: RouteEntry) -> None:
    if route.type not in CUSTOM_TYPES:
        raise Refusal(400, "VPC.2816", f"Route type {route.type} is invalid.")
    if route.type != "peering":
        return
    peering = account.vpc.state.peerings.get(route.nexthop)
    if peering is None or not peering.joins(table.vpc_id):
        raise Refusal(404, "VPC.2817", f"Peering {route.nexthop} could not be found in this VPC.")
