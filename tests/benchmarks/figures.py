"""A figure: ours beside the peer's, measured in turns, so that a noisy moment hits both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True)
class Figure:
    """One row: `ratio` is ours to the peer's, and `better` says which way is good."""

    what: str
    unit: str
    ours: float
    peer: float
    ratio: float
    better: str

    def row(self) -> str:
        """A row of the table."""
        sides = (f"{_short(side)} {self.unit}" for side in (self.ours, self.peer))
        return f"| {' | '.join((self.what, *sides, f'{self.ratio:.2f}', self.better))} |"


def in_turns(
    what: str, unit: str, ours: Callable[[], float], peer: Callable[[], float], *, higher_is_better: bool
) -> Figure:
    """Measure both sides in turns; medians, and the median of the ratios round by round."""
    pairs = [(ours(), peer()) for _ in range(ROUNDS)]
    ratios = [one / other for one, other in pairs]
    mine, theirs = (median(side) for side in zip(*pairs, strict=True))
    return Figure(what, unit, mine, theirs, median(ratios), "higher" if higher_is_better else "lower")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
