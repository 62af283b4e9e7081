"""What a run asks of the cloud, authentication and all checks included; counted, not timed."""

from __future__ import annotations

from tests.chaos.scenes import SCENES
from tests.support.budget import exposure_calls, rounds, withdrawal_calls

_HEAD = "| scene | calls to expose | of these change | rounds | calls to withdraw |\n|---|---|---|---|---|"


def table() -> str:
    """A row of each scene; later polls of the health are not counted."""
    rows = []
    for name, scene in SCENES.items():
        made, changed = exposure_calls(*scene())
        rows.append(f"| {name} | {made} | {changed} | {rounds(*scene())} | {withdrawal_calls(*scene())} |")
    return "\n".join([_HEAD, *rows])
