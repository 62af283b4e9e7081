"""What an exposure and its withdrawal cost: calls, mutations and rounds, from the call log."""

from __future__ import annotations

import pytest

from tests.chaos.scenes import SCENES
from tests.support.budget import exposure_calls, rounds, withdrawal_calls


@pytest.mark.parametrize(
    ("scene", "limit", "mutations"), [("cross-vpc", 28, 9), ("whitelisted", 32, 10), ("same-vpc", 28, 8)]
)
def test_an_exposure_stays_within_its_budget_of_calls(scene: str, limit: int, mutations: int) -> None:
    made, changed = exposure_calls(*SCENES[scene]())
    assert made <= limit
    assert changed == mutations


@pytest.mark.parametrize(("scene", "limit"), [("cross-vpc", 20), ("whitelisted", 22), ("same-vpc", 20)])
def test_a_withdrawal_stays_within_its_budget_of_calls(scene: str, limit: int) -> None:
    assert withdrawal_calls(*SCENES[scene]()) <= limit


def test_an_exposure_is_nine_rounds_deep() -> None:
    assert rounds(*SCENES["cross-vpc"]()) <= 9
