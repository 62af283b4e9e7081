"""The rules of pools, their members and monitors."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from emulator.core.resources import owned
from emulator.elb.bodies import (
    MemberCreate,
    MemberUpdate,
    MonitorCreate,
    MonitorUpdate,
    PersistenceBody,
    PoolCreate,
    PoolUpdate,
)
from emulator.elb.errors import conflict, invalid, ip_member_needs_other_protocol, ip_target_disabled
from emulator.elb.listeners import POOLS_FOR
from emulator.elb.models import HealthMonitor, LoadBalancer, Member, Pool, SessionPersistence
from emulator.elb.rules import Rules

IP_TARGET_PROTOCOLS = ("TCP", "HTTP", "HTTPS")
MONITORS_FOR = {"UDP": ("UDP_CONNECT",), "QUIC": ("UDP_CONNECT",)}
OVER_HTTP = ("HTTP", "HTTPS")
HTTP_FIELDS = ("domain_name", "url_path", "expected_codes", "http_method")
HTTP_DEFAULTS = {"url_path": "/", "expected_codes": "200", "http_method": "GET"}
LONGEST_SOURCE_IP_PERSISTENCE = 60


class Pools(Rules):
    """Create, change and delete pools."""

    def get(self, project_id: str, pool_id: str) -> Pool:
        """A pool of the project.

        Raises:
            ApiError: 404.
        """
        return self.find(self.state.pools, Pool, project_id, pool_id)

    def owners(self, pool: Pool) -> list[LoadBalancer]:
        """The load balancers that a pool belongs to."""
        return self.tree().load_balancers_of[pool.id]

    def create(self, project_id: str, body: PoolCreate) -> Pool:
        """A new pool.

        Raises:
            ApiError: 400, 404 or 409; nothing has changed.
        """
        self.require_quota("pool", len(owned(self.state.pools, project_id)))
        self._check_type(project_id, body)
        listener = owner = None
        if body.loadbalancer_id:
            owner = self._account.elb.load_balancers.get(project_id, body.loadbalancer_id)
        if body.listener_id:
            listener = self._account.elb.listeners.get(project_id, body.listener_id)
            if owner and owner.id != listener.loadbalancer_id:
                raise invalid("listener_id", f"is not a listener of loadbalancer {owner.id}")
            owner = self.state.loadbalancers[listener.loadbalancer_id]
            if listener.default_pool_id:
                raise conflict(f"listener {listener.id} already has pool {listener.default_pool_id}")
            self.require_quota("listeners_per_pool", 0)
            if body.protocol not in POOLS_FOR[listener.protocol]:
                raise invalid("protocol", f"a {body.protocol} pool cannot serve a {listener.protocol} listener")
        self.require_ready(*filter(None, [owner]))
        fields = {
            "name": body.name,
            "description": body.description,
            "protocol": body.protocol,
            "lb_algorithm": body.lb_algorithm,
            "type": body.type,
            "vpc_id": body.vpc_id or (owner.vpc_id if owner and body.type != "ip" else None),
            "loadbalancer_id": owner.id if owner else None,
            "session_persistence": _persistence(body.protocol, body.session_persistence),
            "member_deletion_protection_enable": body.member_deletion_protection_enable,
        }
        pool = self._account.add(self.state.pools, Pool, "elb", project_id, **fields)
        if listener:
            listener.default_pool_id = pool.id
        self.changed(*filter(None, [owner]))
        return pool

    def update(self, pool: Pool, body: PoolUpdate) -> None:
        """Change what may be changed.

        Raises:
            ApiError: 400 or 409; nothing has changed.
        """
        owners = self.owners(pool)
        self.require_ready(*owners)
        given: dict[str, Any] = body.given()
        given.pop("admin_state_up", None)
        if "session_persistence" in given:
            given["session_persistence"] = _persistence(pool.protocol, body.session_persistence)
        for name, value in given.items():
            setattr(pool, name, value)
        self._account.touch(pool)
        self.changed(*owners)

    def delete(self, pool: Pool) -> None:
        """Delete a pool without members and monitor.

        Raises:
            ApiError: 409.
        """
        tree = self.tree()
        owners = tree.load_balancers_of[pool.id]
        self.require_ready(*owners)
        for member in tree.members_of[pool.id]:
            raise conflict(f"member {member.id} is using this pool")
        if monitor := tree.monitor_of.get(pool.id):
            raise conflict(f"healthmonitor {monitor.id} is using this pool")
        self.remove_tree(pool)
        self.changed(*owners)

    def remove_tree(self, pool: Pool) -> None:
        """Remove a pool with all below it, and from its listeners."""
        tree = self.tree()
        for member in tree.members_of[pool.id]:
            del self.state.members[member.id]
        if monitor := tree.monitor_of.get(pool.id):
            del self.state.healthmonitors[monitor.id]
        for listener in tree.listeners_of_pool[pool.id]:
            listener.default_pool_id = None
        del self.state.pools[pool.id]

    def _check_type(self, project_id: str, body: PoolCreate) -> None:
        if not (body.listener_id or body.loadbalancer_id or body.type):
            raise invalid("loadbalancer_id", "one of listener_id, loadbalancer_id and type is needed")
        if body.type == "instance" and body.vpc_id is None:
            raise invalid("vpc_id", "is needed for type instance")
        if body.type == "ip" and body.vpc_id is not None:
            raise invalid("vpc_id", "must be absent for type ip")
        if body.vpc_id and self._account.vpc.vpc(project_id, body.vpc_id) is None:
            raise invalid("vpc_id", f"VPC {body.vpc_id} could not be found")


class Members(Rules):
    """Create, change and delete members."""

    def get(self, project_id: str, pool_id: str, member_id: str) -> Member:
        """A member of a pool of the project.

        Raises:
            ApiError: 404.
        """
        pool = self._account.elb.pools.get(project_id, pool_id)
        table = {one.id: one for one in self.state.members.values() if one.pool_id == pool.id}
        return self.find(table, Member, project_id, member_id)

    def create(self, pool: Pool, body: MemberCreate) -> Member:
        """A new member.

        Raises:
            ApiError: 400 or 409; nothing has changed.
        """
        tree = self.tree()
        owners, members = tree.load_balancers_of[pool.id], tree.members_of[pool.id]
        self.require_ready(*owners)
        if body.subnet_cidr_id is None:
            _check_ip_target(pool, owners, body.address)
        else:
            self._check_server(pool, body)
        if any((one.address, one.protocol_port) == (body.address, body.protocol_port) for one in members):
            raise conflict(f"member {body.address}:{body.protocol_port} already exists in pool {pool.id}")
        self.require_quota("member", len(owned(self.state.members, pool.project_id)))
        self.require_quota("members_per_pool", len(members))
        fields = body.model_dump(exclude={"admin_state_up"})
        table = self.state.members
        member = self._account.add(table, Member, "elb", pool.project_id, pool_id=pool.id, **fields)
        self.changed(*owners)
        return member

    def update(self, member: Member, body: MemberUpdate) -> None:
        """Change name or weight.

        Raises:
            ApiError: 409; nothing has changed.
        """
        owners = self._account.elb.pools.owners(self.state.pools[member.pool_id])
        self.require_ready(*owners)
        for name, value in body.given().items():
            if name != "admin_state_up":
                setattr(member, name, value)
        self._account.touch(member)
        self.changed(*owners)

    def delete(self, member: Member) -> None:
        """Delete a member.

        Raises:
            ApiError: 409.
        """
        owners = self._account.elb.pools.owners(self.state.pools[member.pool_id])
        self.require_ready(*owners)
        del self.state.members[member.id]
        self.changed(*owners)

    def _check_server(self, pool: Pool, body: MemberCreate) -> None:
        if pool.type == "ip":
            raise invalid("subnet_cidr_id", f"pool {pool.id} takes only IP targets")
        subnet = self._account.vpc.subnet_by_neutron_id(pool.project_id, body.subnet_cidr_id or "")
        if subnet is None or pool.vpc_id not in (None, subnet.vpc_id):
            raise invalid("subnet_cidr_id", f"{body.subnet_cidr_id} is not a subnet of the pool's VPC")
        if IPv4Address(body.address) not in subnet.network:
            raise invalid("address", f"is not in subnet {subnet.neutron_subnet_id}")


class Monitors(Rules):
    """Create, change and delete monitors."""

    def get(self, project_id: str, monitor_id: str) -> HealthMonitor:
        """A monitor of the project.

        Raises:
            ApiError: 404.
        """
        return self.find(self.state.healthmonitors, HealthMonitor, project_id, monitor_id)

    def create(self, project_id: str, body: MonitorCreate) -> HealthMonitor:
        """A new monitor.

        Raises:
            ApiError: 400, 404 or 409; nothing has changed.
        """
        pool = self._account.elb.pools.get(project_id, body.pool_id)
        tree = self.tree()
        owners = tree.load_balancers_of[pool.id]
        self.require_ready(*owners)
        _check_monitor(pool, body)
        if other := tree.monitor_of.get(pool.id):
            raise conflict(f"pool {pool.id} already has healthmonitor {other.id}")
        self.require_quota("healthmonitor", len(owned(self.state.healthmonitors, project_id)))
        fields = body.model_dump()
        fields |= _http_fields(body.type, fields)
        monitor = self._account.add(self.state.healthmonitors, HealthMonitor, "elb", project_id, **fields)
        self.changed(*owners)
        return monitor

    def update(self, monitor: HealthMonitor, body: MonitorUpdate) -> None:
        """Change what may be changed.

        Raises:
            ApiError: 400 or 409; nothing has changed.
        """
        pool = self.state.pools[monitor.pool_id]
        owners = self._account.elb.pools.owners(pool)
        self.require_ready(*owners)
        given = {"type": monitor.type, **body.given()}
        _check_monitor(pool, body.model_copy(update={"type": given["type"]}))
        given |= _http_fields(given["type"], {**monitor.model_dump(), **given})
        for name, value in given.items():
            setattr(monitor, name, value)
        self._account.touch(monitor)
        self.changed(*owners)

    def delete(self, monitor: HealthMonitor) -> None:
        """Delete a monitor.

        Raises:
            ApiError: 409.
        """
        owners = self._account.elb.pools.owners(self.state.pools[monitor.pool_id])
        self.require_ready(*owners)
        del self.state.healthmonitors[monitor.id]
        self.changed(*owners)


def _persistence(protocol: str, wanted: PersistenceBody | None) -> SessionPersistence | None:
    if wanted is None:
        return None
    field = "session_persistence.type"
    if (wanted.type == "SOURCE_IP") is (protocol in ("HTTP", "HTTPS")):
        raise invalid(field, f"{wanted.type} is not for {protocol}")
    if wanted.type == "SOURCE_IP" and wanted.persistence_timeout > LONGEST_SOURCE_IP_PERSISTENCE:
        raise invalid("session_persistence.persistence_timeout", "must be 1 to 60")
    return SessionPersistence(**wanted.model_dump())


def _check_ip_target(pool: Pool, owners: list[LoadBalancer], address: str) -> None:
    if pool.type == "instance":
        raise invalid("subnet_cidr_id", f"pool {pool.id} takes no IP targets")
    if pool.protocol not in IP_TARGET_PROTOCOLS:
        raise ip_member_needs_other_protocol(pool.protocol)
    for owner in owners:
        if not owner.ip_target_enable:
            raise ip_target_disabled(owner.id)
    if not IPv4Address(address).is_private:
        raise invalid("address", "must be a private IPv4 address")


def _http_fields(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a monitor of a kind asks by HTTP, with the defaults of what it is not told."""
    if kind not in OVER_HTTP:
        return dict.fromkeys(HTTP_FIELDS)
    return {name: fields[name] or HTTP_DEFAULTS.get(name) for name in HTTP_FIELDS}


def _check_monitor(pool: Pool, body: MonitorUpdate) -> None:
    if body.type not in MONITORS_FOR.get(pool.protocol, ("TCP", "HTTP", "HTTPS")):
        raise invalid("type", f"a {body.type} monitor is not for a {pool.protocol} pool")
    if body.type not in OVER_HTTP:
        for name in HTTP_FIELDS:
            if getattr(body, name) is not None:
                raise invalid(name, f"is not for a {body.type} monitor")
