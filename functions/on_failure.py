"""Tell of runs and requests that the platform has given up; starts nothing, so that nothing can go round in circles."""

from __future__ import annotations

from typing import Any

from shared.intake.failures import heed_failure, read_failures
from shared.intake.taking import take_in
from shared.platform import Context


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return take_in(event, context, read_failures, heed_failure)
