from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.running import Exit
from emulator import Fault
from tests.cli.support import Terminal, run
from workflow.machines import NAMES


def complete(*words: str) -> list[str]:
    """What bash is offered after these words, of which the last is incomplete."""
    line = {"COMP_WORDS": " ".join(["dcs-access", *words]), "COMP_CWORD": str(len(words))}
    instruction = {"_DCS_ACCESS_COMPLETE": "bash_complete", **line}
    answer = CliRunner().invoke(main, [], prog_name="dcs-access", env=instruction)
    return [each.partition(",")[2] for each in answer.stdout.splitlines() if each]


def test_the_machines_are_listed_and_drawn_without_a_cloud():
    rows = json.loads(run("machine", "list", "-o", "json").stdout)
    assert [row["name"] for row in rows] == list(NAMES)
    for row in rows:
        drawing = ElementTree.fromstring(run("machine", "show", row["name"]).stdout)
        assert drawing.tag.endswith("svg")
        assert row["about"] in "".join(drawing.itertext())
        assert run("machine", "show", row["name"], "--format", "mermaid").stdout.startswith("flowchart TD\n")
    assert run("machine", "show", "other").exit_code == Exit.REFUSED


def test_a_run_is_drawn_over_its_machine_with_what_failed_and_where_that_led(terminal: Terminal):
    terminal.emulator.faults.add(Fault(method="POST", path="*/vpc/peerings", status=403, times=None))
    assert terminal.expose().exit_code == Exit.FAILED
    ((run_id,),) = [[row["run_id"] for row in terminal.read("run", "list")]]

    drawn = terminal.type("machine", "show", "expose", "--run", run_id, "--format", "mermaid").stdout
    outcome = {line.split('"')[1].split("<br/>")[0]: line for line in drawn.splitlines() if "<br/>" in line}
    assert "! caught" in outcome["EnsurePeering"]
    for state in ("PrivateSideFailed", "ReviewFailure", "RollBackLoadBalancer", "Failed"):
        assert "✓ succeeded" in outcome[state] or "↻ retried" in outcome[state]
    for state in ("EnsureRoutes", "CheckHealth", "Completed"):
        assert "· not reached" in outcome[state]
    picture = terminal.type("machine", "show", "expose", "--run", run_id).stdout
    assert run_id in picture

    refused = terminal.type("machine", "show", "withdraw", "--run", run_id)
    assert refused.exit_code == Exit.REFUSED
    assert "machine show expose" in refused.stderr
    assert terminal.type("machine", "show", "expose", "--run", "run-x").exit_code == Exit.REFUSED


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str):
    script = run("completion", shell).stdout
    assert "dcs-access" in script
    assert f"_DCS_ACCESS_COMPLETE={shell}_complete" in script


def test_commands_machines_runs_and_exposures_are_completed(terminal: Terminal):
    terminal.expose()
    (row,) = terminal.read("run", "list")
    store = ("--store", str(terminal.folder / "store"))
    assert complete("mac") == ["machine"]
    assert complete("machine", "show", "ex") == ["expose", "extend"]
    assert complete(*store, "run", "show", "") == [row["run_id"]]
    assert complete(*store, "run", "cancel", "no-such") == []
    assert complete(*store, "machine", "show", "expose", "--run", "") == [row["run_id"]]
    assert terminal.instance in complete(*store, "withdraw", "")
    assert terminal.instance in complete(*store, "verify", "x", "")


def test_completion_offers_nothing_where_there_is_no_store_or_none_that_can_be_read(terminal: Terminal):
    broken = terminal.folder / "broken"
    broken.mkdir()
    for file in ("runs.sqlite", "verdicts.sqlite"):
        (broken / file).write_text("no database")
    for store in (broken, terminal.folder / "none"):
        assert complete("--store", str(store), "run", "show", "") == []
        assert complete("--store", str(store), "show", "") == []
