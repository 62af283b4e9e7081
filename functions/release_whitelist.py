"""Take the load balancer's subnet out of the instance's whitelist, unless another exposure needs it."""

from __future__ import annotations

from typing import Any

from shared.otc.cloud import Cloud
from shared.planning.plan import Target
from shared.platform import Context
from shared.resources.ip_group import find_records
from shared.resources.release import ReleaseOrder, fresh, guard
from shared.resources.users import whitelist_subnets
from shared.resources.whitelist import release_whitelist
from shared.results import StepResult
from shared.services import Services
from shared.step import run_step


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(ReleaseOrder, _release, event, context)


def _release(order: ReleaseOrder, services: Services) -> StepResult:
    kept = guard(order, services)
    if kept or order.record is None:
        return kept or StepResult()
    seen = fresh(order, services)
    alone = seen is not None and not seen.instance_shared
    touched, findings = release_whitelist(
        services.cloud,
        order.target.instance_id,
        lambda: frozenset() if alone else _needed(services.cloud, order.target),
    )
    return StepResult(touched=tuple(touched), findings=tuple(findings))


def _needed(cloud: Cloud, target: Target) -> frozenset[str]:
    records = [record for _, record in find_records(cloud)]
    subnets = whitelist_subnets(target.exposure, target.instance_id, records)
    return frozenset(subnet.cidr for subnet in cloud.vpc.subnets() if subnet.id in subnets) if subnets else frozenset()
