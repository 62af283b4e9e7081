"""Poll once whether the load balancer reaches the instance; the machine's Retry is the polling."""

from __future__ import annotations

from typing import Any

from shared.planning.plan import Plan
from shared.resources.health import check_health
from shared.resources.load_balancer import discard_loser
from shared.results import Did, Kind, StepResult, Touched
from shared.services import LocalContext, Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    load_balancer_id: str


def handler(event: dict[str, Any], context: LocalContext) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _check, event, context)


def _check(order: _Order, services: Services) -> StepResult:
    status, losers = check_health(services.cloud, order.plan, order.load_balancer_id, first=order.first)
    now, settle = services.now().timestamp(), services.settings.settle_seconds
    discarded = [
        Touched(kind=Kind.LOAD_BALANCER, id=loser.id, did=Did.RELEASED, reason="it lost the election")
        for loser in losers
        if discard_loser(services.cloud, loser, run=order.run, now=now, settle=settle)
    ]
    return StepResult(touched=tuple(discarded), facts={"member_status": status})
