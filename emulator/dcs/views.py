"""Instances as DCS shows them."""

from __future__ import annotations

from typing import Any
from uuid import uuid5

from emulator.account import Account
from emulator.core.resources import NAMESPACE
from emulator.core.tags import shown
from emulator.core.times import with_millis
from emulator.dcs.models import Instance


def listed(account: Account, instance: Instance) -> dict[str, Any]:
    """An instance in a list, which says `no_password_access` as a boolean and no cache mode."""
    subnet = account.vpc.state.subnets[instance.subnet_id]
    vpc = account.vpc.state.vpcs[subnet.vpc_id]
    size, minor = _capacity(instance.capacity)
    security_group = instance.security_group_id if instance.engine_version == "3.0" else "securityGroupId"
    return {
        "instance_id": instance.id,
        "name": instance.name,
        "description": instance.description,
        "engine": instance.engine,
        "engine_version": instance.engine_version,
        "status": account.dcs.status(instance),
        "sub_status": "normal",
        "ip": instance.ip,
        "port": instance.port,
        "domain_name": f"redis-{instance.id}.dcs.{account.world.region}.example.com",
        "no_password_access": instance.password is None,
        "access_user": instance.access_user,
        "vpc_id": vpc.id,
        "vpc_name": vpc.name,
        "subnet_id": subnet.id,
        "security_group_id": security_group,
        "enable_publicip": False,
        "publicip_id": None,
        "publicip_address": None,
        "enable_ssl": False,
        "capacity": size,
        "capacity_minor": minor,
        "max_memory": int(instance.capacity * 1024),
        "used_memory": 2,
        "spec_code": instance.spec_code or f"redis.{instance.cache_mode}.xu1.tiny.r2.1",
        "az_codes": instance.az_codes,
        "maintain_begin": instance.maintain_begin,
        "maintain_end": instance.maintain_end,
        "features": {
            "support_acl": True,
            "support_transparent_client_ip": True,
            "support_ssl": instance.engine_version in ("6.0", "7.0"),
            "support_audit_log": False,
        },
        "tags": shown(instance.tags),
        "charging_mode": 0,
        "enterprise_project_id": "0",
        "cpu_type": "x86_64",
        "created_at": with_millis(instance.created_at),
        "updated_at": with_millis(instance.updated_at),
    }


def detail(account: Account, instance: Instance) -> dict[str, Any]:
    """One instance, which says `no_password_access` as text."""
    subnet = account.vpc.state.subnets[instance.subnet_id]
    view = listed(account, instance)
    return {
        **view,
        "cache_mode": instance.cache_mode,
        "no_password_access": str(view["no_password_access"]).lower(),
        "subnet_name": subnet.name,
        "subnet_cidr": subnet.cidr,
        "security_group_name": view["security_group_id"],
        "available_zones": [uuid5(NAMESPACE, f"zone/{code}").hex for code in instance.az_codes],
        "transparent_client_ip_enable": True,
        "instance_backup_policy": _backup_policy(instance),
        "service_task_id": None,
        "task": None,
    }


def _backup_policy(instance: Instance) -> dict[str, Any] | None:
    if instance.instance_backup_policy is None:
        return None
    return {
        "backup_policy_id": str(uuid5(NAMESPACE, f"backup policy/{instance.id}")),
        "tenant_id": instance.project_id,
        "policy": instance.instance_backup_policy.model_dump(exclude_none=True),
        "created_at": with_millis(instance.created_at),
        "updated_at": with_millis(instance.updated_at),
    }


def _capacity(size: float) -> tuple[int, str]:
    """Whole gigabytes, and what is less than one in a field of its own."""
    return (0, f"{size:g}".removeprefix("0")) if size < 1 else (int(size), f"{size:g}")
