"""What a verification costs: calls, seconds, memory, and the size of its result."""

from __future__ import annotations

import json
import sys
import time
import tracemalloc

import pytest

from emulator.account import Account
from shared.otc.cloud import Cloud
from shared.settings import Settings
from shared.verification.report import MOST
from tests.functions.verifying import change, many, verify
from tests.support.product import Product

LISTS = 18
SLICE = 50


def counted(product: Product) -> tuple[int, int]:
    """Calls of one verification: whitelists, and all others."""
    verify(product)
    paths = [call.path for call in product.emulator.calls]
    whitelists = sum(path.endswith("/whitelist") for path in paths)
    return whitelists, len(paths) - whitelists


def test_a_hundred_exposures_take_as_many_list_calls_as_one_and_a_slice_of_whitelists() -> None:
    alone, lists = counted(many(1))
    assert (alone, lists <= LISTS) == (1, True)
    assert counted(many(100)) == (SLICE, lists)


def test_the_whitelist_of_an_unreached_instance_is_read_whoevers_turn_it_is() -> None:
    product = many(10)
    product.services = type(product.services)(**{**vars(product.services), "settings": Settings(whitelist_slice=0)})

    def cut(account: Account) -> None:
        account.world.vpc.peerings.clear()

    assert counted(product)[0] == 0
    change(product, cut)
    assert counted(product)[0] == 10


def test_the_result_of_many_verdicts_stays_small() -> None:
    product = many(150)

    def rename(account: Account) -> None:
        for table in ("loadbalancers", "listeners", "pools", "members", "healthmonitors"):
            for resource in getattr(account.world.elb, table).values():
                resource.name = "x" * 255

    change(product, rename)
    result = verify(product, repair=True)
    assert result["counts"]["drifted"] == 150
    assert 0 < len(result["verdicts"]) <= MOST
    assert len(result["repairs"]) == MOST
    assert len(json.dumps(result)) < 200_000
    assert len(product.sink.events) == 150


def ask_one_by_one(cloud: Cloud, most: int) -> int:
    """What a reader does that knows no project, only exposures; how many it has asked for."""
    anchors = cloud.elb.ip_groups()[:most]
    for group in anchors:
        (balancer,) = cloud.elb.load_balancers(name=group.name)
        (listener,) = cloud.elb.listeners(load_balancer_id=balancer.id)
        pool = cloud.elb.pool(listener.default_pool_id or "")
        cloud.elb.members(pool.id)
        cloud.elb.monitor(pool.healthmonitor_id or "")
        cloud.eip.public_ip(balancer.public_ips[0].id)
        cloud.dcs.whitelist(cloud.dcs.instance(balancer.tags["dcs-access-instance"]).id)
        for table in cloud.vpc.route_tables():
            cloud.vpc.route_table(table.id)
        cloud.vpc.peerings()
    return len(anchors)


def compared(product: Product) -> tuple[float, float, float]:
    """Seconds in bulk and one by one, and the peak of memory (MiB) in bulk, the emulator's answers included.

    One by one takes the same time for each, so a few tell of all.
    """
    begun = time.perf_counter()
    count = verify(product)["counts"]["healthy"]
    bulk = time.perf_counter() - begun
    tracemalloc.start()
    verify(product)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    product.emulator.calls.clear()
    begun = time.perf_counter()
    asked = ask_one_by_one(product.cloud, 20)
    single = (time.perf_counter() - begun) * count / asked
    assert len(list(product.emulator.calls)) > 10 * asked
    return bulk, single, peak


def test_asking_in_bulk_is_faster_than_asking_exposure_by_exposure() -> None:
    bulk, single, peak = compared(many(100))
    assert bulk < single
    assert peak < 32


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_thousand_exposures_stay_within_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    product = many(2000)
    whitelists, lists = counted(product)
    assert (whitelists, lists <= LISTS) == (SLICE, True)
    bulk, single, peak = compared(product)
    with capsys.disabled():
        sys.stdout.write(
            f"\n2,000 exposures: {bulk:.1f} s in bulk, {single:.1f} s one by one, {peak:.0f} MiB at most\n"
        )
    assert bulk < single / 10
    assert peak < 256
