"""The ranks of a layered layout: who stands beside whom, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

SPACE = 22.0
"""Pixels between neighbours of a rank."""
_SWEEPS = 12
_MOVES = 40


@dataclass(eq=False, slots=True)
class Slot:
    """A box or a way's passage in one rank; `up` and `down` are its neighbours there."""

    rank: int
    width: float
    height: float
    x: float = 0.0
    up: list[Slot] = field(default_factory=list)
    down: list[Slot] = field(default_factory=list)

    @property
    def is_lane(self) -> bool:
        """Whether a way only passes here."""
        return self.height == 0.0


def order(rows: list[list[Slot]]) -> None:
    """Sort each rank by where its neighbours are, down and up in turn, and keep the order with fewest crossings."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        for row, fixed in pairwise(rows if downward else rows[::-1]):
            places = {slot: index for index, slot in enumerate(row)}
            here = {slot: float(index) for index, slot in enumerate(fixed)}
            means = {
                slot: fmean([places[each] for each in (slot.up if downward else slot.down)] or [here[slot]])
                for slot in fixed
            }
            fixed.sort(key=means.__getitem__)
        if (crossings := _crossings(rows)) < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, kept in zip(rows, best, strict=True):
        row[:] = kept


def _crossings(rows: list[list[Slot]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        places = {slot: index for index, slot in enumerate(lower)}
        ends = [index for slot in upper for index in sorted(places[each] for each in slot.down)]
        total += sum(one > other for index, one in enumerate(ends) for other in ends[index + 1 :])
    return total


def place(rows: list[list[Slot]]) -> None:
    """Move each slot as near to its neighbours as the order and the widths of its rank allow."""
    for row in rows:
        _settle(row, [0.0] * len(row))
    for sweep in range(_MOVES):
        downward = sweep % 2 == 1
        for row in rows if downward else reversed(rows):
            _settle(row, [_wanted(slot, downward=downward) for slot in row])


def _wanted(slot: Slot, *, downward: bool) -> float:
    """Return the mean of the neighbours' places: a box looks both ways, a passage only where its way comes from."""
    near = slot.up if downward else slot.down
    if not slot.is_lane:
        near = [*slot.up, *slot.down]
    return fmean([each.x for each in near] or [slot.x])


def _settle(row: list[Slot], wanted: Sequence[float]) -> None:
    """Give a rank the places nearest to the wanted ones (least squares) that keep order and distance."""
    offsets, offset = [], 0.0
    for index, slot in enumerate(row):
        offset += (row[index - 1].width / 2 + SPACE + slot.width / 2) if index else 0.0
        offsets.append(offset)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        # Who would overtake the one before shares a place with it, halfway.
        while blocks and blocks[-1][0] > mean:
            before, members = blocks.pop()
            mean = (before * members + mean * count) / (members + count)
            count += members
        blocks.append((mean, count))
    shifts = [mean for mean, count in blocks for _ in range(count)]
    for slot, shift, offset in zip(row, shifts, offsets, strict=True):
        slot.x = shift + offset
