"""What a run is doing, for the person who waits: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from workflow.interpreter import EventType, HistoryEvent

_SHOWN = frozenset({"Task", "Wait"})


@dataclass(frozen=True)
class Row:
    """One state that a run entered; times in epoch seconds, `mark` is one of running, waiting, done, failed."""

    state: str
    branch: str
    started: float
    mark: str = "running"
    attempts: int = 1
    ended: float | None = None
    note: str = ""


class Board:
    """The states of a run as its history tells them; events of one row come in order."""

    def __init__(self, events: Iterable[HistoryEvent] = ()) -> None:
        self.rows: list[Row] = []
        self._current: dict[str, int] = {}
        for event in events:
            self.add(event)

    def add(self, event: HistoryEvent) -> Row | None:
        """Take in one event; the row it changed, if it changed one."""
        if event.type is EventType.STATE_ENTERED:
            return self._enter(event)
        place = self._current.get(event.branch)
        if place is None or event.state != self.rows[place].state:
            return None
        changed = _changed(self.rows[place], event)
        if changed == self.rows[place]:
            return None
        self.rows[place] = changed
        return changed

    def _enter(self, event: HistoryEvent) -> Row | None:
        self._current.pop(event.branch, None)
        if event.state is None or event.state_type not in _SHOWN:
            return None
        self._current[event.branch] = len(self.rows)
        self.rows.append(Row(event.state, event.branch, event.at))
        return self.rows[-1]


def _changed(row: Row, event: HistoryEvent) -> Row:
    match event.type:
        case EventType.TASK_SCHEDULED:
            return replace(row, mark="running", attempts=event.attempt or row.attempts, note="")
        case EventType.RETRY_SCHEDULED:
            return replace(row, mark="waiting", note=f"{event.error}, again in {event.seconds or 0:.0f} s")
        case EventType.WAIT_STARTED:
            return replace(row, mark="waiting", note=f"for {event.seconds or 0:.0f} s")
        case EventType.STATE_EXITED:
            return replace(row, mark="done", ended=event.at, note="")
        case EventType.STATE_FAILED | EventType.STATE_CAUGHT:
            then = f", then {event.next}" if event.next else ""
            return replace(row, mark="failed", ended=event.at, note=f"{event.error}{then}")
        case _:
            return row


class Progress(Protocol):
    """Shows events as they come."""

    def tell(self, event: HistoryEvent) -> None:
        """Show one event."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Silence:
    """Shows nothing."""

    def tell(self, event: HistoryEvent) -> None:
        """Show nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class Lines(Silence):
    """One line for each state that ends or has to wait, with the time, on standard error."""

    def __init__(self) -> None:
        self._board = Board()

    def tell(self, event: HistoryEvent) -> None:
        """Write a line if there is news."""
        row = self._board.add(event)
        if row is not None and row.mark != "running":
            at = datetime.fromtimestamp(event.at, UTC).strftime("%H:%M:%S")
            click.echo(f"{at} {line(row)}", err=True)


class LiveBoard:
    """A table that is redrawn as the run goes on, on standard error."""

    def __init__(self, console: Console) -> None:
        self._board = Board()
        self._signs: dict[str, Spinner | Text] = {
            "running": Spinner("dots", style="cyan"),
            "waiting": Text("…", "yellow"),
            "done": Text("✓", "green"),
            "failed": Text("✗", "red"),
        }
        # Events for machines may go to standard output meanwhile.
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=8, redirect_stdout=False)

    def tell(self, event: HistoryEvent) -> None:
        """Take in one event; the next refresh shows it."""
        self._board.add(event)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def _draw(self) -> Table:
        drawn = Table(box=None, show_header=False, pad_edge=False)
        for row in list(self._board.rows):
            drawn.add_row(
                self._signs[row.mark],
                Text(row.state),
                Text(_tries(row), "dim"),
                Text(_took(row), "dim"),
                Text(row.note, "yellow"),
            )
        return drawn


def line(row: Row) -> str:
    """A row as one plain line."""
    details = ", ".join(part for part in (_took(row), _tries(row), row.note) if part)
    return f"{row.state} {row.mark}" + (f" ({details})" if details else "")


def _tries(row: Row) -> str:
    return f"attempt {row.attempts}" if row.attempts > 1 else ""


def _took(row: Row) -> str:
    return "" if row.ended is None else f"{row.ended - row.started:.1f} s"


def progress(*, quiet: bool) -> Progress:
    """The kind of progress that fits standard error."""
    if quiet:
        return Silence()
    console = Console(stderr=True)
    return LiveBoard(console) if console.is_terminal and not console.is_dumb_terminal else Lines()
