"""Give an exposure that outlives a failed change its record and allow-list back."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Before, Plan
from shared.platform import Context
from shared.resources.restore import restore
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    built: list[dict[str, StepResult]]


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _restore, event, context)


def _restore(order: _Order, services: Services) -> StepResult:
    before = before_of(order.plan, order.built)
    if before is None:
        return StepResult()
    return StepResult(touched=tuple(restore(services.cloud, order.plan.exposure, before)))


def before_of(plan: Plan, built: list[dict[str, StepResult]]) -> Before | None:
    """How the anchor was: as planned upon, else as it was when it was adopted."""
    if plan.existing is not None:
        return plan.existing.before
    texts = [result.facts["before"] for branch in built for result in branch.values() if "before" in result.facts]
    return Before.model_validate_json(texts[0]) if texts else None
