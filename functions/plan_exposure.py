"""Decide what an exposure needs and whether it is safe; creates nothing."""

from __future__ import annotations

from typing import Any

from shared.planning.decide import make_plan
from shared.planning.plan import PlanResult
from shared.platform import Context
from shared.request import parse_request
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    request: dict[str, Any]


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _plan, event, context)


def _plan(order: _Order, services: Services) -> PlanResult:
    request = parse_request(order.request)
    assert request.action == "expose"
    return make_plan(services.cloud, request, order.run, services.settings, services.now())
