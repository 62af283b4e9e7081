"""Carry a run out and say how it ended: progress, interruption, result, exit code."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from cli.options import App
from cli.output import cell, explain, facts, show, table
from cli.progress import progress
from shared.errors import ErrorCode, ErrorData
from shared.events import EventKind
from shared.run_data import read_failure

if TYPE_CHECKING:
    from cli.composition import Composition
    from workflow.engines.embedded import RunView


class Exit(IntEnum):
    """What the process says when it ends."""

    OK = 0
    FAILED = 1
    REFUSED = 2
    CANCELLED = 3
    DIFFERS = 4
    LEFT = 130


EXITS = """\b
Exit codes:
  0    done as asked
  1    failed; what was made is rolled back, kept if the request says so, or named as left
  2    refused: wrong usage, input or credentials, or a safety rule; nothing was created
  3    cancelled: an exposure is rolled back, a withdrawal stops where it is
  4    verified, and not all is as it should be
  130  left by Ctrl-C; a run that had not ended goes on with the next worker"""


def carry_out(app: App, request: dict[str, Any]) -> None:
    """Queue a request, work until its run ends, show the result and exit."""
    with app.compose() as composed:
        view = follow(app, composed, composed.enqueue(request).run_id)
    raise SystemExit(report(app, view))


def follow(app: App, composed: Composition, run_id: str) -> RunView:
    """Work, or watch whoever works, until the run ends; Ctrl-C cancels it, twice leaves it."""
    others = _others(composed, run_id)
    if others and not app.quiet:
        click.echo(f"Also not ended, and worked as well: {_named(others)}.", err=True)
    with progress(quiet=app.quiet) as shown, _interruptible(composed, run_id):
        view = composed.engine.work_until_done(run_id, shown.tell)
    left = _others(composed, run_id) if others else []
    if left and not app.quiet:
        click.echo(f"Still not ended; `dcs-access serve` goes on with it: {_named(left)}.", err=True)
    return view


def _others(composed: Composition, run_id: str) -> list[RunView]:
    return [each for each in composed.engine.unended() if each.run_id != run_id]


def _named(views: list[RunView]) -> str:
    return ", ".join(f"{view.machine} {view.key} (run {view.run_id})" for view in views)


@contextmanager
def _interruptible(composed: Composition, run_id: str) -> Iterator[None]:
    def cancel() -> None:
        composed.engine.cancel(run_id)
        click.echo(
            "Cancelling: an exposure is rolled back, a withdrawal stops where it is; "
            "Ctrl-C again leaves that to the next worker.",
            err=True,
        )

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not here: the interrupted code may hold the store's locks, or be in the middle of a line.
        Thread(target=cancel).start()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"Run {run_id} goes on with `dcs-access serve`.", err=True)
        raise SystemExit(Exit.LEFT) from None
    finally:
        signal.signal(signal.SIGINT, before)


def report(app: App, view: RunView) -> Exit:
    """Show how a run ended: the event on standard output, a failure on standard error too."""
    event = event_of(view)
    if event is None:
        error = read_failure({"Error": view.error, "Cause": view.cause})
        explain(error)
        click.echo(f"  run     {view.run_id}", err=True)
        return Exit.CANCELLED if error.code is ErrorCode.CANCELLED else Exit.FAILED
    if not view.output["delivered"]:
        click.echo("The event did not reach every sink; it stays in the run's record.", err=True)
    return tell(app, event)


def tell(app: App, event: Mapping[str, Any]) -> Exit:
    """Show the event of a run: on standard output, a failure on standard error too."""
    show(event, app.output, lambda: summary(event))
    error = event["data"]["error"]
    if error:
        explain(ErrorData.model_validate(error))
    return exit_of(event)


def is_of_run(event: Mapping[str, Any], run: str, request_id: str) -> bool:
    """Whether an event tells of a run, or of its request where that came to no run."""
    data: Mapping[str, Any] = event["data"]
    return bool(run == data.get("run_id") or request_id == data.get("request_id"))


def event_of(view: RunView) -> dict[str, Any] | None:
    """The event in a run's output; none while it runs, or if the engine itself failed."""
    event: dict[str, Any] | None = (view.output or {}).get("event")
    return event


def exit_of(event: Mapping[str, Any]) -> Exit:
    """The exit code that an event stands for."""
    kind = EventKind(event["type"].rpartition(".")[2])
    if kind in {EventKind.COMPLETED, EventKind.REPAIRED, EventKind.WITHDRAWN}:
        return Exit.OK
    if event["data"]["error"]["code"] == ErrorCode.CANCELLED:
        return Exit.CANCELLED
    return Exit.REFUSED if kind is EventKind.REJECTED else Exit.FAILED


def summary(event: Mapping[str, Any]) -> str:
    """An event as people read it."""
    data = event["data"]
    kind = event["type"].rpartition(".")[2].capitalize()
    instance, endpoint, health = data["instance"] or {}, data["endpoint"] or {}, data["health"] or {}
    head = {
        "instance": " ".join(filter(None, (instance.get("name"), instance.get("id"), instance.get("node")))),
        "endpoint": f"{endpoint['address']}:{endpoint['port']}" if endpoint else None,
        "clients": data["request"].get("allow"),
        "health": ", ".join(filter(None, (health.get("status"), health.get("reason_code")))),
        "probe": data["probe"],
        "expires": data["expires_at"],
        "run": data["run_id"],
    }
    parts = [f"{kind}: exposure {cell(data['exposure'])}", facts(head)]
    if data["resources"]:
        parts += ["", table(data["resources"], ("did", "kind", "id", "reason"))]
    if data.get("repaired"):
        parts += ["", table(data["repaired"], ("kind", "id", "field", "before", "after"))]
    parts += [f"Note {finding['code']}: {finding['message']}" for finding in data["findings"]]
    return "\n".join(parts)
