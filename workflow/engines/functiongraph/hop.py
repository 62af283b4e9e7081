"""One hop of a run: what is due now is done side by side, then the rest is handed over to the next invocation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.errors import AccessError
from shared.otc.functiongraph import GATEWAY_TIMEOUT, TimedOutError
from shared.services import gather
from workflow.engines import outcome_of
from workflow.engines.tree import RunTree
from workflow.interpreter import Invoke, Outcome, TaskFailed

Json = Any

LONGEST_SLEEP = 300.0
"""Seconds an invocation sleeps at most: it is paid for by the second, and lost when it is killed."""
MARGIN = 80.0
"""Seconds that the last answer may come late and that the hand-over may take, all time-outs used up."""

_TIMEOUT = "States.Timeout"


class OutOfTimeError(Exception):
    """The engine's own time-out is too short for a single Task: it could only hand the run over for ever."""


@dataclass(frozen=True)
class Platform:
    """What an invocation is given of the world: seconds all of them, `clock` since the epoch.

    `invoke` calls the function that a Resource names, and gives its result or raises an `AccessError`.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], None]
    remaining: Callable[[], float]
    random: Callable[[], float]
    invoke: Callable[[str, Json], Json]
    hand_over: Callable[[Mapping[str, Json]], None]


@dataclass(frozen=True)
class Called:
    """A Task that was carried out: the seconds it took, and the error it came to, if any."""

    state: str
    seconds: float
    error: str | None


def hop(tree: RunTree, platform: Platform, note: Callable[[Called], None]) -> bool:
    """Carry a run on up to the end of its next round of Tasks; true if it has to be handed over, false if it ended.

    It stops in time: no Task is begun that might outlast the invocation. `note` is told of each Task.

    Raises:
        OutOfTimeError: not even a new invocation has the time for what is due.
    """
    slept = 0.0
    while True:
        calls = _calls(tree, platform.clock())
        if tree.end:
            return False
        if calls:
            return _round(tree, platform, calls, note, fresh=not slept)
        wait = tree.due()[0][0] - platform.clock()
        nap = min(wait, LONGEST_SLEEP - slept, platform.remaining() - MARGIN)
        if wait > 0 and nap <= 0:
            _check_progress(fresh=not slept)
            return True
        if wait > 0:
            platform.sleep(nap)
            slept += nap


def _calls(tree: RunTree, now: float) -> dict[int, Invoke]:
    """The calls that are due, once all that needs none has gone on."""
    while True:
        ready = [index for moment, index in tree.due() if moment <= now]
        calls = {index: call for index in ready if (call := tree.call(index))}
        passing = [index for index in ready if index not in calls]
        if not passing:
            return calls
        for index in passing:
            tree.go_on(index)


def _round(
    tree: RunTree, platform: Platform, calls: Mapping[int, Invoke], note: Callable[[Called], None], *, fresh: bool
) -> bool:
    """Call all handlers that are due, unless there is no time left for them."""
    if platform.remaining() < MARGIN + max(_limit(call) for call in calls.values()):
        _check_progress(fresh=fresh)
        return True
    outcomes = gather(*(partial(_outcome, platform, call, note) for call in calls.values()))
    for index, outcome in zip(calls, outcomes, strict=True):
        tree.go_on(index, outcome)
    return not tree.end


def _check_progress(*, fresh: bool) -> None:
    if fresh:
        raise OutOfTimeError


def _limit(call: Invoke) -> float:
    return min(call.timeout_seconds or GATEWAY_TIMEOUT, GATEWAY_TIMEOUT)


def _outcome(platform: Platform, call: Invoke, note: Callable[[Called], None]) -> Outcome:
    begun = platform.clock()
    outcome = _answer(platform, call, begun)
    error = outcome.error if isinstance(outcome, TaskFailed) else None
    note(Called(call.state, platform.clock() - begun, error))
    return outcome


def _answer(platform: Platform, call: Invoke, begun: float) -> Outcome:
    # A hand-over may come so late that the run's time is up, and what is begun now would be done behind its end.
    if call.until is not None and begun >= call.until:
        return TaskFailed(_TIMEOUT, None, begun, platform.random())
    try:
        result = platform.invoke(call.resource, call.parameters)
    except TimedOutError:
        return TaskFailed(_TIMEOUT, None, platform.clock(), platform.random())
    except AccessError as problem:
        result = problem.envelope()
    now = platform.clock()
    if call.timeout_seconds is not None and now - begun > call.timeout_seconds:
        return TaskFailed(_TIMEOUT, None, now, platform.random())
    return outcome_of(result, at=now, random=platform.random())
