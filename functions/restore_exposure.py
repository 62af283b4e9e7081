"""Give an exposure that outlives a failed change its record and allow-list back."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.resources.ip_group import restore_ip_group
from shared.results import StepResult
from shared.services import LocalContext, Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan


def handler(event: dict[str, Any], context: LocalContext) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _restore, event, context)


def _restore(order: _Order, services: Services) -> StepResult:
    touched = restore_ip_group(services.cloud, order.plan.existing) if order.plan.existing else None
    return StepResult(touched=(touched,) if touched else ())
