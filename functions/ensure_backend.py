"""Put the instance behind the listener, and watch its health."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.platform import Context
from shared.resources.backend import ensure_backend
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    load_balancer_id: str
    listener_id: str


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    pool, member, monitor, touched = ensure_backend(
        services.cloud,
        order.plan,
        order.run,
        order.load_balancer_id,
        order.listener_id,
        first=order.first and order.plan.existing is None,
    )
    return StepResult(
        touched=tuple(touched), facts={"pool_id": pool.id, "member_id": member.id, "monitor_id": monitor.id}
    )
