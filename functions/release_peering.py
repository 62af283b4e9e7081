"""Delete the peering, if we made it and nobody else needs it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.platform import Context
from shared.record import Mode, Record
from shared.resources.ip_group import find_records
from shared.resources.peering import find_peering, made_by_us, release_peering
from shared.resources.release import ReleaseOrder, guard
from shared.resources.routes import routes_through
from shared.resources.users import peering_users
from shared.results import StepResult
from shared.services import Services
from shared.step import run_step


class _Order(ReleaseOrder):
    routes: dict[str, str] = Field(default_factory=dict)


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _release, event, context)


def _release(order: _Order, services: Services) -> StepResult:
    cloud, record = services.cloud, order.record
    kept = guard(order, services)
    if kept or record is None or record.mode is Mode.DIRECT:
        return kept or StepResult()
    if order.first and _fresh(order, services):
        return _as_counted(order, services)
    peering = find_peering(cloud, record.vpc, record.peer_vpc)
    if peering is None or _users(services, record):
        return StepResult()
    foreign = any(one.foreign for one in routes_through(cloud, peering.vpc_ids, peering.id))
    touched = release_peering(cloud, peering.id, ours=made_by_us(peering), foreign_routes=foreign)
    return StepResult(touched=(touched,))


def _fresh(order: _Order, services: Services) -> bool:
    """Whether nobody had time to come since release_routes counted; without a count there was nothing to count."""
    counted = order.routes.get("at")
    return counted is None or services.now().timestamp() - float(counted) <= services.settings.fresh_seconds


def _as_counted(order: _Order, services: Services) -> StepResult:
    """On a first attempt, what release_routes has just counted still holds."""
    peering_id = order.routes.get("peering_id")
    if not peering_id:
        return StepResult()
    ours, foreign = (bool(order.routes.get(name)) for name in ("peering_is_ours", "foreign_routes"))
    return StepResult(touched=(release_peering(services.cloud, peering_id, ours=ours, foreign_routes=foreign),))


def _users(services: Services, record: Record) -> list[str]:
    records = [found for _, found in find_records(services.cloud)]
    return peering_users(record.exposure, record.vpc, record.peer_vpc, records)
