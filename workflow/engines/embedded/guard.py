"""What keeps a step that kills its process from killing every process after it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TypedDict

from workflow.engines.embedded.store import RunStore

MOST_DEATHS = 10


class _Frontier(TypedDict):
    steps: int
    deaths: int


class PoisonGuard:
    """Counts how often workers died while a run or branch stood at the same step.

    A worker that leaves in order is no death, and a recorded step starts the count anew.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._path = store.folder / "worker.json"
        self._frontiers: dict[str, _Frontier] = {}

    def open(self) -> None:
        """Note that a worker starts; only the holder of the worker's lock may."""
        before, died = self._last()
        self._frontiers = {
            workflow_id: self._frontier(workflow_id, before.get(workflow_id), died=died)
            for workflow_id in self._store.pending()
        }
        self._write(running=True)

    def close(self) -> None:
        """Note that the worker left in order."""
        self._write(running=False)

    def refuses(self, workflow_id: str, step_id: int) -> bool:
        """Whether a step (counted from 1) has killed too many workers to be tried again."""
        frontier = self._frontiers.get(workflow_id)
        return frontier is not None and frontier["steps"] == step_id - 1 and frontier["deaths"] >= MOST_DEATHS

    def _frontier(self, workflow_id: str, before: _Frontier | None, *, died: bool) -> _Frontier:
        steps = self._store.steps_done(workflow_id)
        same = before["deaths"] if before is not None and before["steps"] == steps else 0
        return {"steps": steps, "deaths": same + died}

    def _last(self) -> tuple[dict[str, _Frontier], bool]:
        # A file cut short by a power failure only loses a count.
        with suppress(FileNotFoundError, json.JSONDecodeError, KeyError):
            data = json.loads(self._path.read_text())
            return data["frontiers"], data["running"]
        return {}, False

    def _write(self, *, running: bool) -> None:
        # On a full disk the count is lost, too; the store itself says what is wrong.
        with suppress(OSError):
            self._path.write_text(json.dumps({"running": running, "frontiers": self._frontiers}))
