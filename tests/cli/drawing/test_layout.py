from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.drawing.graph import START, graph
from cli.drawing.layers import Way, arrange
from cli.drawing.layout import FACT, LABEL, NAME, picture
from cli.drawing.text import Font, widest, wrap
from workflow.machines import NAMES, load_machine

SIZES = st.tuples(st.floats(20, 300), st.floats(15, 200))
LABELS = st.one_of(st.just((0.0, 0.0)), st.tuples(st.floats(20, 150), st.floats(12, 40)))


@st.composite
def graphs(draw):
    """Boxes that can all be reached from the first, with ways in any direction besides."""
    names = [f"n{i}" for i in range(draw(st.integers(1, 9)))]
    tree = [(draw(st.sampled_from(names[:index])), name) for index, name in enumerate(names) if index]
    more = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=9))
    ways = [Way(source, target, draw(LABELS)) for source, target in [*tree, *more]]
    return {name: draw(SIZES) for name in names}, ways


def apart(one, other):
    """Whether two rectangles (left, top, width, height) do not touch."""
    return (
        one[0] + one[2] <= other[0] + 0.01
        or other[0] + other[2] <= one[0] + 0.01
        or one[1] + one[3] <= other[1] + 0.01
        or other[1] + other[3] <= one[1] + 0.01
    )


def label_rectangles(ways, layout):
    for way, route in zip(ways, layout.routes, strict=True):
        width, height = way.label
        if width:
            yield route.label[0] - width / 2, route.label[1] - height / 2, width, height


@given(graphs())
def test_no_box_or_label_lies_on_another(drawn):
    sizes, ways = drawn
    layout = arrange(sizes, ways, "n0")
    boxes = [(*layout.corners[name], *size) for name, size in sizes.items()]
    everything = [*boxes, *label_rectangles(ways, layout)]
    assert all(apart(one, other) for one, other in combinations(everything, 2))
    assert all(left >= -0.01 and left + width <= layout.size[0] + 0.01 for left, _, width, _ in everything)


@given(graphs())
def test_a_way_runs_from_its_source_to_its_target_between_the_boxes(drawn):
    sizes, ways = drawn
    layout = arrange(sizes, ways, "n0")
    for way, route in zip(ways, layout.routes, strict=True):
        (x, y), (_, target_y) = route.curves[0][0], route.curves[-1][1]
        left, top = layout.corners[way.source]
        assert left <= x <= left + sizes[way.source][0]
        assert y == pytest.approx(top + sizes[way.source][1])
        assert target_y == pytest.approx(layout.corners[way.target][1])
        # Between two curves a way passes a rank straight, where nothing else stands.
        for (_, (x1, y1)), ((x2, y2), _) in pairwise(route.curves):
            assert x1 == x2
            strip = (x1, min(y1, y2), 0.0, abs(y2 - y1))
            assert all(apart(strip, (*layout.corners[name], *size)) for name, size in sizes.items())


@given(st.text(st.characters(codec="utf-8", categories=["L", "P", "Zs"]), max_size=80), st.integers(1, 4))
def test_wrapped_text_keeps_to_its_width_and_lines(text, most):
    font = Font(10)
    lines = wrap(text, font, 80, most)
    assert len(lines) <= most
    assert widest(lines, font) <= 80
    if font.width(text) < 60:
        assert " ".join(lines) == " ".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_every_state_of_our_machines_has_room_for_its_words_and_lies_in_its_branch(name):
    drawn = picture(graph(load_machine(name).source))
    assert len({box.node.name for box in drawn.boxes}) == len(drawn.boxes)
    for box in drawn.boxes:
        assert max(NAME.width(box.node.name), widest(box.facts, FACT)) < box.size[0]
        assert -0.01 <= box.corner[0] <= box.corner[0] + box.size[0] <= drawn.size[0] + 0.01
    leaves = [(*box.corner, *box.size) for box in drawn.boxes if not box.node.flows]
    labels = [
        (arrow.at[0] - widest(arrow.label, LABEL) / 2, arrow.at[1] - 6, widest(arrow.label, LABEL), 12)
        for arrow in drawn.arrows
        if arrow.label
    ]
    assert all(apart(one, other) for one, other in combinations([*leaves, *labels], 2))
    inside = {inner for box in drawn.boxes for flow in box.node.flows for inner in flow.nodes}
    frames = [(*frame.corner, *frame.size) for frame in drawn.frames]
    for box in drawn.boxes:
        within = [each for each in frames if not apart(each, (*box.corner, *box.size))]
        assert bool(within) == (box.node.name in inside or bool(box.node.flows))


def test_a_state_that_leads_to_itself_is_drawn_too():
    layout = arrange({START: (10, 10), "a": (50, 20)}, [Way(START, "a"), Way("a", "a", (30, 10))], START)
    loop = layout.routes[1].curves
    assert loop[0][0][1] == layout.corners["a"][1] + 20
    assert loop[-1][1][1] == layout.corners["a"][1]
