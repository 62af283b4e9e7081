"""Poll once whether the load balancer reaches the instance; the machine's Retry is the polling."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.platform import Context
from shared.resources.health import check_health
from shared.resources.release import discard_losers
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    load_balancer_id: str


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _check, event, context)


def _check(order: _Order, services: Services) -> StepResult:
    status, losers = check_health(services.cloud, order.plan, order.load_balancer_id, first=order.first)
    discarded = discard_losers(losers, order.run, services)
    return StepResult(touched=discarded, facts={"member_status": status})
