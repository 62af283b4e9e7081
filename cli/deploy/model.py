"""What may stand in a template: the skeleton that SAM and Heat made common, and the APIs' own fields inside it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_pascal

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


Text = str | Ref | Sub | GetAtt
Number = int | Ref
Variables = dict[
    Annotated[str, AfterValidator(_variable), WithJsonSchema({"type": "string", "enum": list(VARIABLES)})], Text
]


class Parameter(Skeleton):
    """What a deployment may set.

    Without a value on the command line, the variable of this name in the caller's environment counts, then the default.
    A secret one is never shown, and may stand in `encrypted_user_data` only; it has to be random, for a digest of it
    is kept where readers of the function see it.
    """

    type: Literal["String", "Number"] = "String"
    description: str
    default: str | int
    variable: str | None = None
    secret: bool = False


class Statement(Skeleton):
    """What a policy allows; the keys are IAM's."""

    effect: Literal["Allow"]
    action: tuple[str, ...] = Field(min_length=1, max_length=100)


class PolicyDocument(Skeleton):
    """The inside of a custom policy."""

    version: Literal["1.1"]
    statement: tuple[Statement, ...] = Field(min_length=1, max_length=8)


class PolicyProperties(Fields):
    """IAM API: creating a custom policy; type XA is for projects."""

    display_name: Text
    type: Literal["XA"]
    policy: PolicyDocument


class AgencyProperties(Fields):
    """IAM API: creating an agency; `roles` are granted to it in the project."""

    name: Text
    trust_domain_name: str
    duration: Literal["FOREVER", "ONEDAY"]
    roles: tuple[Text, ...]


class TopicProperties(Fields):
    """SMN API: creating a topic."""

    name: Text


class LogGroupProperties(Fields):
    """LTS API: creating a log group."""

    log_group_name: Text
    ttl_in_days: Number


class LogStreamProperties(Fields):
    """LTS API: creating a log stream."""

    log_group_id: Text
    log_stream_name: Text


class LogConfig(Fields):
    """Where a function's log goes."""

    group_id: Text
    stream_id: Text


class Destination(Fields):
    """Who is told of an asynchronous call's end; `param` is sent as JSON text."""

    destination: Literal["SMN", "FunctionGraph", "OBS"]
    param: dict[str, Text]


class Destinations(Fields):
    """Who is told of a success, and of a failure."""

    on_success: Destination | None = None
    on_failure: Destination | None = None


class AsyncInvokeConfig(Fields):
    """FunctionGraph API: asynchronous execution notification; the age is in seconds."""

    max_async_event_age_in_seconds: Number
    max_async_retry_attempts: Number
    destination_config: Destinations


class FunctionDefaults(Fields):
    """FunctionGraph API: creating a function; the time-out is in seconds, the memory in MB.

    Besides the API's own fields, `code_uri` says what its zip is made of, `user_data` and `encrypted_user_data` are
    sent as JSON text without what is empty, and `async_invoke_config` is sent by a call of its own.
    """

    package: Text | None = None
    runtime: Text | None = None
    memory_size: Number | None = None
    timeout: Number | None = None
    xrole: Text | None = None
    app_xrole: Text | None = None
    code_uri: str | None = None
    user_data: Variables = Field(default_factory=dict)
    encrypted_user_data: Variables = Field(default_factory=dict)
    log_config: LogConfig | None = None
    async_invoke_config: AsyncInvokeConfig | None = None


class FunctionProperties(FunctionDefaults):
    """One function; what it does not say is as `Globals.Function` says."""

    func_name: Text
    handler: str = Field(min_length=3, max_length=128, pattern=r"^[A-Za-z0-9_/]+\.[A-Za-z0-9_]+$")
    description: str


class SmnData(Fields):
    """What an SMN trigger listens to."""

    topic_urn: Text


class TimerData(Fields):
    """When a timer rings."""

    name: Text
    schedule_type: Literal["Rate", "Cron"]
    schedule: Text
    user_event: Text = ""


class CtsData(Fields):
    """Which traces are passed on: `service:type;type:operation;operation`."""

    name: Text
    operations: tuple[str, ...] = Field(min_length=1, max_length=10)


class TriggerProperties(Fields):
    """FunctionGraph API: creating a trigger."""

    function_urn: Text
    trigger_type_code: Literal["SMN", "TIMER", "CTS"]
    trigger_status: Literal["ACTIVE", "DISABLED"] = "ACTIVE"
    event_data: SmnData | TimerData | CtsData


class Policy(Skeleton):
    """What an agency may do."""

    type: Literal["OTC::IAM::Policy"]
    properties: PolicyProperties


class Agency(Skeleton):
    """Whom functions act as."""

    type: Literal["OTC::IAM::Agency"]
    properties: AgencyProperties


class Topic(Skeleton):
    """Where messages are published."""

    type: Literal["OTC::SMN::Topic"]
    properties: TopicProperties


class LogGroup(Skeleton):
    """Log streams that are kept for the same time."""

    type: Literal["OTC::LTS::Group"]
    properties: LogGroupProperties


class LogStream(Skeleton):
    """A log."""

    type: Literal["OTC::LTS::Stream"]
    properties: LogStreamProperties


class Function(Skeleton):
    """A function."""

    type: Literal["OTC::FunctionGraph::Function"]
    properties: FunctionProperties


class Trigger(Skeleton):
    """What calls a function."""

    type: Literal["OTC::FunctionGraph::Trigger"]
    properties: TriggerProperties


Resource = Annotated[Policy | Agency | Topic | LogGroup | LogStream | Function | Trigger, Field(discriminator="type")]


class Globals(Skeleton):
    """What resources of a type share."""

    function: FunctionDefaults = FunctionDefaults()


class Output(Skeleton):
    """What a deployment tells its user."""

    description: str
    value: Text


class Template(Skeleton):
    """A template."""

    template_format_version: Literal["2026-11-23"]
    description: str
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    globals: Globals = Globals()
    resources: dict[str, Resource]
    outputs: dict[str, Output] = Field(default_factory=dict)


def template_schema() -> dict[str, Any]:
    """The JSON Schema of a template."""
    schema = Template.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Template", **schema}
