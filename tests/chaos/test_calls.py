"""Every mutating call of an exposure and of its withdrawal is spoilt in turn; the outcome is the same."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Fault
from tests.chaos.scenes import SCENES, expected, holdings
from tests.support.product import Product

FAULTS: dict[str, dict[str, Any]] = {
    "lost before": {"lost": True, "when": "before"},
    "lost after": {"lost": True, "when": "after"},
    "throttled": {"status": 429},
    "500 before": {"status": 500},
    "500 after": {"status": 500, "when": "after"},
    "504 after": {"status": 504, "when": "after"},
}


def mutations(scene: str) -> tuple[int, int]:
    """How many mutating calls an undisturbed exposure and its withdrawal make."""
    product, request = SCENES[scene]()
    product.run(request)
    exposing = len(product.emulator.calls.mutating())
    product.withdraw()
    return exposing, len(product.emulator.calls.mutating()) - exposing


def spoil(product: Product, nth: int, fault: dict[str, Any]) -> None:
    """Spoil the nth mutating call from now on."""
    done = len(product.emulator.calls.mutating())

    def arm(request: Any) -> None:
        if request.method == "GET":
            return
        if len(product.emulator.calls.mutating()) - done == nth and not armed:
            armed.append(True)
            product.emulator.faults.add(Fault(method=request.method, path=request.path, **fault))

    armed: list[bool] = []
    product.emulator.before_call.append(arm)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_spoilt_call_of_an_exposure_leaves_one_set_of_resources(scene: str, fault: str) -> None:
    for nth in range(mutations(scene)[0]):
        product, request = SCENES[scene]()
        before = product.account()
        spoil(product, nth, FAULTS[fault])
        output = product.run(request).output
        assert output["outcome"] == "completed", (nth, output["event"]["data"]["error"])
        assert holdings(product) == expected(scene), nth
        product.withdraw()
        assert product.account() == before, nth


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_spoilt_call_of_a_withdrawal_leaves_nothing(scene: str, fault: str) -> None:
    for nth in range(mutations(scene)[1]):
        product, request = SCENES[scene]()
        before = product.account()
        product.run(request)
        spoil(product, nth, FAULTS[fault])
        output = product.withdraw()
        assert output["outcome"] == "withdrawn", (nth, output["event"]["data"]["error"])
        assert product.account() == before, nth


@pytest.mark.parametrize("scene", SCENES)
def test_a_call_that_is_refused_for_good_rolls_the_exposure_back(scene: str) -> None:
    for nth in range(mutations(scene)[0]):
        product, request = SCENES[scene]()
        before = product.account()
        spoil(product, nth, {"status": 403})
        output = product.run(request).output
        assert output["outcome"] == "failed", nth
        assert output["event"]["data"]["error"]["code"] == "Forbidden"
        assert product.account() == before, nth
