"""Who belongs to whom, looked up once and asked often."""

from __future__ import annotations

from collections import defaultdict

from emulator.elb.models import HealthMonitor, Listener, LoadBalancer, Member, Pool
from emulator.elb.state import ElbState


class Tree:
    """The relations of one moment; build it anew after a change."""

    def __init__(self, state: ElbState) -> None:
        self.listeners_of: dict[str, list[Listener]] = defaultdict(list)
        self.listeners_of_pool: dict[str, list[Listener]] = defaultdict(list)
        self.users_of_group: dict[str, list[Listener]] = defaultdict(list)
        self.pools_of: dict[str, list[Pool]] = defaultdict(list)
        self.load_balancers_of: dict[str, list[LoadBalancer]] = {}
        self.members_of: dict[str, list[Member]] = defaultdict(list)
        self.monitor_of: dict[str, HealthMonitor] = {one.pool_id: one for one in state.healthmonitors.values()}
        for listener in state.listeners.values():
            self.listeners_of[listener.loadbalancer_id].append(listener)
            if listener.default_pool_id:
                self.listeners_of_pool[listener.default_pool_id].append(listener)
            if listener.ipgroup:
                self.users_of_group[listener.ipgroup.ipgroup_id].append(listener)
        for member in state.members.values():
            self.members_of[member.pool_id].append(member)
        for pool in state.pools.values():
            through = [one.loadbalancer_id for one in self.listeners_of_pool.get(pool.id, ())]
            ids = dict.fromkeys([pool.loadbalancer_id, *through] if pool.loadbalancer_id else through)
            self.load_balancers_of[pool.id] = [state.loadbalancers[one] for one in ids]
            for load_balancer_id in ids:
                self.pools_of[load_balancer_id].append(pool)
