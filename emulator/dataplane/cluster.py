"""A Redis Cluster on loopback: real servers that redirect to addresses nobody outside can reach."""

from __future__ import annotations

import time
from hashlib import sha1

from emulator.dataplane.plane import Node, RedisInstance
from emulator.dataplane.redis_process import (
    START_SECONDS,
    RedisProcess,
    RedisServerError,
    find_server,
    free_port,
    major_version,
)

BUS_OFFSET = 10_000
FIRST_WITH_CLIENT_PORT = 9


def cluster_processes(instance: RedisInstance) -> tuple[RedisProcess, ...]:
    """Start one server for each node, in the order of the nodes.

    Raises:
        RedisServerError: If a server does not start, or the nodes do not find each other.
    """
    ports = [free_port() for _ in instance.nodes]
    # Others redirect to the right address, but to the port on loopback.
    own_client_port = major_version(find_server(), "Valkey") >= FIRST_WITH_CLIENT_PORT
    started: list[RedisProcess] = []
    try:
        for node, port in zip(instance.nodes, ports, strict=True):
            started.append(
                RedisProcess(
                    instance.password,
                    port=port,
                    settings=node_settings(node, own_client_port=own_client_port),
                    files={"nodes.conf": nodes_file(instance, ports, node)},
                )
            )
        wait_until_ready(started)
    except RedisServerError:
        for process in started:
            process.stop()
        raise
    return tuple(started)


def node_settings(node: Node, *, own_client_port: bool) -> tuple[str, ...]:
    """Let a node gossip on loopback but name its private address to clients, as the cloud's nodes do."""
    return (
        *((f"cluster-announce-client-port {node.port}",) if own_client_port else ()),
        "cluster-enabled yes",
        "cluster-config-file nodes.conf",
        f"cluster-announce-hostname {node.ip}",
        "cluster-preferred-endpoint-type hostname",
        "repl-diskless-sync-delay 0",
    )


def node_id(node: Node) -> str:
    """Return the cluster's own id of a node."""
    return sha1(f"{node.ip}:{node.port}".encode(), usedforsecurity=False).hexdigest()


def nodes_file(instance: RedisInstance, ports: list[int], myself: Node) -> str:
    """Write the cluster's map as one node keeps it, so that nobody has to introduce the nodes."""
    masters = {node.ip: node for node in instance.nodes if node.master_ip is None}
    lines = []
    for epoch, (node, port) in enumerate(zip(instance.nodes, ports, strict=True), start=1):
        flags = ("myself," if node is myself else "") + ("slave" if node.master_ip else "master")
        master = node_id(masters[node.master_ip]) if node.master_ip else "-"
        slots = f" {node.slots[0]}-{node.slots[1]}" if node.slots else ""
        address = f"127.0.0.1:{port}@{port + BUS_OFFSET},{node.ip}"
        lines.append(f"{node_id(node)} {address} {flags} {master} 0 0 {epoch} connected{slots}\n")
    return "".join(lines) + f"vars currentEpoch {len(lines)} lastVoteEpoch 0\n"


def wait_until_ready(processes: list[RedisProcess]) -> None:
    """Wait until every node sees the cluster as whole.

    Raises:
        RedisServerError: If that takes too long.
    """
    deadline = time.monotonic() + START_SECONDS
    for process in processes:
        while b"cluster_state:ok" not in process.ask("CLUSTER", "INFO"):
            if time.monotonic() > deadline:
                raise RedisServerError("The nodes of the Redis Cluster did not find each other.")
            time.sleep(0.02)
