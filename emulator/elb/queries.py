"""Filters of the lists: a key may be repeated, and then any of its values will do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.fields import Values
from emulator.core.paging import PageQuery

PAGER = frozenset(PageQuery.model_fields)


class LoadBalancerQuery(PageQuery):
    """ELB API: querying load balancers; `eips` and `publicips` are like `publicip_id=<id>`."""

    id: Values = None
    name: Values = None
    description: Values = None
    admin_state_up: Values = None
    provisioning_status: Values = None
    operating_status: Values = None
    guaranteed: Values = None
    vpc_id: Values = None
    vip_port_id: Values = None
    vip_address: Values = None
    vip_subnet_cidr_id: Values = None
    eips: Values = None
    publicips: Values = None
    availability_zone_list: Values = None
    l4_flavor_id: Values = None
    l7_flavor_id: Values = None
    member_device_id: Values = None
    member_address: Values = None
    ip_version: Values = None
    deletion_protection_enable: Values = None
    elb_virsubnet_type: Values = None
    protection_status: Values = None
    enterprise_project_id: Values = None


class ListenerQuery(PageQuery):
    """ELB API: querying listeners."""

    id: Values = None
    name: Values = None
    description: Values = None
    admin_state_up: Values = None
    protocol: Values = None
    protocol_port: Values = None
    loadbalancer_id: Values = None
    default_pool_id: Values = None
    connection_limit: Values = None
    default_tls_container_ref: Values = None
    client_ca_tls_container_ref: Values = None
    tls_ciphers_policy: Values = None
    enable_member_retry: Values = None
    member_timeout: Values = None
    client_timeout: Values = None
    keepalive_timeout: Values = None
    member_address: Values = None
    member_device_id: Values = None
    member_instance_id: Values = None
    transparent_client_ip_enable: Values = None
    protection_status: Values = None
    enterprise_project_id: Values = None


class PoolQuery(PageQuery):
    """ELB API: querying backend server groups."""

    id: Values = None
    name: Values = None
    description: Values = None
    admin_state_up: Values = None
    protocol: Values = None
    lb_algorithm: Values = None
    loadbalancer_id: Values = None
    listener_id: Values = None
    healthmonitor_id: Values = None
    ip_version: Values = None
    member_address: Values = None
    member_device_id: Values = None
    member_instance_id: Values = None
    protection_status: Values = None
    member_deletion_protection_enable: Values = None
    type: Values = None
    vpc_id: Values = None
    enterprise_project_id: Values = None


class MemberQuery(PageQuery):
    """ELB API: querying backend servers in a backend server group."""

    id: Values = None
    name: Values = None
    address: Values = None
    protocol_port: Values = None
    weight: Values = None
    admin_state_up: Values = None
    operating_status: Values = None
    ip_version: Values = None
    subnet_cidr_id: Values = None
    member_type: Values = None
    instance_id: Values = None
    availability_zone: Values = None
    enterprise_project_id: Values = None


class ProjectMemberQuery(MemberQuery):
    """ELB API: querying backend servers in a project."""

    pool_id: Values = None
    loadbalancer_id: Values = None


class MonitorQuery(PageQuery):
    """ELB API: querying health checks."""

    id: Values = None
    name: Values = None
    type: Values = None
    delay: Values = None
    timeout: Values = None
    max_retries: Values = None
    max_retries_down: Values = None
    monitor_port: Values = None
    domain_name: Values = None
    url_path: Values = None
    expected_codes: Values = None
    http_method: Values = None
    http_version: Values = None
    content_check_enable: Values = None
    content_format: Values = None
    admin_state_up: Values = None
    enterprise_project_id: Values = None


class IpGroupQuery(PageQuery):
    """ELB API: querying IP address groups; `ip_list` is the address of an entry."""

    id: Values = None
    name: Values = None
    description: Values = None
    ip_list: Values = None


class FlavorQuery(PageQuery):
    """ELB API: querying flavors."""

    id: Values = None
    name: Values = None
    type: Values = None
    shared: Values = None
    flavor_sold_out: Values = None


class QuotaQuery(PageQuery):
    """ELB API: querying quota usage."""

    quota_key: Values = None


class ZoneQuery(PageQuery):
    """ELB API: querying AZs."""

    public_border_group: Values = None


def matches(
    query: PageQuery,
    shown: Mapping[str, Any],
    extra: Mapping[str, Iterable[Any]],
    *,
    leaving: frozenset[str] = frozenset(),
) -> bool:
    """Whether an item has one of the values of each filter but those `leaving` out; `extra` holds what is not shown."""
    for name in query.model_fields_set - PAGER - leaving:
        wanted = getattr(query, name)
        if wanted is not None and not set(wanted) & set(_values(name, shown, extra)):
            return False
    return True


def _values(name: str, shown: Mapping[str, Any], extra: Mapping[str, Iterable[Any]]) -> list[str]:
    if name in extra:
        return [_text(value) for value in extra[name]]
    if name in shown:
        value = shown[name]
        return [text for one in (value if isinstance(value, list) else [value]) for text in _texts(one)]
    # `loadbalancer_id` asks for an id among `loadbalancers`.
    return [one["id"] for one in shown.get(name.removesuffix("_id") + "s", ())]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [_text(part) for part in value.values()] + [f"{key}={_text(part)}" for key, part in value.items()]
    return [_text(value)]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
