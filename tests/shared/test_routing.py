"""Which route a packet takes, and what that decides about a route of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.otc.vpc import Route
from shared.record import Mark
from shared.routing import RouteAction, covering, covers, decide_route, net, networks, same_ranges

PEERING = "pcx-ours"
MARK = Mark("exposure", "run").text()
TARGET, DESTINATION = "192.168.0.10", "192.168.0.0/16"


def route(destination: str, nexthop: str = PEERING, description: str = "") -> Route:
    return Route(type="peering", destination=destination, nexthop=nexthop, description=description)


@pytest.mark.parametrize(
    ("routes", "action"),
    [
        ([], RouteAction.ADD),
        ([route("10.0.0.0/8", "other")], RouteAction.ADD),
        ([route("0.0.0.0/0", "other")], RouteAction.ADD),
        ([route("192.0.0.0/8", "other")], RouteAction.ADD),
        ([route(DESTINATION, "other")], RouteAction.REFUSE),
        ([route("192.168.0.0/24", "other")], RouteAction.REFUSE),
        ([route("192.168.0.10/32", "other")], RouteAction.REFUSE),
        ([route(DESTINATION), route("192.168.0.0/24", "other")], RouteAction.REFUSE),
        ([route("192.168.9.0/24", "other")], RouteAction.ADD),
        ([route(DESTINATION)], RouteAction.ADOPT),
        ([route("0.0.0.0/0")], RouteAction.ADOPT),
        ([route("192.168.0.0/24"), route("0.0.0.0/0", "other")], RouteAction.ADOPT),
        ([route(DESTINATION, description=MARK)], RouteAction.UNCHANGED),
        ([route("192.168.0.0/24", description=MARK), route(DESTINATION, "other")], RouteAction.UNCHANGED),
    ],
)
def test_the_longest_prefix_decides(routes: list[Route], action: RouteAction) -> None:
    decision = decide_route(routes, destination=DESTINATION, target=TARGET, peering_id=PEERING)
    assert decision.action is action
    assert decision.reason


@pytest.mark.parametrize(
    ("other", "action"),
    [("10.0.0.128/25", RouteAction.REFUSE), ("10.0.0.9/32", RouteAction.REFUSE), ("10.0.1.0/24", RouteAction.ADD)],
)
def test_a_route_that_takes_a_part_of_the_target_is_in_the_way(other: str, action: RouteAction) -> None:
    decision = decide_route([route(other, "x")], destination="10.0.0.0/16", target="10.0.0.0/24", peering_id=PEERING)
    assert decision.action is action


@pytest.mark.parametrize(
    ("destination", "exposure", "action"),
    [
        (DESTINATION, "exposure", RouteAction.CHANGE),
        (DESTINATION, "another", RouteAction.REFUSE),
        (DESTINATION, None, RouteAction.REFUSE),
        ("192.168.0.0/24", "exposure", RouteAction.REFUSE),
    ],
)
def test_a_route_that_leads_elsewhere_is_changed_by_the_exposure_that_made_it_alone(
    destination: str, exposure: str | None, action: RouteAction
) -> None:
    routes = [route(destination, "other", MARK)]
    decision = decide_route(routes, destination=DESTINATION, target=TARGET, peering_id=PEERING, exposure=exposure)
    assert decision.action is action


def test_without_a_peering_yet_no_route_can_be_right_already() -> None:
    decision = decide_route([route(DESTINATION)], destination=DESTINATION, target=TARGET, peering_id=None)
    assert decision.action is RouteAction.REFUSE


def test_the_refusal_names_the_route_that_is_in_the_way() -> None:
    decision = decide_route(
        [route("192.168.0.0/24", "some-server")], destination=DESTINATION, target=TARGET, peering_id=PEERING
    )
    assert "192.168.0.0/24" in decision.reason
    assert "some-server" in decision.reason


NO_RANGES = ["fe80::/64", "2001:db8::1", "192.168.0.0/33", "192.168.0.9-192.168.0.1", "a-b", "-", "anything", ""]


@pytest.mark.parametrize("foreign", NO_RANGES)
def test_what_is_no_ipv4_range_covers_nothing_and_equals_nothing(foreign: str) -> None:
    assert networks(foreign) == ()
    assert not covers(foreign, TARGET)
    assert not covers(DESTINATION, foreign)
    assert not same_ranges([foreign], [foreign])
    assert not same_ranges([foreign, TARGET], [TARGET])


@pytest.mark.parametrize(
    ("entry", "target", "held"),
    [
        ("192.168.0.1-192.168.0.10", TARGET, True),
        ("192.168.0.1 - 192.168.0.9", TARGET, False),
        ("192.168.0.0-192.168.1.7", "192.168.0.0/24", True),
        ("192.168.0.1-192.168.1.7", "192.168.0.0/24", False),
        (TARGET, TARGET, True),
        ("192.168.0.10/24", TARGET, True),
    ],
)
def test_an_entry_may_be_a_range_from_one_address_to_another(entry: str, target: str, *, held: bool) -> None:
    assert covers(entry, target) is held


def test_lists_are_the_same_whatever_the_order_and_the_spelling() -> None:
    assert same_ranges(["203.0.113.7", "10.0.0.0/8"], ["10.0.0.0/8", "203.0.113.7/32", "203.0.113.7"])
    assert same_ranges(["10.0.0.0-10.0.0.255"], ["10.0.0.0/24"])
    assert not same_ranges(["203.0.113.7"], ["203.0.113.7", "10.0.0.0/8"])


@pytest.mark.parametrize("foreign", ["fe80::/64", "::/0", ""])
def test_a_route_that_is_not_of_ipv4_is_on_nobodys_way(foreign: str) -> None:
    table = [route(foreign, "other"), route("10.0.0.0/8", "other")]
    decision = decide_route(table, destination=DESTINATION, target=TARGET, peering_id=PEERING)
    assert decision.action is RouteAction.ADD
    assert covering(table, TARGET) is None


# Ranges around the target, so that most of them cover it or a part of it.
lengths = st.integers(0, 32)
destinations = st.tuples(st.sampled_from([TARGET, "192.168.0.77", "192.168.200.1", "10.1.2.3"]), lengths).map(
    lambda pair: str(net(f"{pair[0]}/{pair[1]}"))
)
tables = st.lists(
    st.builds(
        Route,
        type=st.just("peering"),
        destination=destinations,
        nexthop=st.sampled_from([PEERING, "other"]),
        description=st.sampled_from(["", MARK]),
    ),
    unique_by=lambda one: one.destination,
    max_size=6,
)
targets = st.sampled_from([TARGET, "192.168.0.0/24", "192.168.0.0/28"])
lengths_of_ours = st.integers(8, 24)


@given(tables, targets, lengths_of_ours, st.sampled_from([PEERING, None]))
def test_after_an_added_route_there_is_nothing_more_to_do(
    table: list[Route], target: str, length: int, peering: str | None
) -> None:
    destination = str(net(f"{TARGET}/{length}"))
    if decide_route(table, destination=destination, target=target, peering_id=peering).action is not RouteAction.ADD:
        return
    after = [*table, route(destination, description=MARK)]
    taken = covering(after, target)
    assert taken is not None
    assert taken.nexthop == PEERING
    assert len({one.destination for one in after}) == len(after), "a destination is unique in its table"
    again = decide_route(after, destination=destination, target=target, peering_id=PEERING)
    assert again.action is RouteAction.UNCHANGED


@given(tables, targets, lengths_of_ours)
def test_nothing_is_added_or_relied_upon_where_packets_would_go_elsewhere(
    table: list[Route], target: str, length: int
) -> None:
    destination = str(net(f"{TARGET}/{length}"))
    decision = decide_route(table, destination=destination, target=target, peering_id=PEERING)
    foreign = [one for one in table if one.nexthop != PEERING]
    if decision.action is RouteAction.ADD:
        for one in foreign:
            holds = net(target).subnet_of(net(one.destination))
            assert not (holds and net(one.destination).prefixlen >= net(destination).prefixlen)
    if decision.action is not RouteAction.REFUSE:
        parts = [one for one in foreign if net(one.destination).subnet_of(net(target))]
        assert [one for one in parts if net(one.destination) != net(target)] == []
    if decision.action in {RouteAction.ADOPT, RouteAction.UNCHANGED}:
        taken = covering(table, target)
        assert taken is not None
        assert taken.nexthop == PEERING


@given(tables, targets)
def test_the_route_taken_holds_all_of_the_target_and_none_is_longer(table: list[Route], target: str) -> None:
    taken = covering(table, target)
    holding = [one for one in table if net(target).subnet_of(net(one.destination))]
    assert (taken is None) == (not holding)
    if taken is not None:
        assert all(net(one.destination).prefixlen <= net(taken.destination).prefixlen for one in holding)
