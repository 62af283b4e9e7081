"""The file with the runs, as every process may use it: put in, look, signal, delete."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from logging import CRITICAL, NullHandler, getLogger
from pathlib import Path
from sqlite3 import Error, connect
from typing import Any

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import ErrorCode, PermanentError
from workflow.engines.embedded.lock import ProcessLock
from workflow.interpreter import HistoryEvent

APPLICATION = "dcs-access"
# The protocol between recorded runs and this code. It changes when old records can no longer be replayed.
PROTOCOL = "asl-1"
QUEUE = "runs"
RUN = "asl.run.v1"
BRANCH = "asl.branch.v1"
POOL = 2
_SETUP_TIMEOUT = 30.0

LOG_LEVEL = CRITICAL

STORE_ERRORS: tuple[type[Exception], ...] = (Error, SQLAlchemyError)
"""What any use of the store may raise when its file or its disk fails."""

# DBOS writes to the console unless its logger has a handler, and its texts may hold data of a request.
getLogger("dbos").addHandler(NullHandler())
getLogger("dbos").setLevel(LOG_LEVEL)
getLogger("dbos").propagate = False


class RunStore:
    """Runs in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.url = f"sqlite:///{folder / 'runs.sqlite'}"
        self.serializer = DBOSPortableJSONSerializer()
        _set_up(folder, self.url)
        self.client = DBOSClient(
            system_database_url=self.url,
            system_database_pool_size=POOL,
            serializer=self.serializer,
            application_name=APPLICATION,
        )

    def put(self, run_id: str, *, key: str, job: dict[str, Any], facts: dict[str, Any]) -> WorkflowStatus:
        """Queue a run unless it is there already, and return the one that is there now."""
        self.client.enqueue(
            {
                "workflow_name": RUN,
                "queue_name": QUEUE,
                "workflow_id": run_id,
                "queue_partition_key": key,
                "app_version": PROTOCOL,
                "priority": self._place_in_line(key),
                "attributes": facts,
            },
            job,
        )
        return self.get(run_id)

    def _place_in_line(self, key: str) -> int:
        # The database dates rows by the second, so the time alone would let later runs of a key overtake.
        return 1 + max((row.priority or 0 for row in self.unended() if row.queue_partition_key == key), default=0)

    def get(self, run_id: str, *, with_input: bool = False) -> WorkflowStatus:
        """Return a run's row.

        Raises:
            PermanentError: `NotFound`.
        """
        rows = self.client.list_workflows(workflow_ids=[run_id], name=RUN, load_input=with_input)
        if not rows:
            raise PermanentError(
                ErrorCode.NOT_FOUND,
                f"There is no run {run_id}.",
                field="run_id",
                advice="List the runs of the same store to see what there is.",
            )
        return rows[0]

    def all(self) -> list[WorkflowStatus]:
        """Return every run's row."""
        return self.client.list_workflows(name=RUN, load_input=False)

    def unended(self) -> list[WorkflowStatus]:
        """Return the row of every run that waits or is worked."""
        return self.client.list_workflows(
            name=RUN, status=["ENQUEUED", "DELAYED", "PENDING"], load_input=False, load_output=False
        )

    def definition(self, run_id: str) -> str:
        """Return the definition a run was queued with."""
        text: str = _job(self.get(run_id, with_input=True))["definition"]
        return text

    def cancel(self, run_id: str) -> None:
        """Leave the signal to cancel a run."""
        self.client.update_workflow_attributes(run_id, {"cancelled": True}, merge=True)

    def cancelled(self, run_id: str) -> bool:
        """Whether the signal to cancel is there."""
        rows = self.client.list_workflows(workflow_ids=[run_id], load_input=False, load_output=False)
        return bool(rows and (rows[0].attributes or {}).get("cancelled"))

    def pending(self) -> list[str]:
        """Return the ids of the runs and branches that were being worked on when last written."""
        rows = self.client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return [row.workflow_id for row in rows]

    def steps_done(self, workflow_id: str) -> int:
        """Return how many steps of a run or branch are recorded."""
        return len(self.client.list_workflow_steps(workflow_id, load_output=False))

    def delete_ended(self, before: float) -> list[str]:
        """Delete the runs that ended before a time (epoch seconds), with their branches."""
        limit = datetime.fromtimestamp(before, UTC).isoformat()
        rows = self.client.list_workflows(name=RUN, completed_before=limit, load_input=False, load_output=False)
        ended = [row.workflow_id for row in rows]
        self.client.delete_workflows(ended, delete_children=True)
        return ended


class HistoryReader:
    """Reads a run's history as it grows, its branches' too; each event once."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self._client = store.client
        self._read = {run_id: 0}

    def new(self) -> list[HistoryEvent]:
        """Return the events recorded since the last call, in order of time."""
        events = [event for workflow_id in list(self._read) for event in self._more(workflow_id)]
        return sorted(events, key=lambda event: event.at)

    def _more(self, workflow_id: str) -> Iterable[HistoryEvent]:
        steps = self._client.list_workflow_steps(workflow_id, offset=self._read[workflow_id])
        self._read[workflow_id] += len(steps)
        for step in steps:
            for event in (step["output"] or {}).get("history", ()):
                yield HistoryEvent.from_json(event)
        for child in filter(None, (step["child_workflow_id"] for step in steps)):
            self._read[child] = 0
            yield from self._more(child)


def content_digest(machine: str, key: str, data: Any) -> str:
    """Return what tells one request's content from another's."""
    text = json.dumps([machine, key, data], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _job(status: WorkflowStatus) -> dict[str, Any]:
    assert status.input is not None
    job: dict[str, Any] = status.input["args"][0]
    return job


def _set_up(folder: Path, url: str) -> None:
    # Two first processes at once would collide in changing the journal mode.
    lock = ProcessLock(folder / "setup.lock")
    if not lock.acquire(_SETUP_TIMEOUT):
        raise TimeoutError(f"{folder} is being set up by another process for {_SETUP_TIMEOUT:.0f} s")
    try:
        # Webhooks of requests hold secrets; SQLite gives the mode of this file to those it puts beside it.
        (folder / "runs.sqlite").touch(mode=0o600)
        connection = connect(folder / "runs.sqlite")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        DBOS.migrate(url)
    finally:
        lock.release()
