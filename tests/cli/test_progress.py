"""Progress: what a history shows, live and as plain lines."""

from __future__ import annotations

import io

import click
import pytest
from rich.console import Console

from cli.progress import Board, Lines, LiveBoard, line, progress
from workflow.interpreter import EventType, HistoryEvent


def task(state: str, at: float, branch: str = "") -> list[HistoryEvent]:
    """A Task that is entered and called."""
    return [
        HistoryEvent(EventType.STATE_ENTERED, at, branch, state, "Task"),
        HistoryEvent(EventType.TASK_SCHEDULED, at, branch, state, attempt=1),
    ]


HISTORY = [
    *task("Plan", 0.0),
    HistoryEvent(EventType.STATE_EXITED, 1.0, "", "Plan"),
    HistoryEvent(EventType.STATE_ENTERED, 1.0, "", "Chosen", "Choice"),
    HistoryEvent(EventType.STATE_EXITED, 1.0, "", "Chosen"),
    *task("Left", 1.0, "0"),
    *task("Right", 1.0, "1"),
    HistoryEvent(EventType.RETRY_SCHEDULED, 2.0, "0", "Left", error="Busy", seconds=5, attempt=2),
    HistoryEvent(EventType.STATE_EXITED, 3.5, "1", "Right"),
    HistoryEvent(EventType.TASK_SCHEDULED, 7.0, "0", "Left", attempt=2),
    HistoryEvent(EventType.STATE_CAUGHT, 8.0, "0", "Left", error="Conflict", next="Undo"),
]


def test_tasks_and_waits_are_shown_each_branch_on_its_own():
    assert [line(row) for row in Board(HISTORY).rows] == [
        "Plan done (1.0 s)",
        "Left failed (7.0 s, attempt 2, Conflict, then Undo)",
        "Right done (2.5 s)",
    ]


def test_a_state_that_waits_says_for_what():
    assert line(Board(HISTORY[:10]).rows[1]) == "Left waiting (Busy, again in 5 s)"


def test_plain_lines_come_for_what_ended_or_waits(capsys: pytest.CaptureFixture[str]):
    with Lines() as lines:
        for event in HISTORY:
            lines.tell(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert [each.split(" ", 1)[1] for each in err.splitlines()] == [
        "Plan done (1.0 s)",
        "Left waiting (Busy, again in 5 s)",
        "Right done (2.5 s)",
        "Left failed (7.0 s, attempt 2, Conflict, then Undo)",
    ]


@pytest.mark.parametrize(("variable", "coloured"), [(None, True), ("NO_COLOR", False)])
def test_a_terminal_gets_a_live_board_in_colour_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, coloured: bool
):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable:
        monkeypatch.setenv(variable, "1")
    stream = io.StringIO()
    with LiveBoard(Console(file=stream, force_terminal=True, width=80)) as board:
        for event in HISTORY:
            board.tell(event)
    assert "Conflict, then Undo" in stream.getvalue()
    assert ("\x1b[32m" in stream.getvalue()) is coloured


def test_there_is_a_kind_of_progress_for_every_place(capsys: pytest.CaptureFixture[str]):
    assert isinstance(progress(quiet=False), Lines)
    with progress(quiet=True) as silent:
        silent.tell(HISTORY[0])
    click.echo("", nl=False)
    assert capsys.readouterr() == ("", "")
