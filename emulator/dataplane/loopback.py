"""The data plane on one machine: real Redis processes behind a real relay, all on loopback addresses."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from threading import Lock

from emulator.dataplane.cluster import cluster_processes
from emulator.dataplane.plane import Connection, Frontend, Node, RedisInstance
from emulator.dataplane.redis_process import RedisProcess
from emulator.dataplane.relay import Relay

CHECK_SECONDS = 1.0
CLAIM_PORT = 47_999
ONLY_ADDRESS = IPv4Network("127.0.0.1/32")


class LoopbackDataPlane:
    """Runs instances and listeners of one emulated account.

    Args:
        public_network: Where public addresses come from; default the first free 127.80.x.0/24, or the only
            loopback address of systems that have one.
        connect_timeout: Seconds after which the relay gives up on a member whose packets get lost.

    Raises:
        RedisServerError: From `instance_started`, if no Redis server is found or none starts.
    """

    def __init__(self, public_network: str | None = None, *, connect_timeout: float = 5.0) -> None:
        self._claim = None if public_network else claim_network()
        chosen = IPv4Network(public_network) if public_network else ONLY_ADDRESS
        self.public_network = self._claim[0] if self._claim else chosen
        self._instances: dict[str, RedisInstance] = {}
        self._processes: dict[str, tuple[RedisProcess, ...]] = {}
        self._lock = Lock()
        self._relay = Relay(self.locate, connect_timeout)

    def instance_started(self, instance: RedisInstance) -> None:
        """Run an instance; a running one is started anew only if its processes must differ."""
        known, running = self._instances.get(instance.instance_id), self._processes.get(instance.instance_id)
        self._instances[instance.instance_id] = instance
        if running and known and process_facts(known) == process_facts(instance):
            return
        self.instance_stopped(instance.instance_id)
        self._processes[instance.instance_id] = (
            cluster_processes(instance) if instance.cluster else (RedisProcess(instance.password),)
        )

    def instance_stopped(self, instance_id: str) -> None:
        """Kill the processes of an instance; what it held is lost."""
        for process in self._processes.pop(instance_id, ()):
            process.stop()

    def instance_removed(self, instance_id: str) -> None:
        """Kill an instance and forget it."""
        self.instance_stopped(instance_id)
        self._instances.pop(instance_id, None)

    def instance_flushed(self, instance_id: str) -> None:
        """Remove all keys; a replica refuses, and follows its master."""
        for process in self._processes.get(instance_id, ()):
            # A server that died by itself holds nothing.
            with suppress(OSError):
                process.ask("FLUSHALL")

    def locate(self, vpc_id: str, ip: str, port: int) -> tuple[str, int] | None:
        """Return where the process behind an address of a VPC really listens."""
        for instance, number, node in self._nodes(vpc_id, ip):
            processes = self._processes.get(instance.instance_id)
            if processes and node.port == port:
                return "127.0.0.1", processes[number if instance.cluster else 0].port
        return None

    def connect(self, vpc_id: str, ip: str, port: int) -> Connection:
        """Open a TCP connection to the process behind an address, and close it."""
        if not self._nodes(vpc_id, ip):
            return Connection.TIMED_OUT
        address = self.locate(vpc_id, ip, port)
        if address is None:
            return Connection.REFUSED
        try:
            with socket.create_connection(address, timeout=CHECK_SECONDS):
                return Connection.OPENED
        except TimeoutError:
            return Connection.TIMED_OUT
        except OSError:
            return Connection.REFUSED

    def cannot_listen(self, address: str, port: int) -> str | None:
        """Try to bind, and say what to do if it fails."""
        try:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except PermissionError:
            return f"port {port} is privileged on this machine; choose a listener port of 1024 or above"
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            return f"{address}:{port} cannot be bound on this machine ({reason}); choose another port"
        return None

    def publish(self, frontends: Sequence[Frontend]) -> None:
        """Listen for exactly these frontends.

        Raises:
            CannotListenError: If one cannot be bound; all others are.
        """
        self._relay.publish(frontends)

    def close(self) -> None:
        """Stop the relay and every instance."""
        self._relay.close()
        for instance_id in list(self._processes):
            self.instance_removed(instance_id)
        if self._claim:
            self._claim[1].close()

    def _nodes(self, vpc_id: str, ip: str) -> list[tuple[RedisInstance, int, Node]]:
        return [
            (instance, number, node)
            for instance in list(self._instances.values())
            if instance.vpc_id == vpc_id
            for number, node in enumerate(instance.nodes)
            if node.ip == ip
        ]


def process_facts(instance: RedisInstance) -> object:
    """Return what the processes depend on; outside a cluster we map addresses and ports ourselves."""
    return instance.password, instance.nodes if instance.cluster else None


def claim_network() -> tuple[IPv4Network, socket.socket] | None:
    """Reserve a range of public addresses, so that emulators side by side do not share them.

    Returns:
        The range and the socket that reserves it until it is closed; None where only 127.0.0.1 exists.
    """
    for third in range(158, 256):
        network = IPv4Network(f"127.80.{third}.0/24")
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((str(IPv4Address(network.network_address) + 1), CLAIM_PORT))
        except OSError:
            mark.close()
        else:
            return network, mark
    return None
