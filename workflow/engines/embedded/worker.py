"""The one process that runs what is queued: DBOS launched, and left in order."""

from __future__ import annotations

from logging import getLevelName
from types import TracebackType
from typing import Self

from dbos import DBOS

from workflow.engines.embedded.guard import PoisonGuard
from workflow.engines.embedded.runner import Runner
from workflow.engines.embedded.store import APPLICATION, LOG_LEVEL, POOL, PROTOCOL, QUEUE, RunStore

# Seconds between two looks at the queue: one costs about 4 ms of a processor, idle or not.
_QUEUE_POLL = 0.1
# Nobody sends notifications; the interval only bounds how long DBOS takes to stop.
_LISTENER_POLL = 0.05
_EXECUTOR = "worker"


class Worker:
    """Works the queue between enter and exit; its caller holds the worker's lock."""

    def __init__(self, store: RunStore, guard: PoisonGuard, runner: Runner) -> None:
        self._store, self._guard, self._runner = store, guard, runner

    def __enter__(self) -> Self:
        self._guard.open()
        self._store.client.register_queue(QUEUE, partition_concurrency=1, polling_interval_sec=_QUEUE_POLL)
        self._runner.register()
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._store.url,
                "sys_db_pool_size": POOL,
                "serializer": self._store.serializer,
                "application_version": PROTOCOL,
                # Fixed, so that whoever holds the lock takes up what the last holder left.
                "executor_id": _EXECUTOR,
                "enable_otlp": False,
                "log_level": getLevelName(LOG_LEVEL),
                "notification_listener_polling_interval_sec": _LISTENER_POLL,
            }
        )
        DBOS.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.leave()
        finally:
            DBOS.destroy(destroy_registry=True)
        self._guard.close()
