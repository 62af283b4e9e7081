"""A run as it travels from invocation to invocation, and what becomes of one that cannot be carried on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from shared.errors import AccessError, ErrorCode, ErrorData, PermanentError, TemporaryError
from shared.logs import Log
from shared.request import notify_of
from shared.services import Services
from shared.sinks import deliver
from shared.starting import request_in
from workflow.engines.functiongraph.hop import Called, OutOfTimeError, Platform, hop
from workflow.engines.tree import RunTree
from workflow.interpreter import DefinitionChangedError, Finish, StartContext, Status, start
from workflow.language import Machine

Json = Any

LARGEST_EVENT = 262_144
"""Bytes of an asynchronous invocation's event (FunctionGraph: notes and constraints)."""

_ADVICE = "Withdraw the exposure, or send the request again under a new request_id: it takes over what is there."
_WHY = {
    DefinitionChangedError: "A deployment has changed the machine of the run while it was under way.",
    OutOfTimeError: "The time-out of the engine's function is too short for a step.",
}


class LostRunError(Exception):
    """The run cannot be carried on, and has been told to have failed; the platform hears of it by this."""


@dataclass
class Run:
    """One run of a machine, between two rounds of its Tasks; `round` counts its hand-overs."""

    id: str
    machine: str
    tree: RunTree
    round: int = 0

    def event(self) -> dict[str, Json]:
        """The event that hands the run over.

        Raises:
            PermanentError: `Refused`, it is too large to travel.
        """
        hop = {"run": self.id, "machine": self.machine, "round": self.round + 1, "tree": self.tree.to_json()}
        event = {"hop": hop}
        size = len(json.dumps(event))
        if size > LARGEST_EVENT:
            raise PermanentError(
                ErrorCode.REFUSED,
                f"The run's state has {size} bytes, and {LARGEST_EVENT} can be handed over.",
                resource=self.id,
                advice="Ask for less at once, or use the embedded engine.",
            )
        return event


class Passed:
    """How far runs have come by the hands of one instance, as long as it lives; the oldest are forgotten.

    Each delivery that comes twice, or again because its answer was lost, hands the run over once more, and each of
    those may come twice again. What the instance has handed over is with the platform, which delivers it: an event
    of this round or one before it has nothing to add. Only a hint, since another instance does not know.
    """

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._rounds: dict[tuple[str, str], float] = {}

    def note(self, run: Run, *, ended: bool) -> None:
        """Remember that a run was handed over or has ended."""
        begun = self._begun(run)
        self._rounds[begun] = max(inf if ended else run.round, self._rounds.pop(begun, 0))
        if len(self._rounds) > self._most:
            del self._rounds[next(iter(self._rounds))]

    def has(self, run: Run) -> bool:
        """Whether a run has come further than its event says."""
        return self._rounds.get(self._begun(run), -1) >= run.round

    def _begun(self, run: Run) -> tuple[str, str]:
        # A request that is sent once more begins once more.
        return run.id, run.tree.root.context["Execution"]["StartTime"]


@dataclass(frozen=True)
class Engine:
    """What an invocation works with; `machines` finds a machine by its name, `ended` hears of a run's output."""

    platform: Platform
    services: Services
    machines: Callable[[str], Machine]
    ended: Callable[[Run, Finish], None]
    log: Log
    passed: Passed

    def work(self, event: Any) -> dict[str, Any]:
        """Take up the run in an event, carry it on, and hand it over or end it.

        Returns:
            The run, and how it ended if it did.

        Raises:
            TemporaryError: the platform has to deliver the event once more.
            LostRunError: no delivery will help.
        """
        run: Run | None = None
        try:
            run = self._take_up(event)
            if self.passed.has(run):
                self.log(run=run.id, round=run.round, delivered="again")
                return {"run": run.id}
            return self._carry_on(run)
        except TemporaryError:
            raise
        except Exception as problem:  # noqa: BLE001  # the border of the process: no run ends without an event
            error = _error_of(problem)
            self._tell_lost(_named(event), run, event, error)
            raise LostRunError(f"{error.code}: {error.message}") from None

    def _take_up(self, event: Any) -> Run:
        world = {"clock": self.platform.clock, "random": self.platform.random}
        if "hop" in event:
            saved = event["hop"]
            tree = RunTree.from_json(self.machines(saved["machine"]), saved["tree"], **world)
            return Run(saved["run"], saved["machine"], tree, saved.get("round", 0))
        asked = event["start"]
        run, machine = asked["run"], self.machines(asked["machine"])
        context = StartContext(run, self.platform.clock(), name=run, machine_name=asked["machine"])
        started = start(machine, asked["input"], context, random=self.platform.random())
        return Run(run, asked["machine"], RunTree.begin(machine, started, **world))

    def _carry_on(self, run: Run) -> dict[str, Any]:
        if hop(run.tree, self.platform, lambda called: self._note(run, called)):
            self.platform.hand_over(run.event())
            self.passed.note(run, ended=False)
            return {"run": run.id}
        end = run.tree.end
        assert end, "a run that is not handed over has ended"
        if end.status is not Status.SUCCEEDED:
            raise PermanentError(ErrorCode.INTERNAL, f"The machine {run.machine} ended with {end.error}.")
        self.ended(run, end)
        self.passed.note(run, ended=True)
        output = end.output if isinstance(end.output, Mapping) else {}
        # There is no record to keep an event in that nobody took; the log is what there is.
        undelivered = output.get("event") if output.get("delivered") is False else None
        self.log(run=run.id, machine=run.machine, outcome=output.get("outcome"), undelivered=undelivered)
        return {"run": run.id, "outcome": output.get("outcome")}

    def _note(self, run: Run, called: Called) -> None:
        self.log(run=run.id, step=called.state, error=called.error, ms=round(called.seconds * 1000))

    def _tell_lost(self, run_id: str | None, run: Run | None, event: Any, error: ErrorData) -> None:
        """Tell with all that the run knows; who gets the failed invocation tells again what cannot be told here."""
        self.log(run=run_id, error=error.code, message=error.message)
        if run_id is None:
            return
        from shared.events import EventKind, build_event  # noqa: PLC0415  # only a lost run needs it

        request = request_in(event)
        known = [execution.input for execution in run.tree.executions] if run else []
        cloud = self.services.cloud
        told = build_event(
            EventKind.FAILED,
            run=run_id,
            request=request,
            data={"known": known, "failure": {"Error": error.code, "Cause": error.model_dump_json(exclude_none=True)}},
            region=cloud.region,
            project_id=cloud.project_id,
            time=self.services.now(),
        ).to_json()
        for problem in deliver(self.services.sinks(notify_of(request)), told):
            self.log(run=run_id, error=problem.code, message=problem.data.message)


def _error_of(problem: Exception) -> ErrorData:
    """Only the class of an unforeseen exception is told, for its text may hold anything."""
    if isinstance(problem, AccessError):
        return problem.data.model_copy(update={"advice": problem.data.advice or _ADVICE})
    why = _WHY.get(type(problem), f"The engine cannot carry the run on ({type(problem).__name__}).")
    return ErrorData(code=ErrorCode.INTERNAL, message=why, advice=_ADVICE)


def _named(event: Any) -> str | None:
    """The run that an event is about, even if it can be read no further."""
    for kind in ("hop", "start"):
        named = event.get(kind) if isinstance(event, Mapping) else None
        if isinstance(named, Mapping) and isinstance(named.get("run"), str):
            return str(named["run"])
    return None
