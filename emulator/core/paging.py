"""Paging: each API has its own, and clients get them wrong."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from emulator.core.problems import ErrorForm
from emulator.core.resources import Resource, Strict

R = TypeVar("R", bound=Resource)
MAX_LIMIT = 2000


class MarkerQuery(Strict):
    """`limit` and `marker`, where the marker is the id of the last item seen."""

    max_limit: ClassVar[int] = MAX_LIMIT

    limit: int = MAX_LIMIT
    marker: str | None = None


class PageQuery(MarkerQuery):
    """The pager of ELB v3, which can also walk backwards."""

    page_reverse: bool = False


def page_of(items: list[R], query: MarkerQuery, form: ErrorForm) -> list[R]:
    """The items of one page.

    Raises:
        ApiError: a limit out of range, or a marker that is unknown.
    """
    if not 0 <= query.limit <= query.max_limit:
        raise form.invalid("limit", f"must be 0 to {query.max_limit}")
    backwards = isinstance(query, PageQuery) and query.page_reverse
    ordered = items[::-1] if backwards else items
    # Where a page cannot be walked backwards, an empty marker is the first page.
    if query.marker or (query.marker is not None and isinstance(query, PageQuery)):
        ids = [item.id for item in ordered]
        if query.marker not in ids:
            raise form.invalid("marker", "is not the id of a listed item")
        ordered = ordered[ids.index(query.marker) + 1 :]
    page = ordered[: query.limit]
    return page[::-1] if backwards else page


def page_info(items: list[R], page: list[R]) -> dict[str, Any]:
    """The `page_info` of ELB v3, VPC v3 and EIP v3; `next_marker` is absent on the last page."""
    info: dict[str, Any] = {"current_count": len(page)}
    if not page:
        return info
    if page[0].id != items[0].id:
        info["previous_marker"] = page[0].id
    if page[-1].id != items[-1].id:
        info["next_marker"] = page[-1].id
    return info
