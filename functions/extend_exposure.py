"""Move the end of an exposure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.platform import Context
from shared.request import parse_request
from shared.resources.extension import Extended, extend
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    request: dict[str, Any]


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _extend, event, context)


def _extend(order: _Order, services: Services) -> Extended:
    request = parse_request(order.request)
    assert request.action == "extend"
    # A repeated attempt means the same end, so the time counts from the state's beginning.
    begun = datetime.fromisoformat(order.state.entered)
    return extend(services.cloud, request, begun, services.settings.expirer)
