"""`python -m tests.benchmarks --peer PYTHON`: the table of docs/benchmarks.md, measured on this machine."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import calls, cloud, peering, startup, transitions
from tests.benchmarks.figures import Figure

_HEAD = "| what | ours | peer | ratio | better |\n|---|---|---|---|---|"


def main() -> None:
    """Measure all and print the table."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    options.add_argument("--peer", type=Path, required=True, help="a Python that has moto[stepfunctions,server]")
    peer_python = options.parse_args().peer
    with peering.running(peer_python) as peer, cloud.served() as (url, pid):
        figures = [*transitions.measure(peer), *cloud.measure(peer, url), *startup.measure(peer_python)]
        ours, theirs = cloud.peak_mib(pid), cloud.peak_mib(peer.pid)
        figures.append(Figure("memory of a server, at most", "MiB", ours, theirs, ours / theirs, "lower"))
        print(_report(figures, peer.version), "", calls.table(), sep="\n")  # noqa: T201  # a command's output


def _report(figures: Iterable[Figure], moto: str) -> str:
    told = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "Python": sys.version.split()[0],
        "DBOS": version("dbos"),
        "moto": moto,
    }
    facts = "; ".join(f"{name} {value}" for name, value in told.items())
    return "\n".join([facts, "", _HEAD, *(figure.row() for figure in figures)])


if __name__ == "__main__":
    main()
