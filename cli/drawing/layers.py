"""A layered layout: boxes in ranks from top to bottom, ways between them through room that is kept free.

Every way gets a slot in each rank it passes, and its label a slot of its own in the rank below its source: so
nothing can lie on anything else, whatever the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cli.drawing.ranks import ranks
from cli.drawing.rows import Slot, order, place

Size = tuple[float, float]
Point = tuple[float, float]

_LANE = 12.0
_PORT = 22.0


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


def arrange(sizes: Mapping[str, Size], ways: Sequence[Way], first: str) -> Layout:
    """Lay boxes out below the first one, which leads to all others."""
    after: dict[str, list[str]] = {name: [] for name in sizes}
    for way in ways:
        after[way.source].append(way.target)
    found = ranks(after, first)
    boxes = {name: Slot(found[name], *size) for name, size in sizes.items()}
    chains = [_chain(boxes, way) for way in ways]
    rows = _rows([*boxes.values(), *(slot for chain in chains for slot in chain[1:-1])])
    order(rows)
    place(rows)
    return _measured(boxes, chains, rows)


def _chain(boxes: Mapping[str, Slot], way: Way) -> list[Slot]:
    """Return the slots of a way from source to target; one that leads back up goes round by the rank below."""
    source, target = boxes[way.source], boxes[way.target]
    label = Slot(source.rank + 1, max(_LANE, way.label[0]), way.label[1])
    _join([source, label])
    if source.rank < target.rank:
        lanes = [Slot(rank, _LANE, 0.0) for rank in range(source.rank + 2, target.rank)]
        _join([label, *lanes, target])
        return [source, label, *lanes, target]
    lanes = [Slot(rank, _LANE, 0.0) for rank in range(target.rank - 1, source.rank + 1)]
    _join([*lanes, label])
    _join([lanes[0], target])
    return [source, label, *reversed(lanes), target]


def _join(slots: Sequence[Slot]) -> None:
    for upper, lower in pairwise(slots):
        upper.down.append(lower)
        lower.up.append(upper)


def _rows(slots: Sequence[Slot]) -> list[list[Slot]]:
    lowest = min(slot.rank for slot in slots)
    rows: list[list[Slot]] = [[] for _ in range(max(slot.rank for slot in slots) - lowest + 1)]
    for slot in slots:
        slot.rank -= lowest
        rows[slot.rank].append(slot)
    return rows


def _tops(rows: list[list[Slot]]) -> list[float]:
    """Stack the ranks; where ways run far to the side there is more room between two."""
    tops, y = [0.0], 0.0
    for upper in rows[:-1]:
        joined = [(slot, each) for slot in upper for each in slot.down]
        farthest = max((abs(one.x - other.x) for one, other in joined), default=0.0)
        y += max(slot.height for slot in upper) + min(10.0 + farthest / 14, 34.0)
        tops.append(y)
    return tops


def _measured(boxes: Mapping[str, Slot], chains: Sequence[list[Slot]], rows: list[list[Slot]]) -> Layout:
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


def _ports(chains: Sequence[list[Slot]]) -> list[float]:
    """Spread the ways of each box along its side, in the order in which they go on."""
    ports = [0.0] * len(chains)
    for box in {chain[0] for chain in chains}:
        ways = sorted((i for i, chain in enumerate(chains) if chain[0] is box), key=lambda i: chains[i][1].x)
        step = min(_PORT, box.width * 0.8 / len(ways))
        for position, index in enumerate(ways):
            ports[index] = box.x + (position - (len(ways) - 1) / 2) * step
    return ports


def _curves(
    chain: list[Slot], spans: Mapping[Slot, tuple[float, float]], out: float, into: float
) -> Iterator[tuple[Point, Point]]:
    for one, other in pairwise(chain):
        x = out if one is chain[0] else one.x
        end = into if other is chain[-1] else other.x
        if one.rank < other.rank:
            yield (x, spans[one][1]), (end, spans[other][0])
        else:
            yield (x, spans[one][0]), (end, spans[other][1])
