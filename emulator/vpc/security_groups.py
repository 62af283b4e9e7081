"""Security groups, to be read: the one that every project has. Nothing that is emulated looks at its rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid5

from emulator.clock import EPOCH
from emulator.core.fields import FieldsQuery, Values
from emulator.core.message import Answer, Request
from emulator.core.resources import NAMESPACE
from emulator.core.times import without_z
from emulator.vpc.neutron import NeutronQuery, listing, one


class GroupQuery(NeutronQuery):
    """Filters of the list of security groups."""

    description: Values = None


class RuleQuery(NeutronQuery):
    """Filters of the list of rules."""

    description: Values = None
    direction: Values = None
    ethertype: Values = None
    protocol: Values = None
    port_range_min: Values = None
    port_range_max: Values = None
    remote_group_id: Values = None
    remote_ip_prefix: Values = None
    security_group_id: Values = None


def list_groups(request: Request, project_id: str, query: GroupQuery) -> Answer:
    """VPC API v2.0: querying security groups.

    Assumed: there is the default one; its rules do not count for load balancers and instances.
    """
    return listing("security_groups", request, [_default(project_id)], query)


def show_group(project_id: str, group_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying a security group."""
    return one("security_group", group_id, [_default(project_id)], query)


def list_rules(request: Request, project_id: str, query: RuleQuery) -> Answer:
    """VPC API v2.0: querying security group rules."""
    return listing("security_group_rules", request, _rules(project_id), query)


def show_rule(project_id: str, rule_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying a security group rule."""
    return one("security_group_rule", rule_id, _rules(project_id), query)


def _default(project_id: str) -> dict[str, Any]:
    return {
        "id": _id(project_id, "group"),
        "name": "default",
        "description": "Default security group",
        "tenant_id": project_id,
        "project_id": project_id,
        "security_group_rules": list(_rules(project_id)),
        "created_at": without_z(EPOCH),
        "updated_at": without_z(EPOCH),
    }


def _rules(project_id: str) -> Iterator[dict[str, Any]]:
    group_id = _id(project_id, "group")
    for direction, remote in (("ingress", group_id), ("egress", None)):
        yield {
            "id": _id(project_id, direction),
            "security_group_id": group_id,
            "direction": direction,
            "ethertype": "IPv4",
            "protocol": None,
            "port_range_min": None,
            "port_range_max": None,
            "remote_group_id": remote,
            "remote_ip_prefix": None,
            "remote_address_group_id": None,
            "description": None,
            "tenant_id": project_id,
        }


def _id(project_id: str, what: str) -> str:
    return str(uuid5(NAMESPACE, f"security group/{project_id}/{what}"))
