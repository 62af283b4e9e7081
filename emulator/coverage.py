"""Which calls are served, on whose word, and what is assumed: a table made from the routes and their handlers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import getdoc
from itertools import groupby

from emulator.core.routing import Route

HEAD = """\
# What the emulator serves

Made by `dcs-access emulator coverage`, from the routes and what their handlers say of themselves; a test compares.
*Page* is the title in the service's API reference. What no document says is under *Assumed*; a dial can change it
where one is named. Every other call is refused as the gateway refuses an API that it does not know.
"""
# Where the service's API reference is, under docs.otc.t-systems.com.
REFERENCES = {
    "cts": "cloud-trace-service",
    "dcs": "distributed-cache-service",
    "eip": "elastic-ip",
    "elb": "elastic-load-balancing",
    "functiongraph": "function-graph",
    "iam": "identity-access-management",
    "lts": "log-tank-service",
    "smn": "simple-message-notification",
    "vpc": "virtual-private-cloud",
}
COLUMNS = "| Call | Permission | Page | Particulars | Assumed |\n|---|---|---|---|---|\n"
PAGE = re.compile(r"(?P<page>\w+ API(?: v[\d.]+)?: [^;]+?)(?:; (?P<rest>.+))?")


def coverage(routes: Iterable[Route]) -> str:
    """The table in Markdown, a section for each service."""
    ordered = sorted(routes, key=lambda route: (route.service.name, route.path, route.method))
    sections = [HEAD]
    for name, group in groupby(ordered, key=lambda route: route.service.name):
        rows = [_row(route) for route in group]
        reference = f"[API reference](https://docs.otc.t-systems.com/{REFERENCES[name]}/api-ref/)"
        sections.append(f"## {name}\n\n{reference}; calls served: {len(rows)}.\n\n{COLUMNS}{''.join(rows)}")
    return "\n".join(sections)


def _row(route: Route) -> str:
    page, particulars, assumed = described(route)
    action = f"`{route.action}`" if route.action else ""
    return f"| {' | '.join((f'`{route.method} {route.path}`', action, page, particulars, assumed))} |\n"


def described(route: Route) -> tuple[str, str, str]:
    """What a handler says of itself: the page of the API reference, particulars, and what is assumed.

    The first line of its docstring is `<service> API: <title>`, further words follow a semicolon; a paragraph
    that begins with `Assumed:` is the last.
    """
    summary, *paragraphs = (" ".join(part.split()) for part in (getdoc(route.handler) or "").split("\n\n"))
    assumed = next((one for one in paragraphs if one.startswith("Assumed: ")), "")
    found = PAGE.fullmatch(summary.removesuffix("."))
    page, particulars = (found["page"], found["rest"] or "") if found else ("", summary.removesuffix("."))
    return page, particulars, assumed.removeprefix("Assumed: ").removesuffix(".")
