"""What a run costs: calls, mutations and rounds, from the call log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.otc.cloud import Cloud
from shared.otc.transport import Answer, Call, Transport
from tests.support.product import Product

LATENCY = 0.15
"""Seconds a measured call takes, so that calls made side by side are seen to overlap."""

AUTHENTICATION = 1


@dataclass
class Measured:
    """A transport that takes note of when each call began and ended, and for which state."""

    inner: Transport
    state: str = ""
    spans: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def project_id(self) -> str:
        return self.inner.project_id

    @property
    def region(self) -> str:
        return self.inner.region

    def send(self, call: Call) -> Answer:
        begun = time.monotonic()
        threading.Event().wait(LATENCY)
        answer = self.inner.send(call)
        self.spans.setdefault(self.state, []).append((begun, time.monotonic()))
        return answer

    def rounds(self, state: str) -> int:
        """The longest chain of calls of a state in which each began after the one before had ended."""
        depth: list[tuple[float, int]] = []
        for begun, ended in sorted(self.spans.get(state, [])):
            depth.append((ended, 1 + max((d for e, d in depth if e <= begun), default=0)))
        return max((d for _, d in depth), default=0)


def exposure_calls(product: Product, request: dict[str, Any]) -> tuple[int, int]:
    """Calls and mutations of a run, later health polls not counted."""
    product.emulator.calls.clear()
    product.run(request)
    made = list(product.emulator.calls)
    polls = [call for call in made if call.path.endswith("/statuses")]
    counted = [call for call in made if not polls or call.number <= polls[0].number + 1] if len(polls) > 1 else made
    return len(counted) + AUTHENTICATION, len(product.emulator.calls.mutating())


def withdrawal_calls(product: Product, request: dict[str, Any]) -> int:
    """Calls that it takes to withdraw what a request has exposed."""
    product.run(request)
    product.emulator.calls.clear()
    product.withdraw()
    return len(list(product.emulator.calls)) + AUTHENTICATION


def rounds(product: Product, request: dict[str, Any]) -> int:
    """The longest chain of calls of an exposure in which each had to wait for the one before."""
    measured = Measured(product.cloud.transport)
    product.services = type(product.services)(**{**vars(product.services), "cloud": Cloud(measured)})
    resolve = product.engine._resolver

    def noting(resource: str) -> Callable[[Any], Any]:
        def call(event: Any) -> Any:
            again = event["state"]["RetryCount"] > 0
            measured.state = event["state"]["Name"] + (" again" if again else "")
            return resolve(resource)(event)

        return call

    product.engine._resolver = noting
    product.run(request)
    public = sum(measured.rounds(state) for state in ("EnsureLoadBalancer", "EnsureListener", "EnsureBackend"))
    private = sum(measured.rounds(state) for state in ("EnsurePeering", "EnsureRoutes"))
    return AUTHENTICATION + measured.rounds("PlanExposure") + max(public, private) + measured.rounds("CheckHealth")
