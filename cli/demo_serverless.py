"""The demo's other way: nothing works here but the emulated cloud, which runs the deployed functions."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from cli.deploy.apply import delete
from cli.deploy.run import cache_path, plan_removal, prepare
from cli.deploy.template import template_path
from cli.options import App
from cli.running import Exit, is_of_run, tell
from cli.subscriber import Subscriber, subscribed
from cli.topic import DEPLOYED, topics
from shared.ids import run_id
from shared.otc.cloud import Cloud

_WITHIN = 120.0


@dataclass(frozen=True)
class Deployed:
    """A deployed application, and an endpoint that gets its events."""

    app: App
    cloud: Cloud
    topic_urn: str
    subscriber: Subscriber

    def carry_out(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Publish a request and wait for its event; None if it did not end well."""
        click.secho(f"\nPublished to {self.topic_urn}: {json.dumps(request)}", bold=True)
        self.cloud.smn.publish(self.topic_urn, f"dcs-access {request['action']}", json.dumps(request))
        run, end = run_id(self.cloud.project_id, request["request_id"]), time.monotonic() + _WITHIN
        while (event := self.subscriber.next(end - time.monotonic())) is not None:
            if is_of_run(event, run, request["request_id"]):
                click.secho(f"\nReceived by an HTTP subscriber of the topic of events: {event['type']}", bold=True)
                return event if tell(self.app, event) is Exit.OK else None
        click.echo(f"No event came within {_WITHIN:.0f} s.", err=True)
        return None


@contextmanager
def deployed(app: App) -> Iterator[Deployed]:
    """Deploy to the cloud of the app, and take it all away when the block ends."""
    transport = app.connect()
    deployment = prepare(
        transport, transport.endpoints, template_path(), given={}, environment=os.environ.get, cache=cache_path()
    )
    changes = deployment.plan()
    made = ", ".join(f"{count} x {kind}" for kind, count in Counter(change.kind for change in changes).items())
    click.secho(f"\nDeploying a zip of {len(deployment.site.code):,} bytes: {made}.", bold=True)
    site = deployment.site
    try:
        deployment.carry_out(changes, lambda _: None)
        requests_urn, events_urn = topics(site.cloud, DEPLOYED)
        with subscribed(site.cloud, events_urn) as subscriber:
            yield Deployed(app, site.cloud, requests_urn, subscriber)
    finally:
        click.secho("\nTaking the deployment away.", bold=True)
        delete(site, plan_removal(site), lambda _: None)
