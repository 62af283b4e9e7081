"""Lists that let the caller filter by repeated keys and choose the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.resources import Strict

Values = list[str] | None
"""A filter: repeated keys mean or."""


def in_enterprise_project(wanted: str | None) -> bool:
    """Whether a list of what is in an enterprise project has anything; all is in the default one."""
    return wanted in (None, "0", "all_granted_eps")


class FieldsQuery(Strict):
    """Which fields to show."""

    fields: list[str] = []


def chosen(item: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    """The fields asked for, or all."""
    return {name: item[name] for name in fields if name in item} if fields else dict(item)
