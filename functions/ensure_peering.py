"""Peer the load balancer's VPC with the other one."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.platform import Context
from shared.record import Mode
from shared.resources.peering import ensure_peering
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    if order.plan.mode is Mode.DIRECT:
        return StepResult(facts={"peering_id": ""})
    peering_id, touched = ensure_peering(
        services.cloud, order.plan, order.run, first=order.first and order.plan.existing is None
    )
    return StepResult(touched=(touched,), facts={"peering_id": peering_id})
