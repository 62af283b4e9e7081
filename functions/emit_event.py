"""Tell the world how a request ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.errors import ErrorCode, TemporaryError
from shared.events import EventKind, build_event
from shared.platform import Context
from shared.request import notify_of
from shared.results import StepResult
from shared.services import Services
from shared.sinks import deliver
from shared.step import Order, run_step


class EmitOrder(Order):
    """The kind of event, the request as it came, and all that the run has gathered."""

    kind: EventKind
    request: dict[str, Any]
    data: Any
    deliver: bool = True


class Emitted(StepResult):
    """The event that every sink has got."""

    event: dict[str, Any]


def handler(event: object, context: Context) -> dict[str, Any]:
    """Build the event of a run and deliver it to every sink.

    At least once: a retry delivers the same event, with the same id and time, to all of them again, unless a sink
    remembers that it has it.
    """
    return run_step(EmitOrder, emit, event, context)


def emit(order: EmitOrder, services: Services) -> Emitted:
    """Deliver to all sinks side by side, even if some fail.

    Raises:
        TemporaryError: `EventUndelivered`, naming the sinks that failed.
    """
    event = build_event(
        order.kind,
        run=order.run,
        request=order.request,
        data=order.data,
        region=services.cloud.region,
        project_id=services.cloud.project_id,
        time=datetime.fromisoformat(order.state.entered),
    ).to_json()
    sinks = services.sinks(notify_of(order.request)) if order.deliver else ()
    failed = deliver(sinks, event)
    if failed:
        raise TemporaryError(
            ErrorCode.EVENT_UNDELIVERED,
            " ".join(str(problem) for problem in failed),
            resource=", ".join(problem.data.resource or "" for problem in failed),
            advice=failed[0].data.advice,
        )
    return Emitted(event=event)
