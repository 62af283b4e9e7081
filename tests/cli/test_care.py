"""The commands that look after exposures."""

from __future__ import annotations

import json

import pytest

from cli.running import Exit
from emulator.faults import Fault
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


def test_a_removal_that_fails_shows_what_is_gone_by_then(leaking: Terminal):
    leaking.emulator.faults.add(Fault(method="DELETE", path="*/peerings/*", status=403))
    refused = leaking.type("leaks", "--delete", "--yes", "-o", "json")
    assert (refused.exit_code, "Forbidden" in refused.stderr) == (Exit.REFUSED, True)
    done = json.loads(refused.stdout)
    assert {each["kind"] for each in done} == {"load_balancer", "eip", "route"}
    assert [leak["kind"] for leak in leaking.read("leaks")] == ["vpc_peering"]


def lose_monitor(terminal: Terminal) -> None:
    with terminal.emulator.change() as account:
        account.world.elb.healthmonitors.clear()


def test_a_verification_tells_health_by_its_exit_code_and_the_list_remembers_it(terminal: Terminal):
    assert terminal.type("verify").stdout.strip() == "There are no exposures."
    terminal.expose()
    assert terminal.read("list")[0]["verdict"] is None
    looked = terminal.type("verify")
    assert (looked.exit_code, looked.stdout.strip()) == (Exit.OK, "1 healthy")
    assert terminal.read("list")[0]["verdict"] == "healthy"
    lose_monitor(terminal)
    drifted = terminal.type("verify", terminal.instance)
    assert drifted.exit_code == Exit.DIFFERS
    assert "health_monitor" in drifted.stdout
    assert "…" not in drifted.stdout
    assert terminal.read("list")[0]["verdict"] == "drifted"


def test_a_repair_restores_what_differs_and_the_second_look_is_the_result(terminal: Terminal):
    terminal.expose()
    lose_monitor(terminal)
    repaired = terminal.type("verify", "--repair", "-o", "json")
    assert repaired.exit_code == Exit.OK
    data = json.loads(repaired.stdout)
    assert data["counts"]["healthy"] == 1
    (event,) = data["repaired"]
    assert event["type"].endswith("repaired")
    assert [(each["kind"], each["field"]) for each in event["data"]["repaired"]] == [("health_monitor", "exists")]
    assert terminal.type("verify", "--repair").stdout.strip() == "1 healthy"


def test_a_load_balancer_that_is_gone_is_replaced_only_if_that_is_said(terminal: Terminal):
    terminal.expose()
    with terminal.emulator.change() as account:
        elb = account.world.elb
        for part in (elb.loadbalancers, elb.listeners, elb.pools, elb.members, elb.healthmonitors):
            part.clear()
        account.world.eip.publicips.clear()
    before = terminal.mutations()
    looked = terminal.type("verify", "--repair")
    assert (looked.exit_code, terminal.mutations()) == (Exit.DIFFERS, before)
    replaced = terminal.type("verify", "--repair", "--replace", "-o", "json")
    assert replaced.exit_code == Exit.OK
    assert json.loads(replaced.stdout)["counts"]["healthy"] == 1


def test_an_exposure_that_is_not_there_is_refused(terminal: Terminal):
    refused = terminal.type("verify", "no-such-exposure")
    assert (refused.exit_code, "Error ExposureNotFound" in refused.stderr) == (Exit.REFUSED, True)


@pytest.mark.parametrize("words", [("--replace",), ("--allow", "203.0.113.7"), ("--repair", "--allow", "203.0.113.7")])
def test_options_of_a_repair_go_with_a_repair(terminal: Terminal, words: tuple[str, ...]):
    assert terminal.type("verify", *words).exit_code == Exit.REFUSED


def test_what_is_missing_right_after_an_exposure_is_called_changing_and_repaired_by_hand_only(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DCS_ACCESS_DEBOUNCE_SECONDS", "300")
    terminal.expose("--repair")
    lose_monitor(terminal)
    looked = terminal.type("verify", "-o", "json")
    assert (looked.exit_code, json.loads(looked.stdout)["counts"]["changing"]) == (Exit.DIFFERS, 1)
    assert json.loads(looked.stdout)["repairs"] == []
    assert terminal.type("verify", "--repair").exit_code == Exit.OK
