"""Signals: a worker leaves in order, Ctrl-C cancels and rolls back."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from threading import enumerate as threads
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from cli.main import _Group
from cli.running import Exit, _interruptible
from emulator import Fault
from tests.cli.support import Terminal


def test_ctrl_c_outside_a_run_has_its_own_exit_code():
    group = _Group("group")

    @group.command()
    def wait() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(group, ["wait"])
    assert (result.exit_code, result.stderr) == (Exit.LEFT, "Interrupted.\n")


def test_a_terminated_demo_leaves_nothing_behind(terminal: Terminal, monkeypatch: pytest.MonkeyPatch):
    rest = terminal.folder / "temporary"
    rest.mkdir()
    monkeypatch.setenv("TMPDIR", str(rest))
    demo = start(terminal, "demo")
    while "Queued" not in demo.stdout.readline():
        assert demo.poll() is None
    demo.send_signal(signal.SIGTERM)
    demo.communicate(timeout=20)
    assert (demo.returncode, list(rest.iterdir())) == (128 + signal.SIGTERM, [])


def start(terminal: Terminal, *words: str) -> subprocess.Popen[str]:
    """Start the command line in a process of its own."""
    code = "from cli.main import main; main()"
    store = str(terminal.folder / "store")
    return subprocess.Popen(
        [sys.executable, "-c", code, "--os-cloud", "emulator", "--store", store, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_terminated_worker_has_told_what_it_did_and_leaves_in_order(terminal: Terminal):
    request = terminal.request(accept=[])
    run_id = terminal.type("submit", "-", stdin=request).stdout.strip()
    worker = start(terminal, "serve")
    told = json.loads(worker.stdout.readline())
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=20)
    assert (worker.returncode, out) == (Exit.OK, "")
    assert err.startswith("Working the queue")
    assert told["id"] == f"{run_id}.rejected"


def test_ctrl_c_cancels_the_run_and_rolls_it_back(terminal: Terminal):
    before = terminal.emulator.snapshot()
    terminal.emulator.faults.add(Fault(method="POST", path="*/pools", delay=1.0))
    asked = ("--allow", "203.0.113.0/24", "--accept", "production", "-o", "json")
    command = start(terminal, "expose", terminal.instance, *asked)
    for line in command.stderr:
        if "EnsureListener done" in line:
            command.send_signal(signal.SIGINT)
            break
    out, err = command.communicate(timeout=20)
    assert command.returncode == Exit.CANCELLED
    assert "Cancelling: an exposure is rolled back" in err
    assert json.loads(out)["data"]["error"]["code"] == "Cancelled"
    assert terminal.emulator.snapshot() == before


class InterruptedStream(io.RawIOBase):
    """Ctrl-C comes while the first line is being written."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, data: memoryview) -> int:
        first, self.text = not self.text, self.text + bytes(data).decode()
        if first:
            signal.raise_signal(signal.SIGINT)
        return len(data)


def test_ctrl_c_in_the_middle_of_a_line_cancels_too(monkeypatch: pytest.MonkeyPatch):
    stream, cancelled, others = InterruptedStream(), [], set(threads())
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(stream)))
    with _interruptible(SimpleNamespace(engine=SimpleNamespace(cancel=cancelled.append)), "run"):
        click.echo("a line", err=True)
    for thread in set(threads()) - others:
        thread.join(5)
    assert cancelled == ["run"]
    assert stream.text.startswith("a line\nCancelling")
