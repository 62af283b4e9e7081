"""EIPs, bandwidths and tags on the wire: v1, and v2.0 for tags."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from emulator.account import Account
from emulator.core.fields import in_enterprise_project
from emulator.core.message import Answer, no_content, ok
from emulator.core.paging import MarkerQuery, page_of
from emulator.core.problems import refusing
from emulator.core.resources import Strict, owned, seen
from emulator.core.tags import TagBody, TagsBody, changed, shown
from emulator.core.text import Address, EnterpriseProject
from emulator.core.times import spaced
from emulator.eip.errors import ERRORS, bandwidth_not_found, eip_not_found
from emulator.eip.models import Bandwidth, BandwidthSpec, PublicIp
from emulator.vpc.errors import v1

# EIP API: assigning an EIP.
MAX_MBIT = 1000
MAX_INT = 2**31 - 1


class EipFields(Strict):
    """What a new EIP is to be."""

    type: str
    ip_version: int = 4
    ip_address: Address | None = None
    alias: str = Field(default="", max_length=64)


class EipBody(Strict):
    """The body of assigning an EIP."""

    publicip: EipFields
    bandwidth: BandwidthSpec
    enterprise_project_id: EnterpriseProject | None = None


class EipChange(Strict):
    """What may change in an EIP; a port binds it, an empty one unbinds it."""

    port_id: str | None = None
    ip_version: int | None = None
    alias: str | None = Field(default=None, max_length=64)


class EipChangeBody(Strict):
    """The body of updating an EIP."""

    publicip: EipChange


class EipQuery(MarkerQuery):
    """Filters of the list of EIPs."""

    max_limit: ClassVar[int] = MAX_INT

    id: list[str] = []
    ip_version: int | None = None
    public_ip_address: list[str] = []
    private_ip_address: list[str] = []
    port_id: list[str] = []
    enterprise_project_id: str | None = None


class BandwidthQuery(MarkerQuery):
    """Filters of the list of bandwidths."""

    max_limit: ClassVar[int] = MAX_INT

    share_type: str | None = None
    enterprise_project_id: str | None = None


class BandwidthChange(Strict):
    """What may change in a bandwidth."""

    name: str | None = Field(default=None, min_length=1, max_length=64)
    size: int | None = Field(default=None, ge=1, le=2000)


class BandwidthChangeBody(Strict):
    """The body of updating a bandwidth."""

    bandwidth: BandwidthChange


def create_eip(account: Account, project_id: str, body: EipBody) -> Answer:
    """EIP API: assigning an EIP; answers 200, and PENDING_CREATE until it is looked at.

    Assumed: how long PENDING_CREATE is shown is the dial `eip_create`.
    """
    fields = body.publicip
    if fields.ip_version != 4:
        raise ERRORS.invalid("ip_version", "only 4 is offered")
    _check_own(body.bandwidth)
    with refusing(v1):
        eip = account.eip.create(project_id, fields.type, body.bandwidth, name=fields.alias, address=fields.ip_address)
    brief = {key: _eip(account, eip)[key] for key in BRIEF}
    return ok({"publicip": {**brief, "status": "PENDING_CREATE", "bandwidth_size": 0}})


def list_eips(account: Account, project_id: str, query: EipQuery) -> Answer:
    """EIP API: querying EIPs."""
    found = [
        eip
        for eip in owned(account.eip.state.publicips, project_id)
        if (not query.id or eip.id in query.id)
        and (not query.public_ip_address or eip.address in query.public_ip_address)
        and (not query.private_ip_address or eip.private_address in query.private_ip_address)
        and (not query.port_id or _port(eip) in query.port_id)
        and query.ip_version in (None, 4)
        and in_enterprise_project(query.enterprise_project_id)
    ]
    page = page_of(seen(found, account.now()), query, ERRORS)
    return ok({"publicips": [_eip(account, eip) for eip in page]})


def show_eip(account: Account, project_id: str, publicip_id: str) -> Answer:
    """EIP API: querying an EIP.

    Assumed: one bound to a load balancer is ACTIVE, or ELB (dial `eip_bound_status`).
    """
    visible = seen([find_eip(account, project_id, publicip_id)], account.now())
    if not visible:
        raise eip_not_found()
    return ok({"publicip": _eip(account, visible[0])})


def update_eip(account: Account, project_id: str, publicip_id: str, body: EipChangeBody) -> Answer:
    """EIP API: updating an EIP; an empty port does not unbind it from a dedicated load balancer.

    Assumed: the port of a dedicated load balancer's private address binds it.
    """
    eip, fields = find_eip(account, project_id, publicip_id), body.publicip
    with refusing(v1):
        if fields.port_id:
            _bind_to_port(account, eip, fields.port_id)
        elif fields.port_id == "" and eip.bound_to == "PORT":
            account.eip.unbind(eip)
    if fields.alias is not None:
        eip.name = fields.alias
        account.touch(eip)
    return ok({"publicip": _eip(account, eip)})


def delete_eip(account: Account, project_id: str, publicip_id: str) -> Answer:
    """EIP API: releasing an EIP."""
    with refusing(v1):
        account.eip.release(find_eip(account, project_id, publicip_id))
    return no_content()


def list_bandwidths(account: Account, project_id: str, query: BandwidthQuery) -> Answer:
    """EIP API: querying bandwidths."""
    mine = owned(account.eip.state.bandwidths, project_id)
    found = [
        bandwidth
        for bandwidth in mine
        if query.share_type in (None, bandwidth.share_type) and in_enterprise_project(query.enterprise_project_id)
    ]
    page = page_of(seen(found, account.now()), query, ERRORS)
    return ok({"bandwidths": [bandwidth_view(account, bandwidth) for bandwidth in page]})


def show_bandwidth(account: Account, project_id: str, bandwidth_id: str) -> Answer:
    """EIP API: querying a bandwidth."""
    visible = seen([_find_bandwidth(account, project_id, bandwidth_id)], account.now())
    if not visible:
        raise bandwidth_not_found()
    return ok({"bandwidth": bandwidth_view(account, visible[0])})


def update_bandwidth(account: Account, project_id: str, bandwidth_id: str, body: BandwidthChangeBody) -> Answer:
    """EIP API: updating a bandwidth."""
    bandwidth = _find_bandwidth(account, project_id, bandwidth_id)
    for name, value in body.bandwidth.model_dump(exclude_none=True).items():
        setattr(bandwidth, name, value)
    account.touch(bandwidth)
    return ok({"bandwidth": bandwidth_view(account, bandwidth)})


def list_tags(account: Account, project_id: str, publicip_id: str) -> Answer:
    """EIP API: querying EIP tags."""
    return ok({"tags": shown(find_eip(account, project_id, publicip_id).tags)})


def add_tag(account: Account, project_id: str, publicip_id: str, body: TagBody) -> Answer:
    """EIP API: creating a tag for an EIP."""
    eip = find_eip(account, project_id, publicip_id)
    eip.tags = {**eip.tags, body.tag.key: body.tag.value}
    return no_content()


def change_tags(account: Account, project_id: str, publicip_id: str, body: TagsBody) -> Answer:
    """EIP API: batch creating or deleting EIP tags."""
    eip = find_eip(account, project_id, publicip_id)
    eip.tags = changed(eip.tags, body)
    return no_content()


def delete_tag(account: Account, project_id: str, publicip_id: str, key: str) -> Answer:
    """EIP API: deleting an EIP tag."""
    eip = find_eip(account, project_id, publicip_id)
    if key not in eip.tags:
        raise v1(404, "VPC.1801", f"tag {key} could not be found")
    eip.tags = {name: value for name, value in eip.tags.items() if name != key}
    return no_content()


def find_eip(account: Account, project_id: str, eip_id: str) -> PublicIp:
    """An EIP of the project.

    Raises:
        ApiError: 404.
    """
    eip = account.eip.get(project_id, eip_id)
    if eip is None:
        raise eip_not_found()
    return eip


def _check_own(wanted: BandwidthSpec) -> None:
    """Only a load balancer is made with a bandwidth that is larger or has no name."""
    if wanted.share_type == "PER" and wanted.name is None:
        raise v1(400, "VPC.0301", "Bandwidth name is invalid.")
    if (wanted.size or 0) > MAX_MBIT:
        raise v1(400, "VPC.0301", "Bandwidth size is invalid.")


def _find_bandwidth(account: Account, project_id: str, bandwidth_id: str) -> Bandwidth:
    bandwidth = account.eip.state.bandwidths.get(bandwidth_id)
    if bandwidth is None or bandwidth.project_id != project_id:
        raise bandwidth_not_found()
    return bandwidth


def _bind_to_port(account: Account, eip: PublicIp, port_id: str) -> None:
    """Ports exist here as the private addresses of load balancers; binding one is binding its owner."""
    owner = account.elb.load_balancers.by_port(port_id)
    if owner is None or owner.project_id != eip.project_id:
        raise v1(500, "VPC.0508", "Port is invalid.")
    if problem := account.elb.cannot_publish(owner.id, eip.address):
        raise ERRORS.invalid("port_id", problem)
    account.eip.bind(eip, "ELB", owner.id)


def _port(eip: PublicIp) -> str | None:
    return eip.instance_id if eip.bound_to == "PORT" else None


BRIEF = ("id", "status", "type", "public_ip_address", "tenant_id", "ip_version", "create_time", "alias")


def _eip(account: Account, eip: PublicIp) -> dict[str, Any]:
    bandwidth = account.eip.state.bandwidths[eip.bandwidth_id]
    return {
        "id": eip.id,
        "status": account.eip.status(eip),
        "type": eip.pool,
        "alias": eip.name,
        "public_ip_address": eip.address,
        "private_ip_address": eip.private_address,
        "port_id": _port(eip),
        "tenant_id": eip.project_id,
        "ip_version": 4,
        "profile": {},
        "bandwidth_id": bandwidth.id,
        "bandwidth_name": bandwidth.name,
        "bandwidth_size": bandwidth.size,
        "bandwidth_share_type": bandwidth.share_type,
        "enterprise_project_id": "0",
        "public_border_group": "center",
        "create_time": spaced(eip.created_at),
    }


def bandwidth_view(account: Account, bandwidth: Bandwidth) -> dict[str, Any]:
    """A bandwidth on the wire."""
    users = [eip for eip in account.eip.state.publicips.values() if eip.bandwidth_id == bandwidth.id]
    return {
        "id": bandwidth.id,
        "name": bandwidth.name,
        "size": bandwidth.size,
        "share_type": bandwidth.share_type,
        "charge_mode": bandwidth.charge_mode,
        "bandwidth_type": "share" if bandwidth.share_type == "WHOLE" else "bgp",
        "billing_info": "",
        "tenant_id": bandwidth.project_id,
        "enterprise_project_id": "0",
        "status": "NORMAL",
        "publicip_info": [
            {
                "publicip_id": eip.id,
                "publicip_address": eip.address,
                "publicip_type": eip.pool,
                "ip_version": 4,
            }
            for eip in users
        ],
    }
