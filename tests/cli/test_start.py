"""What the command line loads to begin with."""

from __future__ import annotations

import subprocess
import sys

LATER = ("dbos", "emulator", "openstack", "responses", "sqlalchemy")


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    script = f"import sys, cli.main; print([name for name in {LATER!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
