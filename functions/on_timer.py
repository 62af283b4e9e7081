"""Intake of ticks of a timer."""

from __future__ import annotations

from typing import Any

from shared.intake.taking import take_in
from shared.intake.timers import heed_timer, read_timer
from shared.platform import Context


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return take_in(event, context, read_timer, heed_timer)
