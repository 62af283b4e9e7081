"""Load balancers, listeners, pools and what hangs below them, on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from emulator.account import Account
from emulator.core.message import Answer, created, no_content, ok
from emulator.core.paging import PageQuery, page_info, page_of
from emulator.core.resources import Resource, owned, seen
from emulator.elb import bodies, queries
from emulator.elb.errors import ElbErrors, not_found
from emulator.elb.queries import matches
from emulator.elb.views import Shown, Views

R = TypeVar("R", bound=Resource)
Extra = Mapping[str, Iterable[Any]]
# Members are addresses here, never cloud servers.
LAGGING = frozenset({"provisioning_status"})
NO_SERVERS: Extra = {"member_device_id": (), "member_instance_id": ()}


def create_load_balancer(account: Account, project_id: str, body: bodies.LoadBalancerCreateBody) -> Answer:
    """ELB API: creating a load balancer.

    Assumed: it occupies 2 addresses of each backend subnet in a zone, 4 more with IP targets; it may pass through
    PENDING_CREATE (dial `load_balancer_create`), and then takes no children.
    """
    item = account.elb.load_balancers.create(project_id, body.loadbalancer)
    return created({"loadbalancer": Views(account).load_balancer(item)})


def list_load_balancers(account: Account, project_id: str, query: queries.LoadBalancerQuery) -> Answer:
    """ELB API: querying load balancers.

    Assumed: names match exactly; the last page has no next_marker.
    """
    views = Views(account)

    def extra(shown: Shown) -> Extra:
        addresses = [one.address for pool in views.tree.pools_of[shown["id"]] for one in views.tree.members_of[pool.id]]
        return {"member_address": addresses, "ip_version": (4,), **NO_SERVERS}

    items = owned(account.elb.state.loadbalancers, project_id)
    return listing(account, "loadbalancers", items, query, show=views.load_balancer, extra=extra)


def show_load_balancer(account: Account, project_id: str, loadbalancer_id: str) -> Answer:
    """ELB API: viewing details of a load balancer."""
    item = visible(account, account.elb.load_balancers.get(project_id, loadbalancer_id))
    return ok({"loadbalancer": Views(account).load_balancer(item)})


def show_statuses(account: Account, project_id: str, loadbalancer_id: str) -> Answer:
    """ELB API: querying the status tree of a load balancer."""
    item = visible(account, account.elb.load_balancers.get(project_id, loadbalancer_id))
    return ok({"statuses": {"loadbalancer": Views(account).status_tree(item)}})


def update_load_balancer(
    account: Account, project_id: str, loadbalancer_id: str, body: bodies.LoadBalancerUpdateBody
) -> Answer:
    """ELB API: updating a load balancer.

    Assumed: it may pass through PENDING_UPDATE (dial `load_balancer_update`).
    """
    item = account.elb.load_balancers.get(project_id, loadbalancer_id)
    account.elb.load_balancers.update(item, body.loadbalancer)
    return ok({"loadbalancer": Views(account).load_balancer(item)})


def delete_load_balancer(account: Account, project_id: str, loadbalancer_id: str) -> Answer:
    """ELB API: deleting a load balancer.

    Assumed: it may pass through PENDING_DELETE (dial `load_balancer_delete`).
    """
    account.elb.load_balancers.delete(account.elb.load_balancers.get(project_id, loadbalancer_id))
    return no_content()


def force_delete_load_balancer(account: Account, project_id: str, loadbalancer_id: str) -> Answer:
    """ELB API: deleting a load balancer and its associated resources."""
    account.elb.load_balancers.force_delete(account.elb.load_balancers.get(project_id, loadbalancer_id))
    return no_content()


def create_listener(account: Account, project_id: str, body: bodies.ListenerCreateBody) -> Answer:
    """ELB API: adding a listener.

    Assumed: a port that is taken is ELB.8907.
    """
    item = account.elb.listeners.create(project_id, body.listener)
    return created({"listener": Views(account).listener(item)})


def list_listeners(account: Account, project_id: str, query: queries.ListenerQuery) -> Answer:
    """ELB API: querying listeners."""
    views = Views(account)

    def extra(shown: Shown) -> Extra:
        members = views.tree.members_of[shown["default_pool_id"] or ""]
        return {"member_address": [one.address for one in members], **NO_SERVERS}

    items = owned(account.elb.state.listeners, project_id)
    return listing(account, "listeners", items, query, show=views.listener, extra=extra)


def show_listener(account: Account, project_id: str, listener_id: str) -> Answer:
    """ELB API: viewing details of a listener."""
    item = visible(account, account.elb.listeners.get(project_id, listener_id))
    return ok({"listener": Views(account).listener(item)})


def update_listener(account: Account, project_id: str, listener_id: str, body: bodies.ListenerUpdateBody) -> Answer:
    """ELB API: updating a listener."""
    item = account.elb.listeners.get(project_id, listener_id)
    account.elb.listeners.update(item, body.listener)
    return ok({"listener": Views(account).listener(item)})


def delete_listener(account: Account, project_id: str, listener_id: str) -> Answer:
    """ELB API: deleting a listener."""
    account.elb.listeners.delete(account.elb.listeners.get(project_id, listener_id))
    return no_content()


def force_delete_listener(account: Account, project_id: str, listener_id: str) -> Answer:
    """ELB API: deleting a listener and its associated resources."""
    account.elb.listeners.force_delete(account.elb.listeners.get(project_id, listener_id))
    return no_content()


def create_pool(account: Account, project_id: str, body: bodies.PoolCreateBody) -> Answer:
    """ELB API: adding a backend server group."""
    item = account.elb.pools.create(project_id, body.pool)
    return created({"pool": Views(account).pool(item)})


def list_pools(account: Account, project_id: str, query: queries.PoolQuery) -> Answer:
    """ELB API: querying backend server groups."""
    views = Views(account)

    def extra(shown: Shown) -> Extra:
        members = views.tree.members_of[shown["id"]]
        addresses = [one.address for one in members]
        return {"member_address": addresses, "protection_status": ("nonProtection",), **NO_SERVERS}

    return listing(account, "pools", owned(account.elb.state.pools, project_id), query, show=views.pool, extra=extra)


def show_pool(account: Account, project_id: str, pool_id: str) -> Answer:
    """ELB API: viewing details of a backend server group."""
    return ok({"pool": Views(account).pool(visible(account, account.elb.pools.get(project_id, pool_id)))})


def update_pool(account: Account, project_id: str, pool_id: str, body: bodies.PoolUpdateBody) -> Answer:
    """ELB API: updating a backend server group."""
    item = account.elb.pools.get(project_id, pool_id)
    account.elb.pools.update(item, body.pool)
    return ok({"pool": Views(account).pool(item)})


def delete_pool(account: Account, project_id: str, pool_id: str) -> Answer:
    """ELB API: deleting a backend server group."""
    account.elb.pools.delete(account.elb.pools.get(project_id, pool_id))
    return no_content()


def create_member(account: Account, project_id: str, pool_id: str, body: bodies.MemberCreateBody) -> Answer:
    """ELB API: adding a backend server.

    Assumed: an address and port that is taken is ELB.8907; whether targets in the load balancer's own VPC are
    reached is the dial `same_vpc_targets`.
    """
    item = account.elb.members.create(account.elb.pools.get(project_id, pool_id), body.member)

    return created({"member": Views(account).member(item)})


def list_members(account: Account, project_id: str, pool_id: str, query: queries.MemberQuery) -> Answer:
    """ELB API: querying backend servers in a backend server group."""
    pool = account.elb.pools.get(project_id, pool_id)
    views = Views(account)
    items = views.tree.members_of[pool.id]
    return listing(account, "members", items, query, show=views.member)


def list_all_members(account: Account, project_id: str, query: queries.ProjectMemberQuery) -> Answer:
    """ELB API: querying backend servers in a project; these items name their pool."""
    views = Views(account)
    pools = {one.id: one.pool_id for one in account.elb.state.members.values()}
    owners = views.tree.load_balancers_of

    def show(item: Any) -> Shown:
        pool_id = pools[item.id]
        ids = [{"id": one.id} for one in owners[pool_id]]
        return {**views.member(item), "pool_id": pool_id, "loadbalancers": ids}

    return listing(account, "members", owned(account.elb.state.members, project_id), query, show=show)


def show_member(account: Account, project_id: str, pool_id: str, member_id: str) -> Answer:
    """ELB API: viewing details of a backend server."""
    item = visible(account, account.elb.members.get(project_id, pool_id, member_id))
    return ok({"member": Views(account).member(item)})


def update_member(
    account: Account, project_id: str, pool_id: str, member_id: str, body: bodies.MemberUpdateBody
) -> Answer:
    """ELB API: updating a backend server."""
    item = account.elb.members.get(project_id, pool_id, member_id)
    account.elb.members.update(item, body.member)
    return ok({"member": Views(account).member(item)})


def delete_member(account: Account, project_id: str, pool_id: str, member_id: str) -> Answer:
    """ELB API: removing a backend server."""
    account.elb.members.delete(account.elb.members.get(project_id, pool_id, member_id))
    return no_content()


def create_monitor(account: Account, project_id: str, body: bodies.MonitorCreateBody) -> Answer:
    """ELB API: configuring a health check."""
    item = account.elb.monitors.create(project_id, body.healthmonitor)
    return created({"healthmonitor": Views(account).monitor(item)})


def list_monitors(account: Account, project_id: str, query: queries.MonitorQuery) -> Answer:
    """ELB API: querying health checks."""
    items = owned(account.elb.state.healthmonitors, project_id)
    return listing(account, "healthmonitors", items, query, show=Views(account).monitor)


def show_monitor(account: Account, project_id: str, healthmonitor_id: str) -> Answer:
    """ELB API: viewing details of a health check."""
    item = visible(account, account.elb.monitors.get(project_id, healthmonitor_id))
    return ok({"healthmonitor": Views(account).monitor(item)})


def update_monitor(account: Account, project_id: str, healthmonitor_id: str, body: bodies.MonitorUpdateBody) -> Answer:
    """ELB API: updating a health check."""
    item = account.elb.monitors.get(project_id, healthmonitor_id)
    account.elb.monitors.update(item, body.healthmonitor)
    return ok({"healthmonitor": Views(account).monitor(item)})


def delete_monitor(account: Account, project_id: str, healthmonitor_id: str) -> Answer:
    """ELB API: deleting a health check."""
    account.elb.monitors.delete(account.elb.monitors.get(project_id, healthmonitor_id))
    return no_content()


def visible(account: Account, item: R) -> R:
    """The item, unless reads do not see it yet.

    Raises:
        ApiError: 404.
    """
    if not seen([item], account.now()):
        raise not_found(type(item).__name__, item.id)
    return item


def listing(
    account: Account,
    key: str,
    items: list[R],
    query: PageQuery,
    *,
    show: Callable[[R], Shown],
    extra: Callable[[Shown], Extra] = lambda _: {},
) -> Answer:
    """One page of what matches the filters; marker and direction only count together with a limit."""

    def fits(view: Shown, **options: frozenset[str]) -> bool:
        return matches(query, view, {"enterprise_project_id": ("0",), **extra(view)}, **options)

    # A list counts as a read of what it is about; a status that lags must be read to move on.
    asked = [item for item in items if fits(show(item), leaving=LAGGING)]
    shown = {item.id: show(item) for item in seen(asked, account.now())}
    found = [item for item in asked if item.id in shown and fits(shown[item.id])]
    page = page_of(found, query if "limit" in query.model_fields_set else PageQuery(), ElbErrors())
    return ok({key: [shown[item.id] for item in page], "page_info": page_info(found, page)})
