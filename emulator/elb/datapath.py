"""What the data plane must carry, and what health checks find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.dataplane import Admission, Backend, Connection, Frontend
from emulator.elb.models import HealthMonitor, IpGroup, Listener, LoadBalancer, Member, Pool
from emulator.elb.state import ElbState
from emulator.elb.tree import Tree
from emulator.health import HealthChecks, Schedule
from emulator.network import Host, Network, Path, Peering, Route, Subnet

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.vpc.models import Subnet as VpcSubnet

OPEN_TO_ALL = Admission()


class DataPath:
    """Paths, health and listeners of one moment."""

    def __init__(self, account: Account, checks: HealthChecks) -> None:
        self._account, self._checks = account, checks
        self._state: ElbState = account.world.elb
        self._tree = Tree(self._state)
        self._network: Network | None = None

    def schedules(self) -> dict[str, Schedule]:
        """How each member is checked that has a monitor and a listener."""
        return {
            member.id: schedule_of(monitor)
            for pool_id, monitor in self._tree.monitor_of.items()
            if monitor.admin_state_up and self._tree.listeners_of_pool.get(pool_id)
            for member in self._tree.members_of[pool_id]
        }

    def probe(self, member_id: str) -> Connection:
        """Do what one health check does: connect from the load balancer to the member."""
        member = self._state.members[member_id]
        monitor = self._tree.monitor_of[member.pool_id]
        path = self.path(member)
        if not path.open or path.vpc_id is None:
            return Connection.TIMED_OUT
        port = monitor.monitor_port or member.protocol_port
        result = self._account.data_plane.connect(path.vpc_id, member.address, port)
        if result is Connection.OPENED and monitor.type != "TCP":
            return Connection.MUTE
        return result

    def path(self, member: Member) -> Path:
        """Where a member's address leads from the load balancer, and what is in the way."""
        owners = self._tree.load_balancers_of[member.pool_id]
        if not owners:
            return Path(problem="the pool belongs to no load balancer")
        owner = owners[0]
        if owner.vip_address is None and self._account.eip.of_instance(owner.id) is None:
            return Path(problem=f"loadbalancer {owner.id} has neither a private nor a public address")
        return self.network().path(owner.elb_virsubnet_ids, member.address)

    def health(self, member: Member) -> str:
        """ONLINE, OFFLINE or NO_MONITOR."""
        monitor = self._tree.monitor_of.get(member.pool_id)
        if monitor is None or not monitor.admin_state_up:
            return "NO_MONITOR"
        checked = self._checks[member.id]
        return checked.health if checked else "OFFLINE"

    def frontends(self) -> list[Frontend]:
        """The TCP listeners with a public address."""
        return [
            self._frontend(eip.address, self._state.loadbalancers[eip.instance_id], listener)
            for eip in self._account.eip.state.publicips.values()
            if eip.bound_to == "ELB" and eip.instance_id in self._state.loadbalancers
            for listener in self._tree.listeners_of[eip.instance_id]
            if listener.protocol == "TCP"
        ]

    def network(self) -> Network:
        """The routes, peerings and instances that count now."""
        if self._network is None:
            self._network = network_of(self._account)
        return self._network

    def _frontend(self, address: str, owner: LoadBalancer, listener: Listener) -> Frontend:
        pool = self._state.pools.get(listener.default_pool_id or "")
        return Frontend(
            listener_id=listener.id,
            address=address,
            port=listener.protocol_port,
            backends=self._backends(owner, pool) if pool else (),
            algorithm=pool.lb_algorithm if pool else "ROUND_ROBIN",
            admission=admission_of(listener, self._state.ipgroups),
        )

    def _backends(self, owner: LoadBalancer, pool: Pool) -> tuple[Backend, ...]:
        backends = []
        for member in self._tree.members_of[pool.id]:
            if self.health(member) != "OFFLINE":
                path = self.network().path(owner.elb_virsubnet_ids, member.address)
                vpc_id = path.vpc_id or owner.vpc_id
                backends.append(
                    Backend(vpc_id, member.address, member.protocol_port, member.weight, reachable=path.open)
                )
        return tuple(backends)


def schedule_of(monitor: HealthMonitor) -> Schedule:
    """The rules of a monitor."""
    return Schedule(monitor.delay, monitor.timeout, monitor.max_retries, monitor.max_retries_down)


def admission_of(listener: Listener, groups: dict[str, IpGroup]) -> Admission:
    """Who may connect to a listener."""
    bound = listener.ipgroup
    if bound is None or not bound.enable_ipgroup:
        return OPEN_TO_ALL
    return Admission(groups[bound.ipgroup_id].networks, white=bound.type == "white")


def network_of(account: Account) -> Network:
    """What the account's networks come to for a packet."""
    vpc = account.vpc
    return Network(
        subnets=[_subnet(account, subnet) for subnet in vpc.state.subnets.values()],
        peerings=[
            Peering(one.id, frozenset((one.request_vpc_id, one.accept_vpc_id)), active=one.status == "ACTIVE")
            for one in vpc.state.peerings.values()
        ],
        hosts=[
            Host(account.dcs.vpc_id(instance), instance.subnet_id, address, account.dcs.whitelist(instance).networks)
            for instance in account.dcs.state.instances.values()
            for address in instance.addresses
        ],
        same_vpc=account.dials.same_vpc_targets,
    )


def _subnet(account: Account, subnet: VpcSubnet) -> Subnet:
    now = account.now()
    routes = tuple(
        Route(route.network, route.nexthop if route.type == "peering" else None)
        for route in account.vpc.table_of(subnet).routes
        if route.since <= now
    )
    return Subnet(subnet.id, subnet.vpc_id, subnet.network, routes)
