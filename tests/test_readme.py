"""Every command of the README does what the README says."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.request import ExposeRequest, parse_request
from shared.settings import Settings
from workflow.machines import load_machines

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BIN = Path(sys.executable).parent
DEMO, TEST, SERVE, USE, QUEUE, DEPLOY = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own, where the README's commands find what this environment has installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "DCS_ACCESS_"))}
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "dcs-access").symlink_to(BIN / "dcs-access")
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "NO_COLOR": "1"}
    return kept | home | {"PATH": f"{bin_folder}:{kept['PATH']}"}


@pytest.fixture
def served(shell: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """The emulator, served by the README's command on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*SERVE.split(), "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, env=shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdout is not None
        server.stdout.readline()
        yield
        server.terminate()


def run(script: str, shell: dict[str, str], folder: Path) -> str:
    """Run a block of commands; it must not fail."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=shell,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_for_the_emulator_expose_show_and_withdraw(
    served: None, shell: dict[str, str], tmp_path: Path
) -> None:
    out = run(USE, shell, tmp_path)
    assert "Completed: exposure" in out
    assert "Withdrawn: exposure" in out


def test_the_example_request_is_queued_and_worked(served: None, shell: dict[str, str], tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (tmp_path / "request.json").write_text(example)
    script = QUEUE.replace("dcs-access serve", "dcs-access serve || [ $? = 124 ]").replace("TERM 20", "TERM 12")
    events = run(script, shell | {"OS_CLOUD": "emulator"}, tmp_path)
    assert '"type":"dcs-public-access.exposure.completed"' in events.replace(" ", "")


def test_the_example_request_is_run_by_what_was_deployed(served: None, shell: dict[str, str], tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (tmp_path / "request.json").write_text(example)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    out = run(DEPLOY.replace("18099", port), shell | {"OS_CLOUD": "emulator"}, tmp_path)
    assert "Completed: exposure" in out


def test_the_example_request_is_valid() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert parse_request(json.loads(example)).action == "expose"


def test_the_first_commands_install_from_the_pinned_versions() -> None:
    assert DEMO.strip().endswith(".venv/bin/dcs-access demo")
    assert TEST.strip().endswith(".venv/bin/python -m pytest")
    assert all("-c constraints.txt" in command for command in (DEMO, TEST))


def test_every_field_and_setting_is_documented() -> None:
    common = {"action", "request_id", "instance_id", "project_id"}
    assert [name for name in ExposeRequest.model_fields if f"`{name}`" not in README and name not in common] == []
    assert [name for name in Settings.model_fields if f"_{name.upper()}`" not in README] == []


def test_every_kind_of_event_is_documented() -> None:
    kinds = {
        state["Parameters"]["outcome"]
        for machine in load_machines().values()
        for state in machine.source["States"].values()
        if "outcome" in state.get("Parameters", {})
    }
    assert all(f"`{kind}`" in README for kind in kinds)
