"""Where everything of a machine stands: boxes sized by their texts, with the flows inside of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cli.drawing.graph import START, Edge, Flow, Node
from cli.drawing.layers import Layout, Point, Size, Way, arrange
from cli.drawing.overlay import Overlay
from cli.drawing.palette import outcome
from cli.drawing.text import Font, widest, wrap

NAME, FACT, LABEL = Font(13, bold=True), Font(10.5), Font(10.5)
PADDING = 10.0
_TEXT_WIDTH, _LABEL_WIDTH = 240.0, 165.0
_DOT: Size = (14.0, 14.0)


@dataclass(frozen=True, slots=True)
class Box:
    """A state, where it stands and what is written in it: its name, then facts."""

    node: Node
    corner: Point
    size: Size
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The border around a branch or the iterations of a Map."""

    title: str
    corner: Point
    size: Size


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way between states, and its label."""

    edge: Edge
    curves: tuple[tuple[Point, Point], ...]
    label: tuple[str, ...]
    at: Point


@dataclass(frozen=True, slots=True)
class Picture:
    """All of a drawing; outer boxes come before inner ones."""

    size: Size
    boxes: tuple[Box, ...]
    frames: tuple[Frame, ...]
    arrows: tuple[Arrow, ...]
    dots: tuple[Point, ...]


def picture(flow: Flow, run: Overlay | None = None) -> Picture:
    """Lay a machine out."""
    part = _Part(flow, run)
    parts = list(part.placed((0.0, 0.0)))
    return Picture(
        part.size,
        tuple(each for each in parts if isinstance(each, Box)),
        tuple(each for each in parts if isinstance(each, Frame)),
        tuple(each for each in parts if isinstance(each, Arrow)),
        tuple(each for each in parts if isinstance(each, tuple)),
    )


class _Part:
    """A flow laid out on its own, before it is known where it stands."""

    def __init__(self, flow: Flow, run: Overlay | None) -> None:
        self._flow = flow
        self._facts = {name: _facts(node, run) for name, node in flow.nodes.items()}
        self._inner = {name: [_Part(each, run) for each in node.flows] for name, node in flow.nodes.items()}
        self._edges = (Edge(START, flow.start), *flow.edges)
        self._labels = [tuple(wrap(edge.label, LABEL, _LABEL_WIDTH, 3)) if edge.label else () for edge in self._edges]
        sizes = {START: _DOT} | {name: self._size(node) for name, node in flow.nodes.items()}
        ways = [Way(e.source, e.target, _label_size(t)) for e, t in zip(self._edges, self._labels, strict=True)]
        self._sizes = sizes
        self._layout: Layout = arrange(sizes, ways, START)
        self.size = self._layout.size

    def _size(self, node: Node) -> Size:
        facts = self._facts[node.name]
        width = max(NAME.width(node.name), widest(facts, FACT)) + 2 * PADDING
        height = NAME.line + len(facts) * FACT.line + 2 * PADDING * 0.7
        inner = [_framed(part) for part in self._inner[node.name]]
        if not inner:
            return width, height
        across = sum(size[0] for size in inner) + PADDING * (len(inner) + 1)
        return max(width, across), height + max(size[1] for size in inner) + PADDING

    def placed(self, corner: Point) -> Iterator[Box | Frame | Arrow | Point]:
        """Yield everything with its place, given where the flow's left upper corner is."""
        layout = self._layout
        yield _moved(layout.corners[START], corner)
        for name, node in self._flow.nodes.items():
            yield from self._box(node, _moved(layout.corners[name], corner))
        for edge, label, route in zip(self._edges, self._labels, layout.routes, strict=True):
            curves = tuple((_moved(one, corner), _moved(other, corner)) for one, other in route.curves)
            yield Arrow(edge, curves, label, _moved(route.label, corner))

    def _box(self, node: Node, corner: Point) -> Iterator[Box | Frame | Arrow | Point]:
        size, facts = self._sizes[node.name], self._facts[node.name]
        yield Box(node, corner, size, facts)
        parts = self._inner[node.name]
        across = sum(_framed(part)[0] for part in parts) + PADDING * (len(parts) - 1)
        x = (size[0] - across) / 2
        y = NAME.line + len(facts) * FACT.line + 2 * PADDING * 0.7
        height = max((_framed(part)[1] for part in parts), default=0.0)
        for part, flow in zip(parts, node.flows, strict=True):
            width = _framed(part)[0]
            place = _moved((x, y), corner)
            yield Frame(flow.title, place, (width, height))
            yield from part.placed(_moved((PADDING, PADDING + LABEL.line), place))
            x += width + PADDING


def _facts(node: Node, run: Overlay | None) -> tuple[str, ...]:
    facts = [line for fact in node.facts for line in wrap(fact, FACT, _TEXT_WIDTH, 4)]
    if run:
        facts += wrap(outcome(run, node.name), FACT, _TEXT_WIDTH, 2)
    return tuple(facts)


def _label_size(lines: tuple[str, ...]) -> Size:
    return (widest(lines, LABEL) + 6, len(lines) * LABEL.line) if lines else (0.0, 0.0)


def _framed(part: _Part) -> Size:
    return part.size[0] + 2 * PADDING, part.size[1] + 2 * PADDING + LABEL.line


def _moved(point: Point, by: Point) -> Point:
    return point[0] + by[0], point[1] + by[1]
