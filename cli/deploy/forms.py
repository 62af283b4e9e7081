"""The forms that values in a template have: plain ones within what the APIs allow, and references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Tag,
    WithJsonSchema,
)
from pydantic.alias_generators import to_pascal
from pydantic_core import CoreSchema, core_schema

from shared.settings import VARIABLE, Settings

VARIABLES = tuple(VARIABLE + name.upper() for name in Settings.model_fields)
"""The variables that functions read."""


def _variable(name: str) -> str:
    # A setting that is misspelt would not be set, and nobody would be told.
    if name not in VARIABLES:
        near = get_close_matches(name, VARIABLES, 1)
        msg = "no function reads it" + (f"; is {near[0]} meant?" if near else "")
        raise ValueError(msg)
    return name


class Skeleton(BaseModel):
    """Keys of ours, which begin with a capital."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_pascal, populate_by_name=True)


class Fields(BaseModel):
    """Keys of an API, which are passed on as they are; what is None is left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ref(Skeleton):
    """A parameter's value, or a resource's name."""

    ref: str


class Sub(Skeleton):
    """A text with `${Parameter}`, `${Resource}` or `${Resource.attribute}` in it."""

    sub: str


class GetAtt(Skeleton):
    """An attribute that the cloud gives to a resource."""

    get_att: tuple[str, str]


@dataclass(frozen=True)
class Spelt:
    """A pattern for a whole text, and how to say it."""

    pattern: str
    why: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A text that is not spelt so is refused in our words."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema has the pattern."""
        return {**handler(schema), "pattern": f"^({self.pattern})$"}

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            raise ValueError(self.why)
        return text


def _form(value: Any) -> str:
    if isinstance(value, Ref | Sub | GetAtt):
        return type(value).__name__
    if isinstance(value, Mapping):
        return str(next(iter(value))) if len(value) == 1 else ""
    return "plain"


_Reference = Annotated[Ref, Tag("Ref")] | Annotated[Sub, Tag("Sub")] | Annotated[GetAtt, Tag("GetAtt")]
_TEXT = Discriminator(
    _form, custom_error_type="form", custom_error_message="must be a text, or one of Ref, Sub and GetAtt"
)
_NUMBER = Discriminator(_form, custom_error_type="form", custom_error_message="must be a number or a Ref")
_DASHED = Spelt(r"[A-Za-z0-9][A-Za-z0-9_-]*", "must be letters, digits, - and _, and begin with a letter or a digit")
_LOG = Spelt(r"[A-Za-z0-9-]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?", "must be letters, digits, -, _ and ., which ends no name")
_RATE = Spelt(
    r"([1-9]|[1-5]\d|60)m|([1-9]|1\d|2[0-4])h|([1-9]|[12]\d|30)d", "must be 1m to 60m, 1h to 24h, or 1d to 30d"
)
_CRON = Spelt(
    r"(CRON_TZ=\S+ +)?(@every +(\d+(\.\d+)?(ns|us|ms|s|m|h))+|[\dA-Za-z*?,/-]+( +[\dA-Za-z*?,/-]+){4,5})",
    "must be @every and a time such as 1h30m, or second, minute, hour, day, month and weekday",
)
TRACES = Spelt(r"\w+:\w+(;\w+)*:\w+(;\w+)*", "must be SERVICE:type;type:operation;operation")

Text = Annotated[Annotated[str, Tag("plain")] | _Reference, _TEXT]
ShortName = Annotated[Annotated[str, Field(min_length=1, max_length=64), Tag("plain")] | _Reference, _TEXT]
TopicName = Annotated[Annotated[str, _DASHED, Field(max_length=255), Tag("plain")] | _Reference, _TEXT]
Package = Annotated[Annotated[str, _DASHED, Field(max_length=60), Tag("plain")] | _Reference, _TEXT]
LogName = Annotated[Annotated[str, _LOG, Field(max_length=64), Tag("plain")] | _Reference, _TEXT]
TracesName = Annotated[
    Annotated[str, Spelt(r"[A-Za-z0-9_]{1,64}", "must be letters, digits and _, at most 64"), Tag("plain")]
    | _Reference,
    _TEXT,
]
Rate = Annotated[Annotated[str, _RATE, Tag("plain")] | _Reference, _TEXT]
Cron = Annotated[Annotated[str, _CRON, Tag("plain")] | _Reference, _TEXT]
VariableValue = Annotated[Annotated[str, Field(coerce_numbers_to_str=True), Tag("plain")] | _Reference, _TEXT]
Variables = dict[
    Annotated[str, AfterValidator(_variable), WithJsonSchema({"type": "string", "enum": list(VARIABLES)})],
    VariableValue,
]
_AsRef = Annotated[Ref, Tag("Ref")]
Days = Annotated[Annotated[int, Field(strict=True, ge=1, le=365), Tag("plain")] | _AsRef, _NUMBER]
Seconds = Annotated[Annotated[int, Field(strict=True, ge=3, le=259200), Tag("plain")] | _AsRef, _NUMBER]
Age = Annotated[Annotated[int, Field(strict=True, ge=1, le=86400), Tag("plain")] | _AsRef, _NUMBER]
Retries = Annotated[Annotated[int, Field(strict=True, ge=0, le=3), Tag("plain")] | _AsRef, _NUMBER]
Megabytes = Annotated[
    Annotated[
        Literal[128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 8192, 10240], Tag("plain")
    ]
    | _AsRef,
    _NUMBER,
]
"""What a function may have (FunctionGraph manual: notes and constraints)."""
