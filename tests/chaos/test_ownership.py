"""Whose is it, and is it still: what a release, a roll back or a failed change must not take."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, Literal

import pytest

from emulator import Dials, Fault
from emulator.core.resources import Lag
from shared.probe import ProbeAnswer
from shared.record import read_record
from tests.chaos.scenes import SCENES, expected, holdings
from tests.support.product import Product
from tests.support.worlds import world
from workflow.engines.virtual import VirtualRun

HOUR = 3600.0
SECOND = {
    "name": "redis-two",
    "engine_version": "5.0",
    "cache_mode": "single",
    "subnet_id": "subnet-dcs",
    "ip": "192.168.0.20",
    "password": "Demo-Redis-2",
}


def run_until(run: VirtualRun, state: str) -> None:
    """Carry a run out until this state's handler is to be called next."""
    while not any((call := run.tree.call(index)) and call.state == state for _, index in run.tree.due()):
        assert run.step(), f"{state} was not reached"


def later(product: Product, seconds: float = HOUR) -> None:
    product.clock.advance_to(product.clock.now() + seconds)


def withdrawal(product: Product, **fields: Any) -> VirtualRun:
    return product.begin({"action": "withdraw", "instance_id": product.instance_id, **fields})


def swap_address(product: Product) -> None:
    """Somebody unbinds our address and binds one of their own."""
    with product.emulator.change() as account:
        (made,) = account.world.eip.publicips.values()
        bandwidth = account.world.eip.bandwidths[made.bandwidth_id]
        account.world.eip.bandwidths["users-bandwidth"] = bandwidth.model_copy(
            update={"id": "users-bandwidth", "name": "users-own"}
        )
        account.world.eip.publicips["users-eip"] = made.model_copy(
            update={"id": "users-eip", "address": "80.158.99.99", "bandwidth_id": "users-bandwidth"}
        )
        made.bound_to, made.instance_id = type(made.bound_to)(""), ""


def test_an_address_that_somebody_bound_later_is_left_and_ours_is_released() -> None:
    product = Product()
    product.expose()
    swap_address(product)
    assert product.withdraw()["outcome"] == "withdrawn"
    assert [eip.address for eip in product.cloud.eip.public_ips()] == ["80.158.99.99"]


@pytest.mark.parametrize("kind", ["PORT", "NATGW", "ELB"])
def test_an_address_of_ours_that_was_bound_to_something_else_is_left_there_and_holds_no_withdrawal_up(
    kind: Literal["PORT", "NATGW", "ELB"],
) -> None:
    product = Product()
    product.expose()
    with product.emulator.change() as account:
        (ours,) = account.world.elb.loadbalancers.values()
        theirs = ours.model_copy(update={"id": "theirs", "description": "", "tags": {}, "vip_port_id": "their-port"})
        account.world.elb.loadbalancers["theirs"] = theirs
        (eip,) = account.world.eip.publicips.values()
        account.eip.unbind(eip)
        account.eip.bind(eip, kind, "theirs")
    output = product.withdraw()
    assert output["outcome"] == "withdrawn"
    (told,) = (each for each in output["event"]["data"]["resources"] if each["kind"] == "eip")
    assert (told["did"], told["id"]) == ("kept", eip.id)
    assert "theirs" in told["reason"] or kind == "NATGW"
    (left,) = product.emulator.world().eip.publicips.values()
    assert (left.bound_to, left.instance_id) == (kind, "theirs")
    assert holdings(product)["elb.ipgroups"] == holdings(product)["vpc.peerings"] == 0


def test_an_address_of_ours_that_is_still_being_unbound_when_its_load_balancer_is_gone_is_waited_for() -> None:
    product = Product()
    before = product.account()
    product.expose()
    attempts = itertools.count()

    def unbind_late(request: Any) -> None:
        if request.method == "DELETE" and "/publicips/" in request.path:
            with product.emulator.change() as account:
                (eip,) = account.world.eip.publicips.values()
                eip.bound_to, eip.instance_id = ("ELB", "gone") if next(attempts) < 3 else (None, None)

    product.emulator.before_call.append(unbind_late)
    output = product.withdraw()
    assert (output["outcome"], output["event"]["data"]["findings"]) == ("withdrawn", [])
    assert product.account() == before


def test_an_address_whose_deletion_failed_is_found_again_by_its_bandwidth() -> None:
    product = Product()
    before = product.account()
    product.expose()
    product.emulator.faults.add(Fault(method="DELETE", path="*/publicips/*", status=500, times=3))
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


def test_a_withdrawal_that_resumes_late_leaves_an_exposure_made_since() -> None:
    for place in ({}, {"same_vpc": "direct"}):
        product = Product()
        site = {"vpc_id": product.vpc_id("vpc-dcs"), **place} if place else {}
        product.expose(**site)
        run = withdrawal(product)
        run_until(run, "ReleaseBackend")
        later(product)
        product.another().run(product.request(request_id="again", **site))
        held = holdings(product)
        assert run.to_end().output["event"]["data"]["error"]["code"] == "Conflict"
        assert holdings(product) == held


