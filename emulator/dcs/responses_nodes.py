"""Shards, replicas and proxies on the wire."""

from __future__ import annotations

from typing import Any
from uuid import uuid5

from emulator.account import Account
from emulator.core.message import Answer, ok
from emulator.core.resources import NAMESPACE, seen
from emulator.dcs.bodies import NodeQuery
from emulator.dcs.errors import unsupported_type
from emulator.dcs.models import Instance, Node
from emulator.dcs.responses import find_instance


def list_groups(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: querying details of shards; there is no port in it."""
    instance = find_instance(account, project_id, instance_id)
    if instance.engine_version == "3.0" or instance.cache_mode == "single":
        raise unsupported_type()
    numbers = sorted({node.group for node in instance.nodes})
    groups = [
        {
            "group_id": _group_id(instance, number),
            "group_name": f"group-{number}",
            "replication_list": [
                _replication(instance, node) for node in instance.nodes if node.group == number and node.role != "proxy"
            ],
        }
        for number in numbers
    ]
    return ok({"group_list": groups, "group_count": len(groups)})


def list_nodes(account: Account, project_id: str, query: NodeQuery) -> Answer:
    """DCS API: querying instance nodes in batches; ports are text here."""
    found = seen(account.dcs.instances(project_id), account.now())
    page = found[query.offset : query.offset + query.limit]
    shown = [
        {
            "instance_id": instance.id,
            "node_count": len(instance.nodes),
            "nodes": [_logical(instance, node) for node in instance.nodes],
        }
        for instance in page
    ]
    return ok({"count": len(found), "instances": shown})


def _group_id(instance: Instance, number: int) -> str:
    return str(uuid5(NAMESPACE, f"group/{instance.id}/{number}"))


def _dimensions(instance: Instance, node: Node) -> list[dict[str, str]]:
    return [
        {"name": "dcs_instance_id", "value": instance.id},
        {"name": "dcs_cluster_redis_node", "value": node.id},
    ]


def _replication(instance: Instance, node: Node) -> dict[str, Any]:
    return {
        "replication_id": str(uuid5(NAMESPACE, f"replication/{node.id}")),
        "replication_role": node.role,
        "replication_ip": node.ip,
        "is_replication": False,
        "node_id": node.id,
        "status": "Active",
        "az_code": node.az,
        "dimensions": _dimensions(instance, node),
    }


def _logical(instance: Instance, node: Node) -> dict[str, Any]:
    proxy = node.role == "proxy"
    return {
        "logical_node_id": uuid5(NAMESPACE, f"logical/{node.id}").hex,
        "name": f"({'proxy' if proxy else 'replica'}){node.ip}",
        "status": "Active",
        "az_code": node.az,
        "node_role": "redis-proxy" if proxy else "redis-server",
        "node_type": node.role,
        "node_ip": node.ip,
        "node_port": str(instance.port),
        "node_id": node.id,
        "is_access": True,
        "group_id": None if proxy else _group_id(instance, node.group),
        "group_name": None if proxy else f"group-{node.group}",
        "priority_weight": 100,
        "is_remove_ip": False,
        "replication_id": None if proxy else str(uuid5(NAMESPACE, f"replication/{node.id}")),
        "dimensions": _dimensions(instance, node),
    }
