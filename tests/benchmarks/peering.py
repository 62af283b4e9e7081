"""The peer's process and what it is asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_name("peer.py")


class Peer:
    """moto in an interpreter of its own, whose dependencies are not ours."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        told = self._read()
        self.version: str = told["moto"]
        self.url: str = told["url"]
        self.peak_mib = 0.0

    def run(self, machine: str, runs: int) -> float:
        """Seconds that so many runs took it, one after another."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"machine": machine, "runs": runs}) + "\n")
        self._process.stdin.flush()
        told = self._read()
        self.peak_mib = told["peak_mib"]
        return float(told["seconds"])

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            message = "the peer ended early"
            raise SystemExit(message)
        return json.loads(line)


@contextmanager
def running(interpreter: Path) -> Iterator[Peer]:
    """The peer, until the block ends."""
    command = [str(interpreter), str(_SCRIPT)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield Peer(process)
        finally:
            process.kill()
