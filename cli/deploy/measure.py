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
_TIMES = 5
_SCRIPT = "import time; began = time.perf_counter(); import {what}; print(time.perf_counter() - began)"


def report(package: bytes) -> dict[str, Any]:
    """Bytes of the zip and, of each handler, the milliseconds of its import and their ratio to the libraries' alone."""
    with TemporaryDirectory(prefix="dcs-access-") as folder:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(folder)
        base = _seconds(_BASE, Path(folder))
        rows = [_row(name, base, Path(folder)) for name in handlers()]
    return {"bytes": len(package), "largest": LARGEST, "base": _BASE, "base_ms": round(base * 1000), "handlers": rows}


def _row(name: str, base: float, folder: Path) -> dict[str, Any]:
    seconds = _seconds(f"functions.{name}", folder)
    return {"handler": name, "import_ms": round(seconds * 1000), "ratio": round(seconds / base, 2)}


def _seconds(what: str, folder: Path) -> float:
    """The quickest of some imports, each in a process of its own that sees nothing but the zip; the first compiles."""
    command = [sys.executable, "-S", "-s", "-c", _SCRIPT.format(what=what)]
    runs = (
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603  # our own code
        for _ in range(_TIMES)
    )
    return min(float(done.stdout) for done in runs)
