"""What a handler is given: cloud, settings, clock, probe and event sinks; nothing is reached for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from shared.otc.cloud import Cloud
from shared.probe import ProbeAnswer
from shared.settings import Settings

T = TypeVar("T")

SIDE_BY_SIDE = 16
"""How many calls are under way at once: what a gateway takes from one client without holding it back."""


class Sink(Protocol):
    """Where an event goes."""

    @property
    def name(self) -> str:
        """What to call it in a message."""

    def deliver(self, event: dict[str, Any]) -> None:
        """Deliver one event, or raise `TemporaryError` (`EventUndelivered`)."""


@dataclass(frozen=True)
class Services:
    """All that a step may use."""

    cloud: Cloud
    settings: Settings
    now: Callable[[], datetime]
    probe: Callable[[str, int], ProbeAnswer]
    sinks: Callable[[tuple[str, ...]], Sequence[Sink]]


class LocalContext:
    """The platform's context object outside the platform; carries the services themselves."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._request_id = str(uuid4())

    def getRequestID(self) -> str:  # noqa: N802  # the platform's name
        """The id of this invocation."""
        return self._request_id


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def gather(*thunks: Callable[[], Any]) -> list[Any]:
    """Run calls side by side and give their results in order; the first failure is raised once all have ended."""
    if len(thunks) < 2:
        return [thunk() for thunk in thunks]
    with ThreadPoolExecutor(max_workers=min(len(thunks), SIDE_BY_SIDE)) as pool:
        futures = [pool.submit(thunk) for thunk in thunks]
    return [future.result() for future in futures]
