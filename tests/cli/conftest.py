from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli.session  # noqa: F401  # what it builds on remembers the folder of its first import, a test's own else
from tests.cli.support import Terminal


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A command line that knows one emulated cloud, and nothing of the caller's."""
    for name in [name for name in os.environ if name.startswith(("OS_", "DCS_ACCESS_"))]:
        monkeypatch.delenv(name)
    # No other store is at work on a cloud of the test's own.
    monkeypatch.setenv("DCS_ACCESS_DEBOUNCE_SECONDS", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    opened = Terminal(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(opened.clouds))
    yield opened
    opened.close()
