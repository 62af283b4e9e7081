"""Intake of audit traces: what somebody did in the console or by another client."""

from __future__ import annotations

from typing import Any

from shared.intake.rules import heed_trace
from shared.intake.taking import take_in
from shared.intake.traces import read_traces
from shared.platform import Context


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return take_in(event, context, read_traces, heed_trace)
