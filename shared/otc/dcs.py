"""DCS instances, their nodes and whitelists (DCS API v2; its paths mix `instances` and `instance`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from shared.otc.client import ServiceClient, listed, read
from shared.otc.models import Seen, Tags, Text
from shared.otc.transport import Call, Service

PAGE = 1000
_LASTING_FAILURES = frozenset({"CREATEFAILED", "ERROR"})


def _addresses(value: Any) -> Any:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value or ()


class Instance(Seen):
    """A DCS instance."""

    id: str = Field(validation_alias=AliasChoices("instance_id", "id"))
    name: Text = ""
    engine: str
    engine_version: str
    cache_mode: Text = Field("", description="Only told of a single instance, not in lists.")
    status: str
    ips: Annotated[tuple[str, ...], BeforeValidator(_addresses)] = Field((), validation_alias=AliasChoices("ip", "ips"))
    port: int
    no_password_access: bool = False
    enable_ssl: bool = False
    vpc_id: str
    subnet_id: str
    subnet_cidr: Text = ""
    az_codes: tuple[str, ...] = ()
    created_at: Text = ""
    tags: Tags = Field(default_factory=dict)

    @property
    def ip(self) -> str:
        """The access address; a Redis Cluster has one per node, and this is the first."""
        return self.ips[0] if self.ips else ""

    @property
    def failed(self) -> bool:
        """Whether it will not run by itself, however long one waits."""
        return self.status in _LASTING_FAILURES


class WhitelistGroup(Seen):
    """A named part of a whitelist."""

    name: str = Field(alias="group_name")
    ips: tuple[str, ...] = Field((), alias="ip_list")


class Whitelist(Seen):
    """Who may reach an instance; disabled or empty means everybody in reach. A PUT replaces all of it."""

    enabled: bool = Field(alias="enable_whitelist")
    groups: tuple[WhitelistGroup, ...] = Field((), alias="whitelist")


class Node(Seen):
    """A node of an instance, a proxy too."""

    id: str = Field(validation_alias=AliasChoices("logical_node_id", "id"))
    ip: str = Field(validation_alias=AliasChoices("node_ip", "ip"))
    port: int = Field(validation_alias=AliasChoices("node_port", "port"))
    role: str = Field(validation_alias=AliasChoices("node_type", "role"), description="master, slave, proxy")
    status: Text = ""
    group_name: Text = ""


class _InstanceNodes(Seen):
    instance_id: str
    nodes: tuple[Node, ...] = ()


class DcsClient(ServiceClient):
    """Instances and who may reach them."""

    service = Service.DCS

    def instance(self, instance_id: str) -> Instance:
        """One instance."""
        return self._one(self._v2("GET", "instance:get", "instances", instance_id), Instance)

    def instances(self) -> list[Instance]:
        """All instances."""
        call = self._v2("GET", "instance:list", "instances")
        return [read(call, Instance, item) for item in self._offsets(call)]

    def whitelist(self, instance_id: str) -> Whitelist:
        """The whitelist of an instance."""
        call = self._v2("GET", "whitelist:list", "instance", instance_id, "whitelist")
        return self._one(call, Whitelist)

    def put_whitelist(self, instance_id: str, desired: Whitelist) -> None:
        """Replace the whitelist of an instance; the effect may be seen later."""
        body = desired.model_dump(mode="json", by_alias=True)
        self._send(self._v2("PUT", "whitelist:modify", "instance", instance_id, "whitelist", body=body))

    def nodes(self, instance_id: str) -> list[Node]:
        """The nodes of one instance with their ports."""
        # The API lists the nodes of all instances and has no filter.
        return list(self.all_nodes().get(instance_id, ()))

    def all_nodes(self) -> dict[str, tuple[Node, ...]]:
        """The nodes of every instance with their ports, by instance."""
        call = self._v2("GET", "instance:list", "instances-logical-nodes")
        found = (read(call, _InstanceNodes, item) for item in self._offsets(call))
        return {instance.instance_id: instance.nodes for instance in found}

    def _offsets(self, call: Call) -> Iterator[Any]:
        # Its default page has 10 items only, so the size is always named.
        offset = 0
        while True:
            page = self._send(replace(call, query=(("offset", str(offset)), ("limit", str(PAGE)))))
            items = listed(call, page, "instances")
            yield from items
            offset += len(items)
            if len(items) < PAGE:
                return

    def _v2(self, method: str, action: str, *place: str, body: dict[str, Any] | None = None) -> Call:
        return self._call(method, f"dcs:{action}", "v2", self._project(), *place, body=body)
