"""A run as others see it, read from the engine's record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dbos import WorkflowStatus

from shared.errors import ErrorCode
from workflow.interpreter import HistoryEvent


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class RunView:
    """One run; times are epoch seconds.

    A list of runs has no `input` and `history`, nor the start of a run that has not ended.
    """

    run_id: str
    request_id: str
    machine: str
    key: str
    status: RunStatus
    created: float
    started: float | None = None
    ended: float | None = None
    cancelled: bool = False
    input: Any = None
    output: Any = None
    error: str | None = None
    cause: str | None = None
    history: tuple[HistoryEvent, ...] = ()


def view_of(status: WorkflowStatus, history: tuple[HistoryEvent, ...] = ()) -> RunView:
    """Read a run from its row; its input is there only if the row was read with it."""
    facts = status.attributes or {}
    ending = _ending(status)
    return RunView(
        run_id=status.workflow_id,
        request_id=facts["request_id"],
        machine=facts["machine"],
        key=facts["key"],
        status=run_status(status),
        created=facts["created"],
        started=history[0].at if history else ending.get("started"),
        ended=ending.get("ended"),
        cancelled=bool(facts.get("cancelled")),
        input=status.input["args"][0]["input"] if status.input else None,
        output=ending.get("output"),
        error=ending.get("error"),
        cause=ending.get("cause"),
        history=history,
    )


def run_status(status: WorkflowStatus) -> RunStatus:
    """Read where a run stands; one that a restarted worker has yet to take up again is running."""
    if status.status in ("ENQUEUED", "DELAYED") and not status.recovery_attempts:
        return RunStatus.QUEUED
    if status.status in ("ENQUEUED", "DELAYED", "PENDING"):
        return RunStatus.RUNNING
    return RunStatus(_ending(status)["status"])


def _ending(status: WorkflowStatus) -> dict[str, Any]:
    if status.status == "SUCCESS" and status.output:
        finish: dict[str, Any] = status.output["finish"]
        return finish | {"started": status.output["started"], "ended": status.output["ended"]}
    if status.status in ("ENQUEUED", "DELAYED", "PENDING"):
        return {}
    # A row that ended in any other way than by its machine is an error of ours.
    return {
        "status": "FAILED",
        "error": ErrorCode.INTERNAL.value,
        "cause": f"The engine says {status.status}.",
        "ended": (status.completed_at or 0) / 1000,
    }
