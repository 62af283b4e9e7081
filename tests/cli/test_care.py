"""The commands that look after exposures."""

from __future__ import annotations

import json

import pytest

from cli.running import Exit
from tests.cli.support import Terminal

GIVEN = ("--allow", "203.0.113.0/24", "--accept", "production")


def test_a_plan_says_what_would_be_done_and_does_nothing(terminal: Terminal):
    planned = terminal.type("plan", terminal.instance, *GIVEN, "--port", "6379")
    assert planned.exit_code == Exit.OK
    assert "created" in planned.stdout
    assert "Note WellKnownPort" in planned.stdout
    data = terminal.read("plan", terminal.instance, *GIVEN)
    assert data["calls"] > 0
    assert terminal.mutations() == []
    assert terminal.read("run", "list") == []


def test_a_plan_says_by_its_exit_code_whether_there_is_something_to_do(terminal: Terminal):
    detailed = ("plan", terminal.instance, "--detailed-exitcode")
    assert terminal.type(*detailed, *GIVEN).exit_code == 2
    terminal.expose()
    assert terminal.type(*detailed, *GIVEN).exit_code == 0
    refused = terminal.type(*detailed, "--allow", "203.0.113.0/24")
    assert (refused.exit_code, "Error ProductionUnacknowledged" in refused.stderr) == (1, True)
    assert terminal.type("plan", terminal.instance, "--allow", "203.0.113.0/24").exit_code == Exit.REFUSED


def test_an_extension_moves_the_end(terminal: Terminal):
    terminal.expose("--expires-after", "1h")
    before = terminal.read("list")[0]["expires_at"]
    extended = terminal.type("extend", terminal.instance, "--expires-after", "8h", "-o", "json")
    assert extended.exit_code == Exit.OK
    assert terminal.read("list")[0]["expires_at"] > before
    assert terminal.type("extend", terminal.instance).exit_code == Exit.REFUSED


@pytest.fixture
def leaking(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """An account where somebody deleted the listener, its pool and the record of an exposure by hand."""
    monkeypatch.setenv("DCS_ACCESS_SETTLE_SECONDS", "0")
    terminal.expose()
    with terminal.emulator.change() as account:
        elb = account.world.elb
        for part in (elb.listeners, elb.pools, elb.members, elb.healthmonitors, elb.ipgroups):
            part.clear()
    return terminal


def test_without_leaks_there_is_nothing_to_delete(terminal: Terminal):
    terminal.expose()
    assert terminal.type("leaks", "--delete", "--yes").stdout.strip() == "There are no leaks."
    assert terminal.read("leaks") == []


def test_leaks_are_listed_with_their_remedy_and_go_only_after_a_confirmation(leaking: Terminal):
    (leak, *_) = leaking.read("leaks")
    assert (leak["kind"], leak["kept"]) == ("load_balancer", None)
    assert "leaks --delete" in leak["remedy"]
    before = leaking.mutations()
    refused = leaking.type("leaks", "--delete", stdin="n\n")
    assert (refused.exit_code, leaking.mutations()) == (1, before)
    done = json.loads(leaking.type("leaks", "--delete", "--yes", "-o", "json").stdout)
    assert {each["did"] for each in done} == {"released"}
    assert leaking.read("leaks") == []
