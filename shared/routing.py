"""Which route a packet takes, and what that means for a route we want (VPC: route tables and routes)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network

from shared.otc.vpc import Route
from shared.record import read_mark


class RouteAction(StrEnum):
    """What to do about a route."""

    ADD = "add"
    UNCHANGED = "unchanged"
    ADOPT = "adopt"
    REFUSE = "refuse"


@dataclass(frozen=True)
class RouteDecision:
    """The action, and the reason for it."""

    action: RouteAction
    reason: str


def net(cidr: str) -> IPv4Network:
    """A CIDR as a network; host bits do not matter."""
    return IPv4Network(cidr, strict=False)


def covering(routes: Iterable[Route], target: str) -> Route | None:
    """The route that the target's packets take: the longest prefix that holds all of it."""
    holding = [route for route in routes if net(target).subnet_of(net(route.destination))]
    return max(holding, key=lambda route: net(route.destination).prefixlen, default=None)


def decide_route(routes: Iterable[Route], *, destination: str, target: str, peering_id: str | None) -> RouteDecision:
    """Decide about a route to `target` through the peering; None is a peering that does not exist yet."""
    routes = tuple(routes)
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
    return RouteDecision(RouteAction.REFUSE, f"{describe(taken)} leads {target} elsewhere")


def describe(route: Route) -> str:
    """A route in words."""
    return f"route {route.destination} -> {route.type} {route.nexthop}"
