"""One generic workflow for every machine: the interpreter's commands become recorded steps and branches."""

from __future__ import annotations

from asyncio import Event, to_thread
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache, partial
from time import sleep
from typing import Any

from dbos import DBOS

from workflow.engines.embedded.steps import Branch, Done, Scope, Steps
from workflow.engines.embedded.store import BRANCH, RUN, STORE_ERRORS, RunStore
from workflow.interpreter import (
    Execution,
    Finish,
    Fork,
    Invoke,
    Json,
    Outcome,
    StartContext,
    Transition,
    Wait,
    advance,
    outcome_from_json,
    outcome_to_json,
    start,
)
from workflow.language import Machine, parse

_BEGIN = "begin"
_DRAIN_GLANCE = 0.01

Transit = Callable[[Outcome], Transition]
Work = Callable[[Scope], Awaitable[Done]]


class Runner:
    """Runs executions by replaying their records: nothing but the record decides what comes next."""

    def __init__(self, store: RunStore, steps: Steps) -> None:
        self._store, self._steps = store, steps
        self._machines: dict[str, Machine] = {}
        self._calls: set[object] = set()
        self._leaving = False
        self.failure: Exception | None = None
        """Why the store failed; nothing can be recorded any more."""

    def register(self) -> None:
        """Tell DBOS the two workflows; restarts do not count against a run, so attempts are not limited."""

        async def run(job: dict[str, Any]) -> dict[str, Any]:
            return await self._kept(self._run(job))

        async def branch(job: dict[str, Any]) -> dict[str, Any]:
            return await self._kept(self._branch(job))

        DBOS.workflow(name=RUN, max_recovery_attempts=None)(run)
        self._branch_workflow = DBOS.workflow(name=BRANCH, max_recovery_attempts=None)(branch)

    def leave(self) -> None:
        """Begin nothing more, and return when the handlers at work are done and recorded."""
        self._leaving = True
        while self._calls:
            sleep(_DRAIN_GLANCE)

    async def _kept(self, work: Awaitable[dict[str, Json]]) -> dict[str, Json]:
        try:
            return await work
        except STORE_ERRORS as problem:
            # To end here would be an end without roll back; as the record stands, the next worker goes on.
            self.failure = problem
            await Event().wait()
            raise

    async def _run(self, job: dict[str, Json]) -> dict[str, Json]:
        run_id = DBOS.workflow_id or ""
        machine = self._machines[run_id] = _machine(job["definition"])

        def begin(begun: Outcome) -> Transition:
            context = StartContext(run_id, begun.at, name=run_id, machine_name=job["machine"])
            return start(machine, job["input"], context, random=begun.random)

        try:
            return await self._drive(Scope(run_id, (run_id,), signalled=False), machine, begin)
        finally:
            del self._machines[run_id]

    async def _branch(self, job: dict[str, Json]) -> dict[str, Json]:
        lineage = (*job["lineage"], DBOS.workflow_id or "")
        scope = Scope(job["run_id"], lineage, job["signalled"])
        machine = self._machines.get(scope.run_id)
        if machine is None:
            machine = await to_thread(self._stored_machine, scope.run_id)
        begin = partial(advance, machine, Execution.from_json(job["execution"]))
        if job["gated"]:
            await self._steps.gate(scope)
        return await self._drive(scope, machine, begin)

    def _stored_machine(self, run_id: str) -> Machine:
        return _machine(self._store.definition(run_id))

    async def _drive(self, scope: Scope, machine: Machine, begin: Transit) -> dict[str, Json]:
        scope, transition = await self._step(scope, _BEGIN, self._steps.begin, begin)
        started = transition and transition.execution.at
        while transition is not None:
            (command,) = transition.commands
            if isinstance(command, Finish):
                times = {"started": started, "ended": transition.execution.at}
                return {"finish": command.to_json(), "signalled": scope.signalled, **times}
            work = await self._work(scope, command)
            transit = partial(advance, machine, transition.execution)
            scope, transition = await self._step(scope, command.state, work, transit, calls=isinstance(command, Invoke))
        return {"finish": None, "signalled": scope.signalled}

    async def _work(self, scope: Scope, command: Invoke | Wait | Fork) -> Work:
        if isinstance(command, Invoke):
            return partial(self._steps.invoke, command=command)
        if isinstance(command, Wait):
            return partial(self._steps.pause, command=command)
        branches = [await self._fork(scope, execution, command) for execution in command.branches]
        return partial(
            self._steps.join, branches=branches, at_once=command.max_concurrency, tolerated=command.tolerated
        )

    async def _fork(self, scope: Scope, execution: Execution, command: Fork) -> Branch:
        job = {
            "run_id": scope.run_id,
            "lineage": list(scope.lineage),
            "signalled": scope.signalled,
            "gated": bool(command.max_concurrency),
            "execution": execution.to_json(),
        }
        return await DBOS.start_workflow_async(self._branch_workflow, job)

    async def _step(
        self, scope: Scope, name: str, work: Work, transit: Transit, *, calls: bool = False
    ) -> tuple[Scope, Transition | None]:
        """Do a step, or read its record; the history of what follows from it is part of the record."""
        ticket = object()

        async def recorded() -> dict[str, Json]:
            await self._admit(ticket, calls=calls)
            done = await work(scope)
            if done.outcome is None:
                return {"outcome": None, "signalled": done.signalled}
            history = [event.to_json() for event in transit(done.outcome).history]
            return {
                "outcome": outcome_to_json(done.outcome),
                "signalled": done.signalled,
                "history": history,
            }

        try:
            record = await DBOS.run_step_async({"name": name}, recorded)
        finally:
            self._calls.discard(ticket)
        outcome = record["outcome"]
        after = replace(scope, signalled=record["signalled"])
        return after, None if outcome is None else transit(outcome_from_json(outcome))

    async def _admit(self, ticket: object, *, calls: bool) -> None:
        if calls:
            self._calls.add(ticket)
        if self._leaving:
            self._calls.discard(ticket)
            await Event().wait()


@lru_cache(maxsize=32)
def _machine(definition: str) -> Machine:
    return parse(definition)
