"""The commands, from the first word to the exit code."""

from __future__ import annotations

import json
from time import time

import pytest
import yaml

from cli.main import main
from cli.running import Exit
from emulator import Fault
from shared.events import CompletedEvent, EventKind, WithdrawnEvent
from tests.cli.support import Terminal, run


def test_what_is_exposed_is_listed_shown_and_withdrawn_without_a_trace(terminal: Terminal):
    before = terminal.emulator.snapshot()
    exposed = terminal.expose("-o", "json", "--port", "18080")
    assert exposed.exit_code == Exit.OK
    event = CompletedEvent.model_validate_json(exposed.stdout)
    endpoint = f"{event.data.endpoint.address}:18080"

    (row,) = terminal.read("list")
    assert (row["endpoint"], row["clients"], row["run_id"]) == (endpoint, ["203.0.113.0/24"], event.data.run_id)
    (whole,) = terminal.read("show", terminal.instance)
    assert {part["kind"]: part["status"] for part in whole["resources"]} == {
        "load_balancer": "ONLINE",
        "listener": "ONLINE",
        "pool": "ONLINE",
        "health_monitor": "ACTIVE",
        "member": "ONLINE",
    }
    assert endpoint in terminal.type("show", row["exposure"]).stdout

    withdrawn = terminal.type("withdraw", terminal.instance, "-o", "yaml")
    assert withdrawn.exit_code == Exit.OK
    WithdrawnEvent.model_validate(yaml.safe_load(withdrawn.stdout))
    assert terminal.read("list") == []
    assert terminal.emulator.snapshot() == before


def test_progress_and_hints_stay_off_standard_output(terminal: Terminal):
    told = terminal.expose("-o", "json")
    assert "CheckHealth done" in told.stderr
    assert json.loads(told.stdout)["type"].endswith("completed")
    assert terminal.type("-q", "withdraw", terminal.instance, "-o", "json").stderr == ""


def test_a_request_given_twice_is_one_run_with_the_first_answer(terminal: Terminal):
    first = terminal.expose("--request-id", "r-1", "-o", "json")
    calls = terminal.mutations()
    second = terminal.expose("--request-id", "r-1", "-o", "json")
    assert second.stdout == first.stdout
    assert terminal.mutations() == calls
    other = terminal.expose("--request-id", "r-1", "--port", "81")
    assert other.exit_code == Exit.REFUSED
    assert "Error RequestReused" in other.stderr


def test_a_failed_run_is_rolled_back_and_exits_with_1(terminal: Terminal):
    before = terminal.emulator.snapshot()
    terminal.emulator.faults.add(Fault(method="POST", path="*/healthmonitors", status=400))
    failed = terminal.expose("-o", "json")
    assert failed.exit_code == Exit.FAILED
    assert "Error Refused" in failed.stderr
    assert json.loads(failed.stdout)["data"]["endpoint"] is None
    assert terminal.emulator.snapshot() == before


def test_what_is_in_the_queue_as_well_is_named(terminal: Terminal):
    run_id = terminal.type(
        "submit", "-", stdin=terminal.request(action="withdraw", allow=None, accept=None)
    ).stdout.strip()
    looked = terminal.type("verify")
    assert f"Also not ended, and worked as well: withdraw {terminal.instance} (run {run_id})." in looked.stderr


def test_a_list_needs_neither_the_record_nor_the_store_of_verdicts(terminal: Terminal):
    terminal.expose("--port", "18080")
    with terminal.emulator.change() as account:
        next(iter(account.world.elb.ipgroups.values())).description = ""
    (terminal.folder / "store" / "verdicts.sqlite").write_bytes(b"no database" * 500)
    listed = terminal.type("list", "-o", "json")
    assert listed.exit_code == Exit.OK
    (row,) = json.loads(listed.stdout)
    assert (row["instance_id"], row["expires_at"], row["verdict"]) == (None, None, None)
    assert row["endpoint"]
    assert "Note: The store of verdicts cannot be used" in listed.stderr


def test_submit_only_queues_and_whoever_works_next_carries_it_out(terminal: Terminal):
    queued = terminal.type("submit", "-", stdin=terminal.request(port=18081))
    run_id = queued.stdout.strip()
    assert (queued.exit_code, terminal.mutations()) == (Exit.OK, [])
    assert terminal.read("run", "list")[0]["status"] == "QUEUED"
    assert terminal.type("withdraw", terminal.instance).exit_code == Exit.OK
    outcomes = {row["run_id"]: row["outcome"] for row in terminal.read("run", "list")}
    assert outcomes.pop(run_id) == "completed"
    assert list(outcomes.values()) == ["withdrawn"]


