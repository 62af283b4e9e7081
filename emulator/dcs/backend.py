"""The life of instances, and what runs for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core.resources import owned
from emulator.dataplane import Node as RunningNode
from emulator.dataplane import RedisInstance
from emulator.dcs.models import DcsState, Instance, Whitelist

if TYPE_CHECKING:
    from emulator.account import Account

SLOTS = 16384


class DcsBackend:
    """Instances, and their processes in the data plane."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def state(self) -> DcsState:
        """The tables."""
        return self._account.world.dcs

    def start(self) -> None:
        """Run what the world says is running."""
        for instance in self.state.instances.values():
            self.run(instance)

    def instance(self, project_id: str, instance_id: str) -> Instance | None:
        """An instance of the project."""
        instance = self.state.instances.get(instance_id)
        return instance if instance and instance.project_id == project_id else None

    def instances(self, project_id: str) -> list[Instance]:
        """The instances of a project."""
        return owned(self.state.instances, project_id)

    def vpc_id(self, instance: Instance) -> str:
        """The VPC that an instance is in."""
        return self._account.vpc.state.subnets[instance.subnet_id].vpc_id

    def at_address(self, vpc_id: str, address: str) -> Instance | None:
        """The instance that answers at an address of a VPC."""
        instances = self.state.instances.values()
        return next(
            (one for one in instances if address in one.addresses and self.vpc_id(one) == vpc_id), None
        )

    def status(self, instance: Instance) -> str:
        """The status that reads show."""
        return instance.pending.shows if instance.pending else instance.status

    def whitelist(self, instance: Instance) -> Whitelist:
        """The whitelist that counts now; a change takes the time that its dial says."""
        pending = instance.whitelist_pending
        if instance.whitelist_before is not None and pending and not pending.over(self._account.now()):
            return instance.whitelist_before
        return instance.whitelist

    def run(self, instance: Instance) -> None:
        """Let the data plane run an instance, or stop it, as its status says."""
        described = self._described(instance)
        if self.status(instance) == "RUNNING":
            self._account.data_plane.instance_started(described)
        else:
            self._account.data_plane.instance_stopped(instance.id)

    def _described(self, instance: Instance) -> RedisInstance:
        cluster = instance.cache_mode == "cluster"
        nodes = self._cluster_nodes(instance) if cluster else (RunningNode(instance.ip, instance.port),)
        return RedisInstance(instance.id, self.vpc_id(instance), nodes, instance.password, cluster)

    def _cluster_nodes(self, instance: Instance) -> tuple[RunningNode, ...]:
        masters = {node.group: node.ip for node in instance.masters()}
        share = SLOTS // len(masters)
        last = max(masters)
        return tuple(
            RunningNode(node.ip, instance.port, master_ip=masters[node.group])
            if node.role == "slave"
            else RunningNode(
                node.ip,
                instance.port,
                slots=(node.group * share, SLOTS - 1 if node.group == last else (node.group + 1) * share - 1),
            )
            for node in instance.nodes
        )
