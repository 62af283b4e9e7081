"""What the emulated cloud asks of its data plane: run instances, connect to them, listen in public."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol


@dataclass(frozen=True)
class Node:
    """One address of an instance; `slots` (first, last) and `master_ip` exist in a Redis Cluster only."""

    ip: str
    port: int = 6379
    slots: tuple[int, int] | None = None
    master_ip: str | None = None


@dataclass(frozen=True)
class RedisInstance:
    """What must run for a DCS instance: one process for each node."""

    instance_id: str
    vpc_id: str
    nodes: tuple[Node, ...]
    password: str | None = None
    cluster: bool = False


class Connection(StrEnum):
    """How an attempt to connect ended, in the reason codes of ELB; `MUTE`: opened, but no HTTP came back."""

    OPENED = "OPENED"
    REFUSED = "CONNECT_REFUSED"
    TIMED_OUT = "CONNECT_TIMEOUT"
    MUTE = "RECV_RESPONSE_TIMEOUT"


@dataclass(frozen=True)
class Admission:
    """A listener's IP group: a white list admits only its own, a black list all others."""

    networks: tuple[IPv4Network, ...] = ()
    white: bool = False

    def admits(self, client: str) -> bool:
        """Whether a client at this address may connect; an empty white list admits nobody."""
        address = IPv4Address(client)
        return any(address in network for network in self.networks) is self.white


@dataclass(frozen=True)
class Backend:
    """A member that takes new connections; not `reachable` means that its packets get lost on the way."""

    vpc_id: str
    ip: str
    port: int
    weight: int = 1
    reachable: bool = True


@dataclass(frozen=True)
class Frontend:
    """A listener of a load balancer with a public address."""

    listener_id: str
    address: str
    port: int
    backends: tuple[Backend, ...] = ()
    algorithm: str = "ROUND_ROBIN"
    admission: Admission = Admission()


class CannotListenError(OSError):
    """A published listener could not be bound."""


class DataPlane(Protocol):
    """Carries what the control plane describes."""

    @property
    def public_network(self) -> IPv4Network:
        """Where public addresses come from; with a single address every EIP is that one."""

    def instance_started(self, instance: RedisInstance) -> None:
        """Run an instance, or make a running one be as described."""

    def instance_stopped(self, instance_id: str) -> None:
        """Stop the processes of an instance; its addresses stay and refuse connections."""

    def instance_removed(self, instance_id: str) -> None:
        """Stop an instance and forget its addresses."""

    def instance_flushed(self, instance_id: str) -> None:
        """Remove all keys of a running instance; its connections stay."""

    def connect(self, vpc_id: str, ip: str, port: int) -> Connection:
        """Open and close a connection to an address of a VPC, as a health check does."""

    def cannot_listen(self, address: str, port: int) -> str | None:
        """Why no listener can stand at a public address and port, with the remedy; None if one can."""

    def publish(self, frontends: Sequence[Frontend]) -> None:
        """Make exactly these listeners reachable; returns when they are.

        Raises:
            CannotListenError: If one cannot be bound; all others are.
        """

    def close(self) -> None:
        """Stop everything."""
