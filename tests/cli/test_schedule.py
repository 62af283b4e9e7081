"""The schedule of `serve`: looks, reports, ends and repairs, each once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from cli.composition import Composition
from cli.options import App
from cli.running import Exit
from cli.schedule import Schedule
from emulator import Fault
from tests.cli.support import Terminal, run

EVERY = 600.0
POLLS = 400


class Watch:
    """A schedule at work on a clock of the test's own, which moves a minute with every poll."""

    def __init__(self, composed: Composition, *, repair: bool = False) -> None:
        self.composed, self.now, self.polls = composed, 6000.0, 0
        self.schedule = Schedule(
            composed, timedelta(seconds=EVERY), repair=repair, clock=lambda: self.now, random=lambda: 0.5
        )

    def until(self, done: Callable[[], bool]) -> None:
        """Work the queue, the clock standing still while runs are at work."""

        def tick() -> bool:
            self.polls += 1
            assert self.polls < POLLS
            if all(view.status.ended for view in self.composed.engine.runs()):
                self.now += 60
            else:
                self.now += 1
            self.schedule.poll()
            return done() and all(view.status.ended for view in self.composed.engine.runs())

        self.composed.engine.work(tick)

    def outcomes(self, machine: str) -> list[str]:
        """How the runs of a machine have ended."""
        views = self.composed.engine.runs()
        return [view.output["outcome"] for view in views if view.machine == machine and view.status.ended]


@contextmanager
def watching(terminal: Terminal, *, repair: bool = False) -> Iterator[Watch]:
    with App(os_cloud="emulator", store=terminal.folder / "store").compose(events_on_stdout=True) as composed:
        yield Watch(composed, repair=repair)


def end(terminal: Terminal) -> None:
    """Let the exposure have ended long ago."""
    with terminal.emulator.change() as account:
        elb = account.world.elb
        for kept in (*elb.ipgroups.values(), *elb.listeners.values()):
            kept.description = re.sub(r" x=\d+", " x=1700000000", kept.description)


def told(text: str) -> list[str]:
    return [json.loads(line)["type"].rpartition(".")[2] for line in text.splitlines() if line.startswith("{")]


def lose_monitor(terminal: Terminal) -> None:
    with terminal.emulator.change() as account:
        account.world.elb.healthmonitors.clear()


def test_what_has_expired_is_withdrawn_by_the_schedule_and_both_are_told(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
):
    before = terminal.emulator.snapshot()
    terminal.expose("--expires-after", "8h")
    end(terminal)
    with watching(terminal) as watch:
        watch.until(lambda: watch.outcomes("withdraw") == ["withdrawn"])
    assert told(capsys.readouterr().out) == ["expired", "withdrawn"]
    assert terminal.emulator.snapshot() == before


def test_a_withdrawal_that_failed_is_tried_again_in_the_next_slot_and_the_end_is_told_once(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
):
    terminal.expose("--expires-after", "8h")
    end(terminal)
    terminal.emulator.faults.add(Fault(method="DELETE", path="*/listeners/*", status=403, times=1))
    with watching(terminal) as watch:
        watch.until(lambda: len(watch.outcomes("withdraw")) == 2)
        assert sorted(watch.outcomes("withdraw")) == ["failed", "withdrawn"]
    assert told(capsys.readouterr().out).count("expired") == 1


@pytest.mark.parametrize("repair", [False, True])
def test_a_drift_is_reported_and_repaired_only_if_that_is_wanted(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], *, repair: bool
):
    terminal.expose()
    lose_monitor(terminal)
    with watching(terminal, repair=repair) as watch:
        watch.until(lambda: len(watch.outcomes("verify")) == 2)
        assert watch.outcomes("repair") == (["repaired"] if repair else [])
    expected = ["drifted", "repaired", "verified"] if repair else ["drifted", "drifted"]
    assert told(capsys.readouterr().out) == expected


def test_each_slot_is_looked_at_once_and_a_missed_one_is_not_made_up_for(terminal: Terminal):
    with watching(terminal) as watch:
        watch.until(lambda: len(watch.outcomes("verify")) == 1)
        watch.now += 10 * EVERY
        watch.until(lambda: len(watch.outcomes("verify")) == 2)
        another = Watch(watch.composed)
        another.now = watch.now // EVERY * EVERY
        another.until(lambda: another.now % EVERY > EVERY / 2)
        assert watch.outcomes("verify") == ["verified", "verified"]


def test_an_exposure_that_a_run_is_at_work_on_is_left_out(terminal: Terminal):
    terminal.type("submit", "-", stdin=terminal.request())
    with watching(terminal) as watch:
        watch.now += EVERY
        watch.schedule.poll()
        (look,) = [view for view in watch.composed.engine.runs() if view.machine == "verify"]
        assert watch.composed.engine.run(look.run_id).input["request"]["skip"] == [terminal.instance]


def test_verdicts_are_told_on_change_only_where_that_is_set(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DCS_ACCESS_EVENTS_ON_CHANGE", "true")
    terminal.expose()
    with watching(terminal) as watch:
        watch.until(lambda: len(watch.outcomes("verify")) == 2)
        lose_monitor(terminal)
        watch.until(lambda: len(watch.outcomes("verify")) == 4)
    assert told(capsys.readouterr().out) == ["verified", "drifted"]


@pytest.mark.parametrize("words", [("--repair",), ("--verify-every", "often"), ("--verify-every", "1s")])
def test_a_schedule_that_makes_no_sense_is_refused(terminal: Terminal, words: tuple[str, ...]):
    assert terminal.type("serve", *words).exit_code == Exit.REFUSED
    assert run("serve", "--help").exit_code == Exit.OK
