"""What a project holds, as one look found it, and which of it belongs to which exposure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from shared.ids import allow_digest, resource_name
from shared.otc.dcs import Instance, Node, Whitelist
from shared.otc.eip import PublicIp
from shared.otc.elb import IpGroup, Listener, LoadBalancer, Member, Monitor, Pool
from shared.otc.vpc import Peering, RouteTable, Subnet, Vpc
from shared.record import Record, read_mark, read_record
from shared.resources.converge import elect
from shared.resources.ownership import anchors_of, exposure_of, exposure_of_part, standing
from shared.routing import networks, table_of

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
M = TypeVar("M", IpGroup, Listener)


@dataclass(frozen=True)
class Parts:
    """What was found of an exposure, losers of a race included; nothing of somebody else's."""

    exposure: str
    ip_groups: tuple[IpGroup, ...]
    load_balancers: tuple[LoadBalancer, ...]
    listeners: tuple[Listener, ...]
    pools: tuple[Pool, ...]

    @property
    def name(self) -> str:
        """The name that its resources have."""
        return resource_name(self.exposure)

    @cached_property
    def ip_group(self) -> IpGroup | None:
        """The anchor that counts."""
        return elect(self.ip_groups)

    @cached_property
    def load_balancer(self) -> LoadBalancer | None:
        """The load balancer that counts."""
        return elect(self.load_balancers)

    @cached_property
    def listener(self) -> Listener | None:
        """The listener that counts: one of the load balancer that counts, else the oldest."""
        home = self.load_balancer.id if self.load_balancer else None
        order = sorted(self.listeners, key=lambda one: (one.load_balancer_id != home, one.created_at, one.id))
        return next(iter(order), None)

    @cached_property
    def pool(self) -> Pool | None:
        """The pool that the listener leads to, else one that has lost its listener."""
        leads_to = self.listener.default_pool_id if self.listener else None
        order = sorted(self.pools, key=lambda one: (one.id != leads_to, one.created_at, one.id))
        return next(iter(order), None)

    @property
    def records(self) -> tuple[Record | None, Record | None]:
        """The anchor's record and the listener's copy, where they can be read."""
        return (
            read_record(self.ip_group.description) if self.ip_group else None,
            read_record(self.listener.description) if self.listener else None,
        )

    @property
    def record(self) -> Record | None:
        """What the exposure should be: the anchor's record, else the listener's copy."""
        anchors, listeners = self.records
        return anchors or listeners

    def allow(self, record: Record) -> tuple[str, ...] | None:
        """The allow-list that fits the record's digest: the IP group's, else the pool's copy; None if it is lost."""
        held = self.ip_group.entries if self.ip_group else ()
        copied = copied_allow(self.pool.description) if self.pool else ()
        return next((entries for entries in map(plain, (held, copied)) if allow_digest(entries) == record.allow), None)


