"""FunctionGraph v2: functions, what triggers them, and calling them."""

from __future__ import annotations

from shared.otc.functiongraph.invocations import Invocations, TimedOutError

__all__ = ["FunctionGraphClient", "TimedOutError"]


class FunctionGraphClient(Invocations):
    """All of FunctionGraph that a deployment and its engine use."""
