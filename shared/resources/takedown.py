"""Take the public side down in the order ELB demands: monitor and members, pool, listener, load balancer, EIP."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.ids import resource_name
from shared.otc.cloud import Cloud
from shared.otc.eip import UNBOUND, PublicIp
from shared.otc.elb import BoundEip, LoadBalancer
from shared.resources.converge import delete, gather_told, in_turn, not_ready, telling
from shared.resources.holdings import HeldBalancer, HeldEip, HeldPool, hold
from shared.resources.ownership import exposure_of
from shared.results import Did, Kind, Touched

_REASON = "the exposure is taken down"
_CLOSED = "the public port is closed"


def release_pools(cloud: Cloud, balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """Delete our pools with their monitors and members: no connection reaches the instance any more."""
    return in_turn(one for balancer in balancers for pool in balancer.pools for one in _release_pool(cloud, pool))


def release_listeners(cloud: Cloud, balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """Delete our listeners: the public port is closed."""
    return in_turn(_release_listener(cloud, one) for balancer in balancers for one in balancer.listener_ids)


def release_load_balancers(cloud: Cloud, balancers: Iterable[HeldBalancer], name: str, *, first: bool) -> list[Touched]:
    """Delete our load balancers, and the addresses that were made with them.

    A load balancer that carries something that is not ours is kept with its address, and reported. An address
    that somebody bound later is left; one of ours that outlived its load balancer, or was unbound, is found
    by its bandwidth's name, and kept if something that is not ours has it now.

    Raises:
        TemporaryError: `NotReady`, while something of ours is going away.
    """
    balancers = tuple(balancers)
    touched: list[Touched] = []
    with telling(touched):
        touched += in_turn(one for balancer in balancers for one in _release_load_balancer(cloud, balancer, _REASON))
        if not any(one.did is Did.KEPT for one in touched):
            touched += in_turn(_release_addresses(cloud, balancers, name, first=first))
    return touched


def _release_addresses(cloud: Cloud, balancers: Iterable[HeldBalancer], name: str, *, first: bool) -> Iterator[Touched]:
    eips = [eip for balancer in balancers for eip in balancer.eips]
    if first and eips and all(eip.made for eip in eips):
        yield from (_release_eip(cloud, eip) for eip in eips)
    else:
        yield from (_release_found(cloud, eip, name, first=first) for eip in find_addresses(cloud, name))


def release_alone(cloud: Cloud, balancer: LoadBalancer, reason: str) -> list[Touched]:
    """Delete one load balancer with what is ours below it and the address that was made with it; no other one.

    Raises:
        TemporaryError: `NotReady`, while something is going away, or an address does not show yet whose it is.
    """
    known = {eip.id: eip for eip in cloud.eip.public_ips()} if balancer.public_ips else {}
    made = [eip for eip in balancer.public_ips if _bandwidth_of(eip, known) == _name_of(balancer)]
    held = hold(cloud, balancer)
    touched: list[Touched] = []
    with telling(touched):
        touched += release_pools(cloud, (held,))
        touched += release_listeners(cloud, (held,))
        touched += _release_load_balancer(cloud, held, reason)
        if not any(one.did is Did.KEPT for one in touched):
            touched += in_turn(_release_eip(cloud, eip) for eip in made)
    return touched


def _bandwidth_of(eip: BoundEip, known: Mapping[str, PublicIp]) -> str | None:
    if eip.id not in known:
        raise TemporaryError(
            ErrorCode.NOT_READY,
            f"Address {eip.address} is not listed yet, so it is not known with what it was made.",
            resource=eip.id,
            advice="Ask again when it is listed.",
        )
    return known[eip.id].bandwidth_name


def _name_of(balancer: LoadBalancer) -> str:
    return resource_name(exposure_of(balancer) or "")


def find_addresses(cloud: Cloud, name: str) -> list[PublicIp]:
    """The addresses that were made with our load balancers: their bandwidth bears our name."""
    return [eip for eip in cloud.eip.public_ips() if eip.bandwidth_name == name]


def gone_pools(balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """What `release_pools` tells of pools that are gone already."""
    pools = [pool for balancer in balancers for pool in balancer.pools]
    return [_released(kind, one, _REASON) for pool in pools for kind, one in (*_below(pool), (Kind.POOL, pool.id))]


def gone_listeners(balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """What `release_listeners` tells of listeners that are gone already."""
    return [_released(Kind.LISTENER, one, _CLOSED) for balancer in balancers for one in balancer.listener_ids]


def gone_load_balancers(balancers: Iterable[HeldBalancer]) -> list[Touched]:
    """What `release_load_balancers` tells of load balancers that are gone already."""
    return [_released(Kind.LOAD_BALANCER, balancer.id, _REASON) for balancer in balancers]


def gone_addresses(cloud: Cloud, balancers: Iterable[HeldBalancer], own: Collection[str]) -> list[Touched]:
    """What is told of addresses that were made with the load balancers, or are the run's own, and are gone."""
    made = [eip for balancer in balancers for eip in balancer.eips if eip.made or eip.id in own]
    there = {eip.id for eip in cloud.eip.public_ips()} if made else set()
    return [_released_address(eip) for eip in made if eip.id not in there]


