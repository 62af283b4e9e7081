from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from cli.deploy.run import endpoint_of, target_of
from cli.deploy.target import Target
from cli.deploy.template import template_path
from cli.running import Exit
from emulator.faults import Fault
from shared.errors import PermanentError
from shared.otc.transport import Service
from tests.cli.support import Terminal, run

PLAN, NOTHING, FAILED, CHANGES = ["deploy", "--plan", "--detailed-exitcode"], 0, 1, 2


def test_a_deployment_says_what_it_will_do_does_it_and_is_taken_away(terminal: Terminal):
    before = terminal.emulator.snapshot()
    planned = terminal.type(*PLAN)
    assert planned.exit_code == CHANGES
    assert ["create", "function", "run_workflow"] in [line.split()[:3] for line in planned.stdout.splitlines()]
    assert terminal.mutations() == []
    done = terminal.type("deploy")
    assert done.exit_code == Exit.OK
    assert done.stderr.index("it is not there") < done.stderr.index("create   function run_workflow")
    assert "RequestsTopic  urn:smn:" in done.stdout
    assert terminal.type(*PLAN).exit_code == NOTHING
    terminal.expose("--vpc-id", vpc(terminal))
    refused = terminal.type("undeploy", stdin="n\n")
    assert "1 exposure stays, and nobody will expire it" in refused.stderr
    assert terminal.type(*PLAN).exit_code == NOTHING
    gone = terminal.read("undeploy", "--yes")
    assert {row["kind"] for row in gone["deleted"]} > {"function", "agency"}
    assert [row["instance_id"] for row in gone["exposures"]] == [terminal.instance]
    terminal.type("withdraw", terminal.instance)
    assert terminal.emulator.snapshot() == before
    assert "Nothing is deployed as dcs-access." in terminal.type("undeploy", "--yes").stdout


def vpc(terminal: Terminal) -> str:
    return next(one.id for one in terminal.emulator.world().vpc.vpcs.values() if one.name == "vpc-elb")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--parameter", "Color=red"), "Parameter Color, given by --parameter: there is no such parameter"),
        (("--parameter", "LogDays=many"), "Parameter LogDays, given by --parameter: must be a number."),
        (("--parameter", "Color"), "NAME=VALUE"),
        (("--parameter", "Runtime=Python2.7"), "Parameter Runtime, given by --parameter: must be Python3.12"),
        (("--parameter", "Runtime=Python3.10"), "Parameter Runtime"),
        (("--parameter", "LogDays=4000"), "Parameter LogDays"),
        (("--parameter", "AllowLists=office"), "Parameter AllowLists"),
        (("--parameter", "AllowLists=" + json.dumps({"a": ["203.0.113.7/32"] * 300})), "user_data"),
        (("--parameter", 'AllowLists={"a": "203"}'), "Parameter AllowLists, given by --parameter: a: must be a list"),
        (("--parameter", "OptInPort=99999"), "Parameter OptInPort, given by --parameter: must be less than"),
        (("--parameter", "TraceName=a-b"), "Parameter TraceName"),
        (("--parameter", "VpcId=zzz"), "Parameter VpcId"),
        (("--parameter", "MessageAccepts=everything"), "Parameter MessageAccepts"),
        (("--parameter", "Application=my app"), "Parameter Application"),
        (("--parameter", "Application="), "Parameter Application, given by --parameter: must not be empty."),
        (("--parameter", "VerifyEvery=61m"), "Parameter VerifyEvery, given by --parameter: must be 1m to 60m"),
        (("--parameter", "VerifyEvery=often"), "Parameter VerifyEvery"),
        (("--parameter", "TimerRequest={"), "Parameter TimerRequest"),
        (("--parameter", "TimerRequest=[]"), "Parameter TimerRequest"),
        (("--parameter", 'TimerRequest={"action": "expose"}'), "Parameter TimerRequest"),
        (("--template", "nothing.yaml"), "nothing.yaml"),
    ],
)
def test_what_cannot_be_deployed_is_refused_by_its_field(words: tuple[str, ...], field: str, terminal: Terminal):
    refused = terminal.type("deploy", *words)
    assert refused.exit_code == Exit.REFUSED
    assert field in " ".join(refused.stderr.split())
    assert terminal.mutations() == []


