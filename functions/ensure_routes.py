"""Route both sides through the peering."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.platform import Context
from shared.resources.routes import ensure_routes
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    peering_id: str


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    touched = ensure_routes(services.cloud, order.plan, order.run, order.peering_id, first=order.first)
    return StepResult(touched=tuple(touched))
