"""Functions, their code, triggers and queued invocations: what they are."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha512
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from uuid import uuid5

from pydantic import BeforeValidator, Field, PlainSerializer

from emulator.core.resources import NAMESPACE, Resource, Strict, Table
from emulator.core.state import State
from emulator.functiongraph.timer import schedule
from emulator.functiongraph.urns import LATEST, Urn

if TYPE_CHECKING:
    from emulator.world import World

TriggerType = Literal["SMN", "TIMER", "CTS"]
QueueStatus = Literal["WAIT", "RUNNING", "SUCCESS", "FAIL", "DISCARD"]
Content = Annotated[
    bytes,
    BeforeValidator(lambda value: b64decode(value) if isinstance(value, str) else value),
    PlainSerializer(lambda value: b64encode(value).decode(), when_used="json"),
]
# FunctionGraph API: querying tenant quotas.
QUOTAS = {
    "fgs_func_scale_down_timeout": 60,
    "fgs_func_occurs": 100,
    "fgs_func_pat_idle_time": 60,
    "fgs_func_num": 400,
    "fgs_func_code_size": 10240,
    "fgs_workflow_num": 512,
    "fgs_on_demand_instance_limit": 1000,
    "fgs_func_qos_limit": 400,
}


class Code(Resource):
    """A zip, once for all functions that have it; its id is its SHA-512 digest."""

    kind: ClassVar[str] = "code"

    content: Content = Field(repr=False)

    @classmethod
    def of(cls, content: bytes, project_id: str = "") -> Code:
        """The code of a zip; it belongs to the project that had it first."""
        return cls(id=sha512(content).hexdigest(), project_id=project_id, content=content)


class Version(Strict):
    """Code and configuration; `latest` changes, a published number does not. Times in seconds, memory in MB.

    `agency_at` is when the agencies were last named: credentials may lag behind it.
    """

    runtime: str
    handler: str
    timeout: int
    memory_size: int
    digest: str
    code_type: str = "zip"
    code_filename: str = ""
    description: str = ""
    version_description: str = ""
    user_data: str = ""
    encrypted_user_data: str = ""
    xrole: str = ""
    app_xrole: str = ""
    agency_at: float = 0.0
    initializer_handler: str = ""
    initializer_timeout: int = 0
    log_group_id: str = ""
    log_group_name: str = ""
    log_stream_id: str = ""
    log_stream_name: str = ""
    ephemeral_storage: int = 512
    modified_at: float = 0.0

    @property
    def variables(self) -> dict[str, str]:
        """What `context.getUserData` finds."""
        texts = [text for text in (self.user_data, self.encrypted_user_data) if text]
        return {str(key): str(value) for text in texts for key, value in json.loads(text).items()}

    @property
    def execution_agency(self) -> str:
        """The agency whose credentials the function gets: one agency serves as both."""
        return self.app_xrole or self.xrole


class Alias(Strict):
    """A name for a version."""

    version: str
    description: str = ""
    modified_at: float = 0.0


class Destination(Strict):
    """Where the outcome of an asynchronous invocation goes; `param` is JSON text."""

    destination: Literal["SMN", "FunctionGraph"]
    param: str

    def target(self) -> str:
        """The URN of the topic or function.

        Raises:
            ValueError: the parameters name none.
        """
        key = "topic_urn" if self.destination == "SMN" else "func_urn"
        data = json.loads(self.param)
        if not isinstance(data, dict) or not isinstance(data.get(key), str) or len(data) != 1:
            raise ValueError(f"{key} alone must be given")
        return str(data[key])


class AsyncConfig(Strict):
    """How asynchronous invocations of a version or alias are treated."""

    max_async_event_age_in_seconds: int = 3600
    max_async_retry_attempts: int = 1
    enable_async_status_log: bool = False
    on_success: Destination | None = None
    on_failure: Destination | None = None
    created_at: float = 0.0
    modified_at: float = 0.0


class Function(Resource):
    """A function with all its versions."""

    kind: ClassVar[str] = "function"
    id_from: ClassVar[tuple[str, ...]] = ("package", "name")

    package: str = "default"
    versions: dict[str, Version]
    aliases: dict[str, Alias] = {}
    async_configs: dict[str, AsyncConfig] = {}
    tags: dict[str, str] = {}
    max_instances: int = 400
    concurrent_num: int = 1

    @property
    def latest(self) -> Version:
        """The version that changes."""
        return self.versions[LATEST]


class Trigger(Resource):
    """What starts a function; `due_at` is when a timer fires next."""

    kind: ClassVar[str] = "trigger"

    function_urn: str
    type: TriggerType
    status: Literal["ACTIVE", "DISABLED"] = "ACTIVE"
    event_data: dict[str, Any]
    subscription_urn: str = ""
    due_at: float | None = None


class Queued(Resource):
    """One asynchronous invocation; a duplicate has the request id of its twin."""

    kind: ClassVar[str] = "invocation"

    request_id: str
    function_urn: str
    payload: str = ""
    source: str = ""
    status: QueueStatus = "WAIT"
    attempts: int = 0
    due_at: float = 0.0
    error_code: int = 0
    error_message: str = ""
    started_at: float = 0.0
    ended_at: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing more will be tried."""
        return self.status in ("SUCCESS", "FAIL", "DISCARD")


class FunctionGraphState(State):
    """Functions of the account, and the queue of their asynchronous invocations; `queued` counts these."""

    codes: Table[Code] = {}
    functions: Table[Function] = {}
    triggers: Table[Trigger] = {}
    invocations: Table[Queued] = {}
    queued: int = 0
    quotas: dict[str, int] = Field(default_factory=lambda: dict(QUOTAS))

    def resolve(self, world: World) -> None:  # noqa: ARG002  # nothing outside is referred to
        """Refuse functions without code and triggers without function; what was running runs again."""
        self.quotas = {**QUOTAS, **self.quotas}
        known = {(one.project_id, one.package, one.name) for one in self.functions.values()}
        for function in self.functions.values():
            for name, version in function.versions.items():
                if version.digest not in self.codes:
                    raise ValueError(f"functiongraph.functions[{function.name}].versions.{name}.digest: no such code")
            if LATEST not in function.versions:
                raise ValueError(f"functiongraph.functions[{function.name}].versions: {LATEST} is missing")
        for trigger in self.triggers.values():
            urn = Urn.parse(trigger.function_urn)
            if (urn.project_id, urn.package, urn.name) not in known:
                raise ValueError(f"functiongraph.triggers[{trigger.id}].function_urn: no such function")
            if trigger.type == "TIMER":
                _check_schedule(trigger)
        for queued in self.invocations.values():
            Urn.parse(queued.function_urn)
            if queued.status == "RUNNING":
                queued.status = "WAIT"

    def digests(self) -> Iterator[str]:
        """Every code that a version has."""
        for function in self.functions.values():
            for version in function.versions.values():
                yield version.digest


def _check_schedule(trigger: Trigger) -> None:
    try:
        schedule(trigger.event_data["schedule_type"], trigger.event_data["schedule"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"functiongraph.triggers[{trigger.id}].event_data: {error}") from None


def request_id_of(seed: str) -> str:
    """An id in the form that requests have."""
    return str(uuid5(NAMESPACE, seed))
