"""Start a run on the platform: the engine is called, and goes on by itself; and find again what it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.bodies import inside
from shared.ids import run_id
from shared.request import normalised
from shared.services import Services
from shared.urns import function_urn

ENGINE = "run_workflow"
"""The function that carries out runs."""


def start_run(services: Services, request: dict[str, Any]) -> str:
    """Have the engine run a request in the project of these credentials; the run's id.

    The same request starts the same run again, which changes nothing that the first has done.

    Raises:
        PermanentError: `InvalidRequest`, or the call to the engine was refused.
        TemporaryError: the platform did not take it.
    """
    cloud = services.cloud
    whole = normalised({"project_id": cloud.project_id, **request})
    run = run_id(cloud.project_id, whole["request_id"])
    start = {"machine": whole["action"], "run": run, "input": {"request": whole}}
    cloud.functiongraph.invoke_async(engine_urn(services), {"start": start})
    return run


def engine_urn(services: Services) -> str:
    """The URN of the engine of this deployment."""
    cloud = services.cloud
    return function_urn(cloud.region, cloud.project_id, services.settings.application, ENGINE)


def request_in(event: object) -> dict[str, Any]:
    """The request of the run in an event of the engine, wherever the engine keeps it; empty if there is none."""
    level = [event]
    while level:
        for each in level:
            if isinstance(each, Mapping) and isinstance(found := each.get("request"), dict) and "request_id" in found:
                return found
        level = [inner for outer in level for inner in inside(outer)]
    return {}
