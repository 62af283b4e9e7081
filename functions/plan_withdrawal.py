"""Find what a withdrawal has to take down; deletes nothing."""

from __future__ import annotations

from typing import Any

from shared.planning.withdrawal import WithdrawalResult, plan_withdrawal
from shared.platform import Context
from shared.request import parse_request
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    request: dict[str, Any]


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _plan, event, context)


def _plan(order: _Order, services: Services) -> WithdrawalResult:
    request = parse_request(order.request)
    assert request.action == "withdraw"
    return plan_withdrawal(services.cloud, request, services.now().timestamp())
