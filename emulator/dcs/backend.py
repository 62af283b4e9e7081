"""The life of instances, and what runs for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core.problems import Refusal
from emulator.core.resources import Pending, owned
from emulator.dataplane import Node as RunningNode
from emulator.dataplane import RedisInstance
from emulator.dcs.models import DcsState, Instance, Whitelist, settle

if TYPE_CHECKING:
    from emulator.account import Account

SLOTS = 16384


class DcsBackend:
    """Instances, and their processes in the data plane."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._told: dict[str, RedisInstance | None] = {}

    @property
    def state(self) -> DcsState:
        """The tables."""
        return self._account.world.dcs

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

    def status(self, instance: Instance) -> str:
        """The status that reads show."""
        if instance.deleting:
            return "DELETING"
        pending = instance.pending
        return pending.shows if pending and not pending.over(self._account.now()) else instance.status

    def whitelist(self, instance: Instance) -> Whitelist:
        """The whitelist that counts now; a change takes the time that its dial says."""
        pending = instance.whitelist_pending
        if instance.whitelist_before is not None and pending and not pending.over(self._account.now()):
            return instance.whitelist_before
        return instance.whitelist

    def reconcile(self) -> None:
        """Let the data plane run what is RUNNING, as it is now described."""
        plane = self._account.data_plane
        for gone in self._told.keys() - self.state.instances.keys():
            plane.instance_removed(gone)
            del self._told[gone]
        for instance in self.state.instances.values():
            runs = self._described(instance) if self.status(instance) == "RUNNING" else None
            if instance.id in self._told and self._told[instance.id] == runs:
                continue
            if runs is None:
                plane.instance_stopped(instance.id)
            else:
                plane.instance_started(runs)
            self._told[instance.id] = runs

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

    def create(self, instances: list[Instance]) -> None:
        """Put new instances into their subnets and let them come up.

        Raises:
            Refusal: a subnet has no address left; nothing has changed.
        """
        for instance in instances:
            try:
                settle(instance, self._account.vpc.state.subnets[instance.subnet_id])
            except ValueError as error:
                for one in instances:
                    self._account.vpc.release(one.id)
                raise Refusal(400, "DCS.4911", f"Not enough IP addresses in the subnet: {error}") from None
        for instance in instances:
            self.state.instances[instance.id] = instance
            self._account.lag(instance, "CREATING", self._account.dials.dcs_create)

    def delete(self, instance: Instance) -> None:
        """Begin to delete an instance; its addresses are free again when it is gone."""
        instance.deleting = True
        self._account.lag(instance, "DELETING", self._account.dials.dcs_delete)
        self.tick()

    def tick(self) -> None:
        """Let instances go whose deletion is over."""
        now = self._account.now()
        for instance in [one for one in self.state.instances.values() if one.deleting]:
            if instance.pending is None or instance.pending.over(now):
                self._account.vpc.release(instance.id)
                del self.state.instances[instance.id]

    def restart(self, instance: Instance) -> None:
        """Restart an instance: its processes stop, and what they only had in memory is gone."""
        self._account.data_plane.instance_stopped(instance.id)
        self._told[instance.id] = None
        self._account.lag(instance, "RESTARTING", self._account.dials.dcs_restart)

    def flush(self, instance: Instance) -> None:
        """Remove all keys of an instance, which goes on running."""
        self._account.data_plane.instance_flushed(instance.id)
        self._account.lag(instance, "RUNNING", self._account.dials.dcs_modify)

    def put_whitelist(self, instance: Instance, whitelist: Whitelist) -> None:
        """Replace the whitelist; the old one counts for as long as the dial says."""
        lag = self._account.dials.whitelist
        instance.whitelist_before = instance.whitelist
        instance.whitelist_pending = Pending(shows="", reads=lag.reads, until=self._account.now() + lag.seconds)
        instance.whitelist = whitelist
        self._account.touch(instance)

    def read_whitelist(self, instance: Instance) -> Whitelist:
        """The whitelist that a read shows, which counts as one."""
        shown = self.whitelist(instance)
        if instance.whitelist_pending:
            instance.whitelist_pending.reads -= 1
        if shown is instance.whitelist:
            instance.whitelist_before = instance.whitelist_pending = None
        return shown

    def swap(self, instance: Instance) -> None:
        """Fail over: in each group the first replica becomes the master."""
        for group in {node.group for node in instance.masters()}:
            members = [node for node in instance.nodes if node.group == group and node.role != "proxy"]
            master = next(node for node in members if node.role == "master")
            heir = next((node for node in members if node.role == "slave"), None)
            if heir:
                master.role, heir.role = "slave", "master"

    def used_memory(self, project_id: str) -> float:
        """The memory of all instances of a project, in GB."""
        return sum(one.capacity for one in self.instances(project_id))
