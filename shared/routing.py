"""Which route a packet takes, and what that means for a route we want (VPC: route tables and routes)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, summarize_address_range

from shared.errors import ErrorCode, PermanentError
from shared.otc.vpc import Route, RouteTable, Subnet
from shared.record import read_mark


class RouteAction(StrEnum):
    """What to do about a route."""

    ADD = "add"
    UNCHANGED = "unchanged"
    ADOPT = "adopt"
    CHANGE = "change"
    REFUSE = "refuse"


@dataclass(frozen=True)
class RouteDecision:
    """The action, and the reason for it."""

    action: RouteAction
    reason: str


def net(cidr: str) -> IPv4Network:
    """A CIDR as a network; host bits do not matter."""
    return IPv4Network(cidr, strict=False)


def networks(entry: str) -> tuple[IPv4Network, ...]:
    """What an entry that the cloud shows covers: a CIDR, an address, or a range such as 10.0.0.1-10.0.0.9.

    Nothing where it is no IPv4 entry: the lists we read are not ours alone.
    """
    first, dash, last = entry.partition("-")
    try:
        if dash:
            return tuple(summarize_address_range(IPv4Address(first.strip()), IPv4Address(last.strip())))
        return (net(entry.strip()),)
    except ValueError:
        return ()


def covers(entry: str, target: str) -> bool:
    """Whether an entry that the cloud shows holds all of a target (CIDR)."""
    wanted = networks(target)
    return bool(wanted) and all(any(one.subnet_of(held) for held in networks(entry)) for one in wanted)


def same_ranges(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two lists hold the same ranges; an entry that is no IPv4 range equals nothing."""
    mine, theirs = ({networks(entry) for entry in entries} for entries in (one, other))
    return mine == theirs and () not in mine


def covering(routes: Iterable[Route], target: str) -> Route | None:
    """The route that the target's packets take: the longest prefix that holds all of it."""
    holding = [route for route in routes if covers(route.destination, target)]
    return max(holding, key=lambda route: net(route.destination).prefixlen, default=None)


def candidate_tables(tables: Iterable[RouteTable], subnet: Subnet) -> list[RouteTable]:
    """The tables that may be the subnet's: the one that names it, else any of its VPC, of which one is the default."""
    mine = [table for table in tables if table.vpc_id == subnet.vpc_id]
    return [table for table in mine if subnet.id in table.subnet_ids] or mine


def table_of(tables: Iterable[RouteTable], subnet: Subnet) -> RouteTable | None:
    """The table a subnet uses: the one that names it, else its VPC's default one."""
    candidates = candidate_tables(tables, subnet)
    used = (table for table in candidates if table.default or subnet.id in table.subnet_ids)
    return next(used, next(iter(candidates), None))


def decide_route(
    routes: Iterable[Route], *, destination: str, target: str, peering_id: str | None, exposure: str | None = None
) -> RouteDecision:
    """Decide about a route to `target` through the peering; None is a peering that does not exist yet.

    A route with the mark of `exposure` may be changed, for that exposure made it.
    """
    # A route of IPv6 is on no packet's way here.
    routes = tuple(route for route in routes if networks(route.destination))
    elsewhere = [
        route
        for route in routes
        if route.nexthop != peering_id
        and net(route.destination) != net(target)
        and net(route.destination).subnet_of(net(target))
    ]
    if elsewhere:
        return RouteDecision(RouteAction.REFUSE, f"{describe(elsewhere[0])} takes a part of {target}")
    taken = covering(routes, target)
    if taken is not None and peering_id is not None and taken.nexthop == peering_id:
        if read_mark(taken.description) is not None:
            return RouteDecision(RouteAction.UNCHANGED, f"{describe(taken)} is ours")
        return RouteDecision(RouteAction.ADOPT, f"{describe(taken)} was there and leads the right way")
    if taken is None or net(taken.destination).prefixlen < net(destination).prefixlen:
        return RouteDecision(RouteAction.ADD, f"nothing leads to {target} through the peering")
    mark = read_mark(taken.description)
    if mark is not None and mark.exposure == exposure and net(taken.destination) == net(destination):
        return RouteDecision(RouteAction.CHANGE, f"{describe(taken)} is ours and leads {target} elsewhere")
    return RouteDecision(RouteAction.REFUSE, f"{describe(taken)} leads {target} elsewhere")


def route_in_the_way(table_id: str, decision: RouteDecision) -> PermanentError:
    """The refusal of a table in which packets go elsewhere."""
    return PermanentError(
        ErrorCode.ROUTE_IN_THE_WAY,
        f"In route table {table_id}, {decision.reason}.",
        field="vpc_id",
        resource=table_id,
        advice="Remove or narrow that route, or choose another VPC or subnet.",
    )


def describe(route: Route) -> str:
    """A route in words."""
    return f"route {route.destination} -> {route.type} {route.nexthop}"
