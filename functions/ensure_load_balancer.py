"""Make the exposure's anchor and its load balancer with a public address."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.resources.ip_group import discard_unused_anchors, ensure_ip_group
from shared.resources.load_balancer import ensure_load_balancer
from shared.results import StepResult
from shared.services import LocalContext, Services, gather
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan


def handler(event: dict[str, Any], context: LocalContext) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    cloud, settings = services.cloud, services.settings
    now = services.now().timestamp()
    first = order.first and now - order.plan.seen.at <= settings.fresh_seconds
    (group, group_touched, before), (balancer, touched) = gather(
        lambda: ensure_ip_group(cloud, order.plan, first=first, settle=settings.settle_seconds),
        lambda: ensure_load_balancer(
            cloud,
            order.plan,
            order.run,
            first=first,
            now=now,
            settle=settings.settle_seconds,
            eip_type=settings.eip_type,
        ),
    )
    if order.passes:
        discard_unused_anchors(cloud, order.plan, keep=group.id)
    eip = balancer.public_ips[0]
    return StepResult(
        touched=(group_touched, *touched),
        facts={
            "ip_group_id": group.id,
            "load_balancer_id": balancer.id,
            "eip_id": eip.id,
            "public_address": eip.address,
            **({"before": before.model_dump_json()} if before else {}),
        },
    )
