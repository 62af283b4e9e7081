"""How much room text takes: an estimate on the safe side, for there is no browser to ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_NARROW, _WIDE = frozenset("ijltfr.,:;'|!()[] "), frozenset("mwMW@%↻·—✓✗■…≤≥")


@dataclass(frozen=True, slots=True)
class Font:
    """A size in pixels; bold text is wider."""

    size: float
    bold: bool = False

    @property
    def line(self) -> float:
        """The height of one line."""
        return self.size * 1.35

    def width(self, text: str) -> float:
        """The width of a text in a sans-serif face."""
        return sum(map(_em, text)) * self.size * (1.08 if self.bold else 1.0)


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.34
    if character in _WIDE:
        return 0.95
    return 0.72 if character.isupper() else 0.58


def wrap(text: str, font: Font, width: float, most: int) -> list[str]:
    """Break a text at spaces into at most so many lines; what is cut off leaves an ellipsis."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.width(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    return [_cut(line, font, width) for line in lines]


def _cut(line: str, font: Font, width: float) -> str:
    while font.width(line) > width:
        line = line.rstrip("…")[:-1] + "…"
    return line


def widest(lines: Iterable[str], font: Font) -> float:
    """The width of the widest line."""
    return max(map(font.width, lines), default=0.0)
