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
        before, foreign = product.account(), standing(product)
        product.run(request)
        exposed = standing(product) - foreign
        spoil(product, nth, FAULTS[fault])
        output = product.withdraw()
        assert output["outcome"] == "withdrawn", (nth, output["event"]["data"]["error"])
        assert product.account() == before, nth
        # Nothing was written down of routes and peering, so the attempt that finds them gone cannot name them.
        assert {one for one in exposed if one[0] not in {"route", "vpc_peering"}} <= told(output, "released"), nth


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
        there = {one for one in told(output, "created", "adopted", "updated") if one[0] != "whitelist"}
        assert not there, nth


def standing(product: Product) -> set[tuple[str, str]]:
    """Every resource of an exposure that there is, as an event names it."""
    elb, vpc = product.cloud.elb, product.cloud.vpc
    tables = [vpc.route_table(table.id) for table in vpc.route_tables()]
    return {
        *(("load_balancer", one.id) for one in elb.load_balancers()),
        *(("listener", one.id) for one in elb.listeners()),
        *(("pool", one.id) for one in elb.pools()),
        *(("member", one.id) for one in elb.all_members()),
        *(("health_monitor", one.id) for one in elb.monitors()),
        *(("ip_group", one.id) for one in elb.ip_groups()),
        *(("eip", one.id) for one in product.cloud.eip.public_ips()),
        *(("vpc_peering", one.id) for one in vpc.peerings()),
        *(("route", f"{table.id} {one.destination}") for table in tables for one in table.routes or () if one.nexthop),
    }


def told(output: dict[str, Any], *did: str) -> set[tuple[str, str]]:
    """The resources to which an event says that this was done."""
    resources = output["event"]["data"]["resources"]
    return {(each["kind"], each["id"]) for each in resources if each["did"] in did}


@pytest.mark.parametrize("scene", SCENES)
def test_a_withdrawal_that_fails_at_any_call_tells_of_all_that_is_gone(scene: str) -> None:
    for nth in range(mutations(scene)[1]):
        product, request = SCENES[scene]()
        product.run(request)
        before = standing(product)
        spoil(product, nth, {"status": 403})
        output = product.withdraw()
        assert output["outcome"] == "failed", nth
        released = {one for one in told(output, "released") if one[0] != "whitelist"}
        assert released == before - standing(product), nth


@pytest.mark.parametrize("scene", SCENES)
def test_an_exposure_that_fails_at_any_call_and_is_kept_tells_of_all_that_is_there(scene: str) -> None:
    for nth in range(mutations(scene)[0]):
        product, request = SCENES[scene]()
        before = standing(product)
        spoil(product, nth, {"status": 403})
        output = product.run({**request, "on_failure": "keep"}).output
        assert output["outcome"] == "failed", nth
        made = {one for one in told(output, "created", "updated") if one[0] != "whitelist"}
        assert made == standing(product) - before, nth
