"""The list of EIPs of v3: exact and fuzzy filters, order, two ways of paging, a choice of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from emulator.core.fields import Values
from emulator.core.paging import MAX_LIMIT, MarkerQuery, page_of
from emulator.eip.models import PublicIp
from emulator.vpc.errors import Vpc3Errors

ERRORS = Vpc3Errors()
SortKey = Literal["id", "public_ip_address", "ip_version", "created_at", "updated_at", "public_border_group"]
CONTROLS = frozenset({"marker", "limit", "offset", "fields", "sort_key", "sort_dir"})
# Where the name of a filter is not that of the field.
RENAMED = {"network_type": "publicip_pool_name", "allow_share_bandwidth_type_any": "allow_share_bandwidth_types"}


class Eip3Query(MarkerQuery):
    """EIP API v3: querying all EIPs; repeated keys mean or, `_like` looks for a part."""

    limit: int = Field(default=MAX_LIMIT, ge=0, le=MAX_LIMIT)
    offset: int = Field(default=0, ge=0, le=99_999)
    fields: list[str] = []
    sort_key: SortKey | None = None
    sort_dir: Literal["asc", "desc"] = "asc"
    id: Values = None
    ip_version: Values = None
    public_ip_address: Values = None
    public_ip_address_like: str | None = None
    public_ipv6_address: Values = None
    public_ipv6_address_like: str | None = None
    type: Values = None
    network_type: Values = None
    publicip_pool_name: Values = None
    status: Values = None
    alias: Values = None
    alias_like: str | None = None
    description: Values = None
    vnic_private_ip_address: Values = Field(default=None, alias="vnic.private_ip_address")
    vnic_private_ip_address_like: str | None = Field(default=None, alias="vnic.private_ip_address_like")
    vnic_device_id: Values = Field(default=None, alias="vnic.device_id")
    vnic_device_owner: Values = Field(default=None, alias="vnic.device_owner")
    vnic_device_owner_prefixlike: str | None = Field(default=None, alias="vnic.device_owner_prefixlike")
    vnic_vpc_id: Values = Field(default=None, alias="vnic.vpc_id")
    vnic_port_id: Values = Field(default=None, alias="vnic.port_id")
    vnic_instance_type: Values = Field(default=None, alias="vnic.instance_type")
    vnic_instance_id: Values = Field(default=None, alias="vnic.instance_id")
    bandwidth_id: Values = Field(default=None, alias="bandwidth.id")
    bandwidth_name: Values = Field(default=None, alias="bandwidth.name")
    bandwidth_name_like: Values = Field(default=None, alias="bandwidth.name_like")
    bandwidth_size: Values = Field(default=None, alias="bandwidth.size")
    bandwidth_share_type: Values = Field(default=None, alias="bandwidth.share_type")
    bandwidth_charge_mode: Values = Field(default=None, alias="bandwidth.charge_mode")
    billing_info: Values = None
    billing_mode: Literal["PAY_PER_USE"] | None = None
    associate_instance_type: Values = None
    associate_instance_id: Values = None
    enterprise_project_id: Values = None
    public_border_group: Values = None
    allow_share_bandwidth_type_any: Values = None


def matches(query: Eip3Query, shown: Mapping[str, Any], *, leaving: frozenset[str] = frozenset()) -> bool:
    """Whether an EIP has one of the values of each filter but those `leaving` out."""
    asked = query.model_dump(by_alias=True, exclude_none=True, exclude_unset=True)
    flat = _flat(shown)
    return all(_fits(name, wanted, flat) for name, wanted in asked.items() if name not in CONTROLS | leaving)


def page_of_eips(
    found: list[PublicIp], views: Mapping[str, Mapping[str, Any]], query: Eip3Query
) -> tuple[list[PublicIp], list[PublicIp]]:
    """All in the order asked for, and one page of them; an empty marker is the first page.

    Raises:
        ApiError: an unknown marker.
    """
    key = query.sort_key
    ordered = found if key is None else sorted(found, key=lambda eip: str(views[eip.id][key]))
    ordered = ordered[::-1] if query.sort_dir == "desc" else ordered
    return ordered, page_of(ordered[query.offset :], query, ERRORS)


def _fits(name: str, wanted: Any, flat: Mapping[str, list[str]]) -> bool:
    if name == "billing_mode":
        return True
    exact = name.removesuffix("_like").removesuffix("_prefixlike")
    has = flat.get(RENAMED.get(exact, exact), [])
    asked = wanted if isinstance(wanted, list) else [wanted]
    if name.endswith("_prefixlike"):
        return any(text.startswith(one) for text in has for one in asked)
    if name.endswith("_like"):
        return any(one in text for text in has for one in asked)
    return bool(set(has) & set(asked))


def _flat(shown: Mapping[str, Any], prefix: str = "") -> dict[str, list[str]]:
    flat: dict[str, list[str]] = {}
    for name, value in shown.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            values = value if isinstance(value, list) else [value]
            flat[prefix + name] = ["" if one is None else str(one) for one in values]
    return flat
