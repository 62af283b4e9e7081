"""Peerings on the wire (v2.0)."""

from __future__ import annotations

from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, Request, created, no_content, ok
from emulator.core.paging import MarkerQuery, page_of
from emulator.core.problems import refusing
from emulator.core.resources import Strict, seen
from emulator.core.text import Description, Name64
from emulator.core.times import without_z
from emulator.vpc.errors import NeutronErrors, neutron
from emulator.vpc.links import page_links
from emulator.vpc.models import Peering
from emulator.vpc.peering import answer_peering, connect, disconnect

NEUTRON = NeutronErrors()


class VpcInfo(Strict):
    """One end of a peering; the project id is needed where it is another's."""

    vpc_id: str
    tenant_id: str | None = None


class PeeringFields(Strict):
    """What a new peering is to be."""

    name: Name64
    description: Description = ""
    request_vpc_info: VpcInfo
    accept_vpc_info: VpcInfo


class PeeringBody(Strict):
    """The body of creating a peering."""

    peering: PeeringFields


class PeeringChange(Strict):
    """What may change in a peering."""

    name: Name64 | None = None
    description: Description | None = None


class PeeringChangeBody(Strict):
    """The body of updating a peering."""

    peering: PeeringChange


class PeeringQuery(MarkerQuery):
    """Filters of the list of peerings."""

    id: str | None = None
    name: str | None = None
    status: str | None = None
    tenant_id: str | None = None
    vpc_id: str | None = None


def create_peering(account: Account, project_id: str, body: PeeringBody) -> Answer:
    """VPC API: creating a VPC peering connection.

    Assumed: the status for a second peering of a pair (dial `duplicate_peering_status`) and for a VPC with itself
    (`self_peering_status`).
    """
    fields = body.peering
    accept = (fields.accept_vpc_info.tenant_id or project_id, fields.accept_vpc_info.vpc_id)
    request_vpc_id = fields.request_vpc_info.vpc_id
    with refusing(neutron):
        peering = connect(account, project_id, request_vpc_id, accept, name=fields.name, description=fields.description)
    return created({"peering": _peering(peering)})


def list_peerings(account: Account, project_id: str, request: Request, query: PeeringQuery) -> Answer:
    """VPC API: querying VPC peering connections; which sides `vpc_id` looks at is a dial.

    Assumed: `vpc_id` looks at both sides (dial `peering_list_matches_both_sides`).
    """
    found = [
        peering
        for peering in account.vpc.state.peerings.values()
        if project_id in (peering.project_id, peering.accept_project_id)
        and query.id in (None, peering.id)
        and query.name in (None, peering.name)
        and query.status in (None, peering.status)
        and query.tenant_id in (None, peering.project_id, peering.accept_project_id)
        and (query.vpc_id is None or _matches(account, peering, query.vpc_id))
    ]
    found = seen(found, account.now())
    page = page_of(found, query, NEUTRON)
    return ok({"peerings": [_peering(one) for one in page], **page_links("peerings", request, found, page)})


def show_peering(account: Account, project_id: str, peering_id: str) -> Answer:
    """VPC API: querying a VPC peering connection."""
    visible = seen([_find(account, project_id, peering_id)], account.now())
    if not visible:
        raise _missing(peering_id)
    return ok({"peering": _peering(visible[0])})


def update_peering(account: Account, project_id: str, peering_id: str, body: PeeringChangeBody) -> Answer:
    """VPC API: updating a VPC peering connection."""
    peering = _find(account, project_id, peering_id)
    for name, value in body.peering.model_dump(exclude_none=True).items():
        setattr(peering, name, value)
    account.touch(peering)
    return ok({"peering": _peering(peering)})


def accept_peering(account: Account, project_id: str, peering_id: str) -> Answer:
    """VPC API: accepting a VPC peering connection; the answer is not wrapped.

    Assumed: in another state it is the status of dial `peering_wrong_state_status`.
    """
    peering = _find(account, project_id, peering_id)
    with refusing(neutron):
        answer_peering(account, project_id, peering, "ACTIVE")
    return ok(_peering(peering))


def reject_peering(account: Account, project_id: str, peering_id: str) -> Answer:
    """VPC API: refusing a VPC peering connection; the answer is not wrapped.

    Assumed: in another state it is the status of dial `peering_wrong_state_status`.
    """
    peering = _find(account, project_id, peering_id)
    with refusing(neutron):
        answer_peering(account, project_id, peering, "REJECTED")
    return ok(_peering(peering))


def delete_peering(account: Account, project_id: str, peering_id: str) -> Answer:
    """VPC API: deleting a VPC peering connection; either side may do it."""
    disconnect(account, _find(account, project_id, peering_id))
    return no_content()


def _matches(account: Account, peering: Peering, vpc_id: str) -> bool:
    if account.dials.peering_list_matches_both_sides:
        return peering.joins(vpc_id)
    return peering.request_vpc_id == vpc_id


def _find(account: Account, project_id: str, peering_id: str) -> Peering:
    peering = account.vpc.state.peerings.get(peering_id)
    if peering is None or project_id not in (peering.project_id, peering.accept_project_id):
        raise _missing(peering_id)
    return peering


def _missing(peering_id: str) -> Exception:
    return neutron(404, "VpcPeeringNotFound", f"Peering {peering_id} could not be found")


def _peering(peering: Peering) -> dict[str, Any]:
    return {
        "id": peering.id,
        "name": peering.name,
        "status": peering.status,
        "description": peering.description,
        "request_vpc_info": {"vpc_id": peering.request_vpc_id, "tenant_id": peering.project_id},
        "accept_vpc_info": {"vpc_id": peering.accept_vpc_id, "tenant_id": peering.accept_project_id},
        "created_at": without_z(peering.created_at),
        "updated_at": without_z(peering.updated_at),
    }
