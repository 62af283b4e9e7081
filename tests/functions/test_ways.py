"""The way from load balancer to instance: modes, helper VPCs, ranges, route tables, and what was there before."""

from __future__ import annotations

from typing import Any

import pytest

from shared.settings import Settings
from tests.functions.test_changes import did
from tests.support.product import Product
from tests.support.worlds import world

PEERED = {"name": "theirs", "request_vpc_id": "vpc-elb", "accept_vpc_id": "vpc-dcs"}
REVERSED = {"name": "theirs", "request_vpc_id": "vpc-dcs", "accept_vpc_id": "vpc-elb"}
THIRD = {"name": "vpc-third", "cidr": "172.20.0.0/16"}
FOURTH = {"name": "vpc-fourth", "cidr": "172.21.0.0/16"}


def table(vpc: str, *destinations: str, through: str = "theirs", **fields: Any) -> dict[str, Any]:
    routes = [{"type": "peering", "destination": one, "nexthop": through} for one in destinations]
    return {"name": f"table-{vpc}", "vpc_id": vpc, "default": True, "routes": routes, **fields}


def ways(product: Product) -> dict[str, set[str]]:
    """The destinations that lead over a peering, by the name of their VPC's table."""
    state = product.emulator.world().vpc
    return {
        f"{state.vpcs[one.vpc_id].name}{'' if one.default else ' ' + one.name}": {
            route.destination for route in one.routes if route.type == "peering"
        }
        for one in state.route_tables.values()
        if any(route.type == "peering" for route in one.routes)
    }


def sides(product: Product) -> set[str]:
    """The names of the two VPCs of the only peering."""
    (peering,) = product.cloud.vpc.peerings()
    return {vpc.name for vpc in product.cloud.vpc.vpcs() if vpc.id in peering.vpc_ids}


def goes_without_a_trace(product: Product, before: dict[str, Any]) -> bool:
    return product.withdraw()["outcome"] == "withdrawn" and product.account() == before


def test_across_vpcs_each_side_gets_a_route_to_the_others_range() -> None:
    product = Product()
    product.expose()
    assert sides(product) == {"vpc-elb", "vpc-dcs"}
    assert ways(product) == {"vpc-elb": {"192.168.0.0/16"}, "vpc-dcs": {"10.0.0.0/16"}}


def test_in_one_vpc_direct_makes_neither_peering_nor_route() -> None:
    product = Product()
    before = product.account()
    output = product.expose(vpc_id=product.vpc_id("vpc-dcs"), same_vpc="direct")
    assert output["outcome"] == "completed"
    assert did(output).keys().isdisjoint({"vpc_peering", "route"})
    assert product.cloud.vpc.peerings() == []
    assert goes_without_a_trace(product, before)


def test_direct_is_judged_by_the_health_check() -> None:
    product = Product()
    product.emulator.set_dials({"same_vpc_targets": "needs_peering"})
    before = product.account()
    vpc = product.vpc_id("vpc-dcs")
    output = product.expose(vpc_id=vpc, same_vpc="direct")
    assert output["event"]["data"]["error"]["code"] == "Unhealthy"
    assert product.account() == before
    assert product.expose(vpc_id=vpc)["outcome"] == "completed"


@pytest.mark.parametrize(
    ("more", "settings", "fields", "helper"),
    [
        ({}, None, {}, "vpc-elb"),
        ({"vpcs": [THIRD]}, None, {"helper_vpc_id": "vpc-third"}, "vpc-third"),
        (
            {"vpcs": [THIRD], "peerings": [{"name": "p", "request_vpc_id": "vpc-dcs", "accept_vpc_id": "vpc-third"}]},
            None,
            {},
            "vpc-third",
        ),
        (
            {"vpcs": [THIRD], "peerings": [{"name": "p", "request_vpc_id": "vpc-third", "accept_vpc_id": "vpc-dcs"}]},
            None,
            {"helper_vpc_id": "vpc-elb"},
            "vpc-elb",
        ),
        ({"vpcs": [{"name": "vpc-twin", "cidr": "192.168.0.0/17"}]}, None, {}, "vpc-elb"),
    ],
    ids=["the only other", "as requested", "the peered one", "request before peering", "the one that does not overlap"],
)
def test_the_helper_vpc_is_chosen_by_the_designs_order(
    more: dict[str, Any], settings: Settings | None, fields: dict[str, Any], helper: str
) -> None:
    product = Product(world(vpc=more), settings=settings)
    before = product.account()
    named = {key: product.vpc_id(value) for key, value in fields.items()}
    output = product.expose(vpc_id=product.vpc_id("vpc-dcs"), **named)
    assert output["outcome"] == "completed"
    state = product.emulator.world().vpc
    joined = [one for one in state.peerings.values() if one.joins(product.vpc_id(helper))]
    assert [one.joins(product.vpc_id("vpc-dcs")) for one in joined] == [True]
    assert goes_without_a_trace(product, before)


