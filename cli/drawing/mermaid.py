"""A machine as Mermaid text, for whatever shows Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from cli.drawing.graph import Edge, EdgeKind, Flow, Node
from cli.drawing.overlay import Mark, Overlay
from cli.drawing.palette import COLOURS, SYMBOLS, outcome

_SHAPES = {"Choice": ('{{"', '"}}'), "Wait": ('(["', '"])'), "Succeed": ('(["', '"])'), "Fail": ('(["', '"])')}


def mermaid(flow: Flow, run: Overlay | None = None) -> str:
    """Return a flowchart; with a run, each state has the colour of its outcome and a legend explains them."""
    writer = _Writer(run)
    lines = ["flowchart TD", *writer.flow(flow, 1)]
    if run:
        lines += [*_legend(), *writer.classes()]
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, run: Overlay | None) -> None:
        self._run, self._numbers, self._ids = run, count(), dict[str, str]()

    def flow(self, flow: Flow, depth: int) -> Iterator[str]:
        """Yield the lines of a flow, its inner ones first."""
        indent = "  " * depth
        start = f"start{next(self._numbers)}"
        yield f'{indent}{start}(("start"))'
        for node in flow.nodes.values():
            self._ids[node.name] = f"s{next(self._numbers)}"
            yield from self._node(node, depth)
        yield f"{indent}{start} --> {self._ids[flow.start]}"
        for edge in flow.edges:
            yield indent + self._edge(edge)

    def _node(self, node: Node, depth: int) -> Iterator[str]:
        indent, name = "  " * depth, self._ids[node.name]
        if not node.flows:
            opening, closing = _SHAPES.get(node.type, ('["', '"]'))
            yield f"{indent}{name}{opening}{self._text(node)}{closing}"
            return
        yield f'{indent}subgraph {name}["{self._text(node)}"]'
        for index, inner in enumerate(node.flows):
            yield f'{indent}  subgraph {name}_{index}["{_escaped(inner.title)}"]'
            yield from self.flow(inner, depth + 2)
            yield f"{indent}  end"
        yield f"{indent}end"

    def _text(self, node: Node) -> str:
        lines = [node.name, *node.facts]
        if self._run:
            lines.append(outcome(self._run, node.name))
        return "<br/>".join(_escaped(line) for line in lines)

    def _edge(self, edge: Edge) -> str:
        source, target = self._ids[edge.source], self._ids[edge.target]
        if edge.kind is EdgeKind.CATCH:
            return f'{source} -. "{_escaped(edge.label)}" .-> {target}'
        return f'{source} -- "{_escaped(edge.label)}" --> {target}' if edge.label else f"{source} --> {target}"

    def classes(self) -> Iterator[str]:
        """Yield the colours, and which state has which."""
        assert self._run, "only a run has outcomes"
        for mark, colours in COLOURS.items():
            yield f"  classDef {_class(mark)} fill:{colours.fill},stroke:{colours.line},color:{colours.text}"
        for name, number in self._ids.items():
            yield f"  class {number} {_class(self._run.mark(name))}"


def _legend() -> Iterator[str]:
    yield '  subgraph legend["Outcome of each state"]'
    for index, mark in enumerate(Mark):
        yield f'    legend{index}["{SYMBOLS[mark]} {mark}"]:::{_class(mark)}'
    yield "  end"


def _class(mark: Mark) -> str:
    return mark.replace(" ", "_")


def _escaped(text: str) -> str:
    """Write a text as Mermaid takes it inside of quotes."""
    for character, code in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        text = text.replace(character, code)
    return text
