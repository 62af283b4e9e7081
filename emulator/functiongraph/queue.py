"""Asynchronous invocations: persisted, delivered at least once, tried again, their outcome passed on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from emulator.core.problems import Refusal
from emulator.core.resources import owned
from emulator.functiongraph.destinations import Outcome, tell
from emulator.functiongraph.models import AsyncConfig, Function, Queued, QueueStatus, request_id_of
from emulator.functiongraph.running import OverCapacity, Throttled
from emulator.functiongraph.runtime.spec import KernelCode, RunResult
from emulator.functiongraph.urns import LATEST, Urn

if TYPE_CHECKING:
    from emulator.account import Account

HISTORY = 1000


class Queue:
    """The queue of the account; the state holds it, the outbox says when to look."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def entries(self) -> dict[str, Queued]:
        """What waits, runs and has run, oldest first."""
        return self._account.world.functiongraph.invocations

    def resume(self) -> None:
        """Go on with what a saved world left waiting."""
        for queued in self.entries.values():
            if not queued.over:
                self._schedule(queued)

    def new_request_id(self) -> str:
        """The id of the next request."""
        world = self._account.world
        world.ids_issued += 1
        return request_id_of(f"request/{world.seed}/{world.ids_issued}")

    def put(self, urn: Urn, payload: str, source: str) -> str:
        """Queue an invocation and give its request id; dials may let it come late, or twice."""
        request_id = self.new_request_id()
        events, state = self._account.dials.events, self._account.functiongraph.state
        state.queued += 1
        late = events.late_seconds if events.late_every and state.queued % events.late_every == 0 else 0.0
        twice = events.duplicate_every is not None and state.queued % events.duplicate_every == 0
        for _ in range(2 if twice else 1):
            queued = self._account.add(
                self.entries,
                Queued,
                "functiongraph",
                urn.project_id,
                request_id=request_id,
                function_urn=str(urn),
                payload=payload,
                source=source,
                due_at=self._account.now() + late,
            )
            self._schedule(queued)
        self._forget_old()
        return request_id

    def cancel(self, project_id: str, request_id: str) -> bool:
        """Let an invocation not be tried any more, and stop it if it runs.

        Returns:
            Whether there was one that had not ended.
        """
        mine = owned(self.entries, project_id)
        found = [one for one in mine if one.request_id == request_id and not one.over]
        for queued in found:
            if queued.status == "RUNNING":
                self._account.functiongraph.running.cancel(request_id)
            self._end(queued, "DISCARD" if queued.status == "WAIT" else "FAIL", KernelCode.CANCELED, "canceled")
        return bool(found)

    def _schedule(self, queued: Queued) -> None:
        self._account.outbox.put(self._deliver, queued.due_at)

    def _deliver(self) -> None:
        with self._account.lock:
            queued = self._next()
            work = self._begin(queued) if queued else None
        if queued is None or work is None:
            return
        result = work()
        with self._account.lock:
            # It may have been cancelled meanwhile, and nobody waits for the result.
            if queued.status == "RUNNING":
                self._settle(queued, result)

    def _next(self) -> Queued | None:
        now = self._account.now()
        due = [one for one in self.entries.values() if one.status == "WAIT" and one.due_at <= now]
        if not due:
            return None
        return due[-1 if self._account.dials.events.order == "newest" else 0]

    def _begin(self, queued: Queued) -> Callable[[], RunResult] | None:
        """Take a place for an invocation; None if it has to wait, or was given up."""
        urn, now = Urn.parse(queued.function_urn), self._account.now()
        try:
            function, version = self._account.functiongraph.resolve(urn)
        except Refusal as gone:
            self._end(queued, "DISCARD", KernelCode.HANDLER_NOT_FOUND, gone.message)
            return None
        if now > queued.created_at + config_for(function, urn).max_async_event_age_in_seconds:
            self._give_up(queued, "DISCARD", Outcome("EventAgeExceeded", KernelCode.CANCELED, queued.error_message))
            return None
        try:
            work = self._account.functiongraph.running.start(
                function, version, queued.request_id, queued.payload.encode(), urn.alias
            )
        except Throttled:
            self._postpone(queued, 1)
            return None
        except OverCapacity as refusal:
            self._give_up(queued, "DISCARD", Outcome("OverCapacity", KernelCode.OVERLOADED, refusal.message))
            return None
        except Refusal as refusal:
            self._end(queued, "FAIL", KernelCode.START_FAILED, refusal.message)
            return None
        queued.status, queued.attempts = "RUNNING", queued.attempts + 1
        queued.started_at = queued.started_at or now
        return work

    def _settle(self, queued: Queued, result: RunResult) -> None:
        body = result.body.decode(errors="replace")
        queued.error_code, queued.error_message = int(result.error_code), body
        if result.error_code == KernelCode.OVERLOADED:
            queued.attempts -= 1
            self._postpone(queued, 1)
        elif result.error_code == KernelCode.FINE:
            self._give_up(queued, "SUCCESS", Outcome("", KernelCode.FINE, body))
        elif queued.attempts <= self._config(queued).max_async_retry_attempts:
            self._postpone(queued, queued.attempts)
        else:
            self._give_up(queued, "FAIL", Outcome("RetriesExhausted", result.error_code, body))

    def _postpone(self, queued: Queued, attempt: int) -> None:
        wait = self._account.dials.async_retry_seconds * 2 ** (attempt - 1)
        queued.status, queued.due_at = "WAIT", self._account.now() + wait
        self._schedule(queued)

    def _give_up(self, queued: Queued, status: QueueStatus, outcome: Outcome) -> None:
        """End an invocation and tell where its outcome is to go."""
        try:
            function, version = self._account.functiongraph.resolve(Urn.parse(queued.function_urn))
        except Refusal:
            self._end(queued, status, outcome.code, outcome.body)
            return
        config = self._config(queued)
        target = config.on_failure if outcome.condition else config.on_success
        tell(self._account, function.versions[version], queued, target, outcome)
        self._end(queued, status, outcome.code, outcome.body if outcome.condition else "")

    def _end(self, queued: Queued, status: QueueStatus, code: int, message: str) -> None:
        queued.status, queued.error_code, queued.error_message = status, int(code), message
        queued.ended_at, queued.payload = self._account.now(), ""

    def _config(self, queued: Queued) -> AsyncConfig:
        urn = Urn.parse(queued.function_urn)
        try:
            return config_for(self._account.functiongraph.function(urn), urn)
        except Refusal:
            return AsyncConfig(max_async_retry_attempts=0)

    def _forget_old(self) -> None:
        over = [one.id for one in self.entries.values() if one.over]
        for queued_id in over[: max(0, len(over) - HISTORY)]:
            del self.entries[queued_id]


def config_for(function: Function, urn: Urn) -> AsyncConfig:
    """The settings of a version or alias; without any, nothing is tried again."""
    return function.async_configs.get(urn.qualifier or LATEST) or AsyncConfig(max_async_retry_attempts=0)


def queued_payload(event: Any) -> str:
    """An event as the queue keeps it."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)
