"""The engine as a function: every invocation carries a run one round of steps further."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import random
from typing import Any

from shared.bodies import unwrapped
from shared.errors import TemporaryError
from shared.logs import log_of
from shared.platform import FunctionContext, services_of
from shared.services import Services
from shared.starting import engine_urn, start_run
from shared.urns import function_name, function_urn
from workflow.engines.functiongraph import Engine, Passed, Platform, Run
from workflow.interpreter import Finish
from workflow.machines import load_machine

_HAND_OVER_AGAIN = (1.0, 5.0, 15.0)
"""Seconds to wait before the hand-over is tried again: a lost one costs the round of Tasks before it."""
_PASSED = Passed()


def handler(event: object, context: FunctionContext) -> dict[str, Any]:
    """Carry a run on: `{"start": {machine, run, input}}` or `{"hop": ...}`, in whatever the platform wraps it."""
    return work(event, context, services_of(context), time.sleep, _PASSED)


def work(
    event: object,
    context: FunctionContext,
    services: Services,
    sleep: Callable[[float], None],
    passed: Passed | None = None,
) -> dict[str, Any]:
    """The handler with its services, a way to sleep (seconds), and what its instance remembers; a new one nothing."""
    engine = Engine(
        platform=Platform(
            clock=lambda: services.now().timestamp(),
            sleep=sleep,
            remaining=lambda: context.getRemainingTimeInMilliSeconds() / 1000,
            random=random,
            invoke=lambda resource, parameters: _invoke(services, resource, parameters),
            hand_over=lambda saved: _hand_over(services, saved, sleep),
        ),
        services=services,
        machines=load_machine,
        ended=lambda run, end: _follow_up(services, run, end),
        log=log_of(context),
        passed=passed or Passed(),
    )
    return engine.work(unwrapped(event))


def _invoke(services: Services, resource: str, parameters: dict[str, Any]) -> Any:
    """Call the function of this deployment that a Resource names."""
    cloud, application = services.cloud, services.settings.application
    urn = function_urn(cloud.region, cloud.project_id, application, function_name(resource))
    return cloud.functiongraph.invoke(urn, parameters)


def _hand_over(services: Services, saved: Mapping[str, Any], sleep: Callable[[float], None]) -> None:
    for seconds in _HAND_OVER_AGAIN:
        try:
            services.cloud.functiongraph.invoke_async(engine_urn(services), saved)
        except TemporaryError:
            sleep(seconds)
        else:
            return
    services.cloud.functiongraph.invoke_async(engine_urn(services), saved)


def _follow_up(services: Services, run: Run, end: Finish) -> None:
    """Start what follows from a verification; delivered twice, it starts the same runs."""
    if run.machine != "verify":
        return
    from shared.verification.following import follow_ups, once_more  # noqa: PLC0415  # only a verification needs it

    for request in follow_ups(end.output, run.id):
        # Nobody remembers here whether an end's withdrawal has failed before.
        start_run(services, once_more(request, run.id) if request["action"] == "withdraw" else request)
