"""A machine as SVG: no browser, no scripts, no fonts but the reader's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from cli.drawing.graph import EdgeKind, Flow
from cli.drawing.layers import Point, Size
from cli.drawing.layout import FACT, LABEL, NAME, PADDING, Arrow, Box, Frame, picture
from cli.drawing.overlay import Mark, Overlay
from cli.drawing.palette import COLOURS, PLAIN, SYMBOLS, Colours
from cli.drawing.text import Font, widest, wrap

_MARGIN = 24.0
_HEADING = Font(17, bold=True)
_INK, _ERROR, _FAINT = "#3a424b", "#b3261e", "#c9ced4"
_WAYS = ((_INK, "", "goes on"), (_ERROR, "5 3", "on an error that is not, or no longer, tried again (↻)"))
_HEAD = (
    '<marker id="{}" viewBox="0 0 8 8" refX="7.4" refY="4" markerWidth="9" markerHeight="9"'
    ' markerUnits="userSpaceOnUse" orient="auto">'
)


def svg(flow: Flow, title: str, comment: str = "", run: Overlay | None = None) -> str:
    """Return a drawing; with a run, states have the colour of their outcome and ways not taken are faint."""
    drawn = picture(flow, run)
    keys = list(_keys(run))
    width = max(drawn.size[0], _HEADING.width(title), keys[-1][0] + keys[-1][1], 420.0) + 2 * _MARGIN
    notes = wrap(comment, LABEL, width - 2 * _MARGIN, 4) if comment else []
    top = _MARGIN + _HEADING.line + len(notes) * LABEL.line + 34
    height = top + drawn.size[1] + _MARGIN
    shift = (width - drawn.size[0]) / 2
    body = [
        *_heading(title, notes),
        *_legend(keys, top - 24),
        f'<g transform="translate({shift:.1f} {top:.1f})">',
        *(line for box in drawn.boxes for line in _ground(box, run)),
        *(line for frame in drawn.frames for line in _frame(frame)),
    ]
    # An outer box must not cover what is inside of it, so inner grounds come again, on top of the frames.
    body += [line for box in drawn.boxes if not box.node.flows for line in _ground(box, run)]
    body += [line for arrow in drawn.arrows for line in _arrow(arrow, run)]
    body += [f'<circle cx="{x + 7:.1f}" cy="{y + 7:.1f}" r="6" fill="{_INK}"/>' for x, y in drawn.dots]
    body += [line for box in drawn.boxes for line in _words(box, run)]
    body += [line for arrow in drawn.arrows for line in _label(arrow, run)]
    return "\n".join([*_opening((width, height), title), *body, "</g>", "</svg>"]) + "\n"


def _opening(size: Size, title: str) -> Iterator[str]:
    wide, high = f"{size[0]:.0f}", f"{size[1]:.0f}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
        f' role="img" font-family="Helvetica, Arial, sans-serif"><title>{escape(title)}</title>'
    )
    yield "<defs>"
    for colour in (_INK, _ERROR, _FAINT):
        yield _HEAD.format(_marker(colour)) + f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    yield "</defs>"
    yield f'<rect width="{wide}" height="{high}" fill="#ffffff"/>'


def _marker(colour: str) -> str:
    return f"head-{colour[1:]}"


def _heading(title: str, notes: Sequence[str]) -> Iterator[str]:
    yield _text((_MARGIN, _MARGIN + _HEADING.size * 0.7), title, _HEADING, PLAIN.text)
    for index, note in enumerate(notes, 1):
        yield _text((_MARGIN, _MARGIN + _HEADING.size * 0.7 + 4 + index * LABEL.line), note, LABEL, _INK)


Key = tuple[float, float, str, Colours | None, str]


def _keys(run: Overlay | None) -> Iterator[Key]:
    """Yield each entry of the legend: where it begins, how wide it is, its text and its look."""
    x = 0.0
    texts: list[tuple[str, Colours | None, str]] = [(text, None, colour) for colour, _, text in _WAYS]
    if run:
        texts += [(f"{SYMBOLS[mark]} {mark}", COLOURS[mark], "") for mark in Mark]
    for text, colours, colour in texts:
        width = LABEL.width(text) + (16 if colours else 36)
        yield x, width, text, colours, colour
        x += width + 12


def _legend(keys: Sequence[Key], y: float) -> Iterator[str]:
    for x, width, text, colours, colour in keys:
        left = _MARGIN + x
        if colours:
            yield _rect((left, y - 11), (width, 17), colours, radius=4)
            yield _text((left + 8, y + 1), text, LABEL, colours.text)
        else:
            dash = next(dash for each, dash, _ in _WAYS if each == colour)
            yield _path(f"M{left:.1f} {y - 3:.1f}h26", colour, dash, 1.6)
            yield _text((left + 34, y + 1), text, LABEL, _INK)


def _colours(box: Box, run: Overlay | None) -> Colours:
    return COLOURS[run.mark(box.node.name)] if run else PLAIN


def _ground(box: Box, run: Overlay | None) -> Iterator[str]:
    colours = _colours(box, run)
    radius = 16 if box.node.type in ("Succeed", "Fail", "Wait") else 6
    yield _rect(box.corner, box.size, colours, radius, dash="2 2" if box.node.type == "Choice" else "")


def _frame(frame: Frame) -> Iterator[str]:
    yield _rect(frame.corner, frame.size, Colours("#ffffff", "#8c959f"), 6, dash="6 4")
    x, y = frame.corner
    yield _text((x + PADDING, y + LABEL.line + 2), frame.title, LABEL, "#57606a")


def _words(box: Box, run: Overlay | None) -> Iterator[str]:
    colours = _colours(box, run)
    x, y = box.corner[0] + box.size[0] / 2, box.corner[1] + PADDING * 0.7
    yield _text((x, y + NAME.size), box.node.name, NAME, colours.text, "middle")
    for index, fact in enumerate(box.facts):
        line = y + NAME.line + FACT.size + index * FACT.line
        yield _text((x, line), fact, FACT, colours.text, "middle")


def _way(arrow: Arrow, run: Overlay | None) -> str:
    """Return the colour of a way: faint if a run did not take it."""
    caught = arrow.edge.kind is EdgeKind.CATCH
    if run and (arrow.edge.source, arrow.edge.target, caught) not in run.taken:
        return _FAINT
    return _ERROR if caught else _INK


def _arrow(arrow: Arrow, run: Overlay | None) -> Iterator[str]:
    colour = _way(arrow, run)
    steps, last = [], None
    for (x1, y1), (x2, y2) in arrow.curves:
        steps.append(f"{'M' if last is None else 'L'}{x1:.1f} {y1:.1f}")
        middle = (y1 + y2) / 2
        steps.append(f"C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}")
        last = x2, y2
    dash = "5 3" if arrow.edge.kind is EdgeKind.CATCH else ""
    width = 1.2 if colour == _FAINT or not run else 2.0
    yield _path("".join(steps), colour, dash, width, f' marker-end="url(#{_marker(colour)})"')


def _label(arrow: Arrow, run: Overlay | None) -> Iterator[str]:
    if not arrow.label:
        return
    colour = _way(arrow, run)
    width, height = widest(arrow.label, LABEL) + 6, len(arrow.label) * LABEL.line
    x, y = arrow.at[0], arrow.at[1] - height / 2
    yield f"<g><title>{escape(arrow.edge.label)}</title>"
    yield _rect((x - width / 2, y), (width, height), Colours("#ffffff", "none"))
    for index, line in enumerate(arrow.label):
        ink = "#6e7781" if colour == _FAINT else colour
        yield _text((x, y + LABEL.size + index * LABEL.line), line, LABEL, ink, "middle")
    yield "</g>"


def _rect(corner: Point, size: Size, colours: Colours, radius: float = 0, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" rx="{radius}"'
        f' fill="{colours.fill}" stroke="{colours.line}"{dashed}/>'
    )


def _path(steps: str, colour: str, dash: str, width: float, more: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{width}"{dashed}{more}/>'


def _text(at: Point, text: str, font: Font, colour: str, anchor: str = "start") -> str:
    weight = ' font-weight="bold"' if font.bold else ""
    placed = f'x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor={quoteattr(anchor)}'
    return f'<text {placed} font-size="{font.size}" fill="{colour}"{weight}>{escape(text)}</text>'
