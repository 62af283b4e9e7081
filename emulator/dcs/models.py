"""Redis instances: what they are."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from uuid import uuid5

from pydantic import AfterValidator, Field, model_validator

from emulator.core.resources import NAMESPACE, Pending, Resource, Strict, Table, find
from emulator.core.state import State
from emulator.core.text import networks_in
from emulator.vpc.models import Subnet

if TYPE_CHECKING:
    from emulator.world import World

CacheMode = Literal["single", "ha", "ha_rw_split", "proxy", "cluster"]
Version = Literal["3.0", "4.0", "5.0", "6.0", "7.0"]
Role = Literal["master", "slave", "proxy"]
Status = Literal["CREATING", "CREATEFAILED", "RUNNING", "ERROR", "RESTARTING", "EXTENDING", "RESTORING"]

# Which modes exist in which version (DCS manual: instance types and specifications).
MODES: dict[Version, tuple[CacheMode, ...]] = {
    "3.0": ("single", "ha", "proxy"),
    "4.0": ("single", "ha", "ha_rw_split", "proxy", "cluster"),
    "5.0": ("single", "ha", "ha_rw_split", "proxy", "cluster"),
    "6.0": ("single", "ha", "ha_rw_split", "proxy", "cluster"),
    "7.0": ("single", "ha", "cluster"),
}
PROXIES = 2
QUOTAS = {"instance": 50, "ram": 1000}


def _entry(value: str) -> str:
    if {"0.0.0.0/0", "0.0.0.0/32"} & set(map(str, networks_in(value, strict=False))):
        raise ValueError(f"{value} is not allowed")
    return value


WhitelistEntry = Annotated[str, AfterValidator(_entry)]
"""An address, a network or a range of addresses, but never everybody."""


class WhitelistGroup(Strict):
    """Clients that may connect."""

    group_name: str
    ip_list: list[WhitelistEntry]


class Whitelist(Strict):
    """Who may connect; disabled or empty lets everybody in."""

    enable_whitelist: bool = False
    whitelist: list[WhitelistGroup] = []

    @property
    def networks(self) -> tuple[IPv4Network, ...] | None:
        """Whom it lets in, None if everybody."""
        entries = [entry for group in self.whitelist for entry in group.ip_list] if self.enable_whitelist else []
        return tuple(network for entry in entries for network in networks_in(entry, strict=False)) or None


class Node(Strict):
    """A master, a replica, or a proxy in front of them. Its id stays when its role changes."""

    id: str
    group: int
    role: Role
    ip: str
    az: str = ""


class BackupPlan(Strict):
    """When backups are made: on these days of the week, in this hour (`00:00-01:00`)."""

    backup_at: list[Annotated[int, Field(ge=1, le=7)]] = Field(min_length=1)
    begin_at: str = Field(pattern=r"^([01]\d|2[0-3]):00-([01]\d|2[0-3]):00$")
    period_type: Literal["weekly"]
    timezone_offset: str | None = None


class BackupPolicy(Strict):
    """Whether backups are made by themselves, and how many days they are kept."""

    backup_type: Literal["auto", "manual"]
    save_days: int | None = Field(default=None, ge=1, le=7)
    periodical_backup_plan: BackupPlan | None = None

    @model_validator(mode="after")
    def _complete(self) -> BackupPolicy:
        if self.backup_type == "auto" and (self.save_days is None or self.periodical_backup_plan is None):
            raise ValueError("auto needs save_days and periodical_backup_plan")
        return self


class Instance(Resource):
    """A cache instance. A password or none decides whether it is password-free.

    `parameters` are those that were set, by id. `whitelist_before` is what still counts until
    `whitelist_pending` is over.
    """

    kind: ClassVar[str] = "instance"

    engine: Literal["Redis", "Memcached"] = "Redis"
    engine_version: Version = "6.0"
    cache_mode: CacheMode = "ha"
    status: Status = "RUNNING"
    busy: str | None = None
    deleting: bool = False
    description: str = ""
    subnet_id: str
    ip: str = ""
    port: int = Field(default=6379, ge=1, le=65535)
    password: str | None = None
    access_user: str | None = None
    instance_backup_policy: BackupPolicy | None = None
    ssl: bool = False
    capacity: float = 1.0
    spec_code: str = ""
    az_codes: list[str] = []
    security_group_id: str = "securityGroupId"
    maintain_begin: str = "18:00:00"
    maintain_end: str = "19:00:00"
    shards: int = 3
    replicas: int = 2
    nodes: list[Node] = []
    tags: dict[str, str] = {}
    parameters: dict[str, str] = {}
    whitelist: Whitelist = Whitelist()
    whitelist_before: Whitelist | None = None
    whitelist_pending: Pending | None = None

    @property
    def addresses(self) -> list[str]:
        """Where clients connect: every node of a Redis Cluster, else the one address."""
        return [node.ip for node in self.nodes] if self.cache_mode == "cluster" else [self.ip]

    def masters(self) -> list[Node]:
        """The nodes that take writes."""
        return [node for node in self.nodes if node.role == "master"]


class DcsState(State):
    """Cache instances of the account."""

    instances: Table[Instance] = {}
    quotas: dict[str, int] = Field(default_factory=lambda: dict(QUOTAS))

    def resolve(self, world: World) -> None:
        """Turn names into ids, give addresses and nodes, refuse what cannot exist."""
        self.quotas = {**QUOTAS, **self.quotas}
        # Addresses that a world names are taken before any is given out.
        for instance in sorted(self.instances.values(), key=lambda one: not (one.ip or one.nodes)):
            where = f"dcs.instances[{instance.name}]"
            subnet = find(world.vpc.subnets, instance.subnet_id, f"{where}.subnet_id")
            instance.subnet_id = subnet.id
            instance.az_codes = instance.az_codes or [world.zones[0]]
            if instance.cache_mode not in MODES[instance.engine_version]:
                raise ValueError(f"{where}.cache_mode: {instance.cache_mode} is not made in this version")
            if instance.whitelist.enable_whitelist and instance.engine_version == "3.0":
                raise ValueError(f"{where}.whitelist: Redis 3.0 has none")
            try:
                settle(instance, subnet)
            except ValueError as error:
                raise ValueError(f"{where}.ip: {error}") from None


def settle(instance: Instance, subnet: Subnet) -> None:
    """Give an instance its nodes and addresses in a subnet; what it has already stays.

    Raises:
        ValueError: an address is not to be had.
    """
    for address in filter(None, [*_single_ip(instance), *(node.ip for node in instance.nodes)]):
        _take(instance, subnet, address)
    if instance.cache_mode == "cluster":
        instance.nodes = instance.nodes or _nodes(instance, subnet, instance.shards)
        instance.ip = ",".join(node.ip for node in instance.masters())
        return
    instance.ip = instance.ip or _take(instance, subnet)
    if instance.nodes:
        return
    instance.nodes = _nodes(instance, subnet, instance.shards if instance.cache_mode == "proxy" else 1)
    if instance.cache_mode in ("proxy", "ha_rw_split"):
        proxies = [_node(instance, subnet, number, "proxy") for number in range(PROXIES)]
        instance.nodes = [*instance.nodes, *proxies]


def _single_ip(instance: Instance) -> list[str]:
    return [] if instance.cache_mode == "cluster" else [instance.ip]


def _nodes(instance: Instance, subnet: Subnet, groups: int) -> list[Node]:
    replicas = 1 if instance.cache_mode == "single" else instance.replicas
    return [
        _node(instance, subnet, number, "slave" if number else "master", group)
        for group in range(groups)
        for number in range(replicas)
    ]


def _node(instance: Instance, subnet: Subnet, number: int, role: Role, group: int = 0) -> Node:
    # The one node of a single-node instance is what its address leads to.
    address = instance.ip if instance.cache_mode == "single" else _take(instance, subnet)
    seed = f"node/{instance.id}/{role == 'proxy'}/{group}/{number}"
    zone = instance.az_codes[number % len(instance.az_codes)]
    return Node(id=uuid5(NAMESPACE, seed).hex, group=group, role=role, ip=address, az=zone)


def _take(instance: Instance, subnet: Subnet, address: str | None = None) -> str:
    taken = subnet.take(instance.id, address)
    if taken is None:
        raise ValueError(f"{address} is not a free address of {subnet.name}" if address else f"{subnet.name} is full")
    return taken
