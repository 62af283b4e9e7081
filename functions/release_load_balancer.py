"""Delete the load balancer and give its public address back."""

from __future__ import annotations

from typing import Any

from shared.platform import Context
from shared.resources.release import (
    ReleaseOrder,
    balancers_before,
    discard_own_losers,
    guard,
    held_balancers,
    with_gone,
)
from shared.resources.takedown import gone_addresses, gone_load_balancers, release_load_balancers
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
    cloud, before = services.cloud, balancers_before(order)
    touched = release_load_balancers(cloud, held_balancers(order, services), order.target.name, first=order.first)
    return StepResult(
        touched=with_gone(
            order,
            touched,
            lambda: (*gone_load_balancers(before), *gone_addresses(cloud, before, order.created)),
        )
    )
