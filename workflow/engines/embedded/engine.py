"""The embedded engine: queue, follow, cancel from any process; work from the one that holds the lock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from random import SystemRandom
from threading import Lock
from typing import Any

from shared.errors import ErrorCode, PermanentError
from workflow.engines import Resolver
from workflow.engines.embedded.guard import PoisonGuard
from workflow.engines.embedded.lock import ProcessLock
from workflow.engines.embedded.runner import Runner
from workflow.engines.embedded.steps import Steps
from workflow.engines.embedded.store import HistoryReader, RunStore, content_digest
from workflow.engines.embedded.view import RunStatus, RunView, run_status, view_of
from workflow.engines.embedded.worker import Worker
from workflow.interpreter import HistoryEvent
from workflow.language import Machine, parse

_CHANCE = SystemRandom()
# Seconds between two looks: of a follower at a run, of a waiting process at the worker's lock.
_LOOK = 0.05
# DBOS is one per process, whatever the number of engines.
_AT_WORK = Lock()


class EmbeddedEngine:
    """Durable runs in a folder of their own.

    Any process may queue, look, follow and cancel; whoever holds the worker's lock runs what is queued,
    one run at a time per key and others in parallel. A killed worker's runs go on in the next one:
    handlers are called at least once, outcomes and history are written exactly once.
    """

    def __init__(
        self,
        store: Path,
        resolver: Resolver,
        machines: Mapping[str, Machine],
        *,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = _CHANCE.random,
    ) -> None:
        self._store = RunStore(store)
        self._lock = ProcessLock(store / "worker.lock")
        self._resolver, self._machines = resolver, machines
        self._clock, self._random = clock, random

    def close(self) -> None:
        """Let go of the store."""
        self._store.client.destroy()

    def enqueue(
        self,
        machine: str,
        *,
        request_id: str,
        key: str,
        input: Any,  # noqa: A002  # the States Language's own word
        run_id: str | None = None,
    ) -> RunView:
        """Queue a run of a machine as it is now; a request that came before gets its first run.

        `run_id` must depend on nothing but the request id, which is what makes two deliveries one run.

        Raises:
            PermanentError: `RequestReused` when the request came before with other content.
        """
        digest = content_digest(machine, key, input)
        job = {"machine": machine, "definition": json.dumps(self._machines[machine].source), "input": input}
        facts = {
            "request_id": request_id,
            "machine": machine,
            "key": key,
            "content": digest,
            "created": self._clock(),
        }
        status = self._store.put(run_id or run_id_of(request_id), key=key, job=job, facts=facts)
        first = status.attributes or {}
        if (first["request_id"], first["content"]) != (request_id, digest):
            raise PermanentError(
                ErrorCode.REQUEST_REUSED,
                f"Request {request_id} came before with other content.",
                field="request_id",
                advice="Give a new request a new id.",
            )
        return view_of(status)

    def run(self, run_id: str) -> RunView:
        """Return a run with its input and history.

        Raises:
            PermanentError: `NotFound`.
        """
        status = self._store.get(run_id, with_input=True)
        return view_of(status, tuple(HistoryReader(self._store, run_id).new()))

    def machine_of(self, run_id: str) -> Machine:
        """Return the machine a run goes through: as it was when the run was queued.

        Raises:
            PermanentError: `NotFound`.
        """
        return parse(self._store.definition(run_id))

    def runs(self, *, key: str | None = None, status: Collection[RunStatus] = ()) -> list[RunView]:
        """Return the runs of a key and in a status, or all; the newest first, without input and history."""
        views = sorted(map(view_of, self._store.all()), key=lambda view: view.created, reverse=True)
        return [view for view in views if key in (None, view.key) and (not status or view.status in status)]

    def unended(self) -> list[RunView]:
        """Return the runs that wait or are worked, without input and history; those that ended are not read."""
        return list(map(view_of, self._store.unended()))

    def follow(self, run_id: str, timeout: float | None = None) -> Iterator[HistoryEvent]:
        """Yield a run's events from its first, until it ends or `timeout` seconds have passed.

        Raises:
            PermanentError: `NotFound`.
        """
        reader = HistoryReader(self._store, run_id)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            ended = self._ended(run_id)
            yield from reader.new()
            if ended or (deadline is not None and time.monotonic() >= deadline):
                return
            time.sleep(_LOOK)

    def cancel(self, run_id: str) -> RunView:
        """Signal a run to stop: its next Task or wait fails with `Cancelled`, once; a run that ended stays.

        Raises:
            PermanentError: `NotFound`.
        """
        status = self._store.get(run_id)
        if not run_status(status).ended:
            self._store.cancel(run_id)
        return view_of(self._store.get(run_id))

    def work(self, until: Callable[[], bool] = lambda: False) -> None:
        """Be the worker, as soon and as long as no other process is, until told to stop.

        Handlers at work are waited for on leaving; what they did is recorded for the next worker.
        """
        while not until():
            if self._take():
                try:
                    self._work(until)
                finally:
                    self._leave()
            else:
                time.sleep(_LOOK)

    def work_until_done(self, run_id: str, tell: Callable[[HistoryEvent], None] = lambda _: None) -> RunView:
        """Be the worker or follow another one until a run ends; tell its events as they come.

        Raises:
            PermanentError: `NotFound`.
        """
        reader = HistoryReader(self._store, run_id)

        def done() -> bool:
            ended = self._ended(run_id)
            for event in reader.new():
                tell(event)
            return ended

        self.work(done)
        return self.run(run_id)

    def prune(self, older_than: float) -> list[str]:
        """Delete the runs that ended before a time (epoch seconds); return which.

        Their requests are forgotten too: keep runs longer than a sender may deliver a request again.
        """
        return self._store.delete_ended(older_than)

    def _ended(self, run_id: str) -> bool:
        return run_status(self._store.get(run_id)).ended

    def _work(self, until: Callable[[], bool]) -> None:
        guard = PoisonGuard(self._store)
        steps = Steps(self._store, guard, self._resolver, clock=self._clock, random=self._random)
        runner = Runner(self._store, steps)
        with Worker(self._store, guard, runner):
            while not until():
                if runner.failure is not None:
                    raise runner.failure
                time.sleep(_LOOK)

    def _take(self) -> bool:
        if not _AT_WORK.acquire(blocking=False):
            return False
        if self._lock.acquire():
            return True
        _AT_WORK.release()
        return False

    def _leave(self) -> None:
        self._lock.release()
        _AT_WORK.release()


def run_id_of(request_id: str) -> str:
    """Return the id of a request's run: the same for the same request, wherever it is delivered."""
    return f"run-{sha256(request_id.encode()).hexdigest()[:20]}"
