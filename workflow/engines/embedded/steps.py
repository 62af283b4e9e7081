"""What a recorded step does: call a handler, wait, or join branches."""

from __future__ import annotations

import json
from asyncio import FIRST_COMPLETED, Event, create_task, sleep, to_thread, wait
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from logging import getLogger
from typing import Any

from dbos import DBOS, WorkflowHandleAsync

from shared.errors import ErrorCode, PermanentError
from workflow.engines import Resolver, outcome_of
from workflow.engines.embedded.guard import PoisonGuard
from workflow.engines.embedded.store import RunStore
from workflow.interpreter import (
    Begun,
    BranchesFinished,
    Elapsed,
    Finish,
    Invoke,
    Json,
    Outcome,
    Status,
    TaskFailed,
    Wait,
)

GLANCE = 0.2
"""How often (seconds) a wait looks for the signal to cancel, and a join at branches taken up again."""

Branch = WorkflowHandleAsync[dict[str, Json]]

_log = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which execution a step belongs to: its run, the ids of the records from the run's down to its own."""

    run_id: str
    lineage: tuple[str, ...]
    signalled: bool

    @property
    def record_id(self) -> str:
        """The id of the execution's own record."""
        return self.lineage[-1]


@dataclass(frozen=True, slots=True)
class Done:
    """What a step came to; no outcome means that a failed sibling stopped the branch."""

    outcome: Outcome | None
    signalled: bool


class Steps:
    """The work of steps, with what it needs of the world: handlers, a clock (epoch seconds), chance."""

    def __init__(
        self,
        store: RunStore,
        guard: PoisonGuard,
        resolver: Resolver,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._store, self._guard, self._resolver = store, guard, resolver
        self._clock, self._random = clock, random
        self._gates: defaultdict[str, Event] = defaultdict(Event)
        self._stopped: set[str] = set()

    async def begin(self, scope: Scope) -> Done:
        """Draw the time and chance an execution starts with."""
        if self._is_stopped(scope):
            return Done(None, scope.signalled)
        return Done(Begun(self._clock(), self._random()), scope.signalled)

    async def invoke(self, scope: Scope, command: Invoke) -> Done:
        """Call a handler, unless the run is to stop or the step keeps killing its worker."""
        if interruption := await self._interruption(scope):
            return interruption
        if self._guard.refuses(scope.record_id, DBOS.step_id or 0):
            return Done(self._read(_bug("The step killed its process too often.")), scope.signalled)
        seconds = self._seconds(command)
        if seconds is not None and seconds <= 0:
            return Done(self._failed("States.Timeout"), scope.signalled)
        call = create_task(to_thread(self._call, command))
        await wait({call}, timeout=seconds)
        in_time = call.done()
        # What a late handler still does must not happen behind the back of the states that follow.
        result = await call
        return Done(self._read(result) if in_time else self._failed("States.Timeout"), scope.signalled)

    def _seconds(self, command: Invoke) -> float | None:
        """Return how long a handler may take; a run may have been without a worker until its time was up."""
        left = None if command.until is None else command.until - self._clock()
        return min((each for each in (command.timeout_seconds, left) if each is not None), default=None)

    async def pause(self, scope: Scope, command: Wait) -> Done:
        """Wait until the command's time, which a restarted worker reads from the record again."""
        while True:
            if interruption := await self._interruption(scope):
                return interruption
            left = command.until - self._clock()
            if left <= 0:
                return Done(Elapsed(self._clock(), self._random()), scope.signalled)
            await sleep(min(left, GLANCE))

    async def gate(self, scope: Scope) -> None:
        """Wait for a branch's turn; its parent's `join` opens it."""
        await self._gates[scope.record_id].wait()

    async def join(self, scope: Scope, branches: Sequence[Branch], at_once: int, tolerated: int) -> Done:
        """Wait for every branch, `at_once` (0: all) in turn; more failures than tolerated stop the others."""
        ids = [branch.get_workflow_id() for branch in branches]
        tasks = [create_task(branch.get_result(polling_interval_sec=GLANCE)) for branch in branches]
        turns = iter(ids)
        self._open(islice(turns, at_once))
        left, failures = set(tasks), 0
        while left:
            ended, left = await wait(left, return_when=FIRST_COMPLETED)
            failures += sum(not _succeeded(task.result()) for task in ended)
            failed = failures > tolerated
            if failed:
                self._stopped.update(each for each, task in zip(ids, tasks, strict=True) if task in left)
            self._open(turns if failed else islice(turns, len(ended)))
        self._forget(ids)
        return self._joined(scope, [task.result() for task in tasks])

    def _joined(self, scope: Scope, results: list[dict[str, Json]]) -> Done:
        signalled = scope.signalled or any(result["signalled"] for result in results)
        if self._is_stopped(scope):
            return Done(None, signalled)
        finishes = tuple(result["finish"] and Finish.from_json(result["finish"]) for result in results)
        return Done(BranchesFinished(finishes, self._clock(), self._random()), signalled)

    def _open(self, ids: Iterable[str]) -> None:
        for each in ids:
            self._gates[each].set()

    def _forget(self, ids: Iterable[str]) -> None:
        for each in ids:
            self._gates.pop(each, None)
            self._stopped.discard(each)

    def _is_stopped(self, scope: Scope) -> bool:
        return not self._stopped.isdisjoint(scope.lineage)

    async def _interruption(self, scope: Scope) -> Done | None:
        if self._is_stopped(scope):
            return Done(None, scope.signalled)
        if not scope.signalled and await to_thread(self._store.cancelled, scope.run_id):
            return Done(self._failed(ErrorCode.CANCELLED.value), signalled=True)
        return None

    def _failed(self, error: str) -> TaskFailed:
        return TaskFailed(error, None, self._clock(), self._random())

    def _read(self, result: Any) -> Outcome:
        return outcome_of(result, at=self._clock(), random=self._random())

    def _call(self, command: Invoke) -> Any:
        try:
            return _copy(self._resolver(command.resource)(_copy(command.parameters)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the border: whatever a handler does is data
            # Its text may hold anything, so nobody gets to see it.
            _log.error("The handler of %s raised %s", command.state, type(error).__name__)
            return _bug(f"The handler raised {type(error).__name__}.")


def _copy(value: Json) -> Json:
    """Return what the record would give back, so that a live run goes on as a replay does."""
    return json.loads(json.dumps(value, allow_nan=False))


def _bug(message: str) -> dict[str, Any]:
    return PermanentError(ErrorCode.INTERNAL, message).envelope()


def _succeeded(result: dict[str, Json]) -> bool:
    return bool(result["finish"] and result["finish"]["status"] == Status.SUCCEEDED)
