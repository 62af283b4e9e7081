"""Importing a handler is cold start: it loads nothing that only the command line or the emulator needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
ENGINE = "run_workflow"
ITS_OWN = {"jsonpath"}
"""What only the engine needs: it evaluates the paths of machines."""
HANDLERS = sorted(path.stem for path in Path(functions.__path__[0]).glob("*.py") if path.stem != "__init__")


# What they rest on, ready for use: pydantic alone is an empty shell until the first model.
YARDSTICK = "import requests, pydantic\nclass Model(pydantic.BaseModel):\n    field: int"


def said(script: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def calls(script: str) -> int:
    """The calls that a fresh interpreter makes for a script: unlike its time, nearly the same on every machine."""
    return int(
        said(f"""
import sys
count = 0
def counted(frame, event, argument):
    global count
    count += event in ("call", "c_call")
sys.setprofile(counted)
exec({script!r})
sys.setprofile(None)
print(count)
""")
    )


@pytest.mark.parametrize(
    ("handlers", "heavy"),
    [(set(HANDLERS) - {ENGINE}, set(HEAVY)), ({ENGINE}, set(HEAVY) - ITS_OWN)],
    ids=["steps and intake", "engine"],
)
def test_no_handler_imports_a_heavy_package(handlers: set[str], heavy: set[str]) -> None:
    script = f"""
import sys
for name in {handlers!r}:
    __import__("functions." + name)
print([name for name in {heavy!r} if name in sys.modules])
"""
    assert said(script) == "[]"


@pytest.mark.parametrize(("handler", "most"), [("plan_exposure", 1.4), ("emit_event", 1.4), (ENGINE, 1.8)])
def test_importing_a_handler_takes_little_more_than_importing_what_it_rests_on(handler: str, most: float) -> None:
    assert calls(f"import functions.{handler}") <= most * calls(YARDSTICK)


def test_a_handler_that_calls_no_service_imports_no_client() -> None:
    script = (
        "import sys, functions.emit_event; print([n for n in sys.modules if n in {'shared.otc.elb', 'shared.otc.vpc'}])"
    )
    assert said(script) == "[]"
