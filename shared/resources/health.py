"""Whether the instance is reached: the load balancer's own verdict, and what is missing if it is not."""

from __future__ import annotations

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.ids import resource_name
from shared.otc.cloud import Cloud
from shared.otc.elb import LoadBalancer, MemberStatus, PoolStatus, StatusTree
from shared.planning.plan import Plan
from shared.planning.safety import admitting_group, whitelist_closed
from shared.record import read_record
from shared.resources.converge import elect, gone
from shared.resources.holdings import find_load_balancers
from shared.resources.listener import guarded
from shared.resources.ownership import is_named
from shared.resources.peering import find_peering
from shared.routing import covering
from shared.services import gather


def check_health(cloud: Cloud, plan: Plan, load_balancer_id: str, *, first: bool) -> tuple[str, list[LoadBalancer]]:
    """The member's status once it is ONLINE, and the load balancers that lost the election.

    The first check has hardly begun when a first poll looks, so only later ones ask what is in the way.

    Raises:
        TemporaryError: `Unhealthy`, with the cloud's reason code, until the member is ONLINE.
        PermanentError: `ParentGone` when something on the way is not there any more.
    """
    tree, balancers = gather(
        lambda: _tree(cloud, load_balancer_id),
        lambda: find_load_balancers(cloud, plan.exposure),
    )
    winner = elect(balancers)
    if winner is None or winner.id != load_balancer_id:
        raise gone("elected load balancer", load_balancer_id)
    pool, member = _ours(tree, plan)
    if not first:
        _check_door(cloud, plan, load_balancer_id)
    if member.operating_status != "ONLINE":
        if first:
            raise _unhealthy(plan, member, None)
        _check_way(cloud, plan)
        raise _unhealthy(plan, member, _reason(cloud, pool, member))
    return member.operating_status, [one for one in balancers if one.id != winner.id]


def serving(tree: StatusTree, name: str) -> bool:
    """Whether our listener of the load balancer has a member that is ONLINE."""
    return any(
        member.operating_status == "ONLINE"
        for listener in tree.listeners
        if is_named(listener, name)
        for pool in listener.pools
        for member in pool.members
    )


def reached(cloud: Cloud, exposure: str, *, unseen: bool) -> bool:
    """Whether any load balancer of an exposure reaches the instance now; `unseen` where nobody may look."""
    name, balancers = resource_name(exposure), find_load_balancers(cloud, exposure)
    return any(_reaches(cloud, balancer.id, name, unseen=unseen) for balancer in balancers)


def _reaches(cloud: Cloud, load_balancer_id: str, name: str, *, unseen: bool) -> bool:
    try:
        return serving(cloud.elb.status_tree(load_balancer_id), name)
    except PermanentError as problem:
        return unseen and problem.code is not ErrorCode.NOT_FOUND


def _tree(cloud: Cloud, load_balancer_id: str) -> StatusTree:
    try:
        return cloud.elb.status_tree(load_balancer_id)
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            raise gone("load balancer", load_balancer_id) from None
        raise


def _ours(tree: StatusTree, plan: Plan) -> tuple[PoolStatus, MemberStatus]:
    """Our member, if everything from the listener down to it and its monitor is there."""
    for listener in tree.listeners:
        for pool in listener.pools:
            members = [one for one in pool.members if (one.address, one.protocol_port) == (plan.address, plan.port)]
            if is_named(listener, plan.name) and pool.name == plan.name and members and pool.healthmonitor:
                return pool, members[0]
    raise gone("listener, pool, member or monitor of load balancer", tree.id)


def _check_door(cloud: Cloud, plan: Plan, load_balancer_id: str) -> None:
    """An allow-list that was detached in between would leave the port open to the world."""
    for listener in cloud.elb.listeners(load_balancer_id=load_balancer_id):
        record = read_record(listener.description)
        if record is not None and record.exposure == plan.exposure and not guarded(listener):
            raise gone("allow-list of listener", listener.id)


def _check_way(cloud: Cloud, plan: Plan) -> None:
    """Tell a way that vanished from one that is not effective yet."""
    if plan.whitelist is not None:
        whitelist = cloud.dcs.whitelist(plan.instance_id)
        if whitelist_closed(whitelist) and admitting_group(whitelist, plan.whitelist) is None:
            raise gone(f"whitelist entry {plan.whitelist} of instance", plan.instance_id)
    if not plan.routes:
        return
    peering = find_peering(cloud, plan.vpc_id, plan.peer_vpc_id)
    if peering is None:
        raise gone("peering of VPC", plan.vpc_id)
    for order in plan.routes:
        taken = covering(cloud.vpc.route_table(order.table_id).routes or (), order.target)
        if taken is None or taken.nexthop != peering.id:
            raise gone(f"route to {order.target} in table", order.table_id)


def _reason(cloud: Cloud, pool: PoolStatus, member: MemberStatus) -> str | None:
    """The cloud's own code; a member that was just made may be in the tree and nowhere else yet."""
    try:
        return cloud.elb.member(pool.id, member.id).reason_code
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        return None


def _unhealthy(plan: Plan, member: MemberStatus, reason: str | None) -> TemporaryError:
    return TemporaryError(
        ErrorCode.UNHEALTHY,
        f"Member {plan.address}:{plan.port} is {member.operating_status}" + (f": {reason}." if reason else "."),
        resource=member.id,
        advice=_ADVICE.get(reason or "", "Look at the routes, the peering and the instance's whitelist."),
    )


_ADVICE = {
    "CONNECT_TIMEOUT": "Check the routes on both sides, network ACLs and the instance's whitelist.",
    "CONNECT_REFUSED": "Check that the instance is running and its port has not changed.",
}
