"""Leaks: what carries our marks and serves no exposure is named and can be removed, and nothing else is touched."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.faults import Fault
from emulator.world import World
from shared.errors import PermanentError
from shared.leaks import Leak, delete_leaks, find_leaks
from shared.record import Mark
from shared.results import Did, Kind
from tests.functions.test_sharing import OFFICE, guarded
from tests.functions.test_ways import PEERED
from tests.support.product import Product
from tests.support.worlds import world

AGE = 300.0
STRANGER = Mark("f" * 20, "00000000-0000-5000-8000-000000000000")


def leaks(product: Product, *, later: float = 3600.0) -> list[Leak]:
    product.clock.advance_to(product.clock.now() + later)
    return find_leaks(product.cloud, now=now(product), age=AGE)


def now(product: Product) -> datetime:
    return datetime.fromtimestamp(product.clock.now(), UTC)


def delete(product: Product, chosen: list[Leak]) -> list[tuple[Kind, Did]]:
    touched = delete_leaks(product.cloud, chosen, now=now(product), age=AGE)
    return [(each.kind, each.did) for each in touched]


def abandoned(built_in: World | None = None) -> Product:
    """An exposure whose public port, record and copy were deleted by hand."""
    product = Product(built_in)
    product.expose()
    elb = product.cloud.elb
    for pool in elb.pools():
        elb.delete_monitor(pool.healthmonitor_id or "")
        for member in elb.members(pool.id):
            elb.delete_member(pool.id, member.id)
        elb.delete_pool(pool.id)
    for listener in elb.listeners():
        elb.delete_listener(listener.id)
    for group in elb.ip_groups():
        elb.delete_ip_group(group.id)
    return product


def test_a_project_without_exposures_and_one_with_whole_ones_have_no_leaks():
    product = Product(guarded(OFFICE))
    assert leaks(product) == []
    product.expose()
    assert leaks(product) == []


def test_what_an_exposure_left_behind_is_found_and_removed_without_a_trace():
    product = Product(guarded(OFFICE))
    before = product.account()
    product = abandoned(guarded(OFFICE))
    found = leaks(product)
    assert [leak.kind for leak in found] == [
        Kind.LOAD_BALANCER,
        Kind.ROUTE,
        Kind.ROUTE,
        Kind.PEERING,
        Kind.WHITELIST,
    ]
    assert {leak.kept for leak in found} == {None}
    assert delete(product, found)[-1] == (Kind.WHITELIST, Did.RELEASED)
    assert leaks(product) == []
    assert product.account() == before


def test_only_what_was_chosen_goes():
    product = abandoned()
    found = leaks(product)
    peering = [leak for leak in found if leak.kind is Kind.PEERING]
    assert delete(product, peering) == [(Kind.PEERING, Did.RELEASED)]
    assert {leak.kind for leak in leaks(product)} == {Kind.LOAD_BALANCER}


def test_an_address_that_outlived_its_load_balancer_is_a_leak():
    product = abandoned()
    (balancer,) = product.cloud.elb.load_balancers()
    product.cloud.elb.delete_load_balancer(balancer.id)
    address = next(leak for leak in leaks(product) if leak.kind is Kind.EIP)
    assert delete(product, [address]) == [(Kind.EIP, Did.RELEASED)]
    assert product.cloud.eip.public_ips() == []


def test_while_a_run_may_be_at_work_nothing_that_it_may_need_is_removed():
    product = abandoned(guarded(OFFICE))
    found = leaks(product, later=1.0)
    assert {leak.kind for leak in found} == {Kind.ROUTE, Kind.WHITELIST}
    assert all(leak.kept for leak in found)
    product.emulator.calls.clear()
    assert delete(product, found) == []
    assert product.emulator.calls.mutating() == []


@pytest.mark.parametrize("peered", [False, True])
def test_a_run_whose_anchor_is_long_in_coming_loses_nothing_to_a_removal(*, peered: bool):
    product = Product(world(vpc={"peerings": [PEERED]} if peered else {}))
    product.clock.advance_to(product.clock.now() + 3600)
    product.emulator.faults.add(Fault(method="POST", path="*/ipgroups", status=429, times=8))
    run, begun = product.begin(product.request()), product.clock.now()
    while run.step():
        if product.clock.now() > begun + 1:
            assert delete(product, [leak for leak in leaks(product, later=0.0) if not leak.kept]) == []
    assert product.clock.now() > begun + 60
    assert run.result.output["outcome"] == "completed"


def test_what_an_exposure_has_taken_up_again_is_not_removed():
    product = abandoned()
    found = leaks(product)
    assert product.expose()["outcome"] == "completed"
    product.emulator.calls.clear()
    assert delete(product, found) == []
    assert product.emulator.calls.mutating() == []


def test_a_peering_that_somebody_elses_route_needs_is_named_and_kept():
    product = abandoned()
    peering = product.cloud.vpc.peerings()[0]
    with product.emulator.change() as account:
        table = next(iter(account.world.vpc.route_tables.values()))
        route = next(one for each in account.world.vpc.route_tables.values() for one in each.routes)
        table.routes.append(route.model_copy(update={"destination": "10.99.0.0/16", "description": "theirs"}))
    found = leaks(product)
    (leak,) = [leak for leak in found if leak.kind is Kind.PEERING]
    assert "10.99.0.0/16" in str(leak.kept)
    delete(product, found)
    assert [one.id for one in product.cloud.vpc.peerings()] == [peering.id]


def test_a_whitelist_that_would_open_to_all_keeps_its_last_entry():
    product = abandoned(guarded(OFFICE))
    with product.emulator.change() as account:
        (instance,) = account.world.dcs.instances.values()
        groups = [group for group in instance.whitelist.whitelist if group.group_name != "office"]
        instance.whitelist = instance.whitelist.model_copy(update={"whitelist": groups})
    (leak,) = [leak for leak in leaks(product) if leak.kind is Kind.WHITELIST]
    assert leak.kept
    product.emulator.calls.clear()
    assert delete(product, [leak]) == []
    assert product.emulator.calls.mutating() == []


def test_while_a_record_is_lost_nothing_that_exposures_share_is_removed():
    product = Product()
    product.expose()
    (group,) = product.cloud.elb.ip_groups()
    product.cloud.elb.update_ip_group(group.id, description=" ".join(group.description.split()[:3]))
    (listener,) = product.cloud.elb.listeners()
    product.cloud.elb.update_listener(listener.id, description=" ".join(listener.description.split()[:3]))
    found = leaks(product)
    assert {leak.kind for leak in found} <= {Kind.ROUTE, Kind.PEERING, Kind.WHITELIST}
    assert all(leak.kept for leak in found)
    product.emulator.calls.clear()
    assert delete(product, found) == []
    assert product.emulator.calls.mutating() == []


@pytest.mark.parametrize("description", ["", "dcs-access", STRANGER.text().replace("dcs-access/1", "dcs-access/one")])
def test_a_look_alike_of_somebody_else_is_no_leak(description: str):
    product = abandoned()
    name = product.cloud.elb.load_balancers()[0].name
    with product.emulator.change() as account:
        for balancer in account.world.elb.loadbalancers.values():
            balancer.description, balancer.tags = description, {}
        for peering in account.world.vpc.peerings.values():
            peering.description = description
        for table in account.world.vpc.route_tables.values():
            table.routes = [route.model_copy(update={"description": description}) for route in table.routes]
    product.cloud.elb.create_ip_group(name, description, ["198.51.100.7"])
    assert leaks(product) == []


def add_rival(product: Product, **tags: str) -> None:
    """A second load balancer of the exposure, idle, with an address that was made with it."""
    with product.emulator.change() as account:
        (balancer,) = account.world.elb.loadbalancers.values()
        own = {
            "id": "rival",
            "vip_port_id": "rival-port",
            "vip_address": "10.0.0.77",
            "tags": {**balancer.tags, **tags},
        }
        account.world.elb.loadbalancers["rival"] = balancer.model_copy(update=own)
        eip = account.world.eip
        (address,) = eip.publicips.values()
        eip.bandwidths["rival-bw"] = eip.bandwidths[address.bandwidth_id].model_copy(update={"id": "rival-bw"})
        own = {"id": "rival-eip", "address": "80.158.77.77", "bandwidth_id": "rival-bw", "instance_id": "rival"}
        eip.publicips["rival-eip"] = address.model_copy(update=own)


def test_a_load_balancer_that_lost_its_election_goes_with_its_address_and_the_winner_serves_on():
    product = Product()
    product.expose()
    before = product.account()
    add_rival(product)
    (leak,) = leaks(product)
    assert (leak.kind, leak.id) == (Kind.LOAD_BALANCER, "rival")
    assert delete(product, [leak]) == [(Kind.LOAD_BALANCER, Did.RELEASED), (Kind.EIP, Did.RELEASED)]
    assert product.account() == before


def test_an_ip_group_that_lost_its_election_goes_and_the_anchor_stays():
    product = Product()
    product.expose()
    (anchor,) = product.cloud.elb.ip_groups()
    product.cloud.elb.create_ip_group(anchor.name, anchor.description, anchor.entries)
    (leak,) = leaks(product)
    assert delete(product, [leak]) == [(Kind.IP_GROUP, Did.RELEASED)]
    assert [group.id for group in product.cloud.elb.ip_groups()] == [anchor.id]


def test_what_its_owner_has_tagged_hands_off_is_named_and_kept():
    product = Product()
    product.expose()
    add_rival(product, **{"dcs-access-hold": "mine"})
    (leak,) = leaks(product)
    assert leak.kept
    product.emulator.calls.clear()
    assert delete(product, [leak]) == []
    assert product.emulator.calls.mutating() == []


def test_an_address_that_somebody_bound_to_a_leaking_load_balancer_stays():
    product = abandoned()
    with product.emulator.change() as account:
        (address,) = account.world.eip.publicips.values()
        account.world.eip.bandwidths[address.bandwidth_id].name = "theirs"
    delete(product, leaks(product))
    assert product.cloud.elb.load_balancers() == []
    assert [one.id for one in product.cloud.eip.public_ips()] == [address.id]


def test_an_address_that_somebody_bound_to_the_loser_of_an_election_stays():
    product = Product()
    product.expose()
    add_rival(product)
    with product.emulator.change() as account:
        account.world.eip.bandwidths["rival-bw"].name = "theirs"
    product.clock.advance_to(product.clock.now() + 60)
    output = product.expose(allow=["198.51.100.7"])
    assert output["outcome"] == "completed"
    assert "rival" not in {one.id for one in product.cloud.elb.load_balancers()}
    assert "rival-eip" in {one.id for one in product.cloud.eip.public_ips()}


def test_what_another_exposure_needs_is_no_leak_whoever_made_it():
    product = abandoned(guarded(OFFICE))
    # The peering bears the mark of the exposure that is gone.
    assert product.expose(allow=["198.51.100.7"])["outcome"] == "completed"
    assert {leak.kind for leak in leaks(product)} == set()


def test_a_removal_that_fails_tells_what_is_gone_by_then():
    product = abandoned()
    found = leaks(product)
    product.emulator.faults.add(Fault(method="DELETE", path="*/peerings/*", status=403))
    with pytest.raises(PermanentError) as refused:
        delete(product, found)
    gone = [each.kind for each in refused.value.data.touched or ()]
    assert gone == [Kind.LOAD_BALANCER, Kind.EIP, Kind.ROUTE, Kind.ROUTE]
    assert [leak.kind for leak in leaks(product)] == [Kind.PEERING]
