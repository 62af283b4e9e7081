"""Route tables (v1) and routes (v2.0) on the wire: two views of one store."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, Request, created, no_content, ok
from emulator.core.paging import MarkerQuery, page_of
from emulator.core.problems import refusing
from emulator.core.resources import Resource, Strict, owned, seen
from emulator.core.text import Cidr, Description, Name64
from emulator.core.times import without_z
from emulator.vpc.errors import NeutronErrors, VpcErrors, neutron, subnet_not_found, table_not_found, v1, vpc_not_found
from emulator.vpc.links import page_links
from emulator.vpc.models import RouteEntry, RouteTable, Subnet
from emulator.vpc.routing import (
    associate,
    change_routes,
    create_table,
    delete_table,
    disassociate,
    system_routes,
)

ERRORS = VpcErrors()
NEUTRON = NeutronErrors()


class RouteFields(Strict):
    """A route to add or to change."""

    type: str
    destination: Cidr
    nexthop: str
    description: Description = ""


class Destination(Strict):
    """A route to delete; clients may send the rest of it, too."""

    destination: Cidr
    type: str | None = None
    nexthop: str | None = None
    description: str | None = None


class RouteChanges(Strict):
    """What to do to the routes of a table."""

    add: list[RouteFields] = []
    mod: list[RouteFields] = []
    delete: list[Destination] = Field(default=[], alias="del")


class TableChange(Strict):
    """What may change in a table."""

    name: Name64 | None = None
    description: Description | None = None
    routes: RouteChanges = RouteChanges()


class TableChangeBody(Strict):
    """The body of updating a route table."""

    routetable: TableChange


class TableFields(Strict):
    """What a new table is to be."""

    name: Name64 = "routetable"
    vpc_id: str
    description: Description = ""
    routes: list[RouteFields] = Field(default=[], max_length=5)


class TableBody(Strict):
    """The body of creating a route table."""

    routetable: TableFields


class SubnetAction(Strict):
    """Which subnets a table is to decide for, or no longer."""

    associate: list[str] = []
    disassociate: list[str] = []


class ActionFields(Strict):
    """What an action is about."""

    subnets: SubnetAction


class ActionBody(Strict):
    """The body of associating or disassociating subnets."""

    routetable: ActionFields


class TableQuery(MarkerQuery):
    """Filters of the list of tables."""

    id: str | None = None
    vpc_id: str | None = None
    subnet_id: str | None = None


class RouteV2Fields(Strict):
    """A route of the v2.0 API, which knows peerings only."""

    type: Literal["peering"]
    nexthop: str
    destination: Cidr
    vpc_id: str


class RouteV2Body(Strict):
    """The body of creating a VPC route."""

    route: RouteV2Fields


class RouteV2Query(MarkerQuery):
    """Filters of the v2.0 list."""

    id: str | None = None
    type: str | None = None
    vpc_id: str | None = None
    destination: str | None = None
    tenant_id: str | None = None


class ListedRoute(Resource):
    """A route with the id and owner under which v2.0 lists it."""

    kind = "route"

    table: RouteTable
    route: RouteEntry


def list_tables(account: Account, project_id: str, query: TableQuery) -> Answer:
    """VPC API: querying route tables; whether routes are shown is a dial.

    Assumed: items show neither routes nor `default` (dial `list_tables_show_routes`).
    """
    found = [
        table
        for table in owned(account.vpc.state.route_tables, project_id)
        if query.id in (None, table.id)
        and query.vpc_id in (None, table.vpc_id)
        and (query.subnet_id is None or query.subnet_id in _subnet_ids(account, table))
    ]
    page = page_of(seen(found, account.now()), query, ERRORS)
    shown = [_table(account, table) for table in page]
    if not account.dials.list_tables_show_routes:
        shown = [{key: item[key] for key in item if key not in ("routes", "default")} for item in shown]
    return ok({"routetables": shown})


def show_table(account: Account, project_id: str, routetable_id: str) -> Answer:
    """VPC API: querying a route table; system routes are included."""
    visible = seen([_find_table(account, project_id, routetable_id)], account.now())
    if not visible:
        raise table_not_found(routetable_id)
    return ok({"routetable": _table(account, visible[0])})


def create_route_table(account: Account, project_id: str, body: TableBody) -> Answer:
    """VPC API: creating a route table; answers 200."""
    fields = body.routetable
    vpc = account.vpc.vpc(project_id, fields.vpc_id)
    if vpc is None:
        raise vpc_not_found()
    with refusing(v1):
        table = create_table(account, vpc, fields.name, fields.description, _entries(fields.routes))
    return ok({"routetable": _table(account, table)})


def update_route_table(account: Account, project_id: str, routetable_id: str, body: TableChangeBody) -> Answer:
    """VPC API: updating a route table; this is how routes are added, changed and deleted.

    Assumed: the status for a destination that is there (dial `duplicate_route_status`); whether one may overlap
    subnets of the VPC (`routes_may_overlap_subnets`); how long packets take to follow (`routes`). Only peerings are
    looked up as next hops: servers, gateways and the like are not emulated, and routes to them lose their packets.
    """
    table = _find_table(account, project_id, routetable_id)
    fields, routes = body.routetable, body.routetable.routes
    with refusing(v1):
        change_routes(
            account,
            table,
            add=_entries(routes.add),
            modify=_entries(routes.mod),
            delete=[route.destination for route in routes.delete],
        )
    table.name = table.name if fields.name is None else fields.name
    table.description = table.description if fields.description is None else fields.description
    return ok({"routetable": _table(account, table)})


def act_on_route_table(account: Account, project_id: str, routetable_id: str, body: ActionBody) -> Answer:
    """VPC API: associating subnets with a route table; or disassociating them."""
    table = _find_table(account, project_id, routetable_id)
    action = body.routetable.subnets
    added = [_find_subnet(account, project_id, subnet_id) for subnet_id in action.associate]
    removed = [_find_subnet(account, project_id, subnet_id) for subnet_id in action.disassociate]
    if bool(added) == bool(removed):
        raise ERRORS.invalid("subnets", "either associate or disassociate")
    with refusing(v1):
        if added:
            associate(account, table, added)
        else:
            disassociate(account, table, removed)
    return ok({"routetable": _table(account, table)})


def delete_route_table(account: Account, project_id: str, routetable_id: str) -> Answer:
    """VPC API: deleting a route table."""
    with refusing(v1):
        delete_table(account, _find_table(account, project_id, routetable_id))
    return no_content()


def list_routes(account: Account, project_id: str, request: Request, query: RouteV2Query) -> Answer:
    """VPC API v2.0: querying VPC routes."""
    found = [
        one
        for one in _listed(account, project_id)
        if query.id in (None, one.id)
        and query.vpc_id in (None, one.table.vpc_id)
        and query.destination in (None, one.route.destination)
        and query.type in (None, "peering")
        and query.tenant_id in (None, project_id)
    ]
    page = page_of(found, query, NEUTRON)
    return ok({"routes": [_route(one) for one in page], **page_links("routes", request, found, page)})


def show_route(account: Account, project_id: str, route_id: str) -> Answer:
    """VPC API v2.0: querying a VPC route."""
    return ok({"route": _route(_find_route(account, project_id, route_id))})


def create_route(account: Account, project_id: str, body: RouteV2Body) -> Answer:
    """VPC API v2.0: creating a VPC route; in the default table.

    Assumed: as for route tables.
    """
    fields = body.route
    if account.vpc.vpc(project_id, fields.vpc_id) is None:
        raise neutron(404, "RouterNotFound", f"Router {fields.vpc_id} could not be found")
    table = account.vpc.default_table_of(fields.vpc_id)
    entry = RouteEntry(type="peering", destination=fields.destination, nexthop=fields.nexthop)
    with refusing(neutron):
        change_routes(account, table, add=[entry])
    return created({"route": _route(_as_listed(table, table.routes[-1]))})


def delete_route(account: Account, project_id: str, route_id: str) -> Answer:
    """VPC API v2.0: deleting a VPC route."""
    found = _find_route(account, project_id, route_id)
    change_routes(account, found.table, delete=[found.route.destination])
    return no_content()


def _entries(fields: list[RouteFields]) -> list[RouteEntry]:
    return [RouteEntry(**one.model_dump()) for one in fields]


def _find_table(account: Account, project_id: str, table_id: str) -> RouteTable:
    table = account.vpc.state.route_tables.get(table_id)
    if table is None or table.project_id != project_id:
        raise table_not_found(table_id)
    return table


def _find_subnet(account: Account, project_id: str, subnet_id: str) -> Subnet:
    subnet = account.vpc.subnet(project_id, subnet_id)
    if subnet is None:
        raise subnet_not_found()
    return subnet


def _find_route(account: Account, project_id: str, route_id: str) -> ListedRoute:
    for one in _listed(account, project_id):
        if one.id == route_id:
            return one
    raise neutron(404, "RouteNotFound", f"Route {route_id} could not be found")


def _listed(account: Account, project_id: str) -> list[ListedRoute]:
    return [
        _as_listed(table, route)
        for table in owned(account.vpc.state.route_tables, project_id)
        if table.default
        for route in table.routes
        if route.type == "peering"
    ]


def _as_listed(table: RouteTable, route: RouteEntry) -> ListedRoute:
    return ListedRoute.model_construct(id=table.route_id(route), table=table, route=route)


def _route(one: ListedRoute) -> dict[str, Any]:
    return {
        "id": one.id,
        "type": "peering",
        "nexthop": one.route.nexthop,
        "destination": one.route.destination,
        "vpc_id": one.table.vpc_id,
        "tenant_id": one.table.project_id,
    }


def _subnet_ids(account: Account, table: RouteTable) -> list[str]:
    return [subnet.id for subnet in account.vpc.subnets_using(table)]


def _table(account: Account, table: RouteTable) -> dict[str, Any]:
    local = [route.model_dump(exclude={"since", "description"}) for route in system_routes(account, table)]
    custom = [route.model_dump(exclude={"since"}) for route in table.routes]
    return {
        "id": table.id,
        "name": table.name,
        "default": table.default,
        "vpc_id": table.vpc_id,
        "tenant_id": table.project_id,
        "description": table.description,
        "routes": [*custom, *local],
        "subnets": [{"id": subnet_id} for subnet_id in _subnet_ids(account, table)],
        "created_at": without_z(table.created_at),
        "updated_at": without_z(table.updated_at),
    }
