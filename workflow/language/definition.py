"""The models of a definition, one a state type; what their expressions mean is compiled as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, model_validator
from pydantic.alias_generators import to_pascal

from workflow.language.choice import OPERATORS, compile_condition, read_timestamp
from workflow.language.evaluation import CompileError, Condition, Evaluator, Json, Placement, whole_input
from workflow.language.paths import compile_path, compile_placement, input_path
from workflow.language.templates import compile_expression, compile_template

LONGEST_SECONDS = 99_999_999


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004  # pydantic reports a ValueError
    return value


def _optional_text(value: Json) -> str | None:
    return None if value is None else _text(value)


def _read_timestamp(value: Json) -> tuple[int, str]:
    moment = read_timestamp(_text(value))
    if moment is None:
        raise ValueError("must be an RFC 3339 time with T and an offset, such as 2030-01-31T12:00:00Z")
    return moment


InOutPath = Annotated[Evaluator, PlainValidator(lambda value: input_path(_optional_text(value)))]
ResultPath = Annotated[Placement, PlainValidator(lambda value: compile_placement(_optional_text(value)))]
Path = Annotated[Evaluator, PlainValidator(lambda value: compile_path(_text(value)))]
Expression = Annotated[Evaluator, PlainValidator(lambda value: compile_expression(_text(value)))]
Template = Annotated[Evaluator, PlainValidator(compile_template)]
Rule = Annotated[Condition, PlainValidator(compile_condition)]
Timestamp = Annotated[tuple[int, str], PlainValidator(_read_timestamp)]
Seconds = Annotated[int, Field(ge=0, le=LONGEST_SECONDS)]
PositiveSeconds = Annotated[int, Field(ge=1, le=LONGEST_SECONDS)]
ErrorNames = Annotated[list[str], Field(min_length=1)]

_REPLACE = compile_placement("$")
_NULLABLE = frozenset({"InputPath", "OutputPath", "ResultPath", "Result", "Parameters", "ResultSelector"})


class Model(BaseModel):
    """What every part of a definition is: frozen, strict and closed, with the language's own field names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_pascal)

    comment: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_null(cls, data: Any) -> Any:
        """Refuse null where it is no value, which our models would take for an absent field."""
        empty = [key for key, value in data.items() if value is None] if isinstance(data, Mapping) else []
        if faults := [(f"/{key}", "must not be null") for key in empty if key not in _NULLABLE]:
            raise CompileError(*faults)
        return data


class Retrier(Model):
    """When and how often to try again."""

    error_equals: ErrorNames
    interval_seconds: PositiveSeconds = 1
    max_attempts: Seconds = 3
    backoff_rate: float = Field(default=2.0, ge=1.0)
    max_delay_seconds: int | None = Field(default=None, ge=1, le=31_622_400)
    jitter_strategy: Literal["NONE", "FULL"] = "NONE"


class Catcher(Model):
    """Where to go with an error that no retrier took."""

    error_equals: ErrorNames
    next: str
    result_path: ResultPath = _REPLACE
    assign: Template | None = None


class StateModel(Model):
    """What every state may have."""

    query_language: Literal["JSONPath"] = "JSONPath"


class Flowing(StateModel):
    """What a state with input and output has."""

    input_path: InOutPath = whole_input
    output_path: InOutPath = whole_input


class Linked(Flowing):
    """What a state with a next one has."""

    next: str | None = None
    end: bool = False
    assign: Template | None = None


class Working(Linked):
    """What a state whose work can fail has."""

    result_selector: Template = whole_input
    result_path: ResultPath = _REPLACE
    retry: list[Retrier] = []
    catch: list[Catcher] = []


class Pass(Linked):
    """Passes its input on, or a result."""

    type: Literal["Pass"]
    parameters: Template = whole_input
    result: Any = None
    result_path: ResultPath = _REPLACE

    @property
    def has_result(self) -> bool:
        """Whether there is a Result, which may be null."""
        return "result" in self.model_fields_set


