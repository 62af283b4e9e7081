"""What an exposure and its withdrawal cost: calls, mutations and rounds, from the call log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.otc.cloud import Cloud
from shared.otc.transport import Answer, Call, Transport
from tests.chaos.scenes import SCENES
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


def calls(product: Product, request: dict[str, Any]) -> tuple[int, int]:
    """Calls and mutations of a run, later health polls not counted."""
    product.emulator.calls.clear()
    product.run(request)
    made = list(product.emulator.calls)
    polls = [call for call in made if call.path.endswith("/statuses")]
    counted = [call for call in made if not polls or call.number <= polls[0].number + 1] if len(polls) > 1 else made
    return len(counted) + AUTHENTICATION, len(product.emulator.calls.mutating())


@pytest.mark.parametrize(
    ("scene", "limit", "mutations"), [("cross-vpc", 28, 9), ("whitelisted", 32, 10), ("same-vpc", 28, 8)]
)
def test_an_exposure_stays_within_its_budget_of_calls(scene: str, limit: int, mutations: int) -> None:
    made, changed = calls(*SCENES[scene]())
    assert made <= limit
    assert changed == mutations


@pytest.mark.parametrize(("scene", "limit"), [("cross-vpc", 20), ("whitelisted", 22), ("same-vpc", 20)])
def test_a_withdrawal_stays_within_its_budget_of_calls(scene: str, limit: int) -> None:
    product, request = SCENES[scene]()
    product.run(request)
    product.emulator.calls.clear()
    product.withdraw()
    assert len(list(product.emulator.calls)) + AUTHENTICATION <= limit


def test_an_exposure_is_nine_rounds_deep() -> None:
    product, request = SCENES["cross-vpc"]()
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
    rounds = AUTHENTICATION + measured.rounds("PlanExposure") + max(public, private) + measured.rounds("CheckHealth")
    assert rounds <= 9
