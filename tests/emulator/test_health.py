import logging
from threading import Event

import pytest

from emulator.dataplane import Connection
from emulator.health import Checked, HealthChecks, Schedule, Ticker, first_delay

SCHEDULE = Schedule(delay=5, timeout=3, rise=3, fall=2)
GOOD, REFUSED, SILENT = Connection.OPENED, Connection.REFUSED, Connection.TIMED_OUT


def fresh():
    return Checked(due=0.0)


def test_a_new_member_rises_at_its_first_success():
    member = fresh()
    member.run(GOOD, SCHEDULE, 0)
    assert (member.health, member.due) == ("ONLINE", 5)


def test_a_member_proven_unhealthy_rises_after_the_full_number():
    member = fresh()
    member.run(REFUSED, SCHEDULE, 5)
    assert (member.health, member.reason, member.proven) == ("OFFLINE", REFUSED, True)
    member.run(GOOD, SCHEDULE, 19)
    assert member.health == "OFFLINE"
    member.run(GOOD, SCHEDULE, 20)
    assert (member.health, member.reason) == ("ONLINE", None)


def test_one_failure_does_not_make_a_healthy_member_fall():
    member = fresh()
    member.run(GOOD, SCHEDULE, 0)
    member.run(REFUSED, SCHEDULE, 5)
    assert member.health == "ONLINE"
    member.run(GOOD, SCHEDULE, 10)
    member.run(REFUSED, SCHEDULE, 15)
    assert member.health == "ONLINE"
    member.run(REFUSED, SCHEDULE, 20)
    assert member.health == "OFFLINE"


def test_silence_counts_when_its_time_out_is_over():
    member = fresh()
    member.run(GOOD, SCHEDULE, 0)
    member.run(SILENT, SCHEDULE, 15.9)
    assert member.health == "ONLINE"
    member.run(SILENT, SCHEDULE, 16)
    assert (member.health, member.reason, member.due) == ("OFFLINE", SILENT, 21)


def test_a_long_time_is_caught_up_without_checking_each_interval():
    member = fresh()
    member.run(SILENT, SCHEDULE, 1_000_000)
    assert member.health == "OFFLINE"
    assert 1_000_000 < member.due + SCHEDULE.timeout <= 1_000_008


def test_the_first_check_comes_within_the_first_interval_and_at_the_same_time_in_every_run():
    delays = [first_delay(f"member-{number}", SCHEDULE) for number in range(200)]
    assert delays == [first_delay(f"member-{number}", SCHEDULE) for number in range(200)]
    assert 0 <= min(delays) < 1
    assert 4 < max(delays) <= 5


def test_only_what_has_a_schedule_is_checked_and_a_change_is_told():
    checks = HealthChecks()
    checks.follow({"a": SCHEDULE, "b": SCHEDULE}, now=0)
    probed = []

    def probe(member_id):
        probed.append(member_id)
        return GOOD

    assert not checks.due(-1)
    assert checks.tick({"a": SCHEDULE, "b": SCHEDULE}, probe, now=5)
    assert sorted(probed) == ["a", "b"]
    assert not checks.tick({"a": SCHEDULE, "b": SCHEDULE}, probe, now=10)
    checks.follow({"b": SCHEDULE}, now=10)
    assert checks["a"] is None
    assert checks["b"].health == "ONLINE"


def test_a_tick_that_fails_is_told_and_time_goes_on(caplog: pytest.LogCaptureFixture):
    ticks, gone_on = iter([OSError("no more sockets")]), Event()

    def tick() -> None:
        for failure in ticks:
            raise failure
        gone_on.set()

    with caplog.at_level(logging.ERROR):
        ticker = Ticker(tick, seconds=0.001)
        assert gone_on.wait(5)
        ticker.close()
    assert "no more sockets" in caplog.text
