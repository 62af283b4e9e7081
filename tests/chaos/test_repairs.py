"""A repair is killed, spoilt or doubled at every mutating call; the next one finishes what is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.verification.verdict import VerdictKind
from tests.chaos.scenes import ONE_SET, holdings
from tests.chaos.test_calls import FAULTS, spoil
from tests.chaos.test_kills import Killed, run_killed_at
from tests.chaos.turns import at_once
from tests.functions.test_drift import account, exposed, forget, move, repair, set_field, unpeer, verify, whitelist
from tests.functions.test_repair import delete_balancer, delete_both
from tests.support.product import Product


def everything(account_now: Any) -> None:
    """One thing of each kind is wrong, on every side."""
    for damage in (
        set_field("loadbalancers", name="theirs", description=""),
        set_field("ipgroups", name="theirs"),
        forget("listeners"),
        set_field("pools", description="", lb_algorithm="LEAST_CONNECTIONS"),
        move(ip="192.168.0.99"),
        forget("healthmonitors"),
        unpeer,
        whitelist(("office", "192.168.0.77")),
    ):
        damage(account_now)


DAMAGES: dict[str, Callable[[Any], None]] = {
    "everything": everything,
    "load balancer": delete_balancer,
    "load balancer and address": delete_both,
    "IP group": forget("ipgroups"),
    "pool": forget("pools", "members", "healthmonitors"),
}


def broken(name: str) -> Product:
    product = exposed()
    with product.emulator.change() as account_now:
        DAMAGES[name](account_now)
    product.emulator.calls.clear()
    return product


def order(product: Product, request_id: str = "repair") -> dict[str, Any]:
    return {"action": "repair", "instance_id": product.instance_id, "replace": True, "request_id": request_id}


def mutations(name: str) -> int:
    """How many mutating calls an undisturbed repair makes."""
    product = broken(name)
    assert product.run(order(product)).output["outcome"] == "repaired"
    return len(product.emulator.calls.mutating())


def is_whole(product: Product) -> bool:
    return verify(product).kind is VerdictKind.HEALTHY and holdings(product) == ONE_SET


def kill_for_good(product: Product, nth: int, *, after: bool) -> None:
    """Kill a repair around its nth mutating call; nobody takes its run up again."""
    seen = [0]

    def kill(call: Any) -> None:
        seen[0] += call.method != "GET"
        if call.method != "GET" and seen[0] == nth:
            raise Killed

    hooks = product.emulator.after_call if after else product.emulator.before_call
    hooks.append(kill)
    with pytest.raises(Killed):
        product.run(order(product, "killed"))
    hooks.remove(kill)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", DAMAGES)
def test_what_a_killed_repair_has_left_the_next_one_finishes(name: str, *, after: bool) -> None:
    for nth in range(1, mutations(name) + 1):
        product = broken(name)
        kill_for_good(product, nth, after=after)
        # The lost creation may show up until the settle window is over.
        product.clock.advance_to(product.clock.now() + 60)
        output = product.another().run(order(product)).output
        assert output["outcome"] == "repaired", (nth, output["event"]["data"]["error"])
        assert is_whole(product), (nth, verify(product))


@pytest.mark.parametrize("after", [False, True])
def test_a_killed_repair_that_is_taken_up_again_finishes(*, after: bool) -> None:
    for nth in range(1, mutations("everything") + 1):
        product = broken("everything")
        assert run_killed_at(product, order(product), nth, after=after)["outcome"] == "repaired", nth
        assert is_whole(product), nth


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["everything", "load balancer and address"])
def test_a_spoilt_call_of_a_repair_leaves_one_set_of_resources(name: str, fault: str) -> None:
    for nth in range(mutations(name)):
        product = broken(name)
        spoil(product, nth, FAULTS[fault])
        output = product.run(order(product)).output
        assert output["outcome"] == "repaired", (nth, output["event"]["data"]["error"])
        assert is_whole(product), (nth, verify(product))


@pytest.mark.parametrize("reads", [1, 2, 3])
@pytest.mark.parametrize("name", DAMAGES)
def test_what_a_late_cloud_does_not_list_yet_is_not_repaired_twice(name: str, reads: int) -> None:
    product = broken(name)
    product.emulator.set_dials({"hidden_reads": dict.fromkeys(("elb", "eip", "vpc"), reads)})
    output = product.run(order(product)).output
    assert output["outcome"] == "repaired", output["event"]["data"]["error"]
    for _ in range(reads):
        verify(product)
    assert is_whole(product), verify(product)


@pytest.mark.parametrize("seed", range(4))
def test_two_repairs_at_once_come_to_one_exposure(seed: int) -> None:
    product = broken("everything")
    other = product.another()
    at_once(
        [product, other], [lambda: product.run(order(product, "one")), lambda: other.run(order(product, "two"))], seed
    )
    assert repair(product)["outcome"] == "repaired"
    assert is_whole(product), verify(product)


def test_a_repair_of_what_is_whole_changes_only_whose_it_is() -> None:
    product = exposed()
    before = account(product)
    product.emulator.calls.clear()
    assert repair(product)["outcome"] == "repaired"
    assert account(product) == before
    bodies = [json.loads(call.body) for call in product.emulator.calls.mutating()]
    assert [sorted(body) for body in bodies] == [["ipgroup"], ["listener"]]
