"""The colours and signs of outcomes; the sign says the same to who sees no colours."""

from __future__ import annotations

from dataclasses import dataclass

from cli.drawing.overlay import Mark, Overlay


@dataclass(frozen=True, slots=True)
class Colours:
    """How a box looks: its ground, its border, its text."""

    fill: str
    line: str
    text: str = "#1b1f24"


PLAIN = Colours("#ffffff", "#57606a")
COLOURS = {
    Mark.RUNNING: Colours("#cfe4ff", "#0b5cad"),
    Mark.FAILED: Colours("#ffc9c9", "#b3261e"),
    Mark.CAUGHT: Colours("#ffdcb8", "#b35309"),
    Mark.STOPPED: Colours("#e6dcf2", "#6b4fa0"),
    Mark.RETRIED: Colours("#fdf1b8", "#8a6d00"),
    Mark.SUCCEEDED: Colours("#d3f2d6", "#1f7a33"),
    Mark.NOT_REACHED: Colours("#f6f7f8", "#c3c9d0", "#6e7781"),
}
SYMBOLS = {
    Mark.RUNNING: "…",
    Mark.FAILED: "✗",
    Mark.CAUGHT: "!",
    Mark.STOPPED: "■",
    Mark.RETRIED: "↻",
    Mark.SUCCEEDED: "✓",
    Mark.NOT_REACHED: "·",
}


def outcome(run: Overlay, state: str) -> str:
    """What became of a state, in a line."""
    mark = run.mark(state)
    return f"{SYMBOLS[mark]} {', '.join(filter(None, (mark, run.note(state))))}"
