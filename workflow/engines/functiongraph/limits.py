"""Which machines this engine takes: a wait is slept, and sleeping is paid for."""

from __future__ import annotations

from shared.errors import ErrorCode, PermanentError
from shared.otc.problems import LONGEST_RETRY_AFTER, PACED
from workflow.interpreter.failure import matches
from workflow.language import Machine
from workflow.language.definition import Map, Parallel, Retrier, State, Task, Wait

LONGEST_WAIT = 900.0
"""Seconds that one state may wait for one thing."""


def refuse_long_waits(machine: Machine) -> None:
    """Refuse a machine with a state that may wait for more than 15 minutes.

    Each state counts for itself, and of its retriers each for itself: a retrier waits for one thing (an instance
    that is being made, a gateway that throttles), and its total is the patience somebody chose for that. A sum
    over a machine says nothing, for what happens on one way through it does not happen on another, and a loop
    has no sum; a time-out of the machine is there to bound a run.

    Raises:
        PermanentError: `Refused`, naming the state.
    """
    for flow in machine.flows.values():
        for name, state in flow.states.items():
            seconds = _longest(state)
            if seconds is None or seconds > LONGEST_WAIT:
                how_long = "as long as its input says" if seconds is None else f"{seconds:.0f} s"
                raise PermanentError(
                    ErrorCode.REFUSED,
                    f"The state {name} may wait {how_long}; on the platform it is {LONGEST_WAIT:.0f} s at most.",
                    field=name,
                    advice="Let it wait less, or run the machine on the embedded engine.",
                )


def _longest(state: State) -> float | None:
    """The longest wait of a state in seconds; None if only a run knows."""
    if isinstance(state, Wait):
        return state.seconds
    if isinstance(state, Task | Parallel | Map):
        return max((_total(retrier) for retrier in state.retry), default=0.0)
    return 0.0


def _total(retrier: Retrier) -> float:
    """All delays of a retrier, jitter and gateways at their worst."""
    paced = any(matches(retrier.error_equals, code) for code in PACED)
    least = LONGEST_RETRY_AFTER if paced else 0.0
    total, delay = 0.0, float(retrier.interval_seconds)
    for _ in range(retrier.max_attempts):
        total += max(min(delay, retrier.max_delay_seconds or delay), least)
        if total > LONGEST_WAIT:
            break
        delay *= retrier.backoff_rate
    return total
