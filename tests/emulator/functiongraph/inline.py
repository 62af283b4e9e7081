"""Functions that are a line of Python each, and requests about them as a client would send them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZipFile, ZipInfo

from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation, KernelCode, RunResult
from tests.emulator.client import Caller

Handler = Callable[[Any, Invocation], Any]
FUNCTIONS = "/v2/{pid}/fgs/functions"
TRIGGERS = "/v2/{pid}/fgs/triggers"


class Inline:
    """A runner whose functions are set by name; without one a function gives its event back."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.runs: list[tuple[FunctionSpec, Invocation]] = []
        self.forgotten: list[str] = []
        self.seconds = 0.001

    def run(self, spec: FunctionSpec, invocation: Invocation) -> RunResult:
        self.runs.append((spec, invocation))
        handler = self.handlers.get(spec.name, lambda event, _: event)
        log = f"Start invoke request '{invocation.request_id}'\nFinish invoke request '{invocation.request_id}'\n"
        try:
            result = handler(json.loads(invocation.event), invocation)
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is its failure
            body = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()
            return RunResult(KernelCode.HANDLER_RAISED, body, log, self.seconds * 1000, 20.0)
        if isinstance(result, RunResult):
            return result
        return RunResult(KernelCode.FINE, json.dumps(result).encode(), log, self.seconds * 1000, 20.0)

    def events(self) -> list[Any]:
        """What handlers were given, oldest first."""
        return [json.loads(invocation.event) for _, invocation in self.runs]

    def forget(self, urn: str) -> None:
        self.forgotten.append(urn)

    def cancel(self, request_id: str) -> bool:
        return False

    def close(self) -> None:
        pass


def raising(event: Any, invocation: Invocation) -> Any:
    """A handler that fails."""
    raise ValueError("out of order")


def zipped(source: str = "def handler(event, context):\n    return event\n") -> bytes:
    """A zip with one file, the same bytes each time."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr(ZipInfo("index.py"), source)
    return packed.getvalue()


def code(content: bytes) -> dict[str, Any]:
    """The code of a function in a body."""
    return {"code_type": "zip", "code_filename": "index.zip", "func_code": {"file": b64encode(content).decode()}}


def fields(name: str = "hello", **more: Any) -> dict[str, Any]:
    """What must always be said of a function."""
    always = {"func_name": name, "runtime": "Python3.12", "timeout": 30, "handler": "index.handler", "memory_size": 256}
    return {**always, **more}


def create(api: Caller, name: str = "hello", **more: Any) -> str:
    """Make a function.

    Returns:
        Its URN without a version.
    """
    body = {"package": "default", **fields(name), **code(zipped()), **more}
    urn: str = api.post(FUNCTIONS, body)["func_urn"]
    return urn.removesuffix(":latest")
