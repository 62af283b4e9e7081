"""Asynchronous invocations: persisted, delivered at least once, tried again, their outcome passed on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from emulator.core.problems import Refusal
from emulator.core.resources import owned
from emulator.core.times import with_millis
from emulator.functiongraph.models import AsyncConfig, Destination, Function, Queued, request_id_of
from emulator.functiongraph.running import OverCapacity, Throttled
from emulator.functiongraph.runtime.spec import KernelCode, RunResult
from emulator.functiongraph.urns import Urn

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

    def put(self, urn: Urn, payload: str, source: str) -> str:
        """Queue an invocation and give its request id."""
        state = self._account.world
        state.ids_issued += 1
        request_id = request_id_of(f"request/{state.seed}/{state.ids_issued}")
        events, count = self._account.dials.events, state.ids_issued
        late = events.late_seconds if events.late_every and count % events.late_every == 0 else 0.0
        copies = 2 if events.duplicate_every and count % events.duplicate_every == 0 else 1
        for _ in range(copies):
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
        """Let an invocation not be tried any more; what runs runs to its end, unheard. False if there is none."""
        mine = owned(self.entries, project_id)
        found = [one for one in mine if one.request_id == request_id and not one.over]
        for queued in found:
            self._end(queued, "FAIL" if queued.status == "RUNNING" else "DISCARD", KernelCode.CANCELED, "canceled")
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
            if queued.status == "RUNNING":
                self._settle(queued, result)

    def _next(self) -> Queued | None:
        now = self._account.now()
        due = [one for one in self.entries.values() if one.status == "WAIT" and one.due_at <= now]
        if not due:
            return None
        return due[-1 if self._account.dials.events.order == "newest" else 0]

    def _begin(self, queued: Queued) -> Any:
        now = self._account.now()
        urn = Urn.parse(queued.function_urn)
        try:
            function, version = self._account.functiongraph.resolve(urn)
        except Refusal as gone:
            return self._end(queued, "DISCARD", KernelCode.HANDLER_NOT_FOUND, gone.message)
        config = config_for(function, urn)
        if now > queued.created_at + config.max_async_event_age_in_seconds:
            return self._discard(queued, config, "EventAgeExceeded")
        try:
            work = self._account.functiongraph.running.start(
                function, version, queued.request_id, queued.payload.encode(), urn.alias
            )
        except Throttled:
            return self._postpone(queued, 1)
        except OverCapacity:
            return self._discard(queued, config, "OverCapacity")
        except Refusal as refusal:
            return self._end(queued, "FAIL", KernelCode.START_FAILED, refusal.message)
        queued.status, queued.attempts = "RUNNING", queued.attempts + 1
        queued.started_at = queued.started_at or now
        return work

    def _settle(self, queued: Queued, result: RunResult) -> None:
        try:
            function, _ = self._account.functiongraph.resolve(Urn.parse(queued.function_urn))
            config = config_for(function, Urn.parse(queued.function_urn))
        except Refusal:
            config = AsyncConfig(max_async_retry_attempts=0)
        if result.error_code == KernelCode.FINE:
            self._notify(queued, config.on_success, "", result)
            return self._end(queued, "SUCCESS", 0, "")
        if queued.attempts <= config.max_async_retry_attempts:
            queued.error_code, queued.error_message = result.error_code, result.body.decode(errors="replace")
            return self._postpone(queued, queued.attempts)
        self._notify(queued, config.on_failure, "RetriesExhausted", result)
        return self._end(queued, "FAIL", result.error_code, result.body.decode(errors="replace"))

    def _postpone(self, queued: Queued, attempt: int) -> None:
        wait = self._account.dials.async_retry_seconds * 2 ** (attempt - 1)
        queued.status, queued.due_at = "WAIT", self._account.now() + wait
        self._schedule(queued)

    def _discard(self, queued: Queued, config: AsyncConfig, condition: str) -> None:
        self._notify(queued, config.on_failure, condition, RunResult(500, b"", "", 0.0, 0.0))
        self._end(queued, "DISCARD", 500, condition)

    def _end(self, queued: Queued, status: Any, code: int, message: str) -> None:
        queued.status, queued.error_code, queued.error_message = status, int(code), message
        queued.ended_at, queued.payload = self._account.now(), ""

    def _notify(self, queued: Queued, target: Destination | None, condition: str, result: RunResult) -> None:
        if target is None:
            return
        record = destination_record(queued, condition, result, self._account.now())
        if target.destination == "FunctionGraph":
            self._account.functiongraph.invoke_async(target.target(), record, source="destination")

    def _forget_old(self) -> None:
        over = [one.id for one in self.entries.values() if one.over]
        for queued_id in over[: max(0, len(over) - HISTORY)]:
            del self.entries[queued_id]


def config_for(function: Function, urn: Urn) -> AsyncConfig:
    """The settings of a version or alias; without any, code errors are not tried again."""
    return function.async_configs.get(urn.qualifier or "latest") or AsyncConfig(max_async_retry_attempts=0)


def destination_record(queued: Queued, condition: str, result: RunResult, now: float) -> dict[str, Any]:
    """What a destination receives (FunctionGraph manual: asynchronous notification)."""
    system = result.error_code >= 500 and not KernelCode.HANDLER_NOT_FOUND <= result.error_code < 5000
    failed = result.error_code != KernelCode.FINE
    return {
        "timestamp": f"{with_millis(now + 8 * 3600)}+08:00",
        "request_context": {
            "request_id": queued.request_id,
            "function_urn": queued.function_urn,
            "condition": condition,
            "approximate_invoke_count": queued.attempts,
        },
        "request_payload": queued.payload,
        "response_context": {
            "status_code": 500 if system else 200,
            "function_error": result.body.decode(errors="replace") if failed else "",
        },
        "response_payload": result.body.decode(errors="replace"),
    }


def queued_payload(event: Any) -> str:
    """An event as the queue keeps it."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)
