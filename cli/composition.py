"""The composition root: cloud, settings, handlers and engine put together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import requests

from cli.verdicts import VerdictStore
from shared.ids import run_id
from shared.otc.cloud import Cloud
from shared.otc.transport import Transport
from shared.probe import probe
from shared.request import normalised
from shared.services import LocalContext, Services, Sink, utc_now
from shared.settings import Settings, read_settings
from shared.sinks import sinks_for
from shared.urns import function_name
from workflow.engines.embedded import EmbeddedEngine, RunView
from workflow.machines import load_machines


@dataclass(frozen=True)
class Composition:
    """A project, and the engine that works for it."""

    cloud: Cloud
    engine: EmbeddedEngine
    store: Path

    @classmethod
    def of(
        cls, transport: Transport, store: Path, *, events_on_stdout: bool = False, expirer: str | None = None
    ) -> Composition:
        """Compose for a project; the store's folder is made if need be. `expirer` is the schedule at work here."""
        # Standard output holds the result of a command, or all events and nothing else.
        settings = read_settings(os.environ.get)
        settings = settings.model_copy(update={"expirer": settings.expirer or expirer})
        cloud = Cloud(transport)
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        stream = sys.stdout if events_on_stdout else None
        given = services(cloud, settings, stream, VerdictStore(store))
        engine = EmbeddedEngine(store, resolver(given), load_machines())
        return cls(cloud, engine, store)

    def enqueue(self, request: dict[str, Any]) -> RunView:
        """Queue a valid request; it stays with the project of these credentials, whoever works it later."""
        request = normalised({"project_id": self.cloud.project_id, **request})
        return self.engine.enqueue(
            request["action"],
            request_id=request["request_id"],
            run_id=run_id(self.cloud.project_id, request["request_id"]),
            # Runs that are about no instance in particular wait for one another.
            key=request.get("instance_id", request["action"]),
            input={"request": request},
        )


def services(cloud: Cloud, settings: Settings, stream: TextIO | None, verdicts: VerdictStore) -> Services:
    """What handlers are given outside the platform."""
    # Its webhooks go through the proxy of the environment, as all that is called from this machine.
    session = requests.Session()

    def sinks(notify: tuple[str, ...]) -> list[Sink]:
        found = sinks_for(settings, notify, cloud, stream, session=session)
        return verdicts.around(found, on_change=settings.events_on_change)

    return Services(
        cloud=cloud,
        settings=settings,
        now=utc_now,
        probe=probe,
        sinks=sinks,
    )


def resolver(given: Services) -> Callable[[str], Callable[[Any], Any]]:
    """Find the handler a function's URN names, bound to the services."""
    context = LocalContext(given)

    def resolve(urn: str) -> Callable[[Any], Any]:
        handler = import_module(f"functions.{function_name(urn)}").handler
        return partial(handler, context=context)

    return resolve
