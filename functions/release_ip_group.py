"""Delete the exposure's anchor, last of all: until then the exposure can be found and taken down again."""

from __future__ import annotations

from typing import Any

from shared.platform import Context
from shared.resources.ip_group import find_anchors, release_anchors
from shared.resources.release import ReleaseOrder, fresh, guard
from shared.results import StepResult
from shared.services import Services
from shared.step import run_step


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(ReleaseOrder, _release, event, context)


def _release(order: ReleaseOrder, services: Services) -> StepResult:
    kept = guard(order, services)
    if kept:
        return kept
    if (held := fresh(order, services)) is not None:
        return StepResult(touched=tuple(release_anchors(services.cloud, [anchor.id for anchor in held.anchors])))
    written = order.fact("ip_group_id")
    also = {written} & order.created if written else set()
    seen = {group.id for group in find_anchors(services.cloud, order.target.exposure)}
    # An anchor that has lost its mark is found by nothing else.
    held_ids = {anchor.id for anchor in order.held.anchors} if order.held else set()
    return StepResult(touched=tuple(release_anchors(services.cloud, sorted(seen | also | held_ids))))
