"""What an exposure holds on the public side: anchors, load balancers, addresses, and what hangs below them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shared.errors import ErrorCode, PermanentError
from shared.ids import resource_name
from shared.otc.cloud import Cloud
from shared.otc.elb import ListenerStatus, LoadBalancer, PoolStatus
from shared.record import read_mark
from shared.resources.ownership import exposure_of, is_named, listener_name, load_balancers_of
from shared.results import Frozen
from shared.services import gather


class HeldEip(Frozen):
    """A public address; `made` if our listener's name says that it came with the load balancer."""

    id: str
    address: str
    made: bool = False


class HeldPool(Frozen):
    """A pool of ours with its monitor and members."""

    id: str
    monitor_id: str | None
    member_ids: tuple[str, ...]


class HeldBalancer(Frozen):
    """A load balancer of ours, with what is ours below it."""

    id: str
    eips: tuple[HeldEip, ...]
    listener_ids: tuple[str, ...] = ()
    pools: tuple[HeldPool, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing from the listener down to member and monitor."""
        return bool(self.listener_ids) and any(pool.monitor_id and pool.member_ids for pool in self.pools)


def find_load_balancers(cloud: Cloud, exposure: str) -> list[LoadBalancer]:
    """The load balancers of an exposure, whatever they are called."""
    return load_balancers_of(cloud.elb.load_balancers(), exposure)


def hold_all(cloud: Cloud, exposure: str) -> tuple[HeldBalancer, ...]:
    """Every load balancer of an exposure with what is ours below it."""
    balancers = find_load_balancers(cloud, exposure)
    if not balancers:
        return ()
    return tuple(gather(*(partial(hold, cloud, balancer) for balancer in balancers)))


def hold(cloud: Cloud, balancer: LoadBalancer) -> HeldBalancer:
    """One load balancer with what is ours below it: under a marked parent our derived name counts, too."""
    name = resource_name(exposure_of(balancer) or "")
    try:
        tree = cloud.elb.status_tree(balancer.id)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        return HeldBalancer(id=balancer.id, eips=_eips(balancer, [], name))
    pools = (*tree.pools, *_below(tree.listeners))
    named = all(is_named(one, name) for one in tree.listeners) and all(one.name == name for one in pools)
    marked = frozenset[str]() if named else _marked(cloud, balancer)
    listeners = [listener for listener in tree.listeners if is_named(listener, name) or listener.id in marked]
    return HeldBalancer(
        id=balancer.id,
        eips=_eips(balancer, listeners, name),
        listener_ids=tuple(listener.id for listener in listeners),
        pools=tuple(_pools([pool for pool in pools if pool.name == name or pool.id in marked])),
    )


def _marked(cloud: Cloud, balancer: LoadBalancer) -> frozenset[str]:
    """What bears the exposure's mark below a load balancer, whatever it is called now."""
    listeners, pools = cloud.elb.listeners(load_balancer_id=balancer.id), cloud.elb.pools(load_balancer_id=balancer.id)
    below = [*((one.id, one.description) for one in listeners), *((one.id, one.description) for one in pools)]
    marks = {identifier: read_mark(description) for identifier, description in below}
    return frozenset(one for one, mark in marks.items() if mark and mark.exposure == exposure_of(balancer))


def _eips(balancer: LoadBalancer, listeners: list[ListenerStatus], name: str) -> tuple[HeldEip, ...]:
    names = {listener.name for listener in listeners}
    return tuple(
        HeldEip(id=eip.id, address=eip.address, made=listener_name(name, eip.address) in names)
        for eip in balancer.public_ips
    )


def _below(listeners: Iterable[ListenerStatus]) -> list[PoolStatus]:
    return [pool for listener in listeners for pool in listener.pools]


def _pools(pools: Iterable[PoolStatus]) -> list[HeldPool]:
    ours = {pool.id: pool for pool in pools}
    return [
        HeldPool(
            id=pool.id,
            monitor_id=pool.healthmonitor.id if pool.healthmonitor else None,
            member_ids=tuple(member.id for member in pool.members),
        )
        for pool in ours.values()
    ]
