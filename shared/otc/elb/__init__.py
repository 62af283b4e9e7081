"""ELB v3: one module per resource, its models beside its calls, one client over all."""

from __future__ import annotations

from shared.otc.elb.capacity import AvailabilityZone, Capacity, Flavor, FlavorInfo
from shared.otc.elb.ip_groups import IpGroup, IpGroups
from shared.otc.elb.listeners import Listener, ListenerCreate, ListenerIpGroup, Listeners
from shared.otc.elb.load_balancers import (
    BoundEip,
    InlineBandwidth,
    InlineEip,
    ListenerStatus,
    LoadBalancer,
    LoadBalancerCreate,
    LoadBalancers,
    MemberStatus,
    MonitorStatus,
    PoolStatus,
    StatusTree,
)
from shared.otc.elb.monitors import Monitor, MonitorCreate, Monitors, MonitorSettings
from shared.otc.elb.pools import Member, MemberCreate, Pool, PoolCreate, Pools

__all__ = [
    "AvailabilityZone",
    "BoundEip",
    "ElbClient",
    "Flavor",
    "FlavorInfo",
    "InlineBandwidth",
    "InlineEip",
    "IpGroup",
    "Listener",
    "ListenerCreate",
    "ListenerIpGroup",
    "ListenerStatus",
    "LoadBalancer",
    "LoadBalancerCreate",
    "Member",
    "MemberCreate",
    "MemberStatus",
    "Monitor",
    "MonitorCreate",
    "MonitorSettings",
    "MonitorStatus",
    "Pool",
    "PoolCreate",
    "PoolStatus",
    "StatusTree",
]


class ElbClient(Capacity, LoadBalancers, Listeners, Pools, Monitors, IpGroups):
    """All of ELB that an exposure touches."""
