"""One event of a run delivered twice, truly at once, and one of the two deliveries fails for good."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.chaos.scenes import SCENES, expected, holdings
from tests.chaos.test_failures import STATES, failing
from tests.chaos.test_rivals import SEEDED
from workflow.engines.virtual import VirtualRun
from workflow.machines import load_machine

HAND_OVER = 2.0
"""Seconds that go by with each hand-over: two functions are invoked, and the cloud is called."""
PAUSES = 22
"""After how many hand-overs a delivery has told of its end, if it goes over nothing twice."""
FORKS = [0, *(pytest.param(fork, marks=pytest.mark.slow) for fork in range(1, 12))]


class Deliveries:
    """Two deliveries of a run's event, of which one fails, and what they tell, in its order."""

    def __init__(self, state: str, fork: int = 0, *, late: bool = False) -> None:
        self.product, request = SCENES["whitelisted"]()
        self.before = self.product.account()
        self.fine = self.product.begin(request)
        self.step(self.fine, fork)
        other = self.product.another()
        other.sink = self.product.sink
        failing(other, state, late=late)
        self.failing = other.engine.resume(load_machine("expose"), self.fine.to_json())

    def step(self, run: VirtualRun, times: int = 1) -> bool:
        """Carry one of them on by so many hand-overs; false once it has ended."""
        for _ in range(times):
            self.product.clock.advance_to(self.product.clock.now() + HAND_OVER)
            if not run.step():
                return False
        return True

    def to_end(self, *runs: VirtualRun) -> None:
        """Carry them on to their ends, one after the other."""
        for run in runs:
            while self.step(run):
                pass

    def check(self) -> None:
        """There is a whole exposure that somebody was told of, or nothing and that is the last word."""
        kinds = [event["type"].rpartition(".")[2] for event in self.product.sink.events]
        account = self.product.account()
        if account == self.before:
            assert kinds[-1] == "failed"
            return
        assert "completed" in kinds
        assert holdings(self.product) == expected("whitelisted")
        assert account["dcs"] != self.before["dcs"], "its whitelist entry"


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize("state", STATES)
def test_a_delivery_that_fails_at_any_time_takes_no_piece_of_what_the_other_completes(state: str, fork: int) -> None:
    for pause in range(PAUSES):
        made = Deliveries(state, fork)
        made.step(made.failing, pause)
        made.to_end(made.fine, made.failing)
        made.check()


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize("state", STATES)
def test_a_delivery_completes_nothing_that_the_failure_of_the_other_has_taken(state: str, fork: int) -> None:
    """But for the last hand-over: between the last look and the telling only a fence would help."""
    for pause in range(PAUSES):
        made = Deliveries(state, fork)
        made.step(made.fine, pause)
        if made.fine.tree.root.state == "EmitCompleted":
            continue
        made.to_end(made.failing, made.fine)
        made.check()


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("state", STATES)
@given(turns=st.lists(st.booleans(), max_size=80))
@example(turns=[True, False] * 40)
@SEEDED
def test_two_deliveries_in_any_order_of_which_one_fails_agree_in_the_end(
    state: str, turns: list[bool], *, late: bool
) -> None:
    made = Deliveries(state, late=late)
    for one in turns:
        made.step(made.fine if one else made.failing)
    made.to_end(made.fine, made.failing)
    made.check()
