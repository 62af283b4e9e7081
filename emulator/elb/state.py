"""What the account holds of load balancing: a section of a world, and the tables that calls change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from emulator.core.resources import Resource, Table, find
from emulator.core.state import State
from emulator.elb.addresses import occupy, take_vip, too_small
from emulator.elb.capacity import QUOTAS, Flavor, Zone, default_flavors
from emulator.elb.models import HealthMonitor, IpGroup, Listener, LoadBalancer, Member, Pool
from emulator.vpc.models import Subnet

if TYPE_CHECKING:
    from emulator.world import World


class ElbState(State):
    """Load balancing of the account."""

    loadbalancers: Table[LoadBalancer] = {}
    pools: Table[Pool] = {}
    ipgroups: Table[IpGroup] = {}
    listeners: Table[Listener] = {}
    members: Table[Member] = {}
    healthmonitors: Table[HealthMonitor] = {}
    flavors: Table[Flavor] = Field(default_factory=default_flavors)
    zone_sets: list[list[Zone]] = []
    quotas: dict[str, int] = Field(default_factory=lambda: dict(QUOTAS))

    def resolve(self, world: World) -> None:
        """Turn names into ids, give addresses, refuse what cannot exist."""
        self.quotas = {**QUOTAS, **self.quotas}
        self.zone_sets = self.zone_sets or [[Zone(code=code) for code in world.zones]]
        for load_balancer in self.loadbalancers.values():
            self._resolve_load_balancer(load_balancer, world)
        self._resolve_eips(world)
        for pool in self.pools.values():
            if pool.loadbalancer_id:
                pool.loadbalancer_id = find(self.loadbalancers, pool.loadbalancer_id, _at(pool)).id
        for group in self.ipgroups.values():
            try:
                _ = group.networks
            except ValueError as error:
                raise ValueError(f"{_at(group)}.ip_list: {error}") from None
        for listener in self.listeners.values():
            self._resolve_listener(listener)
        for member in self.members.values():
            self._resolve_member(member)
        for monitor in self.healthmonitors.values():
            monitor.pool_id = find(self.pools, monitor.pool_id, _at(monitor)).id
            if sum(one.pool_id == monitor.pool_id for one in self.healthmonitors.values()) > 1:
                raise ValueError(f"{_at(monitor)}: the pool has two monitors")

    def _resolve_load_balancer(self, item: LoadBalancer, world: World) -> None:
        where = _at(item)
        item.vpc_id = find(world.vpc.vpcs, item.vpc_id, f"{where}.vpc_id").id
        subnets = {one.id: one for one in world.vpc.subnets.values() if one.vpc_id == item.vpc_id}
        item.elb_virsubnet_ids = [find(subnets, one, f"{where}.elb_virsubnet_ids").id for one in item.elb_virsubnet_ids]
        item.availability_zone_list = item.availability_zone_list or [self.zone_sets[0][0].code]
        if self.zone_set(item.availability_zone_list) is None:
            raise ValueError(f"{where}.availability_zone_list: no set has all of them")
        self._resolve_flavors(item, where)
        vip_subnet = self._vip_subnet(item, subnets, where)
        if not item.elb_virsubnet_ids:
            chosen = vip_subnet or max(subnets.values(), key=lambda one: one.free, default=None)
            if chosen is None:
                raise ValueError(f"{where}.elb_virsubnet_ids: the VPC has no subnet")
            item.elb_virsubnet_ids = [chosen.id]
        backend = [subnets[one] for one in item.elb_virsubnet_ids]
        if vip_subnet and not take_vip(item, vip_subnet):
            raise ValueError(f"{where}.vip_address: not a free address of {vip_subnet.name}")
        if small := too_small(item, backend):
            raise ValueError(f"{where}.elb_virsubnet_ids: {small.name} has too few free addresses")
        occupy(item, backend)

    def _resolve_flavors(self, item: LoadBalancer, where: str) -> None:
        if item.l4_flavor_id is None and item.l7_flavor_id is None:
            item.l4_flavor_id = self.smallest("L4").id
        if item.l4_flavor_id:
            item.l4_flavor_id = find(self.flavors, item.l4_flavor_id, f"{where}.l4_flavor_id").id
        if item.l7_flavor_id:
            item.l7_flavor_id = find(self.flavors, item.l7_flavor_id, f"{where}.l7_flavor_id").id

    def _vip_subnet(self, item: LoadBalancer, subnets: dict[str, Subnet], where: str) -> Subnet | None:
        reference = item.vip_subnet_cidr_id
        if reference is None:
            return None
        by_neutron_id = {one.neutron_subnet_id: one for one in subnets.values()}
        subnet = by_neutron_id.get(reference) or find(subnets, reference, f"{where}.vip_subnet_cidr_id")
        item.vip_subnet_cidr_id = subnet.neutron_subnet_id
        return subnet

    def _resolve_eips(self, world: World) -> None:
        bound: list[str] = []
        for eip in world.eip.publicips.values():
            if eip.bound_to == "ELB":
                where = f"eip.publicips[{eip.address}].instance_id"
                eip.instance_id = find(self.loadbalancers, eip.instance_id or "", where).id
                if eip.instance_id in bound:
                    raise ValueError(f"{where}: the load balancer has an EIP already")
                bound.append(eip.instance_id)

    def _resolve_listener(self, item: Listener) -> None:
        where = _at(item)
        item.loadbalancer_id = find(self.loadbalancers, item.loadbalancer_id, where).id
        if item.default_pool_id:
            pool = find(self.pools, item.default_pool_id, f"{where}.default_pool_id")
            item.default_pool_id = pool.id
            if sum(one.default_pool_id == pool.id for one in self.listeners.values()) > 1:
                raise ValueError(f"{where}.default_pool_id: {pool.name} has another listener")
            if pool.loadbalancer_id not in (None, item.loadbalancer_id):
                raise ValueError(f"{where}.default_pool_id: {pool.name} is of another load balancer")
        if item.ipgroup:
            group = find(self.ipgroups, item.ipgroup.ipgroup_id, f"{where}.ipgroup")
            item.ipgroup.ipgroup_id = group.id
        if self.port_taken(item.loadbalancer_id, item.protocol, item.protocol_port, beside=item):
            raise ValueError(f"{where}.protocol_port: {item.protocol_port} is used twice")

    def _resolve_member(self, item: Member) -> None:
        where = _at(item)
        pool = find(self.pools, item.pool_id, f"{where}.pool_id")
        item.pool_id = pool.id
        target = (pool.id, item.address, item.protocol_port)
        others = (one for one in self.members.values() if one is not item)
        if any((one.pool_id, one.address, one.protocol_port) == target for one in others):
            raise ValueError(f"{where}: {item.address}:{item.protocol_port} is in the pool twice")
        owner = self.loadbalancers.get(pool.loadbalancer_id or "")
        if item.subnet_cidr_id is None and owner and not owner.ip_target_enable:
            raise ValueError(f"{where}: an IP target needs ip_target_enable")

    def port_taken(self, load_balancer_id: str, protocol: str, port: int, *, beside: Listener | None = None) -> bool:
        """Whether a port is used on a load balancer; UDP has ports of its own."""
        return any(
            one is not beside and one.protocol_port == port and (one.protocol == "UDP") == (protocol == "UDP")
            for one in self.listeners.values()
            if one.loadbalancer_id == load_balancer_id
        )

    def zone_set(self, codes: Sequence[str]) -> list[Zone] | None:
        """The zones of these codes, if one set has them all."""
        for zones in self.zone_sets:
            by_code = {zone.code: zone for zone in zones}
            if set(codes) <= set(by_code):
                return [by_code[code] for code in codes]
        return None

    def smallest(self, kind: str) -> Flavor:
        """The smallest flavor of a type that can be had."""
        offered = [one for one in self.flavors.values() if one.type == kind and not one.sold_out]
        return min(offered, key=lambda one: one.connection)


def _at(item: Resource) -> str:
    return f"elb.{item.kind}s[{item.name or item.id}]"
