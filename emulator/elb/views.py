"""Load balancing as it is written on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.account import Account
from emulator.core.resources import Resource
from emulator.core.tags import shown
from emulator.core.times import with_z, without_z
from emulator.elb.capacity import Flavor
from emulator.elb.models import HealthMonitor, IpGroup, Listener, LoadBalancer, Member, Pool
from emulator.elb.tree import Tree

Shown = dict[str, Any]


class Views:
    """Shows resources as they are at one moment."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._path = account.elb.data_path()
        self.tree = Tree(account.elb.state)
        self._eips = {one.instance_id: one for one in account.eip.state.publicips.values() if one.instance_id}

    def load_balancer(self, item: LoadBalancer) -> Shown:
        """ELB API: viewing details of a load balancer."""
        eip = self._eips.get(item.id)
        same = item.model_dump(exclude={"tags", "pending", "hidden_reads", "deleting", "created_at", "updated_at"})
        return {
            **same,
            "admin_state_up": True,
            "provisioning_status": _provisioning(item),
            "operating_status": "ONLINE",
            "provider": "vlb",
            "elb_virsubnet_type": "ipv4",
            "guaranteed": True,
            "l4_scale_flavor_id": None,
            "l7_scale_flavor_id": None,
            "listeners": _ids(self.tree.listeners_of[item.id]),
            "pools": _ids(self.tree.pools_of[item.id]),
            "tags": shown(item.tags),
            "publicips": [_bound(eip.id, eip.address, "publicip")] if eip else [],
            "eips": [_bound(eip.id, eip.address, "eip")] if eip else [],
            "ipv6_vip_address": None,
            "ipv6_vip_virsubnet_id": None,
            "ipv6_vip_port_id": None,
            "public_border_group": "center",
            "frozen_scene": None,
            "billing_info": None,
            "enterprise_project_id": "0",
            **_times(item),
        }

    def listener(self, item: Listener) -> Shown:
        """ELB API: viewing details of a listener."""
        same = item.model_dump(
            exclude={"tags", "pending", "hidden_reads", "loadbalancer_id", "created_at", "updated_at"}
        )
        return {
            **same,
            "admin_state_up": True,
            "loadbalancers": [{"id": item.loadbalancer_id}],
            "client_timeout": None,
            "member_timeout": None,
            "connection_limit": -1,
            "client_ca_tls_container_ref": None,
            "default_tls_container_ref": None,
            "enhance_l7policy_enable": False,
            "http2_enable": False,
            "insert_headers": {},
            "security_policy_id": None,
            "sni_container_refs": [],
            "tls_ciphers_policy": None,
            "enable_member_retry": True,
            "tags": shown(item.tags),
            **_times(item),
        }

    def pool(self, item: Pool) -> Shown:
        """ELB API: viewing details of a backend server group."""
        monitor = self.tree.monitor_of.get(item.id)
        same = item.model_dump(exclude={"pending", "hidden_reads", "loadbalancer_id", "created_at", "updated_at"})
        return {
            **same,
            "admin_state_up": True,
            "loadbalancers": _ids(self.tree.load_balancers_of[item.id]),
            "listeners": _ids(self.tree.listeners_of_pool[item.id]),
            "members": _ids(self.tree.members_of[item.id]),
            "healthmonitor_id": monitor.id if monitor else None,
            "ip_version": "v4",
            "slow_start": None,
            **_times(item),
        }

    def member(self, item: Member) -> Shown:
        """ELB API: viewing details of a backend server."""
        same = item.model_dump(exclude={"pending", "hidden_reads", "pool_id", "created_at", "updated_at"})
        health = self._path.health(item)
        return {
            **same,
            "admin_state_up": item.subnet_cidr_id is not None,
            "ip_version": "v4",
            "member_type": "ip" if item.subnet_cidr_id is None else "instance",
            "instance_id": "",
            "operating_status": health,
            "status": [
                {"listener_id": one.id, "operating_status": health, "reason": self._reason(item, health)}
                for one in self.tree.listeners_of_pool[item.pool_id]
            ],
            **_times(item),
        }

    def monitor(self, item: HealthMonitor) -> Shown:
        """ELB API: viewing details of a health check."""
        same = item.model_dump(exclude={"pending", "hidden_reads", "pool_id", "created_at", "updated_at"})
        return {**same, "pools": [{"id": item.pool_id}], **_times(item)}

    def ip_group(self, item: IpGroup) -> Shown:
        """ELB API: viewing details of an IP address group; its time stamps have no Z."""
        return {
            "id": item.id,
            "project_id": item.project_id,
            "name": item.name,
            "description": item.description,
            "ip_list": [entry.model_dump() for entry in item.ip_list],
            "listeners": _ids(self.tree.users_of_group[item.id]),
            "enterprise_project_id": "0",
            "created_at": without_z(item.created_at),
            "updated_at": without_z(item.updated_at),
        }

    def flavor(self, item: Flavor) -> Shown:
        """ELB API: viewing details of a flavor."""
        size = item.model_dump(include={"connection", "cps", "bandwidth", "lcu"})
        if item.qps is not None:
            size |= {"qps": item.qps, "https_cps": item.cps}
        return {
            "id": item.id,
            "name": item.name,
            "type": item.type,
            "shared": item.shared,
            "project_id": item.project_id,
            "flavor_sold_out": item.sold_out,
            "info": size,
        }

    def status_tree(self, item: LoadBalancer) -> Shown:
        """ELB API: querying the status tree of a load balancer."""
        pools = {pool.id: self._pool_status(pool) for pool in self.tree.pools_of[item.id]}
        listeners = [
            {
                **_named(one),
                "operating_status": _worst(self._used(one, pools)),
                "l7policies": [],
                "pools": self._used(one, pools),
            }
            for one in self.tree.listeners_of[item.id]
        ]
        return {
            "id": item.id,
            "name": item.name,
            "provisioning_status": _provisioning(item),
            "operating_status": _worst(pools.values()),
            "listeners": listeners,
            "pools": list(pools.values()),
        }

    def _used(self, listener: Listener, pools: Mapping[str, Shown]) -> list[Shown]:
        return [pools[listener.default_pool_id]] if listener.default_pool_id else []

    def _pool_status(self, pool: Pool) -> Shown:
        monitor = self.tree.monitor_of.get(pool.id)
        members = [
            {
                "id": one.id,
                "address": one.address,
                "protocol_port": one.protocol_port,
                "provisioning_status": "ACTIVE",
                "operating_status": self._path.health(one),
            }
            for one in self.tree.members_of[pool.id]
        ]
        view: Shown = {**_named(pool), "operating_status": _worst(members), "members": members}
        if monitor:
            view["healthmonitor"] = {**_named(monitor), "type": monitor.type}
        return view

    def _reason(self, item: Member, health: str) -> Shown | None:
        checked = self._account.elb.checked(item.id)
        if health != "OFFLINE" or checked is None or checked.reason is None:
            return None
        return {
            "reason_code": checked.reason.value,
            "expected_response": None,
            "healthcheck_response": None,
        }


def _provisioning(item: LoadBalancer) -> str:
    return item.pending.shows if item.pending else "ACTIVE"


def _ids(items: Iterable[Resource]) -> list[dict[str, str]]:
    return [{"id": item.id} for item in items]


def _bound(eip_id: str, address: str, kind: str) -> Shown:
    return {f"{kind}_id": eip_id, f"{kind}_address": address, "ip_version": 4}


def _times(item: Resource) -> Shown:
    return {"created_at": with_z(item.created_at), "updated_at": with_z(item.updated_at)}


def _named(item: Resource) -> Shown:
    return {"id": item.id, "name": item.name, "provisioning_status": "ACTIVE"}


def _worst(parts: Iterable[Shown]) -> str:
    unwell = any(part["operating_status"] in ("OFFLINE", "DEGRADED") for part in parts)
    return "DEGRADED" if unwell else "ONLINE"
