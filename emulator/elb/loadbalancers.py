"""The rules of load balancers."""

from __future__ import annotations

from typing import Any

from emulator.core.resources import owned
from emulator.eip.errors import EipRefusal
from emulator.eip.models import POOLS, BandwidthSpec, PublicIp
from emulator.elb.addresses import give_back_vip, occupy, take_vip, too_small
from emulator.elb.bodies import LoadBalancerCreate, LoadBalancerUpdate, PublicIpBody
from emulator.elb.capacity import Flavor
from emulator.elb.errors import (
    conflict,
    flavor_fixed,
    invalid,
    not_found,
    quota_exceeded,
    refused,
    too_few_addresses,
)
from emulator.elb.models import LoadBalancer
from emulator.elb.rules import Rules
from emulator.vpc.models import Subnet

FIXED_SIZES = ((1000, 500), (300, 50))
TEXTS = ("name", "description", "deletion_protection_enable", "protection_status", "protection_reason")


class LoadBalancers(Rules):
    """Create, change and delete load balancers."""

    def get(self, project_id: str, load_balancer_id: str) -> LoadBalancer:
        """A load balancer of the project.

        Raises:
            ApiError: 404.
        """
        return self.find(self.state.loadbalancers, LoadBalancer, project_id, load_balancer_id)

    def by_port(self, port_id: str) -> LoadBalancer | None:
        """The load balancer whose private address is at a port."""
        return next((one for one in self.state.loadbalancers.values() if one.vip_port_id == port_id), None)

    def create(self, project_id: str, body: LoadBalancerCreate) -> LoadBalancer:
        """A new load balancer, with its EIP if one is asked for.

        Raises:
            ApiError: 400, 404 or 409; nothing has changed.
        """
        self.require_quota("loadbalancer", len(owned(self.state.loadbalancers, project_id)))
        vip_subnet, backend = self._subnets(project_id, body)
        self._check_address(body, vip_subnet)
        fields = self._fields(body, vip_subnet, backend)
        self._check_zones(body.availability_zone_list, network=fields["l4_flavor_id"] is not None)
        draft = LoadBalancer(id="draft", **fields)
        if small := too_small(draft, backend):
            raise too_few_addresses(small.id)
        eip = self._eip(project_id, body)
        item = self._account.add(self.state.loadbalancers, LoadBalancer, "elb", project_id, **fields)
        if vip_subnet:
            take_vip(item, vip_subnet)
        occupy(item, backend)
        if eip:
            self._account.eip.bind(eip, "ELB", item.id)
        self._account.lag(item, "PENDING_CREATE", self._account.dials.load_balancer_create)
        return item

    def update(self, item: LoadBalancer, body: LoadBalancerUpdate) -> None:
        """Change what may be changed.

        Raises:
            ApiError: 400, 404 or 409; nothing has changed.
        """
        self.require_ready(item)
        given = body.given()
        if item.ip_target_enable and given.get("ip_target_enable") is False:
            raise invalid("ip_target_enable", "cannot be disabled once it is enabled")
        changes = {name: given[name] for name in TEXTS if name in given} | self._new_flavors(item, given)
        wanted = given.get("elb_virsubnet_ids")
        backend = [self._subnet(item, one) for one in wanted or item.elb_virsubnet_ids]
        if wanted == []:
            raise invalid("elb_virsubnet_ids", "must name a subnet")
        changes["elb_virsubnet_ids"] = [one.id for one in backend]
        changes["ip_target_enable"] = item.ip_target_enable or bool(given.get("ip_target_enable"))
        grown = item.model_copy(update=changes)
        if (wanted or grown.ip_target_enable != item.ip_target_enable) and (small := too_small(grown, backend)):
            raise too_few_addresses(small.id)
        if {"vip_subnet_cidr_id", "vip_address"} & given.keys():
            self._move_vip(item, given)
        for name, value in changes.items():
            setattr(item, name, value)
        occupy(item, backend)
        self._account.touch(item)
        self.changed(item)

    def delete(self, item: LoadBalancer) -> None:
        """Delete an empty load balancer; its EIP stays.

        Raises:
            ApiError: 409.
        """
        self._check_deletable(item)
        tree = self.tree()
        for listener in tree.listeners_of[item.id]:
            raise conflict(f"listener {listener.id} is using this loadbalancer")
        for pool in tree.pools_of[item.id]:
            raise conflict(f"pool {pool.id} is using this loadbalancer")
        self._remove(item)

    def force_delete(self, item: LoadBalancer) -> None:
        """Delete a load balancer and all below it; its EIP stays.

        Raises:
            ApiError: 409.
        """
        self._check_deletable(item)
        tree = self.tree()
        pools = tree.pools_of[item.id]
        for pool in pools:
            if pool.member_deletion_protection_enable:
                raise conflict(f"pool {pool.id} has member_deletion_protection_enable")
        for pool in pools:
            self._account.elb.pools.remove_tree(pool)
        for listener in tree.listeners_of[item.id]:
            del self.state.listeners[listener.id]
        self._remove(item)

    def settle(self) -> None:
        """Let go of what was being deleted for long enough."""
        now = self._account.now()
        for item in list(self.state.loadbalancers.values()):
            if item.deleting and (item.pending is None or item.pending.over(now)):
                self._forget(item)

    def _check_deletable(self, item: LoadBalancer) -> None:
        self.require_ready(item)
        if item.deletion_protection_enable:
            raise conflict(f"deletion protection of loadbalancer {item.id} is enabled")

    def _remove(self, item: LoadBalancer) -> None:
        eip = self._account.eip.of_instance(item.id)
        if eip:
            self._account.eip.unbind(eip)
        self._account.lag(item, "PENDING_DELETE", self._account.dials.load_balancer_delete)
        item.deleting = True
        if item.pending is None:
            self._forget(item)

    def _forget(self, item: LoadBalancer) -> None:
        self._account.vpc.release(item.id)
        del self.state.loadbalancers[item.id]

    def _fields(self, body: LoadBalancerCreate, vip_subnet: Subnet | None, backend: list[Subnet]) -> dict[str, Any]:
        same = ("availability_zone_list", "ip_target_enable", "waf_failure_action", *TEXTS)
        l4, l7 = body.l4_flavor_id, body.l7_flavor_id
        if l4 is None and l7 is None:
            l4, l7 = self.state.smallest("L4").id, self.state.smallest("L7").id
        self._check_flavor("l4_flavor_id", l4, "L4")
        self._check_flavor("l7_flavor_id", l7, "L7")
        return {
            **{name: getattr(body, name) for name in same},
            "vpc_id": backend[0].vpc_id,
            "vip_subnet_cidr_id": vip_subnet.neutron_subnet_id if vip_subnet else None,
            "vip_address": body.vip_address,
            "elb_virsubnet_ids": [one.id for one in backend],
            "l4_flavor_id": l4,
            "l7_flavor_id": l7,
            "tags": {tag.key: tag.value for tag in body.tags},
        }

    def _subnets(self, project_id: str, body: LoadBalancerCreate) -> tuple[Subnet | None, list[Subnet]]:
        vip_subnet = self._vip_subnet(project_id, body.vip_subnet_cidr_id)
        vpc_id = body.vpc_id or (vip_subnet.vpc_id if vip_subnet else None)
        if vpc_id is None:
            raise invalid("vpc_id", "one of vpc_id and vip_subnet_cidr_id is needed")
        if self._account.vpc.vpc(project_id, vpc_id) is None:
            raise not_found("Vpc", vpc_id)
        if vip_subnet and vip_subnet.vpc_id != vpc_id:
            raise invalid("vip_subnet_cidr_id", f"is not in VPC {vpc_id}")
        if body.elb_virsubnet_ids:
            backend = [self._backend_subnet(project_id, vpc_id, one) for one in body.elb_virsubnet_ids]
        else:
            offered = self._account.vpc.subnets_of(vpc_id)
            roomiest = max(offered, key=lambda one: one.free, default=None)
            backend = [one for one in (vip_subnet or roomiest,) if one]
        if not backend:
            raise invalid("elb_virsubnet_ids", f"VPC {vpc_id} has no subnet")
        return vip_subnet, backend

    def _vip_subnet(self, project_id: str, subnet_id: str | None) -> Subnet | None:
        if subnet_id is None:
            return None
        subnet = self._account.vpc.subnet_by_neutron_id(project_id, subnet_id)
        if subnet is None:
            raise not_found("Subnet", subnet_id)
        return subnet

    def _subnet(self, item: LoadBalancer, subnet_id: str) -> Subnet:
        return self._backend_subnet(item.project_id, item.vpc_id, subnet_id)

    def _backend_subnet(self, project_id: str, vpc_id: str, subnet_id: str) -> Subnet:
        subnet = self._account.vpc.subnet(project_id, subnet_id)
        if subnet is None or subnet.vpc_id != vpc_id:
            raise invalid("elb_virsubnet_ids", f"{subnet_id} is not a subnet of VPC {vpc_id}")
        return subnet

    def _check_address(self, body: LoadBalancerCreate, subnet: Subnet | None) -> None:
        if subnet is None:
            if body.vip_address:
                raise invalid("vip_address", "needs vip_subnet_cidr_id")
        else:
            _check_free(subnet, body.vip_address)

    def _check_zones(self, codes: list[str], *, network: bool) -> None:
        zones = self.state.zone_set(codes)
        if zones is None:
            raise invalid("availability_zone_list", "must be zones of one set")
        for zone in zones:
            if zone.state != "ACTIVE":
                raise invalid("availability_zone_list", f"{zone.code} is {zone.state}")
            if network and "L4" not in zone.protocol:
                raise invalid("availability_zone_list", f"{zone.code} does not offer L4")

    def _check_flavor(self, field: str, flavor_id: str | None, kind: str) -> None:
        if flavor_id is None:
            return
        flavor = self.state.flavors.get(flavor_id)
        if flavor is None:
            raise not_found(Flavor.__name__, flavor_id)
        if flavor.type != kind:
            raise invalid(field, f"is not a flavor of type {kind}")
        if flavor.sold_out:
            raise refused(400, "ELB.8950", f"Resources of flavor {flavor.name} are sold out.")

    def _new_flavors(self, item: LoadBalancer, given: dict[str, Any]) -> dict[str, str | None]:
        changes: dict[str, str | None] = {}
        for field, kind in (("l4_flavor_id", "L4"), ("l7_flavor_id", "L7")):
            if field in given and given[field] != getattr(item, field):
                if given[field] is None or getattr(item, field) is None:
                    raise flavor_fixed(field)
                self._check_flavor(field, given[field], kind)
                changes[field] = given[field]
        return changes

    def _move_vip(self, item: LoadBalancer, given: dict[str, Any]) -> None:
        before = self._vip_subnet(item.project_id, item.vip_subnet_cidr_id)
        subnet = self._vip_subnet(item.project_id, given.get("vip_subnet_cidr_id", item.vip_subnet_cidr_id))
        wanted = given.get("vip_address")
        if subnet is before and wanted in (None, item.vip_address):
            return
        if subnet is None:
            if wanted:
                raise invalid("vip_address", "needs vip_subnet_cidr_id")
        elif subnet.vpc_id != item.vpc_id:
            raise invalid("vip_subnet_cidr_id", f"is not in VPC {item.vpc_id}")
        else:
            _check_free(subnet, wanted)
        if before:
            give_back_vip(item, before)
        if subnet:
            item.vip_subnet_cidr_id, item.vip_address = subnet.neutron_subnet_id, wanted
            take_vip(item, subnet)

    def _eip(self, project_id: str, body: LoadBalancerCreate) -> PublicIp | None:
        if body.publicip and body.publicip_ids:
            raise invalid("publicip", "cannot be combined with publicip_ids")
        if body.publicip:
            return self._inline_eip(project_id, body.publicip)
        if not body.publicip_ids:
            return None
        eip = self._account.eip.get(project_id, body.publicip_ids[0])
        if eip is None:
            raise not_found("Publicip", body.publicip_ids[0])
        if eip.instance_id is not None:
            raise conflict(f"publicip {eip.id} is already bound")
        return eip

    def _inline_eip(self, project_id: str, wanted: PublicIpBody) -> PublicIp:
        if wanted.network_type not in POOLS:
            raise not_found("Publicip pool", wanted.network_type)
        size = wanted.bandwidth.size or 0
        step = next((step for above, step in FIXED_SIZES if size > above), 1)
        if size % step:
            raise invalid("publicip.bandwidth.size", f"above {size // step * step} it goes by steps of {step}")
        spec = BandwidthSpec(**wanted.bandwidth.model_dump())
        try:
            return self._account.eip.create(project_id, wanted.network_type, spec)
        except EipRefusal as refusal:
            if refusal.status == 409:
                raise quota_exceeded("publicip") from None
            raise invalid("publicip", refusal.message) from None


def _check_free(subnet: Subnet, wanted: str | None) -> None:
    if wanted and not subnet.assignable(wanted):
        raise invalid("vip_address", f"is not a free address of subnet {subnet.neutron_subnet_id}")
    if subnet.free < 1:
        raise too_few_addresses(subnet.id)
