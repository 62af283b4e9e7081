"""Bad input: one clear message with the field and the remedy, exit code 2, and no call that asks for a change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from cli.running import Exit
from tests.cli.support import Terminal, run


def refused(result: Result, code: str, field: str | None) -> None:
    """Check what a person gets to see."""
    assert result.exit_code == Exit.REFUSED
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error ")]
    assert [line.split()[1] for line in errors] == [f"{code}:"]
    assert "  remedy " in result.stderr
    if field:
        shown = [line.split(maxsplit=1)[1] for line in result.stderr.splitlines() if line.startswith("  field ")]
        assert shown == [field]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"action": "expose", ', "request"),
        ("", "request"),
        ("[" * 100_000, "request"),
        ("[]", "request"),
        ("null", "request"),
        ('{"action": "expose", "allow": ["203.0.113.7"], "allow": ["0.0.0.0/0"]}', "allow"),
        ('{"instance_id": "i"}', "action"),
        ('{"action": "explode", "instance_id": "i"}', "action"),
    ],
)
def test_what_is_no_request_is_refused(terminal: Terminal, text: str, field: str | None):
    refused(terminal.type("submit", "-", stdin=text), "InvalidRequest", field)
    assert terminal.mutations() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"port": "80"}, "port"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"allow": ["203.0.113.300"]}, "allow.0"),
        ({"allow": ["203.0.113.7/24"]}, "allow.0"),
        ({"allow": []}, "allow"),
        ({"allow": None}, "allow"),
        ({"instance_id": None}, "instance_id"),
        ({"instance_id": "../x"}, "instance_id"),
        ({"node": "example.com:1"}, "node"),
        ({"accept": ["everything"]}, "accept.0"),
        ({"expires_after": "soon"}, "expires_after"),
        ({"bandwidth_mbit": 301}, "bandwidth_mbit"),
        ({"notify": ["ftp://x"]}, "notify.0"),
        ({"request_id": "two words"}, "request_id"),
    ],
)
def test_a_wrong_field_is_named(terminal: Terminal, changes: dict[str, Any], field: str):
    refused(terminal.type("expose", "-f", "-", stdin=terminal.request(**changes)), "InvalidRequest", field)
    assert terminal.mutations() == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"instance_id": "unknown"}, "InstanceNotFound", "instance_id"),
        ({"project_id": "another"}, "ForeignProject", "project_id"),
        ({"accept": []}, "ProductionUnacknowledged", "accept"),
        ({"allow": ["0.0.0.0/0"]}, "OpenWorld", "allow"),
        ({"node": "192.168.0.10:6379"}, "NodeRefused", "node"),
        ({"vpc_id": "unknown"}, "NetworkNotFound", "vpc_id"),
    ],
)
def test_a_refusal_by_a_rule_is_an_event_and_changes_nothing(
    terminal: Terminal, changes: dict[str, Any], code: str, field: str
):
    result = terminal.type("expose", "-f", "-", "-o", "yaml", stdin=terminal.request(**changes))
    refused(result, code, field)
    assert yaml.safe_load(result.stdout)["type"].endswith("rejected")
    assert terminal.mutations() == []


def test_a_byte_order_mark_is_no_fault_of_a_request(terminal: Terminal):
    assert terminal.type("submit", "-", stdin="\ufeff" + terminal.request()).exit_code == Exit.OK


@pytest.mark.parametrize("kind", ["in a file's place", "not a database", "a folder in its place"])
def test_a_store_that_cannot_be_used_is_refused(terminal: Terminal, kind: str):
    store = terminal.folder / "broken"
    if kind == "in a file's place":
        store.write_text("")
        store /= "below"
    else:
        file = store / "runs.sqlite"
        store.mkdir()
        file.mkdir() if kind == "a folder in its place" else file.write_bytes(b"no database" * 500)
    refused(terminal.type("submit", "-", "--store", str(store), stdin=terminal.request()), "InvalidRequest", "store")


def test_options_and_a_file_do_not_mix(terminal: Terminal):
    result = terminal.type("expose", "-f", "-", "--port", "81", stdin=terminal.request())
    assert (result.exit_code, "leave port to it" in result.stderr) == (Exit.REFUSED, True)


def test_a_request_goes_to_its_own_command(terminal: Terminal):
    result = terminal.type("withdraw", "-f", "-", stdin=terminal.request())
    refused(result, "InvalidRequest", "action")
    assert terminal.mutations() == []


def test_a_file_that_is_not_there_is_refused(terminal: Terminal):
    assert terminal.type("submit", "absent.json").exit_code == Exit.REFUSED


def test_an_unknown_exposure_is_refused(terminal: Terminal):
    refused(terminal.type("show", "nothing"), "ExposureNotFound", None)
    refused(terminal.type("withdraw", terminal.instance), "ExposureNotFound", "instance_id")
    refused(terminal.type("run", "show", "nothing"), "NotFound", "run_id")


def test_without_credentials_there_is_one_message_that_names_the_option(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE")
    refused(run("list"), "InvalidRequest", "os_cloud")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("clouds: [emulator]", "clouds.yaml"),
        ("clouds: {emulator: null}", "clouds.yaml"),
        ("clouds: {emulator: {auth: demo}}", "clouds.yaml"),
        ("clouds: {emulator: {profile: nobody, auth: {auth_url: x}}}", "profile"),
        ("clouds: {emulator", "os_cloud"),
        ("clouds: {another: {}}", "os_cloud"),
        ("clouds: {emulator: {}}", "auth_url"),
        ("clouds: {emulator: {auth_type: magic}}", "auth_type"),
    ],
)
def test_what_is_wrong_with_the_clouds_file_is_named(terminal: Terminal, text: str, field: str):
    terminal.clouds.write_text(text)
    refused(terminal.type("list"), "InvalidRequest", field)


def sign_in(terminal: Terminal, auth: dict[str, Any], **more: Any) -> Result:
    """List with other credentials than the account's own."""
    config = yaml.safe_load(terminal.clouds.read_text())
    cloud = config["clouds"]["emulator"]
    cloud["auth"] |= auth
    terminal.clouds.write_text(yaml.safe_dump({"clouds": {"emulator": cloud | more}}))
    return terminal.type("submit", "-", stdin=terminal.request())


