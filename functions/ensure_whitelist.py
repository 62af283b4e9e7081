"""Let the load balancer's subnet through the instance's whitelist."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.platform import Context
from shared.resources.whitelist import ensure_whitelist
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _ensure, event, context)


def _ensure(order: _Order, services: Services) -> StepResult:
    plan = order.plan
    touched, findings = ensure_whitelist(
        services.cloud, plan.instance_id, plan.whitelist, planned=plan.whitelist_changes
    )
    return StepResult(touched=(touched,) if touched else (), findings=tuple(findings))
