"""Say of every exposure of the project whether it is as it should be; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from shared.errors import TemporaryError
from shared.events import EventKind
from shared.planning.safety import check_project
from shared.platform import Context
from shared.request import parse_request
from shared.results import Finding
from shared.services import Services, Sink, gather
from shared.step import Order, run_step
from shared.verification.observe import observe_project
from shared.verification.report import ends_soon, judge, report
from shared.verification.telling import build_verdict_event, event_of_verdict
from shared.verification.verdict import Verdict, VerifyResult

_TELLING = timedelta(seconds=25)
"""From the step's begin: a delivery begun until then ends before the step times out, and with it the whole look."""


class _Order(Order):
    request: dict[str, Any]


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _verify, event, context)


def _verify(order: _Order, services: Services) -> VerifyResult:
    request = parse_request(order.request)
    assert request.action == "verify"
    cloud, now = services.cloud, services.now()
    check_project(request.project_id, cloud.project_id)
    project = observe_project(cloud, slice=services.settings.whitelist_slice, now=now, only=request.exposures)
    at_work = services.settings.debounce_seconds
    verdicts = judge(project, now, request.exposures, request.skip, at_work=at_work)
    events = list(_events(order, services, verdicts, now))
    until = now + _TELLING
    told = gather(*(partial(_tell, services, sink, events, until) for sink in services.sinks(request.notify)))
    found = report(verdicts, now, repair=request.repair, findings=tuple(each for each in told if each))
    return found.model_copy(update={"repairs": (), "expired": ()}) if request.report_only else found


def _events(order: Order, services: Services, verdicts: Sequence[Verdict], now: datetime) -> Iterator[dict[str, Any]]:
    """An event of each verdict, and one more where an end is near; a repeated step tells the same ones."""
    build = partial(
        build_verdict_event,
        run=order.run,
        region=services.cloud.region,
        project_id=services.cloud.project_id,
        time=datetime.fromisoformat(order.state.entered),
    )
    for verdict in verdicts:
        yield build(event_of_verdict(verdict), verdict=verdict).to_json()
        if ends_soon(verdict, now):
            yield build(EventKind.EXPIRING, verdict=verdict).to_json()


def _tell(services: Services, sink: Sink, events: Sequence[dict[str, Any]], until: datetime) -> Finding | None:
    """Deliver to one sink until it fails or time is up: the next look tells again what still holds."""
    for number, event in enumerate(events):
        try:
            if services.now() > until:
                return _untold(f"There was no more time for the {sink.name}.", number, events)
            sink.deliver(event)
        except TemporaryError as problem:
            return _untold(problem.data.message, number, events)
    return None


def _untold(why: str, told: int, events: Sequence[dict[str, Any]]) -> Finding:
    return Finding(code="EventsUndelivered", message=f"{why} It got {told} of {len(events)} events.")
