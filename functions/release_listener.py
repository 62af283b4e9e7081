"""Close the public port."""

from __future__ import annotations

from typing import Any

from shared.platform import Context
from shared.resources.release import ReleaseOrder, guard, held_balancers
from shared.resources.takedown import release_listeners
from shared.results import StepResult
from shared.services import Services
from shared.step import run_step


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(ReleaseOrder, _release, event, context)


def _release(order: ReleaseOrder, services: Services) -> StepResult:
    kept = guard(order, services)
    return kept or StepResult(touched=tuple(release_listeners(services.cloud, held_balancers(order, services))))
