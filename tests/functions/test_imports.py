"""Importing a handler is cold start: it loads nothing that only the command line or the emulator needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import functions

HEAVY = (
    "openstack",
    "keystoneauth1",
    "dbos",
    "sqlalchemy",
    "jsonpath",
    "emulator",
    "responses",
    "yaml",
    "click",
    "rich",
    "cli",
)
HANDLERS = sorted(path.stem for path in Path(functions.__path__[0]).glob("*.py") if path.stem != "__init__")


def test_no_handler_imports_a_heavy_package() -> None:
    script = f"""
import sys
for name in {HANDLERS!r}:
    __import__("functions." + name)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_a_handler_that_calls_no_service_imports_no_client() -> None:
    script = (
        "import sys, functions.emit_event; print([n for n in sys.modules if n in {'shared.otc.elb', 'shared.otc.vpc'}])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