def test_the_settings_helper_vpc_counts_before_a_peered_one() -> None:
    peering = {"name": "p", "request_vpc_id": "vpc-dcs", "accept_vpc_id": "vpc-third"}
    changed = world(vpc={"vpcs": [THIRD, FOURTH], "peerings": [peering]})
    fourth = next(vpc.id for vpc in changed.vpc.vpcs.values() if vpc.name == "vpc-fourth")
    product = Product(changed, settings=Settings(helper_vpc_id=fourth))
    product.expose(vpc_id=product.vpc_id("vpc-dcs"))
    assert ways(product) == {"vpc-dcs": {"172.21.0.0/16"}}


def test_the_helper_vpc_stays_what_it_was_though_others_come_along() -> None:
    product = Product()
    request = {"vpc_id": product.vpc_id("vpc-dcs")}
    product.expose(**request)
    with product.emulator.change() as account:
        vpcs = account.world.vpc.vpcs
        (old,) = [vpc for vpc in vpcs.values() if vpc.name == "vpc-elb"]
        other = old.model_copy(update={"id": type(old).make_id("other"), "name": "other", "cidr": "172.22.0.0/16"})
        vpcs[other.id] = other
    assert product.expose(**request)["outcome"] == "completed"
    assert ways(product) == {"vpc-dcs": {"10.0.0.0/16"}}


@pytest.mark.parametrize("theirs", [PEERED, REVERSED], ids=["requested by us", "requested by them"])
def test_a_foreign_peering_is_adopted_whoever_asked_for_it_and_kept_at_withdrawal(theirs: dict[str, str]) -> None:
    product = Product(world(vpc={"peerings": [theirs]}))
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "completed"
    assert (did(output)["vpc_peering"], did(output)["route"]) == ("adopted", "created")
    gone = product.withdraw()
    assert did(gone)["vpc_peering"] == "kept"
    assert product.account() == before


@pytest.mark.parametrize(
    ("local", "peer"),
    [("192.168.0.0/16", "10.0.0.0/16"), ("192.168.0.0/24", "10.0.0.0/24"), ("192.168.0.10/32", "10.0.0.0/8")],
)
def test_foreign_routes_that_lead_the_right_way_are_adopted_and_kept(local: str, peer: str) -> None:
    tables = [table("vpc-elb", local), table("vpc-dcs", peer)]
    product = Product(world(vpc={"peerings": [PEERED], "route_tables": tables}))
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "completed"
    assert did(output)["route"] == "adopted"
    assert goes_without_a_trace(product, before)


def test_a_shorter_foreign_route_elsewhere_is_no_obstacle() -> None:
    broad = {"type": "nat", "destination": "0.0.0.0/0", "nexthop": "gateway"}
    product = Product(world(vpc={"route_tables": [table("vpc-elb") | {"routes": [broad]}]}))
    before = product.account()
    assert product.expose()["outcome"] == "completed"
    assert goes_without_a_trace(product, before)


def test_one_foreign_route_and_one_of_ours_are_told_apart_at_withdrawal() -> None:
    product = Product(world(vpc={"peerings": [PEERED], "route_tables": [table("vpc-elb", "192.168.0.0/24")]}))
    before = product.account()
    product.expose()
    assert ways(product) == {"vpc-elb": {"192.168.0.0/24"}, "vpc-dcs": {"10.0.0.0/16"}}
    assert goes_without_a_trace(product, before)


def test_our_peering_stays_while_a_foreign_route_leads_through_it() -> None:
    product = Product()
    product.expose()
    with product.emulator.change() as account:
        (mine,) = account.world.vpc.peerings
        tables = account.world.vpc.route_tables.values()
        (local,) = [one for one in tables if any(route.destination == "192.168.0.0/16" for route in one.routes)]
        theirs = local.routes[0].model_copy(update={"destination": "192.168.200.0/24", "description": ""})
        local.routes.append(theirs)
        assert theirs.nexthop == mine
    gone = product.withdraw()
    assert gone["outcome"] == "withdrawn"
    reasons = {each["kind"]: each for each in gone["event"]["data"]["resources"]}
    assert reasons["vpc_peering"]["did"] == "kept"
    assert ways(product) == {"vpc-elb": {"192.168.200.0/24"}}


