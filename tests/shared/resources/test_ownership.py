"""Whose a resource is, what is old enough, who else uses what is shared, and what becomes of a failed run's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.review_failure import decide_failure
from shared.errors import ErrorCode
from shared.ids import resource_name
from shared.otc.elb import IpGroup, LoadBalancer
from shared.record import Mark, Mode
from shared.request import OnFailure
from shared.resources.age import older_than
from shared.resources.ownership import anchors_of, load_balancers_of
from shared.resources.users import peering_users, whitelist_subnets
from tests.shared.test_record import LONGEST

CROSS = replace(LONGEST, exposure="a", mode=Mode.CROSS_VPC, vpc="elb", peer_vpc="dcs", instance="i", subnet="s1")
NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
MINE, OTHER = Mark("a", LONGEST.run).text(), Mark("b", LONGEST.run).text()


@pytest.mark.parametrize(
    ("name", "description", "listeners", "seen", "anchors"),
    [
        (resource_name("a"), MINE, (), (), True),
        ("renamed", MINE, (), (), True),
        (resource_name("a"), OTHER, ("l",), (), False),
        (resource_name("a"), "", ("l",), (), True),
        (resource_name("a"), "", ("another",), (), False),
        ("theirs", "", ("l",), (), False),
        ("theirs", "", (), ("g",), True),
    ],
)
def test_an_anchor_is_told_by_its_mark_and_without_one_by_our_name_on_our_listener_or_by_having_been_seen(
    name: str, description: str, listeners: tuple[str, ...], seen: tuple[str, ...], *, anchors: bool
) -> None:
    group = IpGroup(id="g", name=name, description=description, listener_ids=("l",))
    assert anchors_of([group], "a", listeners=listeners, seen=seen) == ([group] if anchors else [])


@pytest.mark.parametrize(
    ("name", "description", "tag", "status", "ours"),
    [
        ("renamed", MINE, None, "ACTIVE", True),
        ("renamed", "", "a", "ACTIVE", True),
        (resource_name("a"), "", None, "ACTIVE", False),
        (resource_name("a"), OTHER, "a", "ACTIVE", False),
        (resource_name("a"), MINE, "a", "PENDING_CREATE", True),
        (resource_name("a"), MINE, "a", "PENDING_DELETE", False),
    ],
)
def test_a_load_balancer_is_told_by_its_mark_else_by_its_tag_until_it_is_being_deleted(
    name: str, description: str, tag: str | None, status: str, *, ours: bool
) -> None:
    balancer = LoadBalancer(
        id="lb",
        name=name,
        description=description,
        provisioning_status=status,
        operating_status="ONLINE",
        tags={"dcs-access": tag} if tag else {},
    )
    assert load_balancers_of([balancer], "a") == ([balancer] if ours else [])


@pytest.mark.parametrize(
    ("made", "older"),
    [
        ("2026-01-01T11:59:29Z", True),
        ("2026-01-01T11:59:29", True),
        ("2026-01-01T11:59:31Z", False),
        ("2026-01-01T12:30:00Z", False),
        ("", False),
        ("yesterday", False),
    ],
)
def test_age_goes_by_the_clouds_stamp_with_or_without_zone_and_unknown_is_young(made: str, *, older: bool) -> None:
    assert older_than(made, 30, NOON) is older


def test_a_peering_is_used_by_every_other_exposure_of_the_pair_in_either_direction() -> None:
    others = [
        replace(CROSS, exposure="b"),
        replace(CROSS, exposure="c", vpc="dcs", peer_vpc="elb"),
        replace(CROSS, exposure="d", mode=Mode.DOCUMENTED, vpc="dcs", peer_vpc="elb"),
        replace(CROSS, exposure="e", mode=Mode.DIRECT),
        replace(CROSS, exposure="f", peer_vpc="third"),
    ]
    assert peering_users("a", "elb", "dcs", [CROSS, *others]) == ["b", "c", "d"]


def test_a_whitelist_entry_is_needed_by_other_exposures_of_the_same_instance() -> None:
    others = [
        replace(CROSS, exposure="b", subnet="s2"),
        replace(CROSS, exposure="c", subnet="s1"),
        replace(CROSS, exposure="d", instance="another", subnet="s3"),
    ]
    assert whitelist_subnets("a", "i", [CROSS, *others]) == {"s1", "s2"}
    assert whitelist_subnets("a", "i", [CROSS]) == frozenset()


@pytest.mark.parametrize(
    ("owner", "on_failure", "serves", "error", "decision"),
    [
        ("me", OnFailure.ROLLBACK, False, "Unhealthy", "release"),
        (None, OnFailure.ROLLBACK, False, "Unhealthy", "release"),
        ("me", OnFailure.ROLLBACK, True, "Unhealthy", "restore"),
        ("me", OnFailure.KEEP, False, "Unhealthy", "leave"),
        ("me", OnFailure.KEEP, True, "Unhealthy", "leave"),
        ("another", OnFailure.ROLLBACK, False, "Unhealthy", "leave"),
        ("another", OnFailure.ROLLBACK, True, ErrorCode.OPEN_TO_ALL, "leave"),
        ("me", OnFailure.ROLLBACK, True, ErrorCode.OPEN_TO_ALL, "release"),
    ],
)
def test_a_failed_run_releases_its_own_restores_what_served_and_leaves_what_is_anothers(
    owner: str | None, on_failure: OnFailure, error: str, decision: str, *, serves: bool
) -> None:
    made, reason = decide_failure(run="me", owner=owner, error=error, on_failure=on_failure, stood=serves, serves=False)
    assert made == decision
    assert reason


@pytest.mark.parametrize(
    ("owner", "error", "stood", "decision"),
    [
        ("me", "Unhealthy", False, "complete"),
        ("me", "Internal", False, "complete"),
        ("me", "Unhealthy", True, "restore"),
        ("another", "Unhealthy", False, "leave"),
        (None, "Unhealthy", False, "release"),
        ("me", ErrorCode.OPEN_TO_ALL, False, "release"),
        ("me", ErrorCode.PROBE_FAILED, False, "release"),
        ("me", ErrorCode.CANCELLED, False, "release"),
    ],
)
def test_a_failed_run_whose_exposure_is_reached_after_all_is_completed_unless_that_is_why_it_failed(
    owner: str | None, error: str, decision: str, *, stood: bool
) -> None:
    rollback = OnFailure.ROLLBACK
    made, _ = decide_failure(run="me", owner=owner, error=error, on_failure=rollback, stood=stood, serves=True)
    assert made == decision
