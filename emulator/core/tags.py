"""Tags, as the v2.0 tag API has them for EIPs and load balancers, and DCS has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from emulator.core.resources import Strict
from emulator.core.text import TagKey, TagValue

MAX_TAGS = 20


class Tag(Strict):
    """A key and its value."""

    key: TagKey
    value: TagValue = ""


TagList = Annotated[list[Tag], Field(max_length=MAX_TAGS)]


class TagBody(Strict):
    """The body of adding one tag."""

    tag: Tag


class TagsBody(Strict):
    """The body of adding or deleting tags."""

    action: Literal["create", "delete"]
    tags: TagList = Field(min_length=1)


def changed(tags: dict[str, str], body: TagsBody) -> dict[str, str]:
    """The tags after the action."""
    named = {tag.key: tag.value for tag in body.tags}
    if body.action == "create":
        return {**tags, **named}
    return {key: value for key, value in tags.items() if key not in named}


def shown(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """The tags on the wire."""
    return [{"key": key, "value": value} for key, value in tags.items()]
