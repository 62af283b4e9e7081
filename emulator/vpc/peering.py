"""The rules of peerings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core.problems import Refusal
from emulator.core.resources import owned
from emulator.vpc.models import Peering, PeeringStatus

if TYPE_CHECKING:
    from emulator.account import Account


def connect(
    account: Account,
    project_id: str,
    request_vpc_id: str,
    accept: tuple[str, str],
    *,
    name: str,
    description: str,
) -> Peering:
    """Connect a VPC of the project to another (project id and VPC id), which may be another project's.

    Raises:
        Refusal: a missing VPC, the quota, a VPC with itself, or a pair that is connected already.
    """
    accept_project_id, accept_vpc_id = accept
    for owner, vpc_id in ((project_id, request_vpc_id), accept):
        if account.vpc.vpc(owner, vpc_id) is None:
            raise Refusal(404, "RouterNotFound", f"Router {vpc_id} could not be found")
    if request_vpc_id == accept_vpc_id:
        message = "The request and accept VPC of a peering must differ."
        raise Refusal(account.dials.self_peering_status, "PeeringInvalid", message)
    peerings = account.vpc.state.peerings
    if any(one.holds(request_vpc_id, accept_vpc_id) for one in peerings.values()):
        message = f"A peering between {request_vpc_id} and {accept_vpc_id} already exists."
        raise Refusal(account.dials.duplicate_peering_status, "PeeringConflict", message)
    if 0 <= account.vpc.state.quotas["vpcPeer"] <= len(owned(peerings, project_id)):
        raise Refusal(409, "OverQuota", "Quota exceeded for resources: ['peering'].")
    return account.add(
        peerings,
        Peering,
        "vpc",
        project_id,
        name=name,
        description=description,
        request_vpc_id=request_vpc_id,
        accept_vpc_id=accept_vpc_id,
        accept_project_id=accept_project_id,
        status="ACTIVE" if accept_project_id == project_id else "PENDING_ACCEPTANCE",
    )


def answer_peering(account: Account, project_id: str, peering: Peering, status: PeeringStatus) -> None:
    """Accept or reject, which only the accepter may, and only while the peering waits for it.

    Raises:
        Refusal: otherwise.
    """
    if peering.accept_project_id != project_id:
        raise Refusal(403, "PolicyNotAuthorized", "Only the accepting tenant may answer a peering.")
    if peering.status != "PENDING_ACCEPTANCE":
        message = f"Peering {peering.id} is {peering.status}."
        raise Refusal(account.dials.peering_wrong_state_status, "PeeringInvalidState", message)
    peering.status = status
    account.touch(peering)


def disconnect(account: Account, peering: Peering) -> None:
    """Delete a peering, and with it every route through it on both sides."""
    for table in account.vpc.state.route_tables.values():
        table.routes = [route for route in table.routes if route.nexthop != peering.id]
    del account.vpc.state.peerings[peering.id]
