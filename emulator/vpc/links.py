"""The pager of v2.0: links to the next page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from emulator.core.message import Request
from emulator.core.resources import Resource


def page_links(name: str, request: Request, items: Sequence[Resource], page: Sequence[Resource]) -> dict[str, Any]:
    """`<name>_links` with the next page, absent on the last one."""
    if not page or page[-1].id == items[-1].id:
        return {}
    rest = [(key, value) for key, value in request.query if key != "marker"]
    href = f"{request.base}{request.path}?{urlencode([*rest, ('marker', page[-1].id)])}"
    return {f"{name}_links": [{"rel": "next", "href": href}]}
