"""Delete the routes through the peering, unless another exposure needs them."""

from __future__ import annotations

from typing import Any

from shared.errors import ErrorCode, TemporaryError
from shared.platform import Context
from shared.record import Mode, Record
from shared.resources.ip_group import find_records
from shared.resources.peering import find_peering, made_by_us
from shared.resources.release import ReleaseOrder, check_not_adopted, guard
from shared.resources.routes import release_routes, routes_through
from shared.resources.users import peering_users
from shared.results import Did, Kind, StepResult, Touched
from shared.services import Services, gather
from shared.step import run_step

LOOKS = 2
"""How often a peering is looked for before it counts as gone."""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(ReleaseOrder, _release, event, context)


def _release(order: ReleaseOrder, services: Services) -> StepResult:
    cloud, record = services.cloud, order.record
    kept = guard(order, services)
    if kept or record is None or record.mode is Mode.DIRECT:
        return kept or StepResult()
    records, seen = gather(
        lambda: find_records(cloud),
        lambda: find_peering(cloud, record.vpc, record.peer_vpc),
    )
    peering_id, ours = (seen.id, made_by_us(seen)) if seen else (_written_down(order), True)
    if peering_id is None:
        if order.state.retries < LOOKS:
            raise _unseen(record)
        return StepResult()
    check_not_adopted(order, [group for group, _ in records])
    users = peering_users(record.exposure, record.vpc, record.peer_vpc, [found for _, found in records])
    if users:
        reason = f"exposure {users[0]} needs it"
        return StepResult(touched=(Touched(kind=Kind.PEERING, id=peering_id, did=Did.KEPT, reason=reason),))
    through = routes_through(cloud, frozenset({record.vpc, record.peer_vpc}), peering_id)
    facts = {
        "peering_id": peering_id,
        "at": str(services.now().timestamp()),
        "peering_is_ours": "yes" if ours else "",
        "foreign_routes": "yes" if any(one.foreign for one in through) else "",
    }
    return StepResult(touched=tuple(release_routes(cloud, through)), facts=facts)


def _unseen(record: Record) -> TemporaryError:
    """A peering that the record speaks of may just not be listed yet; to take it for gone would leak it."""
    return TemporaryError(
        ErrorCode.NOT_READY,
        f"The peering of VPC {record.vpc} and VPC {record.peer_vpc} is not seen.",
        resource=record.vpc,
        advice="It is looked for again.",
    )


def _written_down(order: ReleaseOrder) -> str | None:
    """The peering that this run made, though the cloud does not show it yet."""
    peering_id = order.fact("peering_id")
    return peering_id if peering_id in order.created else None
