"""The end of an exposure: announced in time, and each end by one id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.expiry import expired_id, expiring_id, is_expired, is_expiring, warning_time

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("lifetime", "ahead"),
    [(30 * 60, HOUR), (HOUR, HOUR), (10 * HOUR, HOUR), (20 * HOUR, 2 * HOUR), (10 * DAY, DAY)],
)
def test_the_end_is_announced_an_hour_or_a_tenth_of_the_lifetime_ahead_whichever_is_more(lifetime: int, ahead: int):
    assert warning_time(0, lifetime) == lifetime - ahead


def test_without_a_known_beginning_the_end_is_announced_an_hour_ahead():
    assert warning_time(None, 10 * DAY) == 10 * DAY - HOUR


@given(st.one_of(st.none(), st.integers(0, 10**6)), st.integers(1, 10**7), st.integers(0, 2 * 10**7))
def test_an_exposure_expires_once_and_is_announced_before_and_not_after(
    begun: int | None, expires_at: int, now: int
) -> None:
    assert is_expired(expires_at, now) == (now >= expires_at)
    assert not (is_expired(expires_at, now) and is_expiring(begun, expires_at, now))
    if expires_at - HOUR <= now < expires_at:
        assert is_expiring(begun, expires_at, now)


def test_what_has_no_end_neither_expires_nor_is_announced():
    assert not is_expired(None, 10**12)
    assert not is_expiring(0, None, 10**12)


def test_each_end_of_each_exposure_has_an_id_of_its_own():
    ids = {make(exposure, at) for make in (expired_id, expiring_id) for exposure in ("a", "b") for at in (1, 2)}
    assert len(ids) == 8
