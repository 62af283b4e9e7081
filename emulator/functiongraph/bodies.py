"""What FunctionGraph accepts in bodies and queries (FunctionGraph API)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from emulator.core.resources import Strict
from emulator.core.tags import Tag
from emulator.core.text import EnterpriseProject

RUNTIMES = ("Python3.6", "Python3.9", "Python3.10", "Python3.12")
MEMORY = (128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 8192, 10240)


def _one_of(*known: Any) -> AfterValidator:
    def check(value: Any) -> Any:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(map(str, known))}")
        return value

    return AfterValidator(check)


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("is not base64") from None


FunctionName = Annotated[str, Field(max_length=60, pattern=r"^[A-Za-z]([\w-]*\w)?$")]
Package = Annotated[str, Field(max_length=60, pattern=r"^[\w-]+$")]
Handler = Annotated[str, Field(min_length=3, max_length=128, pattern=r"^[\w/.-]+\.\w+$")]
InitializerHandler = Annotated[str, Field(max_length=128, pattern=r"^([\w/.-]+\.\w+)?$")]
Runtime = Annotated[str, _one_of(*RUNTIMES)]
Memory = Annotated[int, _one_of(*MEMORY)]
Description = Annotated[str, Field(max_length=512)]
# Dependencies, networks, mounts and images are not emulated: naming any is refused.
Nothing = Annotated[list[str], Field(max_length=0)]
Base64 = Annotated[str, AfterValidator(lambda text: _base64(text) and text)]


class FuncCode(Strict):
    """Code as base64; a link is not emulated."""

    file: Base64 = Field(min_length=1)
    link: Literal[""] | None = ""

    @property
    def content(self) -> bytes:
        """The code itself."""
        return _base64(self.file)


class LogConfig(Strict):
    """Where the function's log goes in LTS."""

    group_id: str
    group_name: str = ""
    stream_id: str
    stream_name: str = ""


class StrategyConfig(Strict):
    """How many instances the function may have, and how many requests each of them takes."""

    concurrency: int = Field(default=400, ge=-1, le=1000)
    concurrent_num: int = Field(default=1, ge=1, le=1000)


class ConfigFields(Strict):
    """What creating and changing a function share; None leaves it as it is."""

    func_name: FunctionName
    runtime: Runtime
    timeout: int = Field(ge=3, le=259200)
    handler: Handler
    memory_size: Memory
    user_data: str | None = None
    encrypted_user_data: str | None = None
    xrole: str | None = None
    app_xrole: str | None = None
    description: Description | None = None
    initializer_handler: InitializerHandler | None = None
    initializer_timeout: int | None = Field(default=None, ge=0, le=300)
    log_config: LogConfig | None = None
    depend_version_list: Nothing | None = None
    enterprise_project_id: EnterpriseProject | None = None
    enable_dynamic_memory: Literal[False] | None = None
    is_stateful_function: Literal[False] | None = None
    type: Literal["v2"] | None = None

    def settings(self) -> dict[str, Any]:
        """What is given, by the names of a version's settings."""
        kept = {"runtime", "timeout", "handler", "memory_size", "user_data", "encrypted_user_data", "xrole"}
        kept |= {"app_xrole", "description", "initializer_handler", "initializer_timeout"}
        log = self.log_config.model_dump() if self.log_config else {}
        return self.model_dump(include=kept, exclude_none=True) | {f"log_{key}": value for key, value in log.items()}


class CreateBody(ConfigFields):
    """The body of creating a function."""

    package: Package
    code_type: Annotated[str, _one_of("zip", "inline")]
    code_filename: str | None = None
    code_url: Literal[""] | None = None
    func_code: FuncCode


class ConfigBody(ConfigFields):
    """The body of changing the configuration."""

    package: Package | None = None
    strategy_config: StrategyConfig | None = None
    ephemeral_storage: Annotated[int, _one_of(512, 10240)] | None = None
    enable_auth_in_header: Literal[False] | None = None


class CodeBody(Strict):
    """The body of changing the code."""

    code_type: Annotated[str, _one_of("zip", "inline")]
    code_filename: str | None = None
    code_url: Literal[""] | None = None
    func_code: FuncCode
    depend_version_list: Nothing | None = None


class MaxInstancesBody(Strict):
    """The body of changing the maximum of instances."""

    max_instance_num: int = Field(ge=-1, le=1000)


class FunctionQuery(Strict):
    """The pager and filter of the list of functions; the marker is a number of functions."""

    marker: int = Field(default=0, ge=0)
    maxitems: Annotated[int, AfterValidator(lambda items: items if 1 <= items <= 400 else 400)] = Field(400, ge=0)
    package_name: str | None = None


class PageQuery(Strict):
    """A pager whose marker is a number of items."""

    marker: int = Field(default=0, ge=0)
    maxitems: int = Field(default=100, ge=1, le=400)


class PublishBody(Strict):
    """The body of publishing a version."""

    digest: str | None = None
    version: (
        Annotated[str, Field(min_length=1, max_length=42, pattern=r"^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$")] | None
    ) = None
    description: Description = ""


class AliasFields(Strict):
    """What an alias stands for; weights are not emulated."""

    version: str
    description: Description = ""
    additional_version_weights: Annotated[dict[str, int], Field(max_length=0)] | None = None
    additional_version_strategy: Annotated[dict[str, Any], Field(max_length=0)] | None = None


class AliasBody(AliasFields):
    """The body of making an alias."""

    name: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z]([\w-]*[A-Za-z0-9])?$")


class DestinationFields(Strict):
    """Where an outcome goes, nowhere if empty; OBS is not emulated."""

    destination: Annotated[str, _one_of("SMN", "FunctionGraph", "")] = ""
    param: str = ""


class DestinationConfig(Strict):
    """Where outcomes go."""

    on_success: DestinationFields | None = None
    on_failure: DestinationFields | None = None


class AsyncConfigBody(Strict):
    """The body of the settings of asynchronous invocations."""

    max_async_event_age_in_seconds: int = Field(default=3600, ge=1, le=86400)
    max_async_retry_attempts: int = Field(default=1, ge=0, le=3)
    enable_async_status_log: bool = False
    destination_config: DestinationConfig | None = None


class TagsBody(Strict):
    """The body of adding or deleting tags; those of the system cannot be changed."""

    action: Literal["create", "delete"] | None = None
    sys_tags: Annotated[list[Tag], Field(max_length=0)] | None = None
    tags: list[Tag] = Field(min_length=1, max_length=20)


class TriggerBody(Strict):
    """The body of making a trigger."""

    trigger_type_code: str
    trigger_status: Literal["ACTIVE", "DISABLED"] = "ACTIVE"
    event_type_code: str | None = None
    event_data: dict[str, Any]


class TriggerChange(Strict):
    """The body of changing a trigger."""

    trigger_status: Literal["ACTIVE", "DISABLED"]


class CancelBody(Strict):
    """The body of stopping an asynchronous invocation."""

    request_id: str
    type: Literal["force", "recursive"] = "force"


class InvocationQuery(Strict):
    """Pager and filters of the list of asynchronous invocations: of the last hour, unless it says otherwise."""

    request_id: str | None = None
    status: Literal["WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD"] | None = None
    limit: int = Field(default=100, ge=1, le=500)
    marker: int = Field(default=0, ge=0)
    query_begin_time: str | None = None
    query_end_time: str | None = None
