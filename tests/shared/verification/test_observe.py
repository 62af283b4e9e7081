"""Whose whitelist is read when: a few at a time, all of them in turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.verification.observe import turn

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [5, 10, 15, 30, 60, 360, 1440])
def test_regular_looks_come_to_all_whatever_their_interval(minutes: int) -> None:
    items = list(range(2000))
    looks = [turn(items, 50, EPOCH + timedelta(minutes=minutes * tick)) for tick in range(200)]
    assert {len(look) for look in looks} == {50}
    assert {item for look in looks for item in look} == set(items)


@pytest.mark.parametrize(("count", "size"), [(0, 50), (1, 50), (3, 0), (3, 3)])
def test_a_turn_never_has_more_than_there_is_or_than_was_asked(count: int, size: int) -> None:
    found = turn(list(range(count)), size, EPOCH)
    assert len(found) == min(count, size)
    assert len(set(found)) == len(found)
