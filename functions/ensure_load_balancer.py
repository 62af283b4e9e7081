"""Make the exposure's anchor and its load balancer with a public address."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from shared.planning.plan import Before, Plan
from shared.platform import Context
from shared.resources.converge import gather_told, telling
from shared.resources.ip_group import discard_unused_anchors, ensure_anchor, take_anchor
from shared.resources.load_balancer import ensure_load_balancer, sweep_addresses
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    previous: tuple[dict[str, StepResult], ...] = ()


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    cloud, settings = services.cloud, services.settings
    now, settle = services.now().timestamp(), settings.settle_seconds
    first = order.first and now - order.plan.seen.at <= settings.fresh_seconds
    (group, anchored, made), (balancer, touched) = gather_told(
        itemgetter(1),
        lambda: ensure_anchor(cloud, order.plan, first=first, settle=settle),
        lambda: ensure_load_balancer(
            cloud, order.plan, order.run, first=first, now=now, settle=settle, eip_type=settings.eip_type
        ),
    )
    with telling([*anchored, *touched]):
        if not order.first:
            sweep_addresses(cloud, order.plan, balancer, now=now, settle=settle)
            discard_unused_anchors(cloud, order.plan, keep=group.id)
        # The anchor is taken last: until then a failure leaves the exposure to whoever has it.
        taken = take_anchor(cloud, order.plan, group, made=made)
    eip = balancer.public_ips[0]
    return StepResult(
        touched=(taken.touched, *touched),
        facts={
            "ip_group_id": taken.group.id,
            "record": taken.record.copy,
            "anchored_at": taken.group.updated_at,
            "load_balancer_id": balancer.id,
            "eip_id": eip.id,
            "public_address": eip.address,
            **_remembered(taken.before, order.previous),
        },
    )


def _remembered(before: Before | None, previous: tuple[dict[str, StepResult], ...]) -> dict[str, str]:
    """How the anchor was before this run; an earlier pass may have been the one that adopted it."""
    earlier = [
        text for branch in previous for result in branch.values() if (text := result.facts.get("before")) is not None
    ]
    text = earlier[0] if earlier else before.model_dump_json() if before else None
    return {"before": text} if text else {}
