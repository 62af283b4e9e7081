"""How long it takes to start: handlers beside the two libraries they stand on, servers beside each other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.figures import Figure, in_turns

_HANDLERS = ("emit_event", "ensure_listener", "plan_exposure", "run_workflow")
_LIBRARIES = "import requests, pydantic"
_PEER_SERVER = "from moto.server import ThreadedMotoServer as S; s = S('127.0.0.1', 0, verbose=False); s.start()"
_OUR_SERVER = "from emulator import Emulator, World; from emulator.server import serve; serve(Emulator(World.small()))"


def measure(interpreter: Path) -> list[Figure]:
    """CPU seconds, which a busy machine disturbs least."""
    figures = [
        in_turns(
            f"import functions.{name}, beside requests and pydantic",
            "s CPU",
            lambda name=name: _cpu(sys.executable, f"import functions.{name}"),  # type: ignore[misc]
            lambda: _cpu(sys.executable, _LIBRARIES),
            higher_is_better=False,
        )
        for name in _HANDLERS
    ]
    servers = in_turns(
        "a server that listens",
        "s CPU",
        lambda: _cpu(sys.executable, _OUR_SERVER),
        lambda: _cpu(str(interpreter), _PEER_SERVER),
        higher_is_better=False,
    )
    return [*figures, servers]


def _cpu(interpreter: str, code: str) -> float:
    process = subprocess.Popen([interpreter, "-c", f"{code}\nimport os; os._exit(0)"])
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, code
    return used.ru_utime + used.ru_stime