class Task(Working):
    """Calls a handler."""

    type: Literal["Task"]
    resource: str = Field(min_length=1)
    parameters: Template = whole_input
    timeout_seconds: PositiveSeconds | None = None
    timeout_seconds_path: Path | None = None
    heartbeat_seconds: PositiveSeconds | None = None
    heartbeat_seconds_path: Path | None = None


class ChoiceRule(Model):
    """One way out of a Choice."""

    condition: Rule
    next: str
    assign: Template | None = None

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        """Gather the test's keys, of which there are 39, in one field."""
        if not isinstance(data, Mapping):
            return data
        test = {key: value for key, value in data.items() if key in OPERATORS or key == "Variable"}
        return {key: value for key, value in data.items() if key not in test} | {"Condition": test}


class Choice(Flowing):
    """Goes one way of several."""

    type: Literal["Choice"]
    choices: list[ChoiceRule] = Field(min_length=1)
    default: str | None = None
    assign: Template | None = None


class Wait(Linked):
    """Waits for a time span or until a time."""

    type: Literal["Wait"]
    seconds: Seconds | None = None
    seconds_path: Path | None = None
    timestamp: Timestamp | None = None
    timestamp_path: Path | None = None


class Succeed(Flowing):
    """Ends well."""

    type: Literal["Succeed"]


class Fail(StateModel):
    """Ends with an error."""

    type: Literal["Fail"]
    error: str | None = None
    cause: str | None = None
    error_path: Expression | None = None
    cause_path: Expression | None = None


class Flow(Model):
    """States that lead to one another: a branch, or what a machine and an iteration have in common."""

    start_at: str
    states: dict[str, State] = Field(min_length=1)


class ProcessorConfig(Model):
    """How iterations run."""

    mode: Literal["INLINE"] = "INLINE"


class Processor(Flow):
    """What a Map does with each item."""

    processor_config: ProcessorConfig = Field(default_factory=ProcessorConfig)


class Parallel(Working):
    """Runs branches side by side."""

    type: Literal["Parallel"]
    parameters: Template = whole_input
    branches: list[Flow] = Field(min_length=1)


class Map(Working):
    """Runs the same states for each item; Iterator and Parameters are the older names of two fields."""

    type: Literal["Map"]
    item_processor: Processor | None = None
    iterator: Processor | None = None
    item_selector: Template | None = None
    parameters: Template | None = None
    items_path: Path = whole_input
    max_concurrency: int = Field(default=0, ge=0)
    max_concurrency_path: Path | None = None
    tolerated_failure_count: int | None = Field(default=None, ge=0)
    tolerated_failure_count_path: Path | None = None
    tolerated_failure_percentage: float | None = Field(default=None, ge=0, le=100)
    tolerated_failure_percentage_path: Path | None = None

    @property
    def processor(self) -> tuple[str, Processor]:
        """The states of an iteration, with the name of the field that holds them."""
        if self.item_processor:
            return "ItemProcessor", self.item_processor
        assert self.iterator, "a rule of the language: one of the two is there"
        return "Iterator", self.iterator

    @property
    def selector(self) -> Evaluator | None:
        """The template of each iteration's input; None means the item itself."""
        return self.item_selector or self.parameters


State = Annotated[Pass | Task | Choice | Wait | Succeed | Fail | Parallel | Map, Field(discriminator="type")]


Flow.model_rebuild()


class Definition(Flow):
    """A whole definition; without a time-out of its own an execution may take any time, as may a Task."""

    version: Literal["1.0"] = "1.0"
    timeout_seconds: PositiveSeconds | None = None
    query_language: Literal["JSONPath"] = "JSONPath"


@dataclass(frozen=True)
class Machine:
    """A definition that can run; `digest` (SHA-256) pins it, `flows` finds each scope by its JSON pointer.

    `source` is the definition as it was written, for a store that keeps it with a run.
    """

    definition: Definition
    digest: str
    flows: Mapping[str, Flow]
    source: Mapping[str, Json]
