"""Which box stands below which."""

from __future__ import annotations

from collections.abc import Mapping


def ranks(ways: Mapping[str, list[str]], first: str) -> dict[str, int]:
    """Give each box a rank below all that lead to it, given where each leads; ways that close a circle do not count."""
    finished: list[str] = []
    forward = _forward(ways, first, finished)
    found = dict.fromkeys(ways, 0)
    for name in reversed(finished):
        for target in forward[name]:
            # Between two boxes there is always a rank for the label of the way.
            found[target] = max(found[target], found[name] + 2)
    return found


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
