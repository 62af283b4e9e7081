"""The queue: work it, look at its runs, cancel one, forget old ones."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import SystemRandom
from threading import Event
from time import time
from typing import TYPE_CHECKING, Any

import click

from cli.completion import run_ids
from cli.options import App, common, duration, examples
from cli.output import facts, moment, show, table
from cli.progress import Board, line
from cli.running import Exit, event_of, follow, report, summary
from cli.schedule import Schedule
from cli.verdicts import VerdictStore
from shared.errors import ErrorCode, PermanentError
from shared.masking import mask

if TYPE_CHECKING:
    from workflow.engines.embedded import RunView

_SHORTEST = timedelta(seconds=10)
_LEAST_AGE = timedelta(minutes=1)
_COLUMNS = ("run_id", "machine", "instance_id", "status", "created", "ended")


@click.command(epilog=examples("dcs-access serve", "dcs-access serve --verify-every 30m"))
@click.option("--verify-every", metavar="DURATION", help="Look at all exposures so often, and end what has expired.")
@click.option("--repair", is_flag=True, help="With --verify-every: repair what differs, whatever the records say.")
@common
def serve(app: App, verify_every: str | None, *, repair: bool) -> None:
    """Work the queue until stopped.

    Events go to standard output, one JSON object a line.
    A termination signal (SIGTERM, Ctrl-C) lets steps at work end; the next worker goes on from there.
    """
    if repair and verify_every is None:
        raise click.UsageError("--repair goes with --verify-every.")
    every = duration(verify_every, "--verify-every", _SHORTEST) if verify_every is not None else None
    expirer = f"dcs-access serve --verify-every {verify_every}" if every else None
    with app.compose(events_on_stdout=True, expirer=expirer) as composed, _stop_signal() as stop:
        if not app.quiet:
            click.echo(f"Working the queue of project {composed.cloud.project_id} in {composed.store}.", err=True)
        if every is None:
            composed.engine.work(stop.is_set)
            return
        schedule = Schedule(composed, every, repair=repair, clock=time, random=SystemRandom().random)

        def tick() -> bool:
            if not stop.is_set():
                schedule.poll()
            return stop.is_set()

        composed.engine.work(tick)


@contextmanager
def _stop_signal() -> Iterator[Event]:
    stop = Event()
    names = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(name, lambda *_: stop.set()) for name in names]
    try:
        yield stop
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)


@click.group()
def run() -> None:
    """Look at runs, cancel one, or forget old ones."""


@run.command("list")
@click.option("--instance", metavar="ID", help="Only the runs of this instance.")
@common
def list_(app: App, instance: str | None) -> None:
    """List the runs of the project, the newest first."""
    with app.compose() as composed:
        rows = [row(view) for view in composed.engine.runs(key=instance)]
    # For people one word: a run that ended in order may have ended in a refusal.
    brief = [{**each, "status": each["outcome"] or each["status"]} for each in rows]
    show(rows, app.output, lambda: table(brief, _COLUMNS))


@run.command("show")
@click.argument("run_id", shell_complete=run_ids)
@common
def show_(app: App, run_id: str) -> None:
    """Show a run: its request, the states it went through, its event."""
    with app.compose() as composed:
        view = composed.engine.run(run_id)
    show(whole(view), app.output, lambda: text(view))


@run.command()
@click.argument("run_id", shell_complete=run_ids)
@click.option("--no-wait", is_flag=True, help="Signal only; do not wait for the roll back.")
@common
def cancel(app: App, run_id: str, *, no_wait: bool) -> None:
    """Stop a run at its next step, and roll back what it made."""
    with app.compose() as composed:
        view = composed.engine.cancel(run_id)
        if view.status.ended and not view.cancelled:
            raise _too_late(view)
        if not no_wait:
            view = follow(app, composed, run_id)
    if not view.status.ended:
        show(row(view), app.output, lambda: f"{run_id} is cancelled by the next worker.")
        return
    raise SystemExit(Exit.OK if report(app, view) is Exit.CANCELLED else Exit.FAILED)


@run.command(epilog=examples("dcs-access run prune --older-than 30d"))
@click.option("--older-than", required=True, metavar="DURATION", help="How long ago they must have ended, such as 30d.")
@common
def prune(app: App, older_than: str) -> None:
    """Forget runs that ended long ago, and their requests: one that comes again is carried out again."""
    age = duration(older_than, "--older-than", _LEAST_AGE)
    with app.compose() as composed:
        gone = composed.engine.prune(time() - age.total_seconds())
        VerdictStore(composed.store).forget(gone)
    show({"deleted": len(gone)}, app.output, lambda: f"{len(gone)} run{'' if len(gone) == 1 else 's'} deleted.")


def _too_late(view: RunView) -> PermanentError:
    return PermanentError(
        ErrorCode.CONFLICT,
        f"Run {view.run_id} has ended before: {row(view)['outcome'] or view.status.value}.",
        field="run_id",
        advice="`dcs-access withdraw` takes an exposure down.",
    )


def row(view: RunView) -> dict[str, Any]:
    """A run in a list."""
    return {
        "run_id": view.run_id,
        "request_id": view.request_id,
        "machine": view.machine,
        "instance_id": view.key,
        "status": view.status.value,
        "outcome": (view.output or {}).get("outcome"),
        "created": moment(view.created),
        "started": moment(view.started),
        "ended": moment(view.ended),
    }


def whole(view: RunView) -> dict[str, Any]:
    """All there is to know of a run."""
    return {
        **row(view),
        "cancelled": view.cancelled,
        "request": mask((view.input or {}).get("request")),
        "history": [event.to_json() for event in view.history],
        "event": event_of(view),
    }


def text(view: RunView) -> str:
    """A run as people read it."""
    lines = [f"  {each.branch}{' ' if each.branch else ''}{line(each)}" for each in Board(view.history).rows]
    request = json.dumps(mask((view.input or {}).get("request")))
    parts = [facts({**row(view), "request": request}), "\n".join(lines)]
    if event := event_of(view):
        parts.append(summary(event))
        if error := event["data"]["error"]:
            parts.append(f"Error {error['code']}: {error['message']}")
    return "\n\n".join(filter(None, parts))
