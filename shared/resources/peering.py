"""The VPC peering between the load balancer's VPC and the other one (VPC v2.0: peerings)."""

from __future__ import annotations

from collections.abc import Iterable

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.vpc import Peering
from shared.planning.plan import Plan
from shared.record import Mark, read_mark
from shared.resources.converge import delete, ensure_unique, update, was_other
from shared.results import Did, Kind, Touched

_ACTIVE = "ACTIVE"
_LIVE = frozenset({_ACTIVE, "PENDING_ACCEPTANCE"})


def ensure_peering(cloud: Cloud, plan: Plan, run: str, *, first: bool) -> tuple[str, Touched]:
    """The one ACTIVE peering of the pair, whichever side asked for it.

    Raises:
        PermanentError: `PeeringUnusable` while somebody has to accept it.
    """
    if first and plan.seen.peering_id is not None:
        return plan.seen.peering_id, _touched(plan.seen.peering_id, Did.ADOPTED, "the VPCs were peered already")
    mark = Mark(plan.exposure, run)
    peering, made = ensure_unique(
        lambda: find_peering(cloud, plan.vpc_id, plan.peer_vpc_id),
        lambda: cloud.vpc.create_peering(plan.name, mark.text(), plan.vpc_id, plan.peer_vpc_id),
        first=first,
    )
    if peering.status != _ACTIVE:
        raise PermanentError(
            ErrorCode.PEERING_UNUSABLE,
            f"The peering {peering.id} of the two VPCs is {peering.status}.",
            resource=peering.id,
            advice="Accept it or delete it, then try again.",
        )
    own = read_mark(peering.description)
    if own is not None and own.exposure == plan.exposure and peering.name != plan.name:
        update("peering", peering.id, lambda: cloud.vpc.update_peering(peering.id, name=plan.name))
        return peering.id, _touched(peering.id, Did.UPDATED, was_other(["name"]))
    if made or own == mark:
        return peering.id, _touched(peering.id, Did.CREATED, "the two VPCs were not peered")
    return peering.id, _touched(peering.id, Did.ADOPTED, "the VPCs were peered already")


def find_peering(cloud: Cloud, vpc_id: str, peer_vpc_id: str) -> Peering | None:
    """The live peering of a pair of VPCs."""
    found = peering_of(cloud.vpc.peerings(), vpc_id, peer_vpc_id)
    return found if found and found.status in _LIVE else None


def active_peering(peerings: Iterable[Peering], vpc_id: str, peer_vpc_id: str) -> Peering | None:
    """The peering of a pair of VPCs that works now."""
    found = peering_of(peerings, vpc_id, peer_vpc_id)
    return found if found and found.status == _ACTIVE else None


def peering_of(peerings: Iterable[Peering], vpc_id: str, peer_vpc_id: str) -> Peering | None:
    """The peering of a pair of VPCs, whichever side asked for it: of several the one that works, else one that may."""
    pair = [one for one in peerings if one.vpc_ids == {vpc_id, peer_vpc_id}]
    return min(
        pair, key=lambda one: (one.status != _ACTIVE, one.status not in _LIVE, one.created_at, one.id), default=None
    )


def made_by_us(peering: Peering) -> bool:
    """Whether an exposure made the peering."""
    return read_mark(peering.description) is not None


def release_peering(cloud: Cloud, peering_id: str, *, ours: bool, foreign_routes: bool) -> Touched:
    """Delete a peering if we made it and no foreign route needs it; deleting it deletes its routes."""
    if not ours:
        return _touched(peering_id, Did.KEPT, "it was there before us")
    if foreign_routes:
        return _touched(peering_id, Did.KEPT, "a route that is not ours leads through it")
    delete(lambda: cloud.vpc.delete_peering(peering_id))
    return _touched(peering_id, Did.RELEASED, "no exposure needs it any more")


def _touched(identifier: str, did: Did, reason: str) -> Touched:
    return Touched(kind=Kind.PEERING, id=identifier, did=did, reason=reason)
