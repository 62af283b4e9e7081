"""Kinds of text that several APIs accept."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field


def _address(value: str) -> str:
    return str(IPv4Address(value))


def _address_if_any(value: str) -> str:
    return value and _address(value)


def _cidr(value: str) -> str:
    """Accept what is a network with no host bits."""
    return str(IPv4Network(value if "/" in value else f"{value}/32"))


def networks_in(entry: str, *, strict: bool = True) -> list[IPv4Network]:
    """Read an address, a CIDR or a range `first-last`; unless `strict`, a CIDR may be that of an address within.

    Raises:
        ValueError: it is none of the three.
    """
    first, dash, last = entry.partition("-")
    if dash:
        return list(summarize_address_range(IPv4Address(first.strip()), IPv4Address(last.strip())))
    return [IPv4Network(entry, strict=strict)]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


Description = Annotated[str, Field(max_length=255, pattern=r"^[^<>]*$")]
Name64 = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.\-]+$")]
Address = Annotated[str, AfterValidator(_address)]
AddressIfAny = Annotated[str, AfterValidator(_address_if_any)]
Cidr = Annotated[str, AfterValidator(_cidr)]
# There are no enterprise projects in this cloud; every resource says that it is in the one that has this id.
EnterpriseProject = Literal["0", ""]
TagKey = Annotated[str, Field(min_length=1, max_length=36)]
TagValue = Annotated[str, Field(max_length=43)]
# Where a page says number, and its sample or another page has text.
NumberOrText = Annotated[int, BeforeValidator(_whole)]
