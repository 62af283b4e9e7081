"""Take the instance from behind the listener: no connection reaches it any more."""

from __future__ import annotations

from typing import Any

from shared.platform import Context
from shared.resources.release import ReleaseOrder, balancers_before, guard, held_balancers, with_gone
from shared.resources.takedown import gone_pools, release_pools
from shared.results import StepResult
from shared.services import Services
from shared.step import run_step


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(ReleaseOrder, _release, event, context)


def _release(order: ReleaseOrder, services: Services) -> StepResult:
    kept = guard(order, services)
    if kept:
        return kept
    touched = release_pools(services.cloud, held_balancers(order, services))
    return StepResult(touched=with_gone(order, touched, lambda: gone_pools(balancers_before(order))))
