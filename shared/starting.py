"""Start a run on the platform: the engine is called, and goes on by itself."""

from __future__ import annotations

from typing import Any

from shared.functions import function_urn
from shared.ids import run_id
from shared.request import normalised
from shared.services import Services

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
