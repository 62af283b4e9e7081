"""Open the public port to the allow-list."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.platform import Context
from shared.resources.listener import ensure_listener
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    load_balancer_id: str
    public_address: str
    ip_group_id: str
    record: str
    # A run that began before a deployment follows the definition of then, which does not give it.
    anchored_at: str = ""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    listener, touched = ensure_listener(
        services.cloud,
        order.plan,
        order.load_balancer_id,
        order.public_address,
        order.ip_group_id,
        record=order.record,
        anchored_at=order.anchored_at,
        first=order.first and order.plan.existing is None,
    )
    return StepResult(touched=(touched,), facts={"listener_id": listener.id})
