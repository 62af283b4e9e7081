"""The cloud is late: what was made is not listed yet, load balancers and whitelists take their time."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Fault
from emulator.dials import Lag
from tests.chaos.scenes import SCENES, expected, holdings
from tests.chaos.test_failures import STATES, failing
from tests.support.product import Product

LATE: dict[str, dict[str, Any]] = {
    "lists of the load balancer": {"hidden_reads": {"elb": 2}},
    "lists of the network": {"hidden_reads": {"vpc": 1}},
    "both": {"hidden_reads": {"elb": 1, "vpc": 1}},
    "the load balancer": {"load_balancer_create": Lag(seconds=60)},
    "the routes": {"routes": Lag(seconds=30)},
}


def show_all(product: Product) -> None:
    """Read until the cloud shows what was made."""
    for _ in range(2):
        for look in (product.cloud.elb.ip_groups, product.cloud.elb.load_balancers, product.cloud.vpc.peerings):
            look()


@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("scene", SCENES)
def test_a_late_cloud_ends_in_one_exposure_and_then_in_none(scene: str, late: str) -> None:
    product, request = SCENES[scene]()
    before = product.account()
    product.emulator.set_dials(LATE[late])
    output = product.run(request).output
    assert output["outcome"] == "completed", output["event"]["data"]["error"]
    assert holdings(product) == expected(scene)
    show_all(product)
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


@pytest.mark.parametrize("late", ["lists of the load balancer", "lists of the network", "both"])
@pytest.mark.parametrize("state", STATES)
def test_a_roll_back_finds_by_its_own_record_what_no_list_shows_yet(state: str, late: str) -> None:
    product, request = SCENES["cross-vpc"]()
    before = product.account()
    product.emulator.set_dials(LATE[late])
    failing(product, state, late=False)
    assert product.run(request).output["outcome"] == "failed"
    assert product.account() == before


@pytest.mark.parametrize("path", ["*/peerings", "*/members", "*/listeners", "*/healthmonitors"])
def test_a_refused_call_of_a_late_cloud_is_rolled_back(path: str) -> None:
    product, request = SCENES["cross-vpc"]()
    before = product.account()
    product.emulator.set_dials(LATE["both"])
    product.emulator.faults.add(Fault(method="POST", path=path, status=403, times=None))
    assert product.run(request).output["outcome"] == "failed"
    assert product.account() == before
