"""Kinds of text that several APIs accept."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field


def _cidr(value: str) -> str:
    """Accept what is a network with no host bits."""
    return str(IPv4Network(value if "/" in value else f"{value}/32"))


Description = Annotated[str, Field(max_length=255, pattern=r"^[^<>]*$")]
Name64 = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.\-]+$")]
Cidr = Annotated[str, AfterValidator(_cidr)]
TagKey = Annotated[str, Field(min_length=1, max_length=36)]
TagValue = Annotated[str, Field(max_length=43)]
