"""The command that finds what exposures left behind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from cli.options import App, Format, common, examples
from cli.output import show, table
from shared.errors import AccessError
from shared.leaks import Leak, delete_leaks, find_leaks
from shared.otc.cloud import Cloud
from shared.results import Touched
from shared.services import utc_now
from shared.settings import read_settings

_COLUMNS = ("kind", "id", "reason", "remedy")


@click.command(epilog=examples("dcs-access leaks", "dcs-access leaks --delete"))
@click.option("--delete", is_flag=True, help="Remove them, after a confirmation; what is kept stays.")
@click.option("--yes", is_flag=True, help="Do not ask for the confirmation.")
@common
def leaks(app: App, *, delete: bool, yes: bool) -> None:
    """List what carries our marks and belongs to no exposure, and how to be rid of it."""
    settings = read_settings(os.environ.get)
    # A run may take long to write its record, also where every trace is verified at once.
    cloud, age = Cloud(app.connect()), max(settings.settle_seconds, settings.debounce_seconds)
    found = find_leaks(cloud, now=utc_now(), age=age)
    removable = [leak for leak in found if not leak.kept]
    rows = [_row(leak) for leak in found]
    if not (delete and removable):
        show(rows, app.output, lambda: table(rows, _COLUMNS) if rows else "There are no leaks.")
        return
    click.echo(table(rows, _COLUMNS), err=app.output is not Format.TABLE)
    if not yes:
        click.confirm(f"Delete {len(removable)} of them?", abort=True, err=True)
    try:
        touched = delete_leaks(cloud, removable, now=utc_now(), age=age)
    except AccessError as problem:
        if problem.data.touched:
            _show(app, problem.data.touched)
        raise
    _show(app, touched)


def _row(leak: Leak) -> dict[str, Any]:
    return {**leak.model_dump(mode="json"), "remedy": leak.remedy}


def _show(app: App, touched: Sequence[Touched]) -> None:
    rows = [each.model_dump(mode="json") for each in touched]
    none = "None of them is a leak any more."
    show(rows, app.output, lambda: table(rows, ("did", "kind", "id", "reason")) if rows else none)
