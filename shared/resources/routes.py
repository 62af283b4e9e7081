"""The routes through the peering, in the tables of the subnets concerned (VPC v1: route tables)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from shared.errors import AccessError, ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.problems import ambiguous
from shared.otc.vpc import Route, RouteTable
from shared.planning.plan import Plan, RouteOrder
from shared.record import Mark, read_mark
from shared.resources.converge import gather_told, gone, not_ready, update
from shared.results import Did, Kind, Touched
from shared.routing import RouteAction, covering, decide_route, route_in_the_way
from shared.services import gather


@dataclass(frozen=True)
class Through:
    """The routes that lead through a peering, in one table."""

    table_id: str
    ours: tuple[Route, ...]
    foreign: tuple[Route, ...]


def ensure_routes(cloud: Cloud, plan: Plan, run: str, peering_id: str, *, first: bool) -> list[Touched]:
    """Every route of the plan, side by side: no two are in the same table."""
    orders = [partial(ensure_route, cloud, order, plan, run, peering_id, first=first) for order in plan.routes]
    return gather_told(lambda one: [one], *orders)


def ensure_route(cloud: Cloud, order: RouteOrder, plan: Plan, run: str, peering_id: str, *, first: bool) -> Touched:
    """One route; a destination is unique in its table, so a first attempt just adds it.

    Raises:
        PermanentError: `RouteInTheWay`, naming the route; `ParentGone` when the peering is.
    """
    route = Route(
        type="peering",
        destination=order.destination,
        nexthop=peering_id,
        description=Mark(plan.exposure, run).text(),
    )
    # An adopted peering may carry routes already, and then there is nothing to add.
    if first and plan.seen.peering_id is None:
        try:
            _change(cloud, order.table_id, route)
            return _touched(order, Did.CREATED, f"nothing led to {order.target}")
        except AccessError as problem:
            if problem.code is not ErrorCode.CONFLICT and not ambiguous(problem):
                raise
    return _converge(cloud, order, route)


def _converge(cloud: Cloud, order: RouteOrder, route: Route) -> Touched:
    routes = cloud.vpc.route_table(order.table_id).routes or ()
    mark = read_mark(route.description)
    decision = decide_route(
        routes,
        destination=order.destination,
        target=order.target,
        peering_id=route.nexthop,
        exposure=mark.exposure if mark else None,
    )
    match decision.action:
        case RouteAction.UNCHANGED:
            taken = covering(routes, order.target)
            own = taken is not None and read_mark(taken.description) == read_mark(route.description)
            reason = "made by this run, in an earlier attempt" if own else decision.reason
            return _touched(order, Did.CREATED if own else Did.UNCHANGED, reason)
        case RouteAction.ADOPT:
            return _touched(order, Did.ADOPTED, decision.reason)
        case RouteAction.ADD:
            return _add(cloud, order, route, decision.reason)
        case RouteAction.CHANGE:
            update("route table", order.table_id, partial(cloud.vpc.change_routes, order.table_id, modify=[route]))
            return _touched(order, Did.UPDATED, decision.reason)
        case RouteAction.REFUSE:
            raise route_in_the_way(order.table_id, decision)


def _add(cloud: Cloud, order: RouteOrder, route: Route, reason: str) -> Touched:
    try:
        _change(cloud, order.table_id, route)
    except PermanentError as problem:
        if problem.code is ErrorCode.CONFLICT:
            raise not_ready(problem) from None
        raise
    return _touched(order, Did.CREATED, reason)


def _change(cloud: Cloud, table_id: str, route: Route) -> None:
    """Add a route; a refusal because the peering is gone is `ParentGone`, with whatever status it came."""
    try:
        cloud.vpc.change_routes(table_id, add=[route])
    except PermanentError as problem:
        refused = problem.code in {ErrorCode.NOT_FOUND, ErrorCode.REFUSED}
        if refused and not any(peering.id == route.nexthop for peering in cloud.vpc.peerings()):
            raise gone("peering", route.nexthop) from None
        raise


def routes_through(cloud: Cloud, vpc_ids: frozenset[str], peering_id: str) -> list[Through]:
    """What leads through a peering, in all tables of its VPCs."""
    tables = [table for table in cloud.vpc.route_tables() if table.vpc_id in vpc_ids]
    if not tables:
        return []
    read: list[RouteTable] = gather(*(partial(with_routes, cloud, table) for table in tables))
    return [_through(table, peering_id) for table in read]


def with_routes(cloud: Cloud, table: RouteTable) -> RouteTable:
    """A table with its routes, which lists leave out."""
    return table if table.routes is not None else cloud.vpc.route_table(table.id)


def _through(table: RouteTable, peering_id: str) -> Through:
    routes = [route for route in table.routes or () if route.nexthop == peering_id]
    ours = tuple(route for route in routes if read_mark(route.description) is not None)
    return Through(table.id, ours, tuple(route for route in routes if route not in ours))


def release_routes(cloud: Cloud, through: list[Through]) -> list[Touched]:
    """Delete our routes, table by table, side by side."""
    releases = [partial(_release, cloud, table) for table in through if table.ours]
    return [one for touched in gather_told(list, *releases) for one in touched]


def _release(cloud: Cloud, through: Through) -> list[Touched]:
    destinations = [route.destination for route in through.ours]
    try:
        cloud.vpc.change_routes(through.table_id, delete=destinations)
    except PermanentError as problem:
        if problem.code not in {ErrorCode.CONFLICT, ErrorCode.NOT_FOUND, ErrorCode.REFUSED}:
            raise
        # Somebody deleted one of them since: the next look shows what is left.
        raise not_ready(problem) from None
    reason = "no exposure needs it any more"
    return [
        Touched(kind=Kind.ROUTE, id=f"{through.table_id} {destination}", did=Did.RELEASED, reason=reason)
        for destination in destinations
    ]


def _touched(order: RouteOrder, did: Did, reason: str) -> Touched:
    return Touched(kind=Kind.ROUTE, id=f"{order.table_id} {order.destination}", did=did, reason=reason)
