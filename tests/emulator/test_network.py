from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from emulator.network import Host, Network, Peering, Route, Subnet

NET = IPv4Network
THERE = Route(NET("192.168.0.0/16"), "p")
BACK = Route(NET("10.0.0.0/16"), "p")
LB = Subnet("lb", "vpc-lb", NET("10.0.0.0/24"), (THERE,))
DCS = Subnet("dcs", "vpc-dcs", NET("192.168.0.0/24"), (BACK,))
PEERING = Peering("p", frozenset({"vpc-lb", "vpc-dcs"}))
REDIS = Host("vpc-dcs", "dcs", "192.168.0.10")


def problem(*, lb=LB, dcs=DCS, peering=PEERING, host=REDIS, others=()):
    return Network([lb, dcs, *others], [peering], [host] if host else []).path([lb.id], REDIS.ip).problem or ""


def test_peering_and_both_routes_make_a_path():
    assert problem() == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"lb": replace(LB, routes=())}, "subnet lb has no route to 192.168.0.10"),
        ({"dcs": replace(DCS, routes=())}, "subnet dcs has no route back to 10.0.0.0/24"),
        ({"dcs": replace(DCS, routes=(Route(NET("10.0.0.5/32"), "p"),))}, "no route back"),
        ({"dcs": replace(DCS, routes=(BACK, Route(NET("10.0.0.0/24"), "q")))}, "does not lead over"),
        ({"lb": replace(LB, routes=(THERE, Route(NET("192.168.0.10/32"), None)))}, "does not lead over"),
        ({"peering": replace(PEERING, active=False)}, "peering p is not active"),
        ({"peering": replace(PEERING, vpc_ids=frozenset({"vpc-dcs", "x"}))}, "does not lead over a peering"),
        ({"host": None}, "nothing has the address 192.168.0.10"),
        ({"host": replace(REDIS, whitelist=(NET("10.0.0.7/32"),))}, "whitelist"),
        ({"host": replace(REDIS, whitelist=())}, "whitelist"),
        ({"lb": replace(LB, cidr=NET("172.31.1.0/25"))}, "no route back to 172.31.1.0/25"),
    ],
)
def test_one_missing_piece_loses_packets_and_is_named(change, why):
    assert why in problem(**change)


def test_a_whitelist_that_holds_the_backend_subnet_lets_it_in():
    assert problem(host=replace(REDIS, whitelist=(NET("10.0.0.0/23"),))) == ""


def test_a_narrower_route_wins():
    assert problem(lb=replace(LB, routes=(Route(NET("192.168.0.0/16"), "q"), Route(NET("192.168.0.0/24"), "p")))) == ""


def test_ranges_that_dcs_cannot_answer_are_silent():
    lb = Subnet("lb", "vpc-lb", NET("172.31.2.0/25"), (THERE,))
    dcs = replace(DCS, routes=(Route(NET("172.31.0.0/16"), "p"),))
    assert "DCS cannot answer" in problem(lb=lb, dcs=dcs)


def test_overlapping_subnets_keep_packets_at_home():
    double = Subnet("double", "vpc-lb", NET("192.168.0.0/24"))
    assert "nothing has the address" in problem(others=[double])
    shadow = Subnet("shadow", "vpc-dcs", NET("10.0.0.128/25"))
    assert "overlaps" in problem(others=[shadow])


def test_peering_is_not_transitive():
    far = Host("vpc-far", "far", "172.16.0.10")
    subnets = [
        replace(LB, routes=(Route(NET("172.16.0.0/16"), "p"),)),
        replace(DCS, routes=(BACK, Route(NET("172.16.0.0/16"), "q"))),
        Subnet("far", "vpc-far", NET("172.16.0.0/24"), (Route(NET("10.0.0.0/16"), "q"),)),
    ]
    peerings = [PEERING, Peering("q", frozenset({"vpc-dcs", "vpc-far"}))]
    assert not Network(subnets, peerings, [REDIS, far]).path(["lb"], "172.16.0.10").open


def test_every_backend_subnet_needs_its_path():
    second = Subnet("second", "vpc-lb", NET("10.0.1.0/24"), (THERE,))
    narrow = replace(DCS, routes=(Route(NET("10.0.0.0/24"), "p"),))
    network = Network([LB, second, narrow], [PEERING], [REDIS])
    assert network.path(["lb"], REDIS.ip).open
    assert "10.0.1.0/24" in (network.path(["lb", "second"], REDIS.ip).problem or "")
    assert not network.path([], REDIS.ip).open


@pytest.mark.parametrize(
    ("same_vpc", "peered", "open_"),
    [
        ("reachable", False, True),
        ("not_routable", True, False),
        ("needs_peering", False, False),
        ("needs_peering", True, True),
    ],
)
def test_targets_in_the_same_vpc_follow_the_dial(same_vpc, peered, open_):
    local = Host("vpc-lb", "lb", "10.0.0.50")
    helper = Peering("h", frozenset({"vpc-lb", "vpc-helper"}))
    network = Network([LB], [helper] if peered else [], [local], same_vpc)
    assert network.path(["lb"], "10.0.0.50").open is open_
