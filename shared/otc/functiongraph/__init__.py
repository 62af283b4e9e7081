"""FunctionGraph v2: functions, what triggers them, and calling them."""

from __future__ import annotations

from shared.otc.functiongraph.functions import Function, Functions
from shared.otc.functiongraph.invocations import GATEWAY_TIMEOUT, Invocations, TimedOutError
from shared.otc.functiongraph.triggers import Trigger, Triggers

__all__ = ["GATEWAY_TIMEOUT", "Function", "FunctionGraphClient", "TimedOutError", "Trigger"]


class FunctionGraphClient(Functions, Triggers, Invocations):
    """All of FunctionGraph that a deployment and its engine use."""
