"""What a request leaves open is chosen by rules, and a choice that cannot be made names its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PermanentError
from shared.otc.dcs import Instance, Node
from shared.otc.elb import AvailabilityZone, Flavor
from shared.otc.elb.capacity import FlavorInfo
from shared.otc.vpc import Peering, Subnet, Vpc
from shared.planning.choose import (
    candidate_subnets,
    choose_flavor,
    choose_helper,
    choose_node,
    choose_vpc,
    choose_zones,
    destination,
    overlap,
    roomiest,
)
from shared.routing import net


def instance(**fields: Any) -> Instance:
    data = {
        "id": "i",
        "engine": "Redis",
        "engine_version": "6.0",
        "cache_mode": "ha",
        "status": "RUNNING",
        "ips": ("192.168.0.10",),
        "port": 6379,
        "vpc_id": "dcs",
        "subnet_id": "s",
        "az_codes": ("eu-de-02",),
    }
    return Instance(**{**data, **fields})


def subnet(name: str, cidr: str, vpc: str = "elb") -> Subnet:
    return Subnet(id=name, cidr=cidr, vpc_id=vpc, neutron_network_id=name, neutron_subnet_id=f"n-{name}")


def vpc(name: str, *cidrs: str) -> Vpc:
    return Vpc(id=name, cidr=cidrs[0], extend_cidrs=cidrs[1:])


def peering(one: str, other: str, status: str = "ACTIVE") -> Peering:
    return Peering(id=f"{one}-{other}", status=status, request_vpc_id=one, accept_vpc_id=other)


def zone(code: str, **fields: Any) -> AvailabilityZone:
    return AvailabilityZone(**{"code": code, "state": "ACTIVE", "protocol": ("L4", "L7"), **fields})


def flavor(name: str, connection: int, **fields: Any) -> Flavor:
    return Flavor(
        **{"id": f"id-{name}", "name": name, "type": "L4", "info": FlavorInfo(connection=connection), **fields}
    )


def field_of(call: Callable[[], object]) -> str | None:
    with pytest.raises(PermanentError) as caught:
        call()
    assert caught.value.data.advice
    return caught.value.data.field


VPCS = {"elb": vpc("elb", "10.0.0.0/16"), "dcs": vpc("dcs", "192.168.0.0/16")}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([("vpc_id", "elb"), ("vpc_id", "dcs")], "elb"),
        ([("vpc_id", None), ("vpc_id", "elb")], "elb"),
        ([("vpc_id", None), ("vpc_id", None)], "dcs"),
        ([], "dcs"),
    ],
)
def test_the_first_vpc_that_is_given_wins_and_else_the_instances_own(
    wanted: list[tuple[str, str | None]], chosen: str
) -> None:
    assert choose_vpc(wanted, VPCS, "dcs") == chosen


def test_a_vpc_that_is_not_there_is_refused() -> None:
    assert field_of(lambda: choose_vpc([("vpc_id", "gone")], VPCS, "dcs")) == "vpc_id"


def test_candidates_are_the_vpcs_subnets_or_the_given_one() -> None:
    subnets = [subnet("a", "10.0.0.0/24"), subnet("b", "10.0.1.0/24"), subnet("c", "192.168.0.0/24", "dcs")]
    assert [one.id for one in candidate_subnets(None, "elb", subnets)] == ["a", "b"]
    assert [one.id for one in candidate_subnets("b", "elb", subnets)] == ["b"]
    assert field_of(lambda: candidate_subnets("c", "elb", subnets)) == "subnet_id"
    assert field_of(lambda: candidate_subnets(None, "other", subnets)) == "subnet_id"


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 250), min_size=1))
def test_the_roomiest_subnet_has_the_most_free_addresses_whatever_the_order(free: dict[str, int]) -> None:
    subnets = [subnet(name, "10.0.0.0/24") for name in free]
    chosen = roomiest(subnets, free)
    assert free[chosen.id] == max(free.values())
    assert roomiest(subnets[::-1], free) == chosen


@pytest.mark.parametrize(
    ("given", "sets", "zones"),
    [
        (None, [["eu-de-01", "eu-de-02"]], ("eu-de-02",)),
        (None, [["eu-de-01"], ["eu-de-02"]], ("eu-de-02",)),
        (None, [["eu-de-03"]], ("eu-de-03",)),
        (("eu-de-01", "eu-de-03"), [["eu-de-01", "eu-de-02", "eu-de-03"]], ("eu-de-01", "eu-de-03")),
    ],
)
def test_one_zone_is_taken_the_instances_if_it_can(
    given: tuple[str, ...] | None, sets: list[list[str]], zones: tuple[str, ...]
) -> None:
    assert choose_zones(given, [[zone(code) for code in codes] for codes in sets], instance()) == zones


@pytest.mark.parametrize(
    "unfit", [{"state": "INACTIVE"}, {"protocol": ("L7",)}, {"public_border_group": "edge"}], ids=["off", "L7", "edge"]
)
def test_a_zone_without_network_load_balancing_is_passed_over(unfit: dict[str, Any]) -> None:
    sets = [[zone("eu-de-01"), zone("eu-de-02", **unfit)]]
    assert choose_zones(None, sets, instance()) == ("eu-de-01",)
    assert field_of(lambda: choose_zones(("eu-de-02",), sets, instance())) == "availability_zones"
    assert field_of(lambda: choose_zones(None, [[zone("eu-de-01", **unfit)]], instance())) == "availability_zones"


def test_zones_of_different_sets_are_not_combined() -> None:
    sets = [[zone("eu-de-01")], [zone("eu-de-02")]]
    assert field_of(lambda: choose_zones(("eu-de-01", "eu-de-02"), sets, instance())) == "availability_zones"


FLAVORS = [
    flavor("large", 9_000),
    flavor("small", 500),
    flavor("tiny", 100, flavor_sold_out=True),
    flavor("web", 1, type="L7"),
]


@pytest.mark.parametrize(("given", "chosen"), [(None, "id-small"), ("large", "id-large"), ("id-large", "id-large")])
def test_the_smallest_network_flavor_that_is_not_sold_out_is_taken(given: str | None, chosen: str) -> None:
    assert choose_flavor(given, FLAVORS) == chosen


@pytest.mark.parametrize("given", ["tiny", "web", "unknown"])
def test_a_flavor_that_is_sold_out_unknown_or_for_http_is_refused(given: str) -> None:
    assert field_of(lambda: choose_flavor(given, FLAVORS)) == "flavor"


NODES = [
    Node(id="1", ip="192.168.0.11", port=6379, role="master"),
    Node(id="2", ip="192.168.0.12", port=6379, role="slave"),
    Node(id="3", ip="192.168.0.13", port=6379, role="proxy"),
]


def test_an_instance_has_one_address_and_a_cluster_the_chosen_nodes() -> None:
    cluster = instance(cache_mode="cluster", ips=("192.168.0.11", "192.168.0.14"))
    assert choose_node(None, instance(), []) == ("192.168.0.10", 6379)
    assert choose_node("192.168.0.11:6379", cluster, NODES) == ("192.168.0.11", 6379)
    assert choose_node("192.168.0.12:6379", cluster, NODES) == ("192.168.0.12", 6379)
    for wrong in (None, "192.168.0.13:6379", "192.168.0.12:6380", "192.168.0.99:6379"):
        assert field_of(lambda wrong=wrong: choose_node(wrong, cluster, NODES)) == "node"
    assert field_of(lambda: choose_node("192.168.0.10:6379", instance(), NODES)) == "node"


HELPERS = {
    **VPCS,
    "twin": vpc("twin", "192.168.0.0/20"),
    "third": vpc("third", "172.20.0.0/16"),
    "later": vpc("later", "172.21.0.0/16", "192.168.0.128/25"),
}
SUBNETS = [subnet("s", "192.168.0.0/24", "dcs")]


@pytest.mark.parametrize(
    ("given", "vpcs", "peerings", "chosen"),
    [
        ("third", ("elb", "dcs", "third"), [peering("dcs", "elb")], "third"),
        (None, ("elb", "dcs", "third"), [peering("dcs", "elb")], "elb"),
        (None, ("elb", "dcs", "third"), [peering("third", "dcs")], "third"),
        (None, ("elb", "dcs", "third"), [peering("elb", "third"), peering("dcs", "third")], "third"),
        (None, ("elb", "dcs", "twin"), [peering("dcs", "twin")], "elb"),
        (None, ("elb", "dcs"), [], "elb"),
        (None, ("elb", "dcs"), [peering("dcs", "elb", "PENDING_ACCEPTANCE")], "elb"),
    ],
    ids=["request", "peered", "peered as accepter", "peered with us", "no overlap", "only other", "only active counts"],
)
def test_the_helper_is_given_or_peered_or_the_only_other(
    given: str | None, vpcs: tuple[str, ...], peerings: list[Peering], chosen: str
) -> None:
    assert choose_helper(given, "dcs", {name: HELPERS[name] for name in vpcs}, SUBNETS, peerings) == chosen


@pytest.mark.parametrize(
    ("given", "vpcs"),
    [
        (None, ("dcs",)),
        (None, ("dcs", "twin")),
        (None, ("dcs", "later")),
        (None, ("dcs", "elb", "third")),
        ("twin", ("dcs", "elb", "twin")),
        ("later", ("dcs", "elb", "later")),
        ("dcs", ("dcs", "elb")),
        ("gone", ("dcs", "elb")),
    ],
)
def test_without_one_clear_helper_the_field_is_asked_for(given: str | None, vpcs: tuple[str, ...]) -> None:
    known = {name: HELPERS[name] for name in vpcs}
    assert field_of(lambda: choose_helper(given, "dcs", known, SUBNETS, [])) == "helper_vpc_id"


@pytest.mark.parametrize(
    ("target_vpc", "source_vpc", "target", "expected"),
    [
        (("192.168.0.0/16",), ("10.0.0.0/16",), "192.168.0.10", "192.168.0.0/16"),
        (("192.168.0.0/16",), ("192.168.0.0/16",), "192.168.0.10", "192.168.0.0/24"),
        (("192.168.0.0/16",), ("10.0.0.0/16", "192.168.9.0/24"), "192.168.0.10", "192.168.0.0/24"),
        (("172.20.0.0/16", "192.168.0.0/16"), ("10.0.0.0/16",), "192.168.0.10", "192.168.0.0/24"),
        (("192.168.0.0/16",), ("10.0.0.0/16",), "192.168.0.0/24", "192.168.0.0/16"),
    ],
    ids=["the range", "ranges overlap", "secondary overlaps", "target in secondary", "target is a subnet"],
)
def test_a_route_leads_to_the_vpcs_range_or_where_that_is_ambiguous_to_the_subnet(
    target_vpc: tuple[str, ...], source_vpc: tuple[str, ...], target: str, expected: str
) -> None:
    found = destination(target, "192.168.0.0/24", vpc("t", *target_vpc), vpc("s", *source_vpc))
    assert found == expected
    assert net(target).subnet_of(net(found))


cidrs = st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda pair: str(net(f"{pair[0]}/{pair[1]}")))


@given(cidrs, cidrs)
def test_overlap_is_mutual_and_means_that_one_holds_the_other(one: str, other: str) -> None:
    nested = net(one).subnet_of(net(other)) or net(other).subnet_of(net(one))
    assert overlap(one, other) == overlap(other, one) == nested
