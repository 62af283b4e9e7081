"""A layered layout: boxes in ranks from top to bottom, ways between them through room that is kept free.

Every way gets a slot in each rank it passes, and its label a slot of its own in the rank below its source: so
nothing can lie on anything else, whatever the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

Size = tuple[float, float]
Point = tuple[float, float]

SPACE = 22.0
"""Pixels between neighbours of a rank."""
_LANE = 12.0
_PORT = 22.0
_SWEEPS = 12
_MOVES = 40


@dataclass(frozen=True, slots=True)
class Way:
    """A connection to draw, with the size of its label."""

    source: str
    target: str
    label: Size = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a way runs: curves from one rank to the next, each after the other; its label stands on it."""

    curves: tuple[tuple[Point, Point], ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """Left upper corners of the boxes, the routes in the order of the ways, and the size of all of it."""

    corners: Mapping[str, Point]
    routes: tuple[Route, ...]
    size: Size


@dataclass(eq=False, slots=True)
class _Slot:
    """A box or a way's passage in one rank; `up` and `down` are its neighbours there."""

    rank: int
    width: float
    height: float
    x: float = 0.0
    up: list[_Slot] = field(default_factory=list)
    down: list[_Slot] = field(default_factory=list)

    @property
    def is_lane(self) -> bool:
        """Whether a way only passes here."""
        return self.height == 0.0


def arrange(sizes: Mapping[str, Size], ways: Sequence[Way], first: str) -> Layout:
    """Lay boxes out below the first one, which leads to all others."""
    ranks = _ranks(sizes, ways, first)
    boxes = {name: _Slot(ranks[name], *size) for name, size in sizes.items()}
    chains = [_chain(boxes, way) for way in ways]
    rows = _rows([*boxes.values(), *(slot for chain in chains for slot in chain[1:-1])])
    _order(rows)
    _place(rows)
    return _measured(boxes, chains, rows)


def _ranks(names: Mapping[str, Size], ways: Sequence[Way], first: str) -> dict[str, int]:
    """Give each box a rank below all that lead to it; ways that close a circle do not count."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for way in ways:
        after[way.source].append(way.target)
    finished: list[str] = []
    forward = _forward(after, first, finished)
    ranks = dict.fromkeys(names, 0)
    for name in reversed(finished):
        for target in forward[name]:
            # Between two boxes there is always a rank for the label of the way.
            ranks[target] = max(ranks[target], ranks[name] + 2)
    return ranks


def _forward(after: Mapping[str, list[str]], first: str, finished: list[str]) -> dict[str, list[str]]:
    forward: dict[str, list[str]] = {name: [] for name in after}
    state = {first: "open"}
    stack = [(first, iter(after[first]))]
    while stack:
        name, targets = stack[-1]
        target = next(targets, None)
        if target is None:
            state[name] = "done"
            finished.append(name)
            stack.pop()
        elif state.get(target) != "open":
            forward[name].append(target)
            if target not in state:
                state[target] = "open"
                stack.append((target, iter(after[target])))
    return forward


def _chain(boxes: Mapping[str, _Slot], way: Way) -> list[_Slot]:
    """Return the slots of a way from source to target; one that leads back up goes round by the rank below."""
    source, target = boxes[way.source], boxes[way.target]
    label = _Slot(source.rank + 1, max(_LANE, way.label[0]), way.label[1])
    _join([source, label])
    if source.rank < target.rank:
        lanes = [_Slot(rank, _LANE, 0.0) for rank in range(source.rank + 2, target.rank)]
        _join([label, *lanes, target])
        return [source, label, *lanes, target]
    lanes = [_Slot(rank, _LANE, 0.0) for rank in range(target.rank - 1, source.rank + 1)]
    _join([*lanes, label])
    _join([lanes[0], target])
    return [source, label, *reversed(lanes), target]


def _join(slots: Sequence[_Slot]) -> None:
    for upper, lower in pairwise(slots):
        upper.down.append(lower)
        lower.up.append(upper)


def _rows(slots: Sequence[_Slot]) -> list[list[_Slot]]:
    lowest = min(slot.rank for slot in slots)
    rows: list[list[_Slot]] = [[] for _ in range(max(slot.rank for slot in slots) - lowest + 1)]
    for slot in slots:
        slot.rank -= lowest
        rows[slot.rank].append(slot)
    return rows


def _order(rows: list[list[_Slot]]) -> None:
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


def _crossings(rows: list[list[_Slot]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        places = {slot: index for index, slot in enumerate(lower)}
        ends = [index for slot in upper for index in sorted(places[each] for each in slot.down)]
        total += sum(one > other for index, one in enumerate(ends) for other in ends[index + 1 :])
    return total


def _place(rows: list[list[_Slot]]) -> None:
    """Move each slot as near to its neighbours as the order and the widths of its rank allow."""
    for row in rows:
        _settle(row, [0.0] * len(row))
    for sweep in range(_MOVES):
        downward = sweep % 2 == 1
        for row in rows if downward else reversed(rows):
            _settle(row, [_wanted(slot, downward=downward) for slot in row])


def _wanted(slot: _Slot, *, downward: bool) -> float:
    """Return the mean of the neighbours' places: a box looks both ways, a passage only where its way comes from."""
    near = slot.up if downward else slot.down
    if not slot.is_lane:
        near = [*slot.up, *slot.down]
    return fmean([each.x for each in near] or [slot.x])


def _settle(row: list[_Slot], wanted: Sequence[float]) -> None:
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


def _tops(rows: list[list[_Slot]]) -> list[float]:
    """Stack the ranks; where ways run far to the side there is more room between two."""
    tops, y = [0.0], 0.0
    for upper in rows[:-1]:
        joined = [(slot, each) for slot in upper for each in slot.down]
        farthest = max((abs(one.x - other.x) for one, other in joined), default=0.0)
        y += max(slot.height for slot in upper) + min(10.0 + farthest / 14, 34.0)
        tops.append(y)
    return tops


def _measured(boxes: Mapping[str, _Slot], chains: Sequence[list[_Slot]], rows: list[list[_Slot]]) -> Layout:
    tops = _tops(rows)
    left = min(slot.x - slot.width / 2 for row in rows for slot in row)
    for slot in (slot for row in rows for slot in row):
        slot.x -= left
    heights = [max(slot.height for slot in row) for row in rows]
    spans = {slot: (tops[slot.rank], tops[slot.rank] + heights[slot.rank]) for row in rows for slot in row}
    spans |= {slot: (tops[slot.rank], tops[slot.rank] + slot.height) for slot in boxes.values()}
    leaving = _ports(chains)
    arriving = _ports([chain[::-1] for chain in chains])
    routes = [
        Route(tuple(_curves(chain, spans, out, into)), (chain[1].x, sum(spans[chain[1]]) / 2))
        for chain, out, into in zip(chains, leaving, arriving, strict=True)
    ]
    corners = {name: (slot.x - slot.width / 2, tops[slot.rank]) for name, slot in boxes.items()}
    right = max(slot.x + slot.width / 2 for row in rows for slot in row)
    return Layout(corners, tuple(routes), (right, tops[-1] + heights[-1]))


def _ports(chains: Sequence[list[_Slot]]) -> list[float]:
    """Spread the ways of each box along its side, in the order in which they go on."""
    ports = [0.0] * len(chains)
    for box in {chain[0] for chain in chains}:
        ways = sorted((i for i, chain in enumerate(chains) if chain[0] is box), key=lambda i: chains[i][1].x)
        step = min(_PORT, box.width * 0.8 / len(ways))
        for place, index in enumerate(ways):
            ports[index] = box.x + (place - (len(ways) - 1) / 2) * step
    return ports


def _curves(
    chain: list[_Slot], spans: Mapping[_Slot, tuple[float, float]], out: float, into: float
) -> Iterator[tuple[Point, Point]]:
    for one, other in pairwise(chain):
        x = out if one is chain[0] else one.x
        end = into if other is chain[-1] else other.x
        if one.rank < other.rank:
            yield (x, spans[one][1]), (end, spans[other][0])
        else:
            yield (x, spans[one][0]), (end, spans[other][1])
