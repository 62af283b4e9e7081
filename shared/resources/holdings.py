"""What an exposure holds on the public side: anchors, load balancers, addresses, and what hangs below them."""

from __future__ import annotations

from functools import partial

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.elb import ListenerStatus, LoadBalancer, PoolStatus
from shared.record import read_mark
from shared.results import Frozen
from shared.services import gather


class HeldEip(Frozen):
    """A public address."""

    id: str
    address: str


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


def find_load_balancers(cloud: Cloud, name: str, exposure: str) -> list[LoadBalancer]:
    """The load balancers of an exposure: one, or several after a race."""
    return [
        balancer
        for balancer in cloud.elb.load_balancers(name=name)
        if (mark := read_mark(balancer.description)) is not None
        and mark.exposure == exposure
        and balancer.provisioning_status != "PENDING_DELETE"
    ]


def hold_all(cloud: Cloud, name: str, exposure: str) -> tuple[HeldBalancer, ...]:
    """Every load balancer of an exposure with what is ours below it."""
    balancers = find_load_balancers(cloud, name, exposure)
    if not balancers:
        return ()
    return tuple(gather(*(partial(hold, cloud, balancer) for balancer in balancers)))


def hold(cloud: Cloud, balancer: LoadBalancer) -> HeldBalancer:
    """One load balancer with what is ours below it: under a marked parent our derived name counts."""
    eips = tuple(HeldEip(id=eip.id, address=eip.address) for eip in balancer.public_ips)
    try:
        tree = cloud.elb.status_tree(balancer.id)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        return HeldBalancer(id=balancer.id, eips=eips)
    listeners = [listener for listener in tree.listeners if listener.name == balancer.name]
    return HeldBalancer(
        id=balancer.id,
        eips=eips,
        listener_ids=tuple(listener.id for listener in listeners),
        pools=tuple(_pools((*tree.pools, *_below(listeners)), balancer.name)),
    )


def _below(listeners: list[ListenerStatus]) -> list[PoolStatus]:
    return [pool for listener in listeners for pool in listener.pools]


def _pools(pools: tuple[PoolStatus, ...], name: str) -> list[HeldPool]:
    ours = {pool.id: pool for pool in pools if pool.name == name}
    return [
        HeldPool(
            id=pool.id,
            monitor_id=pool.healthmonitor.id if pool.healthmonitor else None,
            member_ids=tuple(member.id for member in pool.members),
        )
        for pool in ours.values()
    ]