def test_what_is_wrong_with_a_parameter_says_where_its_value_comes_from(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DCS_ACCESS_OPT_IN_PORT", "99999")
    said = " ".join(terminal.type("deploy", "--plan").stderr.split())
    assert "Parameter OptInPort, given by the variable DCS_ACCESS_OPT_IN_PORT: must be less than" in said
    assert "Correct DCS_ACCESS_OPT_IN_PORT, or unset it." in said
    assert terminal.type("deploy", "--plan", "--parameter", "OptInPort=").exit_code == Exit.OK


def test_an_application_that_is_empty_is_not_taken_for_another_one(terminal: Terminal):
    terminal.type("deploy")
    made = terminal.mutations()
    refused = terminal.type("undeploy", "--yes", "--parameter", "Application=")
    assert refused.exit_code == Exit.REFUSED
    assert "Application" in refused.stderr
    assert terminal.mutations() == made


def test_a_zip_is_not_built_for_a_runtime_on_which_it_does_not_run(tmp_path: Path):
    words = ("template", "package", "--for", "emulator")
    refused = run(*words, "--parameter", "Runtime=Python3.9")
    assert refused.exit_code == Exit.REFUSED
    assert "the functions run on Python3.12, not on Python3.9" in refused.stderr
    other = tmp_path / "template.yaml"
    other.write_text(template_path().read_text("utf-8").replace("runtime: {Ref: Runtime}", "runtime: Python3.9"))
    assert "Properties.runtime" in run(*words, "--template", str(other)).stderr


def test_what_fails_half_way_does_not_say_that_nothing_was_done(terminal: Terminal):
    before = terminal.emulator.snapshot()
    for first, code in ("iam:roles:createRole", Exit.REFUSED), ("iam:agencies:createAgency", Exit.FAILED):
        terminal.emulator.faults.add(Fault(method="POST", action=first, status=403, times=None))
        failed = terminal.type("deploy")
        terminal.emulator.faults.clear()
        assert failed.exit_code == code
        assert f"Grant {first}" in failed.stderr
        nothing = code is Exit.REFUSED
        assert (terminal.emulator.snapshot() == before) is nothing
        assert ("`undeploy` takes it away" not in failed.stderr) is nothing
    terminal.type("deploy")
    terminal.emulator.faults.add(Fault(method="DELETE", action="iam:roles:deleteRole", status=403))
    failed = terminal.type("undeploy", "--yes")
    assert failed.exit_code == Exit.FAILED
    assert "`dcs-access undeploy` again goes on" in failed.stderr
    assert terminal.type("undeploy", "--yes").exit_code == Exit.OK


def test_the_help_says_what_becomes_of_runs_for_the_platform_does_not_tell_which_there_are(terminal: Terminal):
    assert "A run that is under way stops where it is" in " ".join(terminal.type("undeploy", "--help").stdout.split())


def test_a_secret_is_printed_by_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):
    secret = "whsec_" + b64encode(bytes(range(24))).decode()
    by_option = ("--parameter", f"EventWebhookSecret={secret}")
    said = [terminal.type(*words, *by_option) for words in (PLAN, ["deploy", "--plan", "-o", "json"], ["deploy"])]
    assert terminal.type(*PLAN).exit_code == CHANGES
    monkeypatch.setenv("DCS_ACCESS_EVENT_WEBHOOK_SECRET", secret)
    said += [terminal.type(*PLAN), terminal.type("-o", "json", "template", "show")]
    assert said[-2].exit_code == NOTHING
    said += [
        terminal.type("deploy", "--parameter", wrong) for wrong in (secret, f"={secret}", f"EventWebhooks={secret}")
    ]
    said.append(terminal.type("deploy", "--parameter", f"EventWebhookSecret={secret} {secret[:-4]}"))
    assert "Parameter EventWebhookSecret" in said[-1].stderr
    assert not [each for each in said if secret[6:-4] in each.stdout + each.stderr]
    assert [each.exit_code for each in said[-4:]] == [Exit.REFUSED] * 4


def test_with_detailed_exit_codes_an_error_is_not_taken_for_a_change(terminal: Terminal):
    assert terminal.type(*PLAN, "--parameter", "Color=red").exit_code == FAILED


def test_functions_know_their_services_by_one_root_or_one_pattern():
    otc = {service: f"https://{service}.eu-de.otc.t-systems.com" for service in Service}
    assert endpoint_of(otc, "eu-de") == "https://{service}.{region}.otc.t-systems.com"
    assert target_of(endpoint_of(otc, "eu-de")) is Target.OTC
    here = dict.fromkeys(Service, "http://127.0.0.1:8090")
    assert endpoint_of(here, "eu-de") == "http://127.0.0.1:8090"
    assert target_of(endpoint_of(here, "eu-de")) is Target.EMULATOR
    with pytest.raises(PermanentError) as raised:
        endpoint_of({**otc, Service.SMN: "https://proxy.example"}, "eu-de")
    assert raised.value.data.field == "smn_endpoint_override"


def test_the_zip_is_written_with_its_digest(tmp_path: Path, terminal: Terminal):
    file = tmp_path / "code.zip"
    told = json.loads(run("-o", "json", "template", "package", "--for", "emulator", "--output", str(file)).stdout)
    assert told == {"digest": hashlib.sha512(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
    assert run("template", "package", "--for", "emulator", "--output", str(tmp_path)).exit_code == Exit.REFUSED


def test_the_template_is_linted_and_its_actions_are_printed(tmp_path: Path, terminal: Terminal):
    assert run("template", "lint").exit_code == 0
    slower = template_path().read_text("utf-8").replace("timeout: 85", "timeout: 90")
    (tmp_path / "template.yaml").write_text(slower)
    found = run("template", "lint", str(tmp_path / "template.yaml"))
    assert found.exit_code == 1
    assert "Globals.Function.timeout: must be below 90 s" in found.stdout
    assert "PublishAgency  smn:topic:publish" in run("template", "actions").stdout
    assert run("template", "show").stdout == template_path().read_text("utf-8")
    assert json.loads(run("template", "schema").stdout)["title"] == "Template"
