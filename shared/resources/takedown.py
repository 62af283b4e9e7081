"""Take the public side down in the order ELB demands: monitor and members, pool, listener, load balancer, EIP."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.resources.converge import delete, not_ready
from shared.resources.holdings import HeldBalancer, HeldPool, hold
from shared.results import Did, Kind, Touched
from shared.services import gather

_REASON = "the exposure is taken down"


def release_pools(cloud: Cloud, balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """Delete our pools with their monitors and members: no connection reaches the instance any more."""
    return [one for balancer in balancers for pool in balancer.pools for one in _release_pool(cloud, pool)]


def release_listeners(cloud: Cloud, balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """Delete our listeners: the public port is closed."""
    touched = []
    for identifier in (listener for balancer in balancers for listener in balancer.listener_ids):
        delete(partial(cloud.elb.delete_listener, identifier))
        touched.append(_released(Kind.LISTENER, identifier, "the public port is closed"))
    return touched


def release_load_balancers(cloud: Cloud, balancers: Iterable[HeldBalancer], name: str) -> list[Touched]:
    """Delete our load balancers and their addresses, and addresses that outlived their load balancer.

    A load balancer that carries something that is not ours is kept with its address, and reported.
    """
    balancers = tuple(balancers)
    if balancers:
        return [one for balancer in balancers for one in release_load_balancer(cloud, balancer)]
    orphans = [eip for eip in cloud.eip.public_ips() if eip.bandwidth_name == name]
    return [_release_eip(cloud, eip.id, eip.address) for eip in orphans]


def release_load_balancer(cloud: Cloud, balancer: HeldBalancer) -> list[Touched]:
    """Delete one load balancer and its addresses."""
    try:
        cloud.elb.delete_load_balancer(balancer.id)
    except PermanentError as problem:
        if problem.code is ErrorCode.CONFLICT:
            return _keep(cloud, balancer, problem)
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
    return [
        _released(Kind.LOAD_BALANCER, balancer.id, _REASON),
        *(_release_eip(cloud, eip.id, eip.address) for eip in balancer.eips),
    ]


def _keep(cloud: Cloud, balancer: HeldBalancer, problem: PermanentError) -> list[Touched]:
    """Say what keeps a load balancer, or that what is ours is not gone yet."""
    current = cloud.elb.load_balancer(balancer.id)
    held = hold(cloud, current)
    ours = {*held.listener_ids, *(pool.id for pool in held.pools)}
    foreign = [one for one in (*current.listener_ids, *current.pool_ids) if one not in ours]
    if ours or not foreign:
        raise not_ready(problem)
    reason = f"it still carries what is not ours: {', '.join(foreign)}"
    return [
        Touched(kind=Kind.LOAD_BALANCER, id=balancer.id, did=Did.KEPT, reason=reason),
        *(
            Touched(kind=Kind.EIP, id=eip.id, did=Did.KEPT, reason=f"{eip.address} is still its")
            for eip in balancer.eips
        ),
    ]


def _release_pool(cloud: Cloud, pool: HeldPool) -> list[Touched]:
    calls = [
        *((Kind.MONITOR, one) for one in [pool.monitor_id] if one),
        *((Kind.MEMBER, one) for one in pool.member_ids),
    ]
    if calls:
        gather(*(partial(_delete, cloud, pool.id, kind, identifier) for kind, identifier in calls))
    delete(lambda: cloud.elb.delete_pool(pool.id))
    return [*(_released(kind, one, _REASON) for kind, one in calls), _released(Kind.POOL, pool.id, _REASON)]


def _delete(cloud: Cloud, pool_id: str, kind: Kind, identifier: str) -> None:
    if kind is Kind.MONITOR:
        delete(lambda: cloud.elb.delete_monitor(identifier))
    else:
        delete(lambda: cloud.elb.delete_member(pool_id, identifier))


def _release_eip(cloud: Cloud, identifier: str, address: str) -> Touched:
    delete(lambda: cloud.eip.delete(identifier))
    return _released(Kind.EIP, identifier, f"{address} was made with the load balancer")


def _released(kind: Kind, identifier: str, reason: str) -> Touched:
    return Touched(kind=kind, id=identifier, did=Did.RELEASED, reason=reason)
