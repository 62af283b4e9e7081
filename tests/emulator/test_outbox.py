from __future__ import annotations

import logging
import threading

import pytest

from emulator.clock import ManualClock, SystemClock
from emulator.outbox import Outbox


def test_work_is_done_when_it_is_due_in_the_order_of_its_time():
    clock, done = ManualClock(), []
    outbox = Outbox(clock)
    outbox.put(lambda: done.append("late"), clock.now() + 10)
    outbox.put(lambda: done.append("first"))
    outbox.put(lambda: done.append("second"))
    outbox.drain()
    assert done == ["first", "second"]
    assert outbox.next_due == clock.now() + 10
    clock.advance(10)
    outbox.drain()
    assert done == ["first", "second", "late"]
    assert outbox.next_due is None


def test_work_that_comes_of_work_is_done_too():
    outbox, done = Outbox(ManualClock()), []
    outbox.put(lambda: outbox.put(lambda: done.append("inner")))
    outbox.drain()
    assert done == ["inner"]


def test_with_a_real_clock_workers_do_it_and_a_defect_stops_none_of_them(caplog: pytest.LogCaptureFixture):
    outbox, clock, done = Outbox(SystemClock()), SystemClock(), threading.Event()
    with caplog.at_level(logging.ERROR):
        outbox.put(lambda: 1 / 0)
        outbox.put(done.set, clock.now() + 0.02)
        assert done.wait(5)
    assert "work of the outbox failed" in caplog.text
    outbox.close()


def test_workers_do_not_wait_for_each_other():
    outbox, meeting = Outbox(SystemClock()), threading.Barrier(3)
    for _ in range(2):
        outbox.put(lambda: meeting.wait(5))
    meeting.wait(5)
    outbox.drain()
    outbox.close()


def test_draining_waits_for_workers_under_way():
    outbox, begun, done = Outbox(SystemClock()), threading.Event(), []

    def work() -> None:
        begun.set()
        threading.Event().wait(0.05)
        done.append("work")

    outbox.put(work)
    assert begun.wait(5)
    outbox.drain()
    assert done == ["work"]
    outbox.close()


def test_a_closed_outbox_does_nothing_more():
    outbox, done = Outbox(ManualClock()), []
    outbox.put(lambda: done.append("before"))
    outbox.close()
    outbox.put(lambda: done.append("after"))
    outbox.drain()
    assert done == []
