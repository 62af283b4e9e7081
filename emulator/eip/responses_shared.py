"""Shared bandwidths, and EIPs by their tags, on the wire of v2.0."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, no_content, ok
from emulator.core.problems import refusing
from emulator.core.resources import Strict, owned
from emulator.core.tags import MAX_TAGS, shown
from emulator.core.text import EnterpriseProject, NumberOrText
from emulator.core.times import with_z
from emulator.eip.errors import bandwidth_not_found
from emulator.eip.models import Bandwidth, PublicIp
from emulator.eip.responses import bandwidth_view, find_eip
from emulator.vpc.errors import v1


class SharedFields(Strict):
    """What a new shared bandwidth is to be; Mbit/s."""

    name: str = Field(min_length=1, max_length=64)
    size: int = Field(ge=5, le=2000)
    enterprise_project_id: EnterpriseProject | None = None


class SharedBody(Strict):
    """The body of assigning a shared bandwidth."""

    bandwidth: SharedFields


class Reference(Strict):
    """An EIP to add or to remove."""

    publicip_id: str
    publicip_type: str | None = None


class InsertFields(Strict):
    """EIPs to add."""

    publicip_info: list[Reference] = Field(min_length=1)


class InsertBody(Strict):
    """The body of adding EIPs."""

    bandwidth: InsertFields


class RemoveFields(Strict):
    """EIPs to remove, and the bandwidth that each of them gets instead; Mbit/s."""

    publicip_info: list[Reference] = Field(min_length=1)
    charge_mode: Literal["traffic"]
    size: int = Field(ge=1, le=2000)


class RemoveBody(Strict):
    """The body of removing EIPs."""

    bandwidth: RemoveFields


class TagFilter(Strict):
    """A tag that an EIP has to have, with one of the values; none means any, a leading `*` a part of it."""

    key: str
    values: list[str] = []


class Match(Strict):
    """The name of an EIP."""

    key: Literal["resource_name"]
    value: str


class TagSearch(Strict):
    """The body of querying EIPs by tag."""

    action: Literal["filter", "count"]
    tags: list[TagFilter] = Field(default=[], max_length=MAX_TAGS)
    matches: list[Match] = []
    limit: NumberOrText = Field(default=1000, ge=1, le=1000)
    offset: NumberOrText = Field(default=0, ge=0)


def assign_shared(account: Account, project_id: str, body: SharedBody) -> Answer:
    """EIP API: assigning a shared bandwidth.

    Assumed: the codes of refusals.
    """
    used = sum(one.share_type == "WHOLE" for one in owned(account.eip.state.bandwidths, project_id))
    if 0 <= account.vpc.state.quotas["shareBandwidth"] <= used:
        raise v1(400, "VPC.0301", "Quota exceeded for resources: ['sharedbandwidth'].")
    fields = {"name": body.bandwidth.name, "size": body.bandwidth.size, "share_type": "WHOLE"}
    made = account.add(account.eip.state.bandwidths, Bandwidth, "eip", project_id, **fields)
    times = {"created_at": with_z(made.created_at), "updated_at": with_z(made.updated_at)}
    return ok({"bandwidth": {**bandwidth_view(account, made), **times}})


def delete_shared(account: Account, project_id: str, bandwidth_id: str) -> Answer:
    """EIP API: deleting a shared bandwidth.

    Assumed: the codes of refusals.
    """
    shared = _find(account, project_id, bandwidth_id)
    if any(eip.bandwidth_id == shared.id for eip in account.eip.state.publicips.values()):
        raise v1(400, "VPC.0301", "Bandwidth is in use by a public IP.")
    del account.eip.state.bandwidths[shared.id]
    return no_content()


def insert_into_shared(account: Account, project_id: str, bandwidth_id: str, body: InsertBody) -> Answer:
    """EIP API: adding an EIP to a shared bandwidth; the bandwidth that was its own goes.

    Assumed: the codes of refusals.
    """
    shared = _find(account, project_id, bandwidth_id)
    eips = [find_eip(account, project_id, one.publicip_id) for one in body.bandwidth.publicip_info]
    with refusing(v1):
        account.eip.share(shared, eips)
    return ok({"bandwidth": bandwidth_view(account, shared)})


def remove_from_shared(account: Account, project_id: str, bandwidth_id: str, body: RemoveBody) -> Answer:
    """EIP API: removing an EIP from a shared bandwidth."""
    shared = _find(account, project_id, bandwidth_id)
    eips = [find_eip(account, project_id, one.publicip_id) for one in body.bandwidth.publicip_info]
    with refusing(v1):
        account.eip.unshare(shared, eips, body.bandwidth.size)
    return no_content()


def list_project_tags(account: Account, project_id: str) -> Answer:
    """EIP API: querying EIP tags in a specified project."""
    found: dict[str, list[str]] = {}
    for eip in owned(account.eip.state.publicips, project_id):
        for key, value in eip.tags.items():
            found.setdefault(key, []).append(value)
    return ok({"tags": [{"key": key, "values": sorted(set(values))} for key, values in found.items()]})


def find_by_tags(account: Account, project_id: str, body: TagSearch) -> Answer:
    """EIP API: querying EIPs by tag.

    Assumed: a leading `*` looks for a part of the value.
    """
    found = [eip for eip in owned(account.eip.state.publicips, project_id) if _matches(eip, body)]
    count: dict[str, Any] = {"total_count": len(found)}
    if body.action == "count":
        return ok(count)
    page = found[body.offset : body.offset + body.limit]
    resources = [{"resource_id": one.id, "resource_name": one.name, "tags": shown(one.tags)} for one in page]
    return ok({**count, "resources": [{**one, "resource_detail": ""} for one in resources]})


def _find(account: Account, project_id: str, bandwidth_id: str) -> Bandwidth:
    bandwidth = account.eip.state.bandwidths.get(bandwidth_id)
    if bandwidth is None or bandwidth.project_id != project_id or bandwidth.share_type != "WHOLE":
        raise bandwidth_not_found()
    return bandwidth


def _matches(eip: PublicIp, body: TagSearch) -> bool:
    return all(match.value == eip.name for match in body.matches) and all(_has(eip, one) for one in body.tags)


def _has(eip: PublicIp, wanted: TagFilter) -> bool:
    value = eip.tags.get(wanted.key)
    if value is None or not wanted.values:
        return value is not None
    return any(fnmatchcase(value, f"{one}*" if one.startswith("*") else one) for one in wanted.values)
