"""Requests for a deployed application: published to its topic, and followed in the cloud or by its events."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from cli.options import App
from cli.output import show
from cli.running import Exit, is_of_run, tell
from cli.subscriber import CONFIRMED_WITHIN, Subscriber, subscribed
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.ids import exposure_id, run_id
from shared.masking import mask_url
from shared.otc.cloud import Cloud
from shared.planning.safety import check_project
from shared.record import run_in
from shared.resources.holdings import find_load_balancers
from shared.resources.ip_group import find_anchors
from shared.settings import read_settings
from shared.urns import topic_urn
from shared.verification.compare import compare
from shared.verification.observe import observe_project
from shared.verification.verdict import VerdictKind

DEPLOYED = "\0"
"""Stands for the topic of the application, which no name of a topic can be."""
_TOPICS = "/notifications/topics/"
_SHORTEST, _LONGEST = 0.2, 10.0
_GROWTH = 1.5
_SEEN_IN_THE_CLOUD = frozenset({"expose", "repair", "withdraw"})


@dataclass(frozen=True)
class Sent:
    """A request that a topic has taken."""

    topic_urn: str
    message_id: str
    request_id: str
    run_id: str


def publish(app: App, request: dict[str, Any], topic: str, *, wait: bool, listen: str | None, within: float) -> Exit:
    """Publish a request, and wait or listen for at most so many seconds if that is asked for.

    Raises:
        PermanentError: `InvalidRequest`, there is nothing to wait or to listen for; `ForeignProject`; `NotFound`.
    """
    try:
        return _publish(app, request, topic, wait=wait, listen=listen, within=within)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND or _TOPICS not in (problem.data.resource or ""):
            raise
        advice = "Deploy the application with `dcs-access deploy`, or name a topic that there is."
        resource = problem.data.resource
        raise PermanentError(problem.code, problem.data.message, resource=resource, advice=advice) from None


def _publish(app: App, request: dict[str, Any], topic: str, *, wait: bool, listen: str | None, within: float) -> Exit:
    cloud = Cloud(app.connect())
    check_project(request.get("project_id"), cloud.project_id)
    requests_urn, events_urn = topics(cloud, topic)
    if wait:
        _check(request, _SEEN_IN_THE_CLOUD, "wait", "Listen for its event with --listen instead.")
        return _wait(app, cloud, request, _send(cloud, request, requests_urn), within)
    if listen:
        known = _SEEN_IN_THE_CLOUD | {"extend"}
        _check(request, known, "listen", "It tells of each exposure by an event of its own.")
        end = time.monotonic() + within
        if not app.quiet:
            click.echo(f"Waiting for the topic to reach {mask_url(listen)}.", err=True)
        with subscribed(cloud, events_urn, listen, within=min(within, CONFIRMED_WITHIN)) as subscriber:
            return _listen(app, subscriber, _send(cloud, request, requests_urn), end)
    sent = _send(cloud, request, requests_urn)
    show(sent.__dict__, app.output, lambda: sent.run_id)
    return Exit.OK


def topics(cloud: Cloud, name: str) -> tuple[str, str]:
    """The URNs of a topic of requests, and of the events that belong to it."""
    application = read_settings(os.environ.get).application
    named = f"{application}-requests" if name == DEPLOYED else name
    urn = named if named.startswith("urn:smn:") else topic_urn(cloud.region, cloud.project_id, named)
    deployment, _, kind = urn.rpartition("-")
    own = topic_urn(cloud.region, cloud.project_id, f"{application}-events")
    return urn, f"{deployment}-events" if kind == "requests" else own


def _check(request: dict[str, Any], actions: frozenset[str], field: str, advice: str) -> None:
    if request["action"] not in actions:
        message = f"There is nothing to {field} for when the request is to {request['action']}."
        raise PermanentError(ErrorCode.INVALID_REQUEST, message, field=field, advice=advice)


def _send(cloud: Cloud, request: dict[str, Any], topic_urn: str) -> Sent:
    identifier = request["request_id"]
    message = cloud.smn.publish(topic_urn, f"dcs-access {request['action']}", json.dumps(request))
    return Sent(topic_urn, message, identifier, run_id(cloud.project_id, identifier))


def _wait(app: App, cloud: Cloud, request: dict[str, Any], sent: Sent, within: float) -> Exit:
    """Ask the cloud until it shows what was asked for; it does not say why it does not."""
    exposure = exposure_id(cloud.project_id, request["instance_id"], request.get("node"))
    withdrawn = request["action"] == "withdraw"
    reached = _gone if withdrawn else _healthy
    if not app.quiet:
        click.echo(f"Run {sent.run_id}: waiting for exposure {exposure}; reasons come by event.", err=True)
    found = _until(lambda: reached(cloud, exposure, sent.run_id), within)
    if found is None:
        state = "is not gone" if withdrawn else f"is not healthy{_as_it_stands(cloud, exposure, sent.run_id)}"
        click.echo(f"Exposure {exposure} {state} after {within:.0f} s. The application's events say why.", err=True)
        return Exit.FAILED
    show({**sent.__dict__, **found}, app.output, lambda: found["endpoint"] or f"Exposure {exposure} is gone.")
    return Exit.OK


def _until(look: Callable[[], dict[str, Any] | None], within: float) -> dict[str, Any] | None:
    """Look ever less often, and once more at the end; what a cloud at fault answers until then says nothing."""
    end, pause = time.monotonic() + within, _SHORTEST
    while True:
        left = end - time.monotonic()
        try:
            found = look()
        except TemporaryError:
            if left <= 0:
                raise
            found = None
        if found is not None or left <= 0:
            return found
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _LONGEST)


def _healthy(cloud: Cloud, exposure: str, run: str) -> dict[str, Any] | None:
    """The exposure, once this run has made it what it should be; another run's is not what was asked for."""
    groups = find_anchors(cloud, exposure)
    if not any(run_in(group.description) == run for group in groups):
        return None
    now = datetime.now(UTC)
    project = observe_project(cloud, slice=1, now=now, only=(exposure,))
    verdict = compare(exposure, project, now)
    found = verdict.kind is VerdictKind.HEALTHY
    return {"exposure": exposure, "verdict": verdict.kind.value, "endpoint": verdict.endpoint} if found else None


def _as_it_stands(cloud: Cloud, exposure: str, run: str) -> str:
    """What another run has made, if that is what the cloud shows."""
    groups = find_anchors(cloud, exposure)
    if not groups or any(run_in(group.description) == run for group in groups):
        return ""
    now = datetime.now(UTC)
    endpoint = compare(exposure, observe_project(cloud, slice=1, now=now, only=(exposure,)), now).endpoint
    return f" as this request has it, but stands at {endpoint} as an earlier one made it," if endpoint else ""


def _gone(cloud: Cloud, exposure: str, _run: str) -> dict[str, Any] | None:
    left = find_anchors(cloud, exposure) or find_load_balancers(cloud, exposure)
    return None if left else {"exposure": exposure, "verdict": "gone", "endpoint": None}


def _listen(app: App, subscriber: Subscriber, sent: Sent, end: float) -> Exit:
    """Show the event of this run; those of others pass by."""
    if not app.quiet:
        click.echo(f"Run {sent.run_id}: listening for its event.", err=True)
    while (event := subscriber.next(end - time.monotonic())) is not None:
        if is_of_run(event, sent.run_id, sent.request_id):
            return tell(app, event)
    click.echo(f"No event of run {sent.run_id} came in time.", err=True)
    return Exit.FAILED
