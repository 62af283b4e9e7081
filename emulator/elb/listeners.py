"""The rules of listeners."""

from __future__ import annotations

from typing import Any

from emulator.core.resources import owned
from emulator.elb.bodies import IpGroupBindingBody, ListenerCreate, ListenerUpdate
from emulator.elb.errors import conflict, invalid
from emulator.elb.models import IpGroup, IpGroupBinding, Listener, LoadBalancer, Pool
from emulator.elb.rules import Rules

POOLS_FOR = {"TCP": ("TCP",), "UDP": ("UDP", "QUIC"), "HTTP": ("HTTP",)}
DEFAULT_KEEPALIVE = {"TCP": 300, "UDP": 300, "HTTP": 60}


class Listeners(Rules):
    """Create, change and delete listeners."""

    def get(self, project_id: str, listener_id: str) -> Listener:
        """A listener of the project.

        Raises:
            ApiError: 404.
        """
        return self.find(self.state.listeners, Listener, project_id, listener_id)

    def create(self, project_id: str, body: ListenerCreate) -> Listener:
        """A new listener.

        Raises:
            ApiError: 400, 404 or 409; nothing has changed.
        """
        owner = self._account.elb.load_balancers.get(project_id, body.loadbalancer_id)
        self.require_ready(owner)
        self.require_quota("listener", len(owned(self.state.listeners, project_id)))
        self.require_quota("listeners_per_loadbalancer", len(self.tree().listeners_of[owner.id]))
        self._check_flavor(owner, body.protocol)
        if self.state.port_taken(owner.id, body.protocol, body.protocol_port):
            raise conflict(f"port {body.protocol_port} is already used on loadbalancer {owner.id}")
        self._check_bindable(owner, body.protocol, body.protocol_port)
        self._check_pool(project_id, owner.id, body.protocol, body.default_pool_id)
        fields = {name: getattr(body, name) for name in ListenerCreate.model_fields if name != "admin_state_up"}
        fields["ipgroup"] = self._binding(project_id, body.ipgroup)
        fields["tags"] = {tag.key: tag.value for tag in body.tags}
        fields["keepalive_timeout"] = _keepalive(body, body.protocol)
        item = self._account.add(self.state.listeners, Listener, "elb", project_id, **fields)
        self.changed(owner)
        return item

    def update(self, item: Listener, body: ListenerUpdate) -> None:
        """Change what may be changed; an IP group or pool of null is taken off.

        Raises:
            ApiError: 400, 404 or 409; nothing has changed.
        """
        owner = self.state.loadbalancers[item.loadbalancer_id]
        self.require_ready(owner)
        given: dict[str, Any] = body.given()
        given.pop("admin_state_up", None)
        if given.get("default_pool_id") != item.default_pool_id:
            self._check_pool(item.project_id, owner.id, item.protocol, given.get("default_pool_id"))
        if "ipgroup" in given:
            given["ipgroup"] = self._binding(item.project_id, body.ipgroup, beside=item)
        if "keepalive_timeout" in given:
            given["keepalive_timeout"] = _keepalive(body, item.protocol)
        for name, value in given.items():
            setattr(item, name, value)
        self._account.touch(item)
        self.changed(owner)

    def delete(self, item: Listener) -> None:
        """Delete a listener without a pool.

        Raises:
            ApiError: 409.
        """
        owner = self.state.loadbalancers[item.loadbalancer_id]
        self.require_ready(owner)
        if item.default_pool_id:
            raise conflict(f"pool {item.default_pool_id} is using this listener")
        del self.state.listeners[item.id]
        self.changed(owner)

    def force_delete(self, item: Listener) -> None:
        """Delete a listener with its pool and all below that.

        Raises:
            ApiError: 409.
        """
        owner = self.state.loadbalancers[item.loadbalancer_id]
        self.require_ready(owner)
        pool = self.state.pools.get(item.default_pool_id or "")
        if pool and pool.member_deletion_protection_enable:
            raise conflict(f"pool {pool.id} has member_deletion_protection_enable")
        if pool:
            self._account.elb.pools.remove_tree(pool)
        del self.state.listeners[item.id]
        self.changed(owner)

    def _check_flavor(self, owner: LoadBalancer, protocol: str) -> None:
        if protocol == "HTTP":
            if owner.l7_flavor_id is None:
                raise invalid("protocol", f"loadbalancer {owner.id} has no L7 flavor")
        elif owner.l4_flavor_id is None:
            raise invalid("protocol", f"loadbalancer {owner.id} has no L4 flavor")

    def _check_bindable(self, owner: LoadBalancer, protocol: str, port: int) -> None:
        eip = self._account.eip.of_instance(owner.id)
        if eip is None or protocol != "TCP":
            return
        problem = self._account.data_plane.cannot_listen(eip.address, port)
        if problem:
            raise invalid("protocol_port", f"The emulator cannot listen there: {problem}.")

    def _check_pool(self, project_id: str, owner_id: str, protocol: str, pool_id: str | None) -> None:
        if pool_id is None:
            return
        pool = self.find(self.state.pools, Pool, project_id, pool_id)
        if pool.protocol not in POOLS_FOR[protocol]:
            raise invalid("default_pool_id", f"a {pool.protocol} pool cannot serve a {protocol} listener")
        if pool.loadbalancer_id not in (None, owner_id):
            raise invalid("default_pool_id", f"pool {pool_id} is of another loadbalancer")
        users = self.tree().listeners_of_pool[pool_id]
        self.require_quota("listeners_per_pool", len(users))
        for other in users:
            raise conflict(f"pool {pool_id} is already used by listener {other.id}")

    def _binding(
        self, project_id: str, wanted: IpGroupBindingBody | None, *, beside: Listener | None = None
    ) -> IpGroupBinding | None:
        if wanted is None:
            return None
        group = self.find(self.state.ipgroups, IpGroup, project_id, wanted.ipgroup_id)
        users = [one for one in self.tree().users_of_group[group.id] if one is not beside]
        self.require_quota("ipgroup_bindings", len(users))
        return IpGroupBinding(**wanted.model_dump())


def _keepalive(body: ListenerUpdate, protocol: str) -> int:
    return body.keepalive_timeout or DEFAULT_KEEPALIVE[protocol]
