"""What may stand in a template: the skeleton that SAM and Heat made common, and the APIs' own fields inside it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cli.deploy.forms import (
    TRACES,
    Age,
    Cron,
    Days,
    Fields,
    LogName,
    Megabytes,
    Package,
    Rate,
    Retries,
    Seconds,
    ShortName,
    Skeleton,
    Spelt,
    Text,
    TopicName,
    TracesName,
    Variables,
)


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

    @model_validator(mode="after")
    def _number(self) -> Self:
        if self.type == "Number" and not str(self.default).isdecimal():
            msg = "its default must be a number"
            raise ValueError(msg)
        return self


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

    display_name: ShortName
    type: Literal["XA"]
    policy: PolicyDocument


class AgencyProperties(Fields):
    """IAM API: creating an agency, which FunctionGraph may act as; `roles` are granted to it in the project."""

    name: ShortName
    trust_domain_name: Literal["op_svc_cff"]
    duration: Literal["FOREVER", "ONEDAY"]
    roles: tuple[Text, ...]


class TopicProperties(Fields):
    """SMN API: creating a topic."""

    name: TopicName


class LogGroupProperties(Fields):
    """LTS API: creating a log group."""

    log_group_name: LogName
    ttl_in_days: Days


class LogStreamProperties(Fields):
    """LTS API: creating a log stream."""

    log_group_id: Text
    log_stream_name: LogName


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

    max_async_event_age_in_seconds: Age
    max_async_retry_attempts: Retries
    destination_config: Destinations


class FunctionDefaults(Fields):
    """FunctionGraph API: creating a function; the time-out is in seconds, the memory in MB.

    Besides the API's own fields, `code_uri` says that its zip is made of the project, `user_data` and
    `encrypted_user_data` are sent as JSON text without what is empty, and `async_invoke_config` is sent by a call of
    its own.
    """

    package: Package | None = None
    runtime: Text | None = None
    memory_size: Megabytes | None = None
    timeout: Seconds | None = None
    xrole: Text | None = None
    app_xrole: Text | None = None
    code_uri: Literal["."] | None = None
    user_data: Variables = Field(default_factory=dict)
    encrypted_user_data: Variables = Field(default_factory=dict)
    log_config: LogConfig | None = None
    async_invoke_config: AsyncInvokeConfig | None = None


class FunctionProperties(FunctionDefaults):
    """One function; what it does not say is as `Globals.Function` says."""

    func_name: Text
    handler: Annotated[str, Spelt(r"functions/[a-z_]+\.handler", "must be functions/NAME.handler")]
    description: str


class SmnData(Fields):
    """What an SMN trigger listens to."""

    topic_urn: Text


class _TimerData(Fields):
    name: ShortName
    user_event: Text = ""


class RateData(_TimerData):
    """A timer that rings every so often."""

    schedule_type: Literal["Rate"]
    schedule: Rate


class CronData(_TimerData):
    """A timer that rings by the clock."""

    schedule_type: Literal["Cron"]
    schedule: Cron


class CtsData(Fields):
    """Which traces are passed on: `service:type;type:operation;operation`."""

    name: TracesName
    operations: tuple[Annotated[str, TRACES], ...] = Field(min_length=1, max_length=10)

    @model_validator(mode="after")
    def _once(self) -> Self:
        # FunctionGraph refuses what is selected twice (FunctionGraph API: error codes, FSS.1316).
        parts = [text.split(":") for text in self.operations]
        named = [(part[0], kind, name) for part in parts for kind in part[1].split(";") for name in part[2].split(";")]
        twice = next((one for one in named if named.count(one) > 1), None)
        if twice:
            msg = f"{':'.join(twice)} is selected twice"
            raise ValueError(msg)
        return self


class _TriggerProperties(Fields):
    function_urn: Text


class SmnTrigger(_TriggerProperties):
    """FunctionGraph API: creating a trigger; messages of a topic."""

    trigger_type_code: Literal["SMN"]
    trigger_status: Literal["ACTIVE"] = "ACTIVE"
    event_data: SmnData


class TimerTrigger(_TriggerProperties):
    """FunctionGraph API: creating a trigger; time."""

    trigger_type_code: Literal["TIMER"]
    trigger_status: Literal["ACTIVE", "DISABLED"] = "ACTIVE"
    event_data: Annotated[RateData | CronData, Field(discriminator="schedule_type")]


class CtsTrigger(_TriggerProperties):
    """FunctionGraph API: creating a trigger; traces."""

    trigger_type_code: Literal["CTS"]
    trigger_status: Literal["ACTIVE"] = "ACTIVE"
    event_data: CtsData


TriggerProperties = Annotated[SmnTrigger | TimerTrigger | CtsTrigger, Field(discriminator="trigger_type_code")]


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