@dataclass(frozen=True)
class Project:
    """Every list of the project; `whitelists` of the instances that were asked, `nodes` where a node is exposed.

    Tables hold their routes where an exposure's way may lead through them.
    """

    ip_groups: tuple[IpGroup, ...]
    load_balancers: tuple[LoadBalancer, ...]
    listeners: tuple[Listener, ...]
    pools: tuple[Pool, ...]
    members: tuple[Member, ...]
    monitors: tuple[Monitor, ...]
    public_ips: tuple[PublicIp, ...]
    peerings: tuple[Peering, ...]
    route_tables: tuple[RouteTable, ...]
    subnets: tuple[Subnet, ...]
    vpcs: tuple[Vpc, ...]
    instances: tuple[Instance, ...]
    nodes: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    whitelists: Mapping[str, Whitelist] = field(default_factory=dict)

    @cached_property
    def exposures(self) -> tuple[str, ...]:
        """Every exposure: whose record was written down somewhere, readable still or damaged since.

        A load balancer without anchor and listener is none: nothing says what it should be.
        """
        lost = (exposure for exposure in self._balancers_of if exposure and self._remains(exposure))
        return tuple(sorted({*self._groups_of, *self._listeners_of, *lost}))

    def parts(self, exposure: str) -> Parts:
        """What belongs to an exposure: by its mark, or by the derived name under a marked parent."""
        name, balancers = resource_name(exposure), self._balancers_of.get(exposure, [])
        pools = [pool for balancer in balancers for pool in self._pools_on.get(balancer.id, [])]
        below = [listener for balancer in balancers for listener in self._listeners_on.get(balancer.id, [])]
        ours = {one.id: one for one in below if exposure_of_part(one) == exposure}
        listeners = {one.id: one for one in self._listeners_of.get(exposure, [])} | ours
        groups = (*self._groups_of.get(exposure, []), *self._unmarked_groups.get(name, []))
        return Parts(
            exposure=exposure,
            ip_groups=tuple(anchors_of(groups, exposure, listeners=listeners)),
            load_balancers=tuple(balancers),
            listeners=tuple(listeners.values()),
            pools=tuple(pool for pool in pools if exposure_of_part(pool) == exposure),
        )

    @cached_property
    def instance_by_id(self) -> dict[str, Instance]:
        """Instances by id."""
        return {instance.id: instance for instance in self.instances}

    @cached_property
    def subnet_by_id(self) -> dict[str, Subnet]:
        """Subnets by network id."""
        return {subnet.id: subnet for subnet in self.subnets}

    @cached_property
    def vpc_by_id(self) -> dict[str, Vpc]:
        """VPCs by id."""
        return {vpc.id: vpc for vpc in self.vpcs}

    @cached_property
    def member_by_id(self) -> dict[str, Member]:
        """Members of all pools by id."""
        return {member.id: member for member in self.members}

    @cached_property
    def monitor_by_id(self) -> dict[str, Monitor]:
        """Health monitors by id."""
        return {monitor.id: monitor for monitor in self.monitors}

    @cached_property
    def public_ips_by_name(self) -> dict[str | None, list[PublicIp]]:
        """EIPs by the name of their bandwidth, which says whose load balancer they were made with."""
        return _grouped(self.public_ips, lambda address: address.bandwidth_name)

    def table_of(self, subnet: Subnet) -> RouteTable | None:
        """The table a subnet uses."""
        return table_of(self.route_tables, subnet)

    def _remains(self, exposure: str) -> bool:
        """Whether a place for the record is left under a load balancer of ours, by its name only."""
        below = (one for balancer in self._balancers_of[exposure] for one in self._listeners_on.get(balancer.id, []))
        name = resource_name(exposure)
        return name in self._unmarked_groups or any(exposure_of_part(one) == exposure for one in below)

    @cached_property
    def _groups_of(self) -> dict[str, list[IpGroup]]:
        return _by_mark(self.ip_groups)

    @cached_property
    def _unmarked_groups(self) -> dict[str, list[IpGroup]]:
        return _grouped([group for group in self.ip_groups if not read_mark(group.description)], lambda one: one.name)

    @cached_property
    def _balancers_of(self) -> dict[str | None, list[LoadBalancer]]:
        return _grouped(standing(self.load_balancers), exposure_of)

    @cached_property
    def _listeners_of(self) -> dict[str, list[Listener]]:
        return _by_mark(self.listeners)

    @cached_property
    def _listeners_on(self) -> dict[str | None, list[Listener]]:
        return _grouped(self.listeners, lambda listener: listener.load_balancer_id)

    @cached_property
    def _pools_on(self) -> dict[str | None, list[Pool]]:
        return _grouped(self.pools, lambda pool: pool.load_balancer_id)


def copied_allow(description: str) -> tuple[str, ...]:
    """The copy of the allow-list in a pool's description, where there is one."""
    words = dict(word.split("=", 1) for word in description.split() if "=" in word)
    return tuple(words["l"].split(",")) if "l" in words else ()


def plain(entries: Iterable[str]) -> tuple[str, ...]:
    """Entries as a request spells them, however the cloud shows them; what it cannot ask for stays as it is."""
    return tuple(str(one[0]) if len(one := networks(entry)) == 1 else entry for entry in entries)


def _by_mark(resources: Iterable[M]) -> dict[str, list[M]]:
    marked = [(mark.exposure, one) for one in resources if (mark := read_mark(one.description))]
    return {exposure: [one for _, one in pairs] for exposure, pairs in _grouped(marked, lambda pair: pair[0]).items()}


def _grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    # A plain dict again: a look-up must not add to it.
    return dict(groups)
