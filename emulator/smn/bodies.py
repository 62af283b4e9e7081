"""What callers of SMN send."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from emulator.core.resources import Strict
from emulator.core.text import EnterpriseProject

MAX_MESSAGE = 256 * 1024
MAX_TTL = 604_800
MAX_REMARK = 128
ADDRESSES = {
    "http": re.compile(r"http://[^\s/]+.*"),
    "https": re.compile(r"https://[^\s/]+.*"),
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "sms": re.compile(r"\+?\d{5,20}"),
}
HEADER = re.compile(r"x-(?!smn)[a-z0-9]+(-[a-z0-9]+)*", re.IGNORECASE)


def _bytes(limit: int) -> AfterValidator:
    def check(value: str) -> str:
        if len(value.encode()) > limit:
            raise ValueError(f"more than {limit} bytes")
        return value

    return AfterValidator(check)


class TopicBody(Strict):
    """A new topic."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")
    display_name: Annotated[str, _bytes(192)] = ""
    enterprise_project_id: EnterpriseProject | None = None


class TopicChange(Strict):
    """What may change in a topic."""

    display_name: Annotated[str, _bytes(192)]


class AttributeBody(Strict):
    """The value of an attribute."""

    value: str


class Extension(Strict):
    """What HTTP messages of a subscription carry in addition."""

    header: dict[str, str] = Field(default={}, max_length=10)

    @field_validator("header")
    @classmethod
    def _check(cls, header: dict[str, str]) -> dict[str, str]:
        if sum(len(key) + len(value) for key, value in header.items()) > 1024:
            raise ValueError("more than 1024 characters")
        wrong = [key for key, value in header.items() if not (HEADER.fullmatch(key) and value.isascii())]
        if wrong:
            raise ValueError(f"{wrong[0]} is not a header that may be set")
        return header


class SubscriptionBody(Strict):
    """Who wants the messages of a topic; functions subscribe through FunctionGraph's SMN trigger."""

    protocol: Literal["http", "https", "email", "sms"]
    endpoint: str
    remark: Annotated[str, _bytes(MAX_REMARK)] = ""
    extension: Extension = Extension()


class SubscribeBody(Strict):
    """One subscription, or `subscriptions`, which goes before it."""

    protocol: Literal["http", "https", "email", "sms"] | None = None
    endpoint: str | None = None
    remark: Annotated[str, _bytes(MAX_REMARK)] = ""
    extension: Extension = Extension()
    subscriptions: list[SubscriptionBody] | None = Field(default=None, min_length=1, max_length=50)


class PublishBody(Strict):
    """A message: of several contents the structure goes before the template, the template before the text."""

    subject: str = Field(default="", max_length=512)
    message: Annotated[str, _bytes(MAX_MESSAGE)] | None = Field(default=None, min_length=1)
    message_structure: Annotated[str, _bytes(MAX_MESSAGE)] | None = None
    message_template_name: str | None = None
    tags: dict[str, str] | None = None
    time_to_live: str = "3600"

    @field_validator("time_to_live")
    @classmethod
    def _seconds(cls, value: str) -> str:
        if not (value.isdecimal() and 1 <= int(value) <= MAX_TTL):
            raise ValueError(f"not 1 to {MAX_TTL} seconds")
        return value

    @field_validator("message_structure")
    @classmethod
    def _structure(cls, value: str | None) -> str | None:
        if value is not None and not _texts(value):
            raise ValueError("not a JSON object of texts with a default")
        return value

    @property
    def structure(self) -> dict[str, str] | None:
        """The texts by protocol, if they were sent."""
        return None if self.message_structure is None else _texts(self.message_structure)


class PageQuery(Strict):
    """The pager of SMN."""

    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=100, ge=1, le=100)


class TopicQuery(PageQuery):
    """The pager and the filters of the list of topics."""

    topic_id: str | None = None
    name: str | None = None
    fuzzy_name: str | None = None
    enterprise_project_id: str | None = None


class AttributeQuery(Strict):
    """Which attribute is asked for; all if none is named."""

    name: str | None = None


class LinkQuery(Strict):
    """What the links in messages carry."""

    token: str = ""
    topic_urn: str = ""
    subscription_urn: str = ""


class Policy(Strict):
    """An access policy (SMN API: updating a topic policy)."""

    Version: Literal["2016-09-07"]
    Id: str = Field(min_length=1)
    Statement: list[dict[str, Any]] = Field(min_length=1)

    @model_validator(mode="after")
    def _statements(self) -> Policy:
        sids = [statement.get("Sid") for statement in self.Statement]
        if None in sids or len(set(map(str, sids))) != len(sids):
            raise ValueError("each statement needs a Sid of its own")
        for statement in self.Statement:
            if statement.get("Effect") not in ("Allow", "Deny"):
                raise ValueError("Effect is Allow or Deny")
            for name in ("Principal", "Action", "Resource"):
                if (name in statement) == (f"Not{name}" in statement):
                    raise ValueError(f"either {name} or Not{name} is needed")
        return self


def _texts(structure: str) -> dict[str, str] | None:
    try:
        texts = json.loads(structure)
    except ValueError:
        return None
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        return None
    return texts if texts.get("default") else None
