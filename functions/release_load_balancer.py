"""Delete the load balancer and give its public address back."""

from __future__ import annotations

from typing import Any

from shared.platform import Context
from shared.resources.release import ReleaseOrder, discard_own_losers, guard, held_balancers
from shared.resources.takedown import release_load_balancers
from shared.results import StepResult
from shared.services import Services
from shared.step import run_step


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(ReleaseOrder, _release, event, context)


def _release(order: ReleaseOrder, services: Services) -> StepResult:
    kept = guard(order, services)
    if kept:
        lost = discard_own_losers(order.target, order.run, services)
        return kept.model_copy(update={"touched": (*kept.touched, *lost)})
    return StepResult(
        touched=tuple(
            release_load_balancers(
                services.cloud, held_balancers(order, services), order.target.name, first=order.first
            )
        )
    )
