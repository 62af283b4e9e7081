"""A data plane without sockets or processes, for tests that own the clock."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network

from emulator.dataplane.plane import Connection, Frontend, RedisInstance


class ModelledDataPlane:
    """An instance answers at its nodes' addresses if and only if it runs."""

    def __init__(self, public_network: str = "80.158.0.0/16") -> None:
        self.public_network = IPv4Network(public_network)
        self.frontends: tuple[Frontend, ...] = ()
        self._instances: dict[str, RedisInstance] = {}
        self._running: set[str] = set()

    def instance_started(self, instance: RedisInstance) -> None:
        """Let an instance answer."""
        self._instances[instance.instance_id] = instance
        self._running.add(instance.instance_id)

    def instance_stopped(self, instance_id: str) -> None:
        """Let an instance refuse connections."""
        self._running.discard(instance_id)

    def instance_removed(self, instance_id: str) -> None:
        """Let nothing be at the instance's addresses."""
        self._running.discard(instance_id)
        self._instances.pop(instance_id, None)

    def instance_flushed(self, instance_id: str) -> None:
        """Do nothing: no instance holds a key here."""

    def connect(self, vpc_id: str, ip: str, port: int) -> Connection:
        """Connect: silence where nothing is, a refusal where nothing listens."""
        ports = {
            (node.port, instance.instance_id in self._running)
            for instance in self._instances.values()
            if instance.vpc_id == vpc_id
            for node in instance.nodes
            if node.ip == ip
        }
        if not ports:
            return Connection.TIMED_OUT
        return Connection.OPENED if (port, True) in ports else Connection.REFUSED

    def cannot_listen(self, address: str, port: int) -> str | None:  # noqa: ARG002 - nothing is in the way here
        """Return None: without sockets every port is free."""
        return None

    def publish(self, frontends: Sequence[Frontend]) -> None:
        """Remember the listeners."""
        self.frontends = tuple(frontends)

    def close(self) -> None:
        """Stop every instance."""
        self._running.clear()
