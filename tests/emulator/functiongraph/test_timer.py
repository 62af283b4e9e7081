from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.functiongraph.timer import Cron, Every, schedule

UTC = ZoneInfo("UTC")
START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
BERLIN = ZoneInfo("Europe/Berlin")


def times(text: str, count: int, after: float = START, zone: ZoneInfo = UTC) -> list[str]:
    found, at = [], after
    for _ in range(count):
        at = schedule("Cron", text).next_after(at)
        found.append(datetime.fromtimestamp(at, zone).strftime("%a %d %b %H:%M:%S %z"))
    return found


@pytest.mark.parametrize(("text", "seconds"), [("3m", 180), ("60m", 3600), ("24h", 86400), ("30d", 30 * 86400)])
def test_a_rate_is_a_period(text: str, seconds: float) -> None:
    assert schedule("Rate", text) == Every(seconds)


@pytest.mark.parametrize("text", ["0m", "61m", "25h", "31d", "1s", "m", "1.5h", "", "1h30m"])
def test_a_rate_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|at most"):
        schedule("Rate", text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("@every 1h30m", 5400), ("@every 90s", 90), ("@every 10ms", 1), ("CRON_TZ=Asia/Tokyo @every 2.5s", 2)],
)
def test_every_is_a_period_of_whole_seconds(text: str, seconds: float) -> None:
    assert schedule("Cron", text) == Every(seconds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0/5 * * * ?", ["Thu 01 Jan 00:05:00 +0000", "Thu 01 Jan 00:10:00 +0000"]),
        ("30 15 10 * *", ["Thu 01 Jan 10:15:30 +0000", "Fri 02 Jan 10:15:30 +0000"]),
        ("0 0 12 ? * MON-FRI", ["Thu 01 Jan 12:00:00 +0000", "Fri 02 Jan 12:00:00 +0000", "Mon 05 Jan 12:00:00 +0000"]),
        ("0 0 0 * * 0", ["Sun 04 Jan 00:00:00 +0000", "Sun 11 Jan 00:00:00 +0000"]),
        ("0 0 0 13 * Fri", ["Fri 02 Jan 00:00:00 +0000", "Fri 09 Jan 00:00:00 +0000", "Tue 13 Jan 00:00:00 +0000"]),
        ("0 0 0 31 1,3,4 *", ["Sat 31 Jan 00:00:00 +0000", "Tue 31 Mar 00:00:00 +0000"]),
        ("0 0 0 29 2 *", ["Tue 29 Feb 00:00:00 +0000"]),
        ("10-50/20 0 0 1 * *", ["Thu 01 Jan 00:00:10 +0000", "Thu 01 Jan 00:00:30 +0000", "Thu 01 Jan 00:00:50 +0000"]),
    ],
)
def test_six_fields_say_when(text: str, expected: list[str]) -> None:
    assert times(text, len(expected)) == expected


def test_a_time_zone_follows_its_clock_through_the_year() -> None:
    march = datetime(2026, 3, 28, 12, tzinfo=BERLIN).timestamp()
    daily = times("CRON_TZ=Europe/Berlin 0 30 2 * * *", 2, march, BERLIN)
    assert daily == ["Mon 30 Mar 02:30:00 +0200", "Tue 31 Mar 02:30:00 +0200"]
    october = datetime(2026, 10, 24, 12, tzinfo=BERLIN).timestamp()
    twice = times("CRON_TZ=Europe/Berlin 0 30 2 * * *", 2, october, BERLIN)
    assert twice == ["Sun 25 Oct 02:30:00 +0200", "Sun 25 Oct 02:30:00 +0100"]


@pytest.mark.parametrize(
    "text",
    [
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "* * * * * 7",
        "? * * * * *",
        "* * * * JAN *",
        "5-1 * * * * *",
        "*/0 * * * * *",
        "0 0 0 31 2 *",
        "@hourly",
        "@every",
        "@every 5",
        "CRON_TZ=Mars/Olympus * * * * * *",
        "CRON_TZ=Europe/Berlin",
        "",
    ],
)
def test_what_is_no_cron_expression_or_never_fires_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        schedule("Cron", text)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    def part(low: int, high: int) -> str:
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        return draw(st.sampled_from(["*", str(first), f"{first}-{last}", f"{first},{last}", f"*/{max(first, 1)}"]))

    zone = draw(
        st.sampled_from(["", "CRON_TZ=Europe/Berlin ", "CRON_TZ=Australia/Lord_Howe ", "CRON_TZ=Asia/Kolkata "])
    )
    return zone + " ".join([part(0, 59), part(0, 59), part(0, 23), part(1, 28), part(1, 12), part(0, 6)])


@given(expressions(), st.integers(0, 10 * 365 * 86_400))
@settings(max_examples=150, deadline=None)
def test_the_next_time_matches_and_none_is_passed_over(text: str, offset: int) -> None:
    cron, after = schedule("Cron", text), START + offset
    assert isinstance(cron, Cron)
    found = cron.next_after(after)
    assert found > after
    assert cron.matches(datetime.fromtimestamp(found, cron.zone))
    # Seconds near both ends and a spread between: looking at each second of five years would take too long.
    span = int(found - after)
    looked_at = {*range(1, min(span, 400)), *range(max(span - 400, 1), span), *range(1, span, max(span // 500, 1))}
    assert not any(cron.matches(datetime.fromtimestamp(after + step, cron.zone)) for step in looked_at)


@given(st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago"]), st.integers(0, 364))
@settings(max_examples=60, deadline=None)
def test_every_half_hour_of_a_day_is_hit_whatever_the_clocks_do(zone: str, day: int) -> None:
    cron = schedule("Cron", f"CRON_TZ={zone} 0 0,30 * * * *")
    start = START + day * 86_400
    hits, at = [], start - 1
    while (at := cron.next_after(at)) < start + 86_400:
        hits.append(at)
    local = [datetime.fromtimestamp(start + 1800 * step, ZoneInfo(zone)) for step in range(48)]
    assert hits == [moment.timestamp() for moment in local if moment.minute in (0, 30)]