def test_a_peering_is_counted_again_when_the_count_is_old() -> None:
    product = Product(world(dcs={"instances": [SECOND]}))
    one, two = product.emulator.world().dcs.instances
    product.expose(instance_id=one)
    run = withdrawal(product, instance_id=one)
    run_until(run, "ReleasePeering")
    later(product)
    assert product.another().expose(instance_id=two)["outcome"] == "completed"
    assert run.to_end().output["outcome"] == "withdrawn"
    assert holdings(product) == expected("cross-vpc")


def test_two_anchors_of_one_exposure_are_both_withdrawn() -> None:
    product = Product()
    before = product.account()
    product.expose()
    (anchor,) = product.cloud.elb.ip_groups()
    record = read_record(anchor.description)
    assert record is not None
    stranger = replace(record, run="11111111-2222-5333-8444-555555555555")
    product.cloud.elb.create_ip_group(anchor.name, stranger.text(), anchor.entries)
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


def test_a_peering_that_is_not_listed_at_once_is_looked_for_again() -> None:
    product = Product()
    before = product.account()
    product.emulator.set_dials({"hidden_reads": {"vpc": 2}})
    product.expose()
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


def test_an_ip_group_kept_for_a_foreign_listener_is_no_exposure_any_more() -> None:
    product = Product()
    product.expose()
    (listener,) = product.cloud.elb.listeners()
    with product.emulator.change() as account:
        (ours,) = account.world.elb.listeners.values()
        account.world.elb.listeners["foreign"] = ours.model_copy(
            update={"id": "foreign", "name": "theirs", "description": "", "protocol_port": 99, "default_pool_id": None}
        )
    outcome = product.withdraw()["event"]["data"]
    assert ("ip_group", "kept") in [(one["kind"], one["did"]) for one in outcome["resources"]]
    assert [group.description for group in product.cloud.elb.ip_groups()] == [""]
    assert listener.id not in [one.id for one in product.cloud.elb.listeners()]


def test_a_rival_that_fails_while_the_load_balancer_is_slow_changes_no_allow_list() -> None:
    for steps in range(2, 14, 3):
        product = Product(
            dials=Dials(load_balancer_create=Lag(seconds=8)), probe=lambda _host, _port: ProbeAnswer.UNSEEN
        )
        one = product.begin(product.request(request_id="one"))
        rival = product.another()
        other = rival.begin(product.request(request_id="other", allow=["198.51.100.7"], require_probe=True))
        run_until(other, "EnsureLoadBalancer")
        for _ in range(steps):
            one.step()
            other.step()
        outcomes = [run.to_end().output["outcome"] for run in (one, other)]
        assert outcomes == ["completed", "failed"], steps
        assert [group.entries for group in product.cloud.elb.ip_groups()] == [("203.0.113.0/24",)], steps


def test_an_open_redis_admits_nobody_even_if_nothing_can_be_deleted() -> None:
    product = Product(probe=lambda _host, _port: ProbeAnswer.OPEN)
    product.emulator.faults.add(Fault(method="DELETE", path="*/members/*", status=403, times=None))
    error = product.expose()["event"]["data"]["error"]
    assert error["code"] == "OpenToAll"
    assert "nobody is admitted any more" in error["message"]
    assert [group.entries for group in product.cloud.elb.ip_groups()] == [()]


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 503}, {"status": 503, "when": "after"}, {"lost": True}])
@pytest.mark.parametrize("exposed", [False, True])
def test_an_open_redis_that_cannot_be_closed_at_once_is_taken_down_without_delay(
    fault: dict[str, Any], *, exposed: bool
) -> None:
    answers = [ProbeAnswer.LOCKED]
    product = Product(probe=lambda _host, _port: answers[-1])
    before = product.account()
    if exposed:
        product.expose()
    answers.append(ProbeAnswer.OPEN)
    # What takes the exposure over writes its anchor once, too.
    product.emulator.faults.add(Fault(method="PUT", path="*/ipgroups/*", nth=1 + exposed, times=None, **fault))
    begun = product.clock.now()
    error = product.expose(allow=["198.51.100.0/24"])["event"]["data"]["error"]
    assert error["code"] == "OpenToAll"
    assert "may still be open" in error["message"]
    assert product.account() == before
    assert product.clock.now() - begun < 20


def test_an_allow_list_detached_in_between_is_attached_again() -> None:
    product, request = SCENES["cross-vpc"]()
    run = product.begin(request)
    run_until(run, "CheckHealth")
    with product.emulator.change() as account:
        for listener in account.world.elb.listeners.values():
            listener.ipgroup = None
    assert run.to_end().output["outcome"] == "completed"
    (listener,) = product.cloud.elb.listeners()
    assert listener.ipgroup is not None