def test_a_wrong_password_is_refused_and_not_repeated(terminal: Terminal):
    result = sign_in(terminal, {"password": "hunter2"})
    refused(result, "Unauthorized", "auth")
    assert "hunter2" not in result.stderr


def test_an_expired_token_is_refused(terminal: Terminal):
    config = yaml.safe_load(terminal.clouds.read_text())
    auth = {
        "auth_url": config["clouds"]["emulator"]["auth"]["auth_url"],
        "token": "expired",
        "project_name": "eu-de_demo",
    }
    cloud = {"auth_type": "token", "auth": auth, "region_name": "eu-de"}
    terminal.clouds.write_text(yaml.safe_dump({"clouds": {"emulator": cloud}}))
    refused(terminal.type("list"), "Unauthorized", "auth")


def test_an_endpoint_that_nobody_serves_is_refused(terminal: Terminal):
    terminal.server.close()
    result = terminal.type("list")
    refused(result, "EndpointUnreachable", "auth_url")
    assert "Start it with `dcs-access emulator serve`" in result.stderr


def test_a_cloud_that_no_file_holds_is_named_wherever_its_name_comes_from(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    for words in (("--os-cloud", "absent", "list"), ("list",)):
        result = run(*words)
        refused(result, "InvalidRequest", "os_cloud")
        assert f"There is no cloud absent: {terminal.clouds} has emulator." in result.stderr
        monkeypatch.setenv("OS_CLOUD", "absent")


def test_zero_is_a_value_and_an_empty_interval_none(terminal: Terminal):
    refused(terminal.expose("--port", "0"), "InvalidRequest", "port")
    assert terminal.mutations() == []
    assert terminal.type("serve", "--verify-every", "").exit_code == Exit.REFUSED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_output_that_cannot_be_written_is_one_line_on_standard_error():
    command = [sys.executable, "-c", "from cli.main import main; main()", "schema", "request"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (Exit.FAILED, "Error: No space left on device.\n")


def test_the_emulator_says_what_a_wrong_world_lacks(terminal: Terminal):
    world = terminal.folder / "world.yaml"
    world.write_text("surprise: 1")
    refused(run("emulator", "serve", "--world", str(world)), "InvalidRequest", "world")
    refused(run("emulator", "calls"), "InvalidRequest", "emulator")


@pytest.mark.parametrize("words", [(), ("--status", "200"), ("--status", "504", "--nth", "0"), ("--delay", "-1")])
def test_a_fault_without_effect_is_refused(terminal: Terminal, words: tuple[str, ...]):
    assert run("emulator", "fault", *words).exit_code == Exit.REFUSED
