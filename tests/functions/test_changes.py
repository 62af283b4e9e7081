"""An exposure that is there: asked for again, changed, changed in vain, taken down, and what is not ours on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.elb.models import Listener
from shared.probe import ProbeAnswer
from shared.record import Mode, read_record
from tests.support.product import Product

BIG = [f"198.51.{high}.{low}/32" for high in range(3) for low in range(20)]


def did(output: dict[str, Any]) -> dict[str, str]:
    """What was done to each kind of resource; routes count together."""
    return {each["kind"]: each["did"] for each in output["event"]["data"]["resources"]}


def add_listener(product: Product, port: int) -> str:
    """Somebody adds a listener of their own to our load balancer."""
    with product.emulator.change() as account:
        (balancer,) = account.world.elb.loadbalancers.values()
        fields = {"loadbalancer_id": balancer.id, "protocol_port": port, "name": "theirs"}
        return account.add(account.world.elb.listeners, Listener, "elb", balancer.project_id, **fields).id


def test_what_is_made_is_told_and_found_by_the_record() -> None:
    product = Product()
    output = product.expose(expires_after="8h")
    assert set(did(output).values()) == {"created"}
    (group,) = product.cloud.elb.ip_groups()
    record = read_record(group.description)
    assert record is not None
    assert (record.exposure, record.instance) == (product.exposure, product.instance_id)
    assert record.run == output["event"]["data"]["run_id"]
    assert record.expires_at == int(product.clock.now()) // 28800 * 28800 + 28800
    (listener,) = product.cloud.elb.listeners()
    assert listener.description == group.description
    (pool,) = product.cloud.elb.pools()
    assert pool.description.endswith(" l=203.0.113.0/24")


def test_an_allow_list_too_long_for_the_pools_description_is_left_out_of_it() -> None:
    product = Product()
    product.expose(allow=BIG)
    (pool,) = product.cloud.elb.pools()
    assert " l=" not in pool.description
    (group,) = product.cloud.elb.ip_groups()
    assert sorted(group.entries) == sorted(BIG)


def test_the_same_request_again_makes_nothing_and_keeps_the_endpoint() -> None:
    product = Product()
    first = product.expose()
    product.emulator.calls.clear()
    again = product.expose()
    assert again["outcome"] == "completed"
    assert again["event"]["data"]["endpoint"] == first["event"]["data"]["endpoint"]
    assert set(did(again).values()) <= {"unchanged", "adopted"}
    assert {call.method for call in product.emulator.calls.mutating()} == {"PUT"}
    assert "AlreadyExposed" in {finding["code"] for finding in again["event"]["data"]["findings"]}


def test_without_a_vpc_a_repeated_request_means_the_vpc_of_the_exposure() -> None:
    product = Product()
    product.expose()
    request = product.request()
    del request["vpc_id"]
    assert product.run(request).output["outcome"] == "completed"


def test_zones_and_flavors_that_are_sold_out_stop_nobody_who_has_a_load_balancer() -> None:
    product = Product()
    product.expose()
    with product.emulator.change() as account:
        for flavor in account.world.elb.flavors.values():
            flavor.sold_out = True
        for zone in [zone for zones in account.world.elb.zone_sets for zone in zones]:
            zone.protocol = ["L7"]
    output = product.expose(allow=["198.51.100.7"])
    assert output["outcome"] == "completed"
    assert did(output)["load_balancer"] == "unchanged"


def test_a_withdrawal_goes_by_the_record_of_the_anchor_that_won() -> None:
    product = Product()
    before = product.account()
    product.expose()
    (group,) = product.cloud.elb.ip_groups()
    record = read_record(group.description)
    assert record is not None
    other = replace(record, peer_vpc=product.vpc_id("vpc-elb"), mode=Mode.DIRECT)
    loser = product.cloud.elb.create_ip_group(group.name, other.text(), group.entries)
    with product.emulator.change() as account:
        groups = account.world.elb.ipgroups
        groups[loser.id].created_at = 0.0
        groups[group.id] = groups.pop(group.id)
    assert [one.id for one in product.cloud.elb.ip_groups()] == [loser.id, group.id]
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


def test_another_allow_list_replaces_the_one_before() -> None:
    product = Product()
    product.expose()
    output = product.expose(allow=["198.51.100.7", "192.0.2.0/24"])
    assert did(output)["ip_group"] == "updated"
    (group,) = product.cloud.elb.ip_groups()
    assert set(group.entries) == {"198.51.100.7/32", "192.0.2.0/24"}
    (pool,) = product.cloud.elb.pools()
    assert pool.description.endswith(" l=198.51.100.7/32,192.0.2.0/24")
    records = {product.cloud.elb.listeners()[0].description, group.description}
    assert len({read.allow for text in records if (read := read_record(text))}) == 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_change_that_fails_leaves_the_account_as_it_was(times: int) -> None:
    answers = [ProbeAnswer.LOCKED]
    product = Product(probe=lambda _host, _port: answers[0])
    for _ in range(times):
        product.expose()
    before = product.account()
    answers[0] = ProbeAnswer.UNSEEN
    output = product.expose(allow=["198.51.100.7"], require_probe=True)
    assert output["outcome"] == "failed"
    assert output["event"]["data"]["error"]["code"] == "ProbeFailed"
    assert output["event"]["data"]["endpoint"] is not None, "it still stands"
    assert product.account() == before


def test_withdrawing_leaves_no_trace_and_withdrawing_twice_is_refused() -> None:
    product = Product()
    before = product.account()
    product.expose()
    output = product.withdraw()
    assert output["outcome"] == "withdrawn"
    assert set(did(output).values()) == {"released"}
    assert product.account() == before
    product.emulator.calls.clear()
    again = product.withdraw()
    assert again["outcome"] == "rejected"
    error = again["event"]["data"]["error"]
    assert (error["code"], error["field"]) == ("ExposureNotFound", "instance_id")
    assert product.emulator.calls.mutating() == []


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"project_id": "somebody-elses"}, "ForeignProject", "project_id"),
        ({"node": "192.168.0.10:6379"}, "ExposureNotFound", "node"),
        ({"instance_id": "no-such-thing"}, "ExposureNotFound", "instance_id"),
    ],
)
def test_a_withdrawal_of_what_is_not_there_changes_nothing(fields: dict[str, str], code: str, field: str) -> None:
    product = Product()
    product.expose()
    product.emulator.calls.clear()
    output = product.withdraw(**fields)
    assert output["outcome"] == "rejected"
    error = output["event"]["data"]["error"]
    assert (error["code"], error["field"]) == (code, field)
    assert product.emulator.calls.mutating() == []


def test_expose_withdraw_expose_are_three_requests() -> None:
    product = Product()
    assert product.expose()["outcome"] == "completed"
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.expose()["outcome"] == "completed"
    assert len({event["id"] for event in product.sink.events}) == 3


def test_a_load_balancer_with_a_listener_that_is_not_ours_is_kept_with_its_address_and_reported() -> None:
    product = Product()
    product.expose()
    theirs = add_listener(product, 443)
    output = product.withdraw()
    assert output["outcome"] == "withdrawn"
    kept = [each for each in output["event"]["data"]["resources"] if each["did"] == "kept"]
    assert [each["kind"] for each in kept] == ["load_balancer", "eip"]
    assert theirs in kept[0]["reason"]
    (left,) = product.cloud.elb.listeners()
    assert left.id == theirs
    assert product.account()["eip"]["publicips"][0]["bound_to"] == "ELB"
    assert product.cloud.vpc.peerings() == []


def test_a_kept_load_balancer_serves_the_next_exposure() -> None:
    product = Product()
    first = product.expose()
    add_listener(product, 443)
    product.withdraw()
    again = product.expose()
    assert again["outcome"] == "completed"
    assert again["event"]["data"]["endpoint"] == first["event"]["data"]["endpoint"]
    assert did(again)["load_balancer"] == "unchanged"


def test_a_member_that_is_not_the_instances_address_any_more_is_removed_first() -> None:
    product = Product()
    product.expose()
    with product.emulator.change() as account:
        (instance,) = account.world.dcs.instances.values()
        (member,) = account.world.elb.members.values()
        member.address = "192.168.0.99"
        assert instance.ip == "192.168.0.10"
    product.emulator.calls.clear()
    output = product.expose()
    assert output["outcome"] == "completed"
    mutations = [call for call in product.emulator.calls.mutating() if "/members" in call.path]
    assert [call.method for call in mutations] == ["DELETE", "POST"]
    (member,) = product.cloud.elb.all_members()
    assert member.address == "192.168.0.10"


@pytest.mark.parametrize("lost", ["ipgroups", "listeners"])
def test_what_somebody_deleted_is_made_again(lost: str) -> None:
    product = Product()
    before = product.account()
    product.expose()
    with product.emulator.change() as account:
        for listener in account.world.elb.listeners.values():
            listener.ipgroup = None
        getattr(account.world.elb, lost).clear()
    assert product.expose()["outcome"] == "completed"
    (listener,) = product.cloud.elb.listeners()
    (group,) = product.cloud.elb.ip_groups()
    assert listener.ipgroup is not None
    assert listener.ipgroup.ipgroup_id == group.id
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


def test_without_its_anchor_an_exposure_is_taken_down_by_the_listeners_copy_of_the_record() -> None:
    product = Product()
    before = product.account()
    product.expose()
    with product.emulator.change() as account:
        for listener in account.world.elb.listeners.values():
            listener.ipgroup = None
        account.world.elb.ipgroups.clear()
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == before


def test_without_any_record_only_the_public_side_goes_and_that_is_told() -> None:
    product = Product()
    product.expose()
    with product.emulator.change() as account:
        for listener in account.world.elb.listeners.values():
            listener.ipgroup, listener.description = None, ""
        account.world.elb.ipgroups.clear()
    output = product.withdraw()
    assert output["outcome"] == "withdrawn"
    assert [finding["code"] for finding in output["event"]["data"]["findings"]] == ["RecordLost"]
    assert product.cloud.elb.load_balancers() == []
    assert len(product.cloud.vpc.peerings()) == 1
