"""EIPs on the wire of v3, which not every region offers."""

from __future__ import annotations

from typing import Any, Literal
from uuid import uuid5

from emulator.account import Account
from emulator.core.fields import FieldsQuery, chosen
from emulator.core.message import Answer, ok
from emulator.core.paging import page_info
from emulator.core.problems import api_not_found, refusing
from emulator.core.resources import NAMESPACE, Strict, owned, seen
from emulator.core.times import with_z
from emulator.eip.models import POOLS, PublicIp
from emulator.eip.queries import Eip3Query, matches, page_of_eips
from emulator.vpc.errors import Vpc3Errors, v3

ERRORS = Vpc3Errors()
LAGGING = frozenset({"status"})
# EIP API v3: binding an EIP.
WITHOUT_V3 = ("eu-nl",)


class Association(Strict):
    """What to bind an EIP to."""

    associate_instance_type: Literal["ELB"]
    associate_instance_id: str


class AssociationBody(Strict):
    """The body of binding an EIP."""

    publicip: Association


def list_eips_v3(account: Account, project_id: str, query: Eip3Query) -> Answer:
    """EIP API v3: querying all EIPs.

    Assumed: the envelope of refusals. It is not offered in eu-nl (dial `eip_v3_offered`).
    """
    _offered(account)
    mine = owned(account.eip.state.publicips, project_id)
    # A list counts as a read of what it is about; a status that lags must be read to move on.
    asked = [eip for eip in mine if matches(query, _eip(account, eip), leaving=LAGGING)]
    views = {eip.id: _eip(account, eip) for eip in seen(asked, account.now())}
    found = [eip for eip in asked if eip.id in views and matches(query, views[eip.id])]
    ordered, page = page_of_eips(found, views, query)
    shown = [chosen(views[eip.id], query.fields) for eip in page]
    return ok({"publicips": shown, "page_info": page_info(ordered, page), "total_count": len(found)})


def show_eip_v3(account: Account, project_id: str, publicip_id: str, query: FieldsQuery) -> Answer:
    """EIP API v3: querying EIP details."""
    visible = seen([_find(account, project_id, publicip_id)], account.now())
    if not visible:
        raise v3(404, "VPC.0504", "Floating IP could not be found.")
    return ok({"publicip": chosen(_eip(account, visible[0]), query.fields)})


def associate_eip(account: Account, project_id: str, publicip_id: str, body: AssociationBody) -> Answer:
    """EIP API v3: binding an EIP; here to load balancers only.

    Assumed: the envelope of refusals; ports, NAT gateways and VPNs are not there to be bound.
    """
    eip = _find(account, project_id, publicip_id)
    owner = account.world.elb.loadbalancers.get(body.publicip.associate_instance_id)
    if owner is None or owner.project_id != project_id:
        raise ERRORS.invalid("associate_instance_id", "is not a load balancer")
    if problem := account.elb.cannot_publish(owner.id, eip.address):
        raise ERRORS.invalid("associate_instance_id", problem)
    with refusing(v3):
        account.eip.bind(eip, "ELB", owner.id)
    return ok({"publicip": _eip(account, eip)})


def disassociate_eip(account: Account, project_id: str, publicip_id: str) -> Answer:
    """EIP API v3: unbinding an EIP; it also works for a load balancer's."""
    eip = _find(account, project_id, publicip_id)
    if eip.instance_id is None:
        raise v3(409, "VPC.0512", "The EIP is not bound.")
    account.eip.unbind(eip)
    return ok({"publicip": _eip(account, eip)})


def list_pools(account: Account) -> Answer:
    """EIP API v3: querying common pools."""
    _offered(account)
    return ok({"common_pools": [{"name": name, "status": "available", "type": "bgp"} for name in POOLS]})


def _offered(account: Account) -> None:
    said = account.dials.eip_v3_offered
    if said is False or (said is None and account.world.region in WITHOUT_V3):
        raise api_not_found()


def _find(account: Account, project_id: str, eip_id: str) -> PublicIp:
    _offered(account)
    eip = account.eip.get(project_id, eip_id)
    if eip is None:
        raise v3(404, "VPC.0504", "Floating IP could not be found.")
    return eip


def _eip(account: Account, eip: PublicIp) -> dict[str, Any]:
    bandwidth = account.eip.state.bandwidths[eip.bandwidth_id]
    return {
        "id": eip.id,
        "alias": eip.name,
        "project_id": eip.project_id,
        "ip_version": 4,
        "public_ip_address": eip.address,
        "public_ipv6_address": None,
        "status": account.eip.status(eip),
        "description": "",
        "enterprise_project_id": "0",
        "type": "EIP",
        "publicip_pool_name": eip.pool,
        "publicip_pool_id": str(uuid5(NAMESPACE, f"pool/{eip.pool}")),
        "public_border_group": "center",
        "bandwidth": {
            "id": bandwidth.id,
            "name": bandwidth.name,
            "size": bandwidth.size,
            "share_type": bandwidth.share_type,
            "charge_mode": bandwidth.charge_mode,
            "billing_info": "",
        },
        "vnic": None,
        "associate_instance_type": eip.bound_to,
        "associate_instance_id": eip.instance_id,
        "lock_status": None,
        "allow_share_bandwidth_types": ["share"],
        "billing_info": None,
        "tags": [f"{key}={value}" for key, value in eip.tags.items()],
        "created_at": with_z(eip.created_at),
        "updated_at": with_z(eip.updated_at),
    }