def test_overlapping_ranges_are_routed_by_subnet() -> None:
    change = {"vpc-elb": {"cidr": "192.168.0.0/16"}, "subnet-elb": {"cidr": "192.168.128.0/24"}}
    product = Product(world(change))
    before = product.account()
    assert product.expose()["outcome"] == "completed"
    assert ways(product) == {"vpc-elb": {"192.168.0.0/24"}, "vpc-dcs": {"192.168.128.0/24"}}
    assert goes_without_a_trace(product, before)


def test_targets_in_secondary_ranges_are_routed_by_subnet() -> None:
    change = {
        "vpc-elb": {"extend_cidrs": ["172.20.0.0/16"]},
        "subnet-elb": {"cidr": "172.20.3.0/24"},
        "vpc-dcs": {"extend_cidrs": ["172.24.0.0/16"]},
        "subnet-dcs": {"cidr": "172.24.5.0/24"},
        "redis-demo": {"ip": "172.24.5.10"},
    }
    product = Product(world(change))
    before = product.account()
    assert product.expose()["outcome"] == "completed"
    assert ways(product) == {"vpc-elb": {"172.24.5.0/24"}, "vpc-dcs": {"172.20.3.0/24"}}
    assert goes_without_a_trace(product, before)


def test_routes_go_into_the_custom_tables_of_the_subnets_concerned() -> None:
    tables = [
        {"name": "custom", "vpc_id": "vpc-elb", "subnet_ids": ["subnet-elb"]},
        {"name": "special", "vpc_id": "vpc-dcs", "subnet_ids": ["subnet-dcs"]},
        {"name": "unused", "vpc_id": "vpc-dcs"},
    ]
    product = Product(world(vpc={"route_tables": tables}))
    before = product.account()
    assert product.expose()["outcome"] == "completed"
    assert ways(product) == {"vpc-elb custom": {"192.168.0.0/16"}, "vpc-dcs special": {"10.0.0.0/16"}}
    assert goes_without_a_trace(product, before)


@pytest.mark.parametrize("shown", [True, False])
def test_the_table_is_found_whether_or_not_lists_show_routes(shown: bool) -> None:
    product = Product(world(vpc={"route_tables": [{"name": "unused", "vpc_id": "vpc-elb"}]}))
    product.emulator.set_dials({"list_tables_show_routes": shown})
    before = product.account()
    assert product.expose()["outcome"] == "completed"
    assert ways(product) == {"vpc-elb": {"192.168.0.0/16"}, "vpc-dcs": {"10.0.0.0/16"}}
    assert goes_without_a_trace(product, before)


def test_a_peering_that_waits_for_somebody_is_told_and_nothing_is_left() -> None:
    product = Product(world(vpc={"peerings": [PEERED | {"status": "PENDING_ACCEPTANCE"}]}))
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "failed"
    assert output["event"]["data"]["error"]["code"] == "PeeringUnusable"
    assert product.account() == before


@pytest.mark.parametrize(("cidrs", "chosen"), [(("10.0.1.0/28", "10.0.2.0/23"), "10.0.2.0/23")])
def test_the_load_balancer_stands_in_the_subnet_with_most_free_addresses(cidrs: tuple[str, ...], chosen: str) -> None:
    more = [{"name": f"more-{n}", "vpc_id": "vpc-elb", "cidr": cidr} for n, cidr in enumerate(cidrs)]
    product = Product(world(vpc={"subnets": more}))
    product.expose()
    (balancer,) = product.cloud.elb.load_balancers()
    (subnet,) = [one for one in product.cloud.vpc.subnets() if one.id in balancer.elb_virsubnet_ids]
    assert subnet.cidr == chosen


def test_without_a_vpc_the_settings_one_is_taken_and_else_the_instances_own() -> None:
    changed = world()
    elb = next(vpc.id for vpc in changed.vpc.vpcs.values() if vpc.name == "vpc-elb")
    for settings, expected in ((Settings(vpc_id=elb), "vpc-elb"), (Settings(), "vpc-dcs")):
        product = Product(changed, settings=settings)
        request = product.request()
        del request["vpc_id"]
        assert product.run(request).output["outcome"] == "completed"
        (balancer,) = product.cloud.elb.load_balancers()
        assert balancer.vpc_id == product.vpc_id(expected)