def test_a_cancelled_run_leaves_nothing_and_is_told(terminal: Terminal):
    run_id = terminal.type("submit", "-", stdin=terminal.request()).stdout.strip()
    waiting = terminal.type("run", "cancel", run_id, "--no-wait")
    assert (waiting.exit_code, terminal.read("run", "show", run_id)["cancelled"]) == (Exit.OK, True)
    cancelled = terminal.type("run", "cancel", run_id, "-o", "json")
    assert cancelled.exit_code == Exit.OK
    assert json.loads(cancelled.stdout)["data"]["error"]["code"] == "Cancelled"
    assert terminal.mutations() == []


def test_a_run_that_has_ended_cannot_be_cancelled(terminal: Terminal):
    terminal.type("withdraw", terminal.instance)
    run_id = terminal.read("run", "list")[0]["run_id"]
    late = terminal.type("run", "cancel", run_id)
    assert late.exit_code == Exit.REFUSED
    assert "has ended before: rejected" in late.stderr
    assert "SUCCEEDED" not in terminal.type("run", "list").stdout


def test_runs_that_ended_long_ago_are_forgotten_and_no_others(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):
    terminal.type("withdraw", terminal.instance)
    waiting = terminal.type("submit", "-", stdin=terminal.request()).stdout.strip()
    assert terminal.read("run", "prune", "--older-than", "1h") == {"deleted": 0}
    monkeypatch.setattr("cli.runs.time", lambda: time() + 3601)
    assert terminal.type("run", "prune", "--older-than", "1h").stdout == "1 run deleted.\n"
    assert [row["run_id"] for row in terminal.read("run", "list")] == [waiting]
    assert terminal.type("run", "prune", "--older-than", "1s").exit_code == Exit.REFUSED


def test_a_run_shows_its_states_and_its_event(terminal: Terminal):
    terminal.type("withdraw", terminal.instance)
    run_id = terminal.read("run", "list", "--instance", terminal.instance)[0]["run_id"]
    assert terminal.read("run", "show", run_id)["event"]["type"].endswith("rejected")
    shown = terminal.type("run", "show", run_id).stdout
    for part in ("PlanWithdrawal failed", '"action": "withdraw"', "Rejected: exposure", "Error ExposureNotFound"):
        assert part in shown


def test_a_proxy_is_not_asked_for_this_machine(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("no_proxy", "intranet.example")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert terminal.type("list").exit_code == Exit.OK


def test_the_store_is_for_its_owner_only(terminal: Terminal):
    store = terminal.folder / "store"
    store.mkdir(mode=0o755)
    terminal.type("submit", "-", stdin=terminal.request(notify=["https://hooks.example/secret"]))
    assert (store / "runs.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_run_shows_its_request_without_the_secrets_of_webhooks(terminal: Terminal):
    request = terminal.request(notify=["https://hooks.example/hunter2"])
    run_id = terminal.type("submit", "-", stdin=request).stdout.strip()
    assert terminal.read("run", "show", run_id)["request"]["notify"] == ["https://hooks.example/***"]


def test_the_emulator_lists_calls_and_takes_faults(terminal: Terminal):
    config = terminal.folder / "config" / "dcs-access" / "emulator" / "clouds.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(terminal.clouds.read_text())
    assert run("emulator", "fault", "--path", "*/ipgroups", "--status", "500").exit_code == Exit.OK
    failed = terminal.type("list")
    assert (failed.exit_code, "Error ServerError" in failed.stderr) == (Exit.FAILED, True)
    calls = json.loads(run("emulator", "calls", "-o", "json").stdout)
    assert [call["status"] for call in calls if call["path"].endswith("/ipgroups")] == [500]
    assert json.loads(run("emulator", "snapshot", "-o", "json").stdout) == terminal.emulator.snapshot()
    run("emulator", "calls", "--clear")
    assert len(terminal.emulator.calls) == 0
    with terminal.emulator.change() as account:
        topic = account.smn.create_topic(next(iter(account.iam.state.projects)), "news", "")
        account.smn.subscribe(topic, "email", "a@b.cd", base="http://127.0.0.1:8090")
    assert "http://127.0.0.1:8090/smn/subscription/confirm?token=" in run("emulator", "messages").stdout


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_says_what_it_is_for(name: str):
    shown = run(name, "--help")
    assert shown.exit_code == Exit.OK
    assert main.commands[name].help


def test_the_exit_codes_are_documented():
    text = run("--help").stdout
    assert all(f"    {code.value:<5}" in text for code in Exit)


@pytest.mark.parametrize("name", ["request", *(kind.value for kind in EventKind)])
def test_schemas_are_printed_as_published(name: str, request: pytest.FixtureRequest):
    published = request.config.rootpath / "docs" / "schemas" / f"{name}.schema.json"
    assert run("schema", name).stdout == published.read_text()
