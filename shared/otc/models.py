"""The bases of what the cloud shows and of what we send, and the field types that services share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer


def _ids(value: Any) -> Any:
    return tuple(item["id"] if isinstance(item, Mapping) else item for item in value or ())


def _tags(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value
    return {item["key"]: item.get("value") or "" for item in value or ()}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as every service takes them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def _some_tags(tags: Mapping[str, str]) -> list[dict[str, str]] | None:
    return tag_list(tags) or None


Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""A text that the cloud may also give as null."""
Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]
"""References to other resources, shown as objects with an id."""
Tags = Annotated[dict[str, str], BeforeValidator(_tags)]
"""Tags, shown as a list of keys and values."""
TagList = Annotated[dict[str, str], PlainSerializer(_some_tags)]
"""Tags as we send them; none are left out."""


class Seen(BaseModel):
    """What the cloud shows; it may add fields at any time."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, defer_build=True)


class Sent(BaseModel):
    """What we send; what is None is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def body(self) -> dict[str, Any]:
        """The JSON object."""
        shown = self.model_dump(mode="json", exclude_none=True)
        # A serializer may have made a None only now.
        return {name: value for name, value in shown.items() if value is not None}


class QuotaUsage(Seen):
    """One quota; a limit of -1 means unlimited."""

    limit: int = Field(validation_alias=AliasChoices("quota_limit", "quota", "limit"))
    used: int

    @property
    def full(self) -> bool:
        """Whether nothing more can be made."""
        return 0 <= self.limit <= self.used
