"""Results for standard output, and the one way in which a failure is shown on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import yaml

from cli.options import Format
from shared.errors import ErrorData
from shared.masking import mask


def show(data: Any, output: Format, text: Callable[[], str]) -> None:
    """Write a result: as it is for machines, as `text` says for people."""
    if output is Format.JSON:
        click.echo(json.dumps(data, indent=2))
    elif output is Format.YAML:
        click.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(text())


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows in columns that line up; never wrapped, so that other tools can cut them."""
    cells = [[column.upper().replace("_", " ") for column in columns]]
    cells += [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    padded = ("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in padded)


def facts(pairs: Mapping[str, Any]) -> str:
    """Names and values, one a line; what there is not is left out."""
    width = max((len(name) for name in pairs), default=0)
    lines = (f"  {name.ljust(width)}  {cell(value)}" for name, value in pairs.items() if value not in (None, [], ""))
    return "\n".join(lines)


def cell(value: Any) -> str:
    """One value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def cut(text: str, width: int) -> str:
    """A text that is no longer than so many characters, and shows where it goes on."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def moment(seconds: float | None) -> str | None:
    """Epoch seconds as RFC 3339."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def explain(error: ErrorData) -> None:
    """Show a failure on standard error: code, message, field and remedy."""
    click.secho(f"Error {error.code}: ", fg="red", bold=True, nl=False, err=True)
    click.echo(mask(error.message), err=True)
    more = {"field": error.field, "resource": error.resource, "remedy": error.advice}
    if text := facts(mask(more)):
        click.echo(text, err=True)
