"""What is run, what it is run with and what came of it: the border between FunctionGraph's API and its runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

MAX_RESPONSE = 6 * 1024 * 1024


class KernelCode(IntEnum):
    """What `X-Func-Err-Code` says of an invocation: 0 is fine, and the others are assumed from the open runtime."""

    FINE = 0
    HANDLER_NOT_FOUND = 4001
    HANDLER_RAISED = 4002
    RESPONSE_TOO_LARGE = 4004
    RESULT_NOT_JSON = 4007
    INITIALIZER_RAISED = 4009
    TIMED_OUT = 4010
    START_FAILED = 4201
    EXITED = 4204
    OUT_OF_MEMORY = 4205
    CANCELED = 4208
    INITIALIZER_TIMED_OUT = 4211
    OVERLOADED = 150430


@dataclass(frozen=True)
class FunctionSpec:
    """One version of a function as it is deployed; time limits in seconds, memory in MB.

    Specs that are equal share warm instances, so that any change of code or configuration starts new ones.
    """

    urn: str
    name: str
    version: str
    package: str
    project_id: str
    region: str
    runtime: str
    handler: str
    initializer_handler: str
    initializer_timeout: int
    timeout: int
    memory_size: int
    user_data: Mapping[str, str] = field(repr=False, hash=False)
    code_digest: str
    code: bytes = field(repr=False, compare=False)


@dataclass(frozen=True)
class Invocation:
    """One request: its JSON event and the credentials that the execution agency gives it (empty without one)."""

    request_id: str
    event: bytes
    token: str = field(default="", repr=False)
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    alias: str = ""


@dataclass(frozen=True)
class RunResult:
    """What came back: a `KernelCode`, the body that the caller sees, the log, and what it took."""

    error_code: int
    body: bytes
    log: str
    duration_ms: float
    memory_mb: float


class Runner(Protocol):
    """Runs handlers; any number of threads may call `run` at once."""

    def run(self, spec: FunctionSpec, invocation: Invocation) -> RunResult:
        """Run one request to its end, never raising for what the function does."""

    def forget(self, urn: str) -> None:
        """Let go of every instance of the function as soon as it is idle: its code or configuration changed."""

    def cancel(self, request_id: str) -> bool:
        """Stop a running request by force, which then answers 4208, and say whether it ran here."""

    def close(self) -> None:
        """End every instance."""
