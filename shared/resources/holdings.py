"""What an exposure holds on the public side: anchors, load balancers, addresses, and what hangs below them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.elb import ListenerStatus, LoadBalancer, PoolStatus
from shared.record import read_mark
from shared.results import Frozen
from shared.services import gather

TAG = "dcs-access"


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


def listener_name(name: str, address: str) -> str:
    """The name of our listener: it tells the address that was made with the load balancer from one bound later."""
    return f"{name}@{address}"


def find_load_balancers(cloud: Cloud, name: str, exposure: str, *, seen: Iterable[str] = ()) -> list[LoadBalancer]:
    """The load balancers of an exposure: one, or several after a race; those `seen` under another name, too."""
    found = cloud.elb.load_balancers(name=name)
    renamed = sorted(set(seen) - {balancer.id for balancer in found})
    if renamed:
        found += cloud.elb.load_balancers(ids=renamed)
    return [
        balancer
        for balancer in found
        if exposure_of(balancer) == exposure and balancer.provisioning_status != "PENDING_DELETE"
    ]


def exposure_of(balancer: LoadBalancer) -> str | None:
    """Whose a load balancer is: its description says it, else its tag."""
    mark = read_mark(balancer.description)
    return mark.exposure if mark else balancer.tags.get(TAG)


def hold_all(cloud: Cloud, name: str, exposure: str) -> tuple[HeldBalancer, ...]:
    """Every load balancer of an exposure with what is ours below it."""
    balancers = find_load_balancers(cloud, name, exposure)
    if not balancers:
        return ()
    return tuple(gather(*(partial(hold, cloud, balancer) for balancer in balancers)))


def hold(cloud: Cloud, balancer: LoadBalancer) -> HeldBalancer:
    """One load balancer with what is ours below it: under a marked parent our derived name counts."""
    try:
        tree = cloud.elb.status_tree(balancer.id)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        return HeldBalancer(id=balancer.id, eips=_eips(balancer, []))
    listeners = [listener for listener in tree.listeners if ours(listener, balancer.name)]
    return HeldBalancer(
        id=balancer.id,
        eips=_eips(balancer, listeners),
        listener_ids=tuple(listener.id for listener in listeners),
        pools=tuple(_pools((*tree.pools, *_below(listeners)), balancer.name)),
    )


def ours(listener: ListenerStatus, name: str) -> bool:
    """Whether a listener below our load balancer is the exposure's."""
    return listener.name.partition("@")[0] == name


def _eips(balancer: LoadBalancer, listeners: list[ListenerStatus]) -> tuple[HeldEip, ...]:
    names = {listener.name for listener in listeners}
    return tuple(
        HeldEip(id=eip.id, address=eip.address, made=listener_name(balancer.name, eip.address) in names)
        for eip in balancer.public_ips
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
