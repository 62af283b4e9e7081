"""Of the peerings of a pair of VPCs, the one that counts is the one that works, whoever asked for it."""

from __future__ import annotations

import pytest

from shared.otc.vpc import Peering
from shared.resources.peering import active_peering, peering_of


def peering(status: str, created_at: str = "2026-01-01T00:00:00", *, asker: str = "elb", other: str = "dcs") -> Peering:
    return Peering(id=status, status=status, created_at=created_at, request_vpc_id=asker, accept_vpc_id=other)


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [
        (("REJECTED", "PENDING_ACCEPTANCE", "ACTIVE"), "ACTIVE"),
        (("EXPIRED", "PENDING_ACCEPTANCE"), "PENDING_ACCEPTANCE"),
        (("REJECTED",), "REJECTED"),
        ((), None),
    ],
)
def test_the_peering_that_works_counts_else_the_one_that_may_yet(statuses: tuple[str, ...], counts: str | None) -> None:
    elsewhere = peering("ACTIVE", other="third")
    found = peering_of([elsewhere, *map(peering, statuses)], "dcs", "elb")
    assert (found.id if found else None) == counts
    active = active_peering([elsewhere, *map(peering, statuses)], "dcs", "elb")
    assert (active.id if active else None) == (counts if counts == "ACTIVE" else None)


def test_of_two_alike_the_older_one_counts_in_either_direction() -> None:
    older = peering("ACTIVE", "2025-01-01T00:00:00", asker="dcs", other="elb")
    assert peering_of([peering("ACTIVE"), older], "elb", "dcs") is older
