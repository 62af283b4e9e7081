"""Intake of messages of the topic of requests, and direct invocations."""

from __future__ import annotations

from typing import Any

from shared.intake.messages import heed_message, read_messages
from shared.intake.taking import take_in
from shared.platform import Context


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return take_in(event, context, read_messages, heed_message)
