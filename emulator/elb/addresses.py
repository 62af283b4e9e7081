"""The private addresses that a load balancer occupies."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid5

from emulator.core.resources import NAMESPACE
from emulator.elb.models import LoadBalancer
from emulator.vpc.models import Subnet

# ELB manual: 2 addresses in one zone, 6 with IP targets, for which a subnet must offer 16.
PER_ZONE = 2
FOR_IP_TARGETS = 4
OFFERED_FOR_IP_TARGETS = 16


def needed(load_balancer: LoadBalancer) -> int:
    """How many addresses a load balancer has in each backend subnet."""
    extra = FOR_IP_TARGETS if load_balancer.ip_target_enable else 0
    return PER_ZONE * max(1, len(load_balancer.availability_zone_list)) + extra


def too_small(load_balancer: LoadBalancer, subnets: Iterable[Subnet]) -> Subnet | None:
    """The first backend subnet that cannot take the load balancer."""
    floor = OFFERED_FOR_IP_TARGETS if load_balancer.ip_target_enable else needed(load_balancer)
    return next((one for one in subnets if one.free + _has(load_balancer, one) < floor), None)


def take_vip(load_balancer: LoadBalancer, subnet: Subnet) -> bool:
    """Give a load balancer its private address, the wanted one or any; False if it is not to be had."""
    taken = subnet.take(load_balancer.id, load_balancer.vip_address)
    if taken is None:
        return False
    load_balancer.vip_address = taken
    load_balancer.vip_port_id = str(uuid5(NAMESPACE, f"port/{load_balancer.id}"))
    return True


def give_back_vip(load_balancer: LoadBalancer, subnet: Subnet) -> None:
    """Take its private address from a load balancer."""
    subnet.addresses = {ip: user for ip, user in subnet.addresses.items() if ip != load_balancer.vip_address}
    load_balancer.vip_subnet_cidr_id = load_balancer.vip_address = load_balancer.vip_port_id = None


def occupy(load_balancer: LoadBalancer, subnets: Iterable[Subnet]) -> None:
    """Take what is still missing in each backend subnet; what it had elsewhere stays in use."""
    for subnet in subnets:
        missing = needed(load_balancer) - _has(load_balancer, subnet)
        for _ in range(missing):
            subnet.take(load_balancer.id)


def _has(load_balancer: LoadBalancer, subnet: Subnet) -> int:
    return sum(user == load_balancer.id for user in subnet.addresses.values())
