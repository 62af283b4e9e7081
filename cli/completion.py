"""Completion in the shell: its script, and the ids a person has worked with here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from cli.options import examples, state_path
from cli.verdicts import VerdictStore
from shared.errors import TemporaryError

PROGRAM = "dcs-access"
_SHELLS = ("bash", "zsh", "fish")
_MOST = 50
# Read past the engine, whose import takes longer than a person waits for a key; what it does not find it leaves out.
_RUNS = "SELECT workflow_uuid FROM workflow_status WHERE parent_workflow_id IS NULL ORDER BY created_at DESC LIMIT ?"
_INSTANCES = "SELECT DISTINCT queue_partition_key FROM workflow_status WHERE parent_workflow_id IS NULL LIMIT ?"


@click.command(
    epilog=examples(
        'eval "$(dcs-access completion bash)"        in ~/.bashrc',
        'eval "$(dcs-access completion zsh)"         in ~/.zshrc',
        "dcs-access completion fish > ~/.config/fish/completions/dcs-access.fish",
    )
)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, run ids and exposures in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    click.echo(kind(context.find_root().command, {}, PROGRAM, "_DCS_ACCESS_COMPLETE").source())


def run_ids(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a run, the newest first."""
    found = [run for store in _stores(context) for run in _column(store / "runs.sqlite", _RUNS)]
    return [run for run in found if run.startswith(incomplete)]


def known(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete an exposure or an instance that a run or a verification here was about."""
    found: list[str] = []
    for store in _stores(context):
        found += _last_seen(store)
        found += _column(store / "runs.sqlite", _INSTANCES)
    return [name for name in dict.fromkeys(found) if name.startswith(incomplete)]


def _stores(context: click.Context | None) -> Iterator[Path]:
    while context is not None:
        if store := context.params.get("store"):
            yield Path(store)
            return
        context = context.parent
    yield from sorted(each.parent for each in state_path().glob("*/runs.sqlite"))


def _column(file: Path, query: str) -> list[str]:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return [value for (value,) in database.execute(query, (_MOST,)) if value]
    except sqlite3.Error:
        # A key press is no place to tell that a store cannot be read.
        return []


def _last_seen(store: Path) -> list[str]:
    try:
        return list(VerdictStore(store).last())
    except TemporaryError:
        return []
