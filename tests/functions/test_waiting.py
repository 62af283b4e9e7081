"""What passes is waited for, on the machine's clock, and then the run goes on."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Dials
from emulator.clock import EPOCH
from emulator.core.resources import Lag
from emulator.dataplane import ModelledDataPlane
from tests.support.product import Product
from tests.support.worlds import world

WHITELISTED = {
    "redis-demo": {
        "whitelist": {"enable_whitelist": True, "whitelist": [{"group_name": "office", "ip_list": ["192.168.0.77"]}]}
    }
}


def attempts(output: dict[str, Any], state: str) -> int:
    return next(step["attempts"] for step in output["event"]["data"]["steps"] if step["state"] == state)


@pytest.mark.parametrize("status", ["CREATING", "RESTARTING", "EXTENDING", "RESTORING"])
def test_an_instance_that_is_not_running_yet_is_waited_for(status: str) -> None:
    product = Product(world({"redis-demo": {"pending": {"shows": status, "until": EPOCH + 100}}}))
    output = product.expose()
    assert output["outcome"] == "completed"
    assert 100 <= product.clock.now() - EPOCH < 120
    assert attempts(output, "PlanExposure") == 11


def test_an_instance_that_never_runs_is_given_up_after_a_quarter_of_an_hour() -> None:
    product = Product(world({"redis-demo": {"status": "CREATING"}}))
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "rejected"
    error = output["event"]["data"]["error"]
    assert (error["code"], error["resource"]) == ("NotYet", product.instance_id)
    assert product.clock.now() - EPOCH == 900
    assert product.emulator.calls.mutating() == []
    assert product.account() == before


def test_a_load_balancer_is_ready_before_anything_is_hung_below_it() -> None:
    product = Product(dials=Dials(load_balancer_create=Lag(seconds=45)))
    output = product.expose()
    assert output["outcome"] == "completed"
    refused = [call for call in product.emulator.calls.mutating() if (call.status or 500) >= 400]
    assert refused == []


def test_routes_that_take_effect_late_are_waited_for_by_health() -> None:
    product = Product(dials=Dials(routes=Lag(seconds=40)))
    output = product.expose()
    assert output["outcome"] == "completed"
    assert output["event"]["data"]["health"]["status"] == "ONLINE"
    assert product.clock.now() - EPOCH >= 40


@pytest.mark.parametrize("lag", [Lag(seconds=5), Lag(seconds=25)], ids=["seen by the repeat", "seen late"])
def test_a_whitelist_change_is_read_until_it_is_seen(lag: Lag) -> None:
    product = Product(world(WHITELISTED), dials=Dials(whitelist=lag))
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "completed"
    assert attempts(output, "EnsureWhitelist") > 1
    told = {each["kind"]: each["did"] for each in output["event"]["data"]["resources"]}
    assert told["whitelist"] == "updated"
    gone = product.withdraw()
    assert gone["outcome"] == "withdrawn"
    assert attempts(gone, "ReleaseWhitelist") > 1
    assert product.account() == before


@pytest.mark.parametrize("service", ["elb", "eip"])
def test_fresh_resources_that_reads_still_miss_are_made_once(service: str) -> None:
    product = Product(dials=Dials(hidden_reads={service: 1}))
    before = product.account()
    assert product.expose()["outcome"] == "completed"
    assert len(product.account()["elb"]["loadbalancers"]) == 1
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


@pytest.mark.parametrize("way", ["no route", "stopped"])
def test_an_instance_that_is_not_reached_fails_after_two_minutes_with_the_clouds_reason(way: str) -> None:
    """The document, step 5: health check result; without `Healthy` the address cannot be used."""
    plane = ModelledDataPlane()
    product = Product(data_plane=plane)
    before = product.account()
    if way == "stopped":
        plane.instance_stopped(product.instance_id)
    else:
        product.emulator.set_dials({"routes": Lag(seconds=100_000)})
    output = product.expose()
    assert output["outcome"] == "failed"
    error = output["event"]["data"]["error"]
    assert error["code"] == "Unhealthy"
    reason = {"no route": "CONNECT_TIMEOUT", "stopped": "CONNECT_REFUSED"}[way]
    assert reason in error["message"]
    assert error["advice"]
    assert product.clock.now() - EPOCH == pytest.approx(120, abs=10)
    assert product.account() == before


def test_deletions_that_take_their_time_leave_nothing_in_the_end() -> None:
    product = Product(dials=Dials(load_balancer_delete=Lag(seconds=60)))
    before = product.account()
    product.expose()
    assert product.withdraw()["outcome"] == "withdrawn"
    product.clock.advance_to(product.clock.now() + 61)
    product.emulator.tick()
    assert product.account() == before
