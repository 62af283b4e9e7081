"""Two runs for one instance from two machines with stores of their own, interleaved command by command."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.chaos.scenes import SCENES, expected, holdings
from tests.chaos.test_failures import STATES, failing
from tests.chaos.turns import at_once
from workflow.engines.virtual import VirtualRun

TURNS = st.lists(st.booleans(), min_size=0, max_size=80)
EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "24"))
SEEDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def interleave(one: VirtualRun, other: VirtualRun, turns: list[bool]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Let two runs take turns, then both to their ends."""
    for first in turns:
        (one if first else other).step()
    return one.to_end().output, other.to_end().output


@pytest.mark.parametrize("scene", SCENES)
@given(turns=TURNS)
@example(turns=[True, False] * 40)
@SEEDED
def test_the_same_request_on_two_machines_makes_one_exposure(scene: str, turns: list[bool]) -> None:
    product, request = SCENES[scene]()
    before = product.account()
    outputs = interleave(product.begin(request), product.another().begin(request), turns)
    assert [output["outcome"] for output in outputs] == ["completed", "completed"]
    assert holdings(product) == expected(scene)
    product.withdraw()
    assert product.account() == before


@pytest.mark.parametrize("scene", SCENES)
@given(turns=TURNS)
@example(turns=[True, False] * 40)
@SEEDED
def test_two_requests_for_one_instance_make_one_exposure(scene: str, turns: list[bool]) -> None:
    product, request = SCENES[scene]()
    before = product.account()
    rival = product.another().begin({**request, "request_id": "rival"})
    outputs = interleave(product.begin(request), rival, turns)
    assert [output["outcome"] for output in outputs] == ["completed", "completed"]
    assert holdings(product) == expected(scene)
    product.withdraw()
    assert product.account() == before


@pytest.mark.parametrize("state", STATES)
@given(turns=TURNS, late=st.booleans())
@example(turns=[True, False] * 40, late=True)
@SEEDED
def test_a_rival_that_fails_takes_nothing_from_the_other(state: str, turns: list[bool], *, late: bool) -> None:
    product, request = SCENES["whitelisted"]()
    before = product.account()
    loser = product.another()
    failing(loser, state, late=late)
    outputs = interleave(product.begin(request), loser.begin({**request, "request_id": "loser"}), turns)
    assert outputs[1]["outcome"] == "failed"
    assert outputs[0]["outcome"] == "completed"
    assert holdings(product) == expected("whitelisted")
    product.withdraw()
    assert product.account() == before


@pytest.mark.parametrize("issued", range(6))
@pytest.mark.parametrize("state", ["EnsureListener", "EnsureBackend", "CheckHealth"])
def test_a_run_that_fails_after_it_lost_its_exposure_takes_its_load_balancer_along(state: str, issued: int) -> None:
    product, request = SCENES["cross-vpc"]()
    before = product.account()
    with product.emulator.change() as account:
        # Of two made in one second the ids decide.
        account.world.ids_issued += issued
    loser = product.another()
    failing(loser, state, late=False)
    one, other = loser.begin({**request, "request_id": "loser"}), product.begin(request)
    one.step()
    other.step()
    while not any(each.state == state for each in one.tree.history):
        one.step()
    assert other.to_end().output["outcome"] == "completed"
    assert one.to_end().output["outcome"] == "failed"
    assert holdings(product) == expected("cross-vpc")
    product.withdraw()
    assert product.account() == before


@pytest.mark.parametrize("seed", range(EXAMPLES // 4))
def test_two_requests_interleaved_call_by_call_make_one_exposure(seed: int) -> None:
    product, request = SCENES["whitelisted"]()
    before = product.account()
    rival = product.another()
    outputs = at_once(
        [product, rival],
        [lambda: product.run(request).output, lambda: rival.run({**request, "request_id": "rival"}).output],
        seed,
    )
    assert [output["outcome"] for output in outputs] == ["completed", "completed"]
    assert holdings(product) == expected("whitelisted")
    product.withdraw()
    assert product.account() == before


@pytest.mark.parametrize("seed", range(EXAMPLES // 4))
def test_an_exposure_and_a_withdrawal_at_once_leave_one_exposure_or_none(seed: int) -> None:
    product, request = SCENES["whitelisted"]()
    before = product.account()
    product.run(request)
    rival = product.another()
    again, withdrawn = at_once(
        [product, rival],
        [lambda: product.run({**request, "request_id": "again"}).output, rival.withdraw],
        seed,
    )
    if again["outcome"] == "completed" and product.account() != before:
        assert holdings(product) == expected("whitelisted"), withdrawn["outcome"]
        product.withdraw()
    assert product.account() == before, (again["outcome"], withdrawn["outcome"])


def test_an_exposure_whose_whitelist_entry_a_withdrawal_took_lets_itself_in_again() -> None:
    product, request = SCENES["whitelisted"]()
    before, outside = product.account(), product.cloud.dcs.whitelist(product.instance_id)
    run = product.begin(request)
    while not any(each.state == "CheckHealth" for each in run.tree.history):
        run.step()
    product.cloud.dcs.put_whitelist(product.instance_id, outside)
    assert run.to_end().output["outcome"] == "completed"
    assert product.cloud.dcs.whitelist(product.instance_id) != outside
    product.withdraw()
    assert product.account() == before


@pytest.mark.parametrize("state", STATES[: STATES.index("ProbeRedis")])
def test_an_exposure_withdrawn_while_it_is_exposed_again_is_made_anew(state: str) -> None:
    product, request = SCENES["whitelisted"]()
    before = product.account()
    product.run(request)
    again = product.begin({**request, "request_id": "again"})
    while not any(each.state == state for each in again.tree.history):
        again.step()
    product.another().withdraw()
    assert again.to_end().output["outcome"] == "completed"
    assert holdings(product) == expected("whitelisted")
    product.withdraw()
    assert product.account() == before
