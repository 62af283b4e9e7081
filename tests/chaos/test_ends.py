"""An exposure with an end, asked for twice at any two moments: there is one, and both its records name one end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.record import Record, read_record
from tests.chaos.scenes import SCENES, expected, holdings
from tests.chaos.test_rivals import EXAMPLES, SEEDED
from tests.chaos.turns import at_once
from tests.support.product import Product

HOUR = 3600.0
SKEW = timedelta(seconds=7)
STEP = 1.7
"""Seconds that go by with each step, so that every delivery works out another end."""


class Twice:
    """Two machines are given the same request, or a rival with another end; the instance stands exposed or not."""

    def __init__(self, *, exposed: bool, rival: bool = False) -> None:
        self.product, request = SCENES["cross-vpc"]()
        self.before = self.product.account()
        self.request = {**request, "expires_after": "2h"}
        if exposed:
            self.product.run({**request, "request_id": "before", "expires_after": "9h"})
        self.rival = {**self.request, **({"request_id": "rival", "expires_after": "1h"} if rival else {})}
        self.other = self.product.another()

    def records(self) -> tuple[Record | None, ...]:
        """The anchor's record and its copy; only the anchor says whether the exposure was taken over."""
        elb = self.product.cloud.elb
        texts = [one.description for one in (*elb.ip_groups(), *elb.listeners())]
        return tuple(record and replace(record, taken=False) for record in map(read_record, texts))

    def check(self, *outputs: dict[str, Any]) -> None:
        """There is one exposure, it is healthy, and it ends as said; after that nothing is left."""
        assert [output["outcome"] for output in outputs] == ["completed", "completed"]
        assert holdings(self.product) == expected("cross-vpc")
        anchor, copy = self.records()
        assert anchor == copy
        assert anchor is not None
        assert anchor.expires_at is not None
        told = {output["event"]["data"]["expires_at"] for output in outputs}
        assert f"{datetime.fromtimestamp(anchor.expires_at, UTC):%Y-%m-%dT%H:%M:%SZ}" in told
        self._pass(HOUR / 2)
        assert self._verified()["counts"]["healthy"] == 1
        self._pass(2 * HOUR)
        verified = self._verified()
        assert [due["instance_id"] for due in verified["expired"]] == [self.product.instance_id]
        self.product.withdraw()
        assert self.product.account() == self.before

    def _verified(self) -> dict[str, Any]:
        verified: dict[str, Any] = self.product.run({"action": "verify"}).output["verified"]
        return verified

    def _pass(self, seconds: float) -> None:
        self.product.clock.advance_to(self.product.clock.now() + seconds)
        self.product.emulator.tick()


@pytest.mark.parametrize("rival", [False, True])
@pytest.mark.parametrize("exposed", [False, True])
@given(gap=st.integers(0, 30), turns=st.lists(st.booleans(), max_size=60))
@example(gap=0, turns=[True, False] * 40)
@example(gap=60, turns=[])
@SEEDED
def test_what_is_asked_for_twice_step_by_step_is_one_exposure_that_ends(
    gap: int, turns: list[bool], *, exposed: bool, rival: bool
) -> None:
    made = Twice(exposed=exposed, rival=rival)
    clock = made.product.clock

    def step(run: Any) -> bool:
        clock.advance_to(clock.now() + STEP)
        more: bool = run.step()
        return more

    first = made.product.begin(made.request)
    for _ in range(gap):
        step(first)
    second = made.other.begin(made.rival)
    for one in turns:
        step(first if one else second)
    for run in (first, second):
        while step(run):
            pass
    made.check(first.result.output, second.result.output)


@pytest.mark.parametrize("rival", [False, True])
@pytest.mark.parametrize("exposed", [False, True])
@pytest.mark.parametrize("seed", range(EXAMPLES // 4))
def test_what_is_asked_for_twice_call_by_call_is_one_exposure_that_ends(
    seed: int, *, exposed: bool, rival: bool
) -> None:
    made = Twice(exposed=exposed, rival=rival)
    product: Product = made.other
    now = product.services.now
    product.services = replace(product.services, now=lambda: now() + SKEW)
    runs = [lambda: made.product.run(made.request).output, lambda: made.other.run(made.rival).output]
    made.check(*at_once([made.product, made.other], runs, seed))