def _release_load_balancer(cloud: Cloud, balancer: HeldBalancer, reason: str) -> list[Touched]:
    try:
        cloud.elb.delete_load_balancer(balancer.id)
    except PermanentError as problem:
        if problem.code is ErrorCode.CONFLICT:
            return _keep(cloud, balancer, problem)
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
    return [_released(Kind.LOAD_BALANCER, balancer.id, reason)]


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


def _release_listener(cloud: Cloud, identifier: str) -> Touched:
    delete(lambda: cloud.elb.delete_listener(identifier))
    return _released(Kind.LISTENER, identifier, _CLOSED)


def _release_pool(cloud: Cloud, pool: HeldPool) -> Iterator[Touched]:
    deletions = [partial(_delete, cloud, pool.id, kind, identifier) for kind, identifier in _below(pool)]
    yield from gather_told(lambda one: [one], *deletions)
    delete(lambda: cloud.elb.delete_pool(pool.id))
    yield _released(Kind.POOL, pool.id, _REASON)


def _below(pool: HeldPool) -> list[tuple[Kind, str]]:
    monitors = [pool.monitor_id] if pool.monitor_id else []
    return [*((Kind.MONITOR, one) for one in monitors), *((Kind.MEMBER, one) for one in pool.member_ids)]


def _delete(cloud: Cloud, pool_id: str, kind: Kind, identifier: str) -> Touched:
    if kind is Kind.MONITOR:
        delete(lambda: cloud.elb.delete_monitor(identifier))
    else:
        delete(lambda: cloud.elb.delete_member(pool_id, identifier))
    return _released(kind, identifier, _REASON)


def _release_found(cloud: Cloud, eip: PublicIp, name: str, *, first: bool) -> Touched:
    try:
        return _release_eip(cloud, eip)
    except TemporaryError as problem:
        # At first it may just be its own load balancer that is still going away.
        if first or problem.code is not ErrorCode.NOT_READY or eip.status in UNBOUND:
            raise
        stranger = _stranger_with(cloud, eip, name)
        if stranger is None:
            raise
    return Touched(kind=Kind.EIP, id=eip.id, did=Did.KEPT, reason=f"{eip.address} is bound to {stranger} now")


def _stranger_with(cloud: Cloud, eip: PublicIp, name: str) -> str | None:
    """What a bound address is bound to, if that is shown and is no load balancer of the exposure.

    An address whose own load balancer has just gone may look bound for a while, to nothing that is shown.
    """
    for balancer in cloud.elb.load_balancers():
        bound = any(one.id == eip.id for one in balancer.public_ips)
        if bound or (eip.port_id and balancer.vip_port_id == eip.port_id):
            return None if _name_of(balancer) == name else f"load balancer {balancer.id}"
    return f"port {eip.port_id}" if eip.port_id else None


def _release_eip(cloud: Cloud, eip: HeldEip | BoundEip | PublicIp) -> Touched:
    delete(lambda: cloud.eip.delete(eip.id))
    return _released_address(eip)


def _released_address(eip: HeldEip | BoundEip | PublicIp) -> Touched:
    return _released(Kind.EIP, eip.id, f"{eip.address} was made with the load balancer")


def _released(kind: Kind, identifier: str, reason: str) -> Touched:
    return Touched(kind=kind, id=identifier, did=Did.RELEASED, reason=reason)
