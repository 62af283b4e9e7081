"""Functions put into an account the short way, and what they were invoked with."""

from __future__ import annotations

import json
from typing import Any

from emulator import Emulator
from emulator.functiongraph.models import Code, Function, Trigger, Version


def deploy(cloud: Emulator, name: str = "hello") -> str:
    """Make a function.

    Returns:
        Its URN.
    """
    with cloud.change() as account:
        code = Code.of(b"no zip, as nothing runs it")
        version = Version(runtime="Python3.11", handler="index.handler", timeout=3, memory_size=128, digest=code.id)
        project_id = next(iter(account.iam.state.projects))
        function = Function(id=name, name=name, project_id=project_id, versions={"latest": version})
        account.world.functiongraph.codes[code.id] = code
        account.world.functiongraph.functions[function.id] = function
        return str(account.functiongraph.urn(function))


def trace_trigger(cloud: Emulator, function_urn: str, *operations: str) -> None:
    """Have a function invoked for traces."""
    data = {"name": "traces", "operations": list(operations)}
    with cloud.change() as account:
        trigger = Trigger(id="cts", function_urn=function_urn, type="CTS", event_data=data)
        account.world.functiongraph.triggers[trigger.id] = trigger


def invoked(cloud: Emulator) -> list[tuple[str, Any]]:
    """Who asked for each invocation, and with which event, oldest first."""
    queued = cloud.world().functiongraph.invocations.values()
    return [(one.source, json.loads(one.payload)) for one in queued]
