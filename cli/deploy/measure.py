"""How large the zip is, and how long its handlers take to import, beside what they cannot do without."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.deploy.package import LARGEST, handlers

_BASE = "requests, pydantic"
_ROUNDS = 5
_SCRIPT = "import time; began = time.perf_counter(); import {what}; print(time.perf_counter() - began)"


def report(package: bytes) -> dict[str, Any]:
    """Bytes of the zip and, of each handler, the milliseconds of its import and their ratio to the libraries' alone."""
    with TemporaryDirectory(prefix="dcs-access-") as folder:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(folder)
        # In turns, so that a busy machine is as hard on one as on the other; the first round compiles.
        whats = [_BASE, *(f"functions.{name}" for name in handlers())]
        rounds = [[_seconds(what, Path(folder)) for what in whats] for _ in range(_ROUNDS)]
    base, *quickest = (min(each) for each in zip(*rounds, strict=True))
    rows = [_row(name, seconds, base) for name, seconds in zip(handlers(), quickest, strict=True)]
    return {"bytes": len(package), "largest": LARGEST, "base": _BASE, "base_ms": round(base * 1000), "handlers": rows}


def _row(name: str, seconds: float, base: float) -> dict[str, Any]:
    return {"handler": name, "import_ms": round(seconds * 1000), "ratio": round(seconds / base, 2)}


def _seconds(what: str, folder: Path) -> float:
    """One import in a process of its own that sees nothing but the zip."""
    command = [sys.executable, "-S", "-s", "-c", _SCRIPT.format(what=what)]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603  # our own code
    return float(done.stdout)
