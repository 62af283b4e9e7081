"""The machines: what there are, and a drawing of one, alone or with a run over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.completion import run_ids
from cli.drawing.graph import graph
from cli.drawing.mermaid import mermaid
from cli.drawing.overlay import overlay
from cli.drawing.svg import svg
from cli.options import App, common, examples
from cli.output import show, table
from shared.errors import ErrorCode, PermanentError
from workflow.machines import NAMES, load_machine, load_machines

if TYPE_CHECKING:
    from workflow.engines.embedded import RunView
    from workflow.language import Machine

_EXAMPLES = examples(
    "dcs-access machine show expose > expose.svg",
    "dcs-access machine show expose --format mermaid",
    "dcs-access machine show expose --run RUN_ID > run.svg",
)


@click.group()
def machine() -> None:
    """Look at the machines that runs go through."""


@machine.command("list")
@common
def list_(app: App) -> None:
    """List the machines."""
    rows = [
        {"name": name, "states": sum(len(flow.states) for flow in each.flows.values()), "about": _about(each)}
        for name, each in load_machines().items()
    ]
    show(rows, app.output, lambda: table(rows, ("name", "states", "about")))


@machine.command("show", epilog=_EXAMPLES)
@click.argument("name", type=click.Choice(NAMES))
@click.option("--format", "form", type=click.Choice(["svg", "mermaid"]), default="svg", show_default=True)
@click.option("--run", "run_id", metavar="RUN_ID", shell_complete=run_ids, help="Colour each state by its outcome.")
@common
def show_(app: App, name: str, form: str, run_id: str | None) -> None:
    """Draw a machine: its states, where they lead, and what happens on an error.

    With --run it is the machine as that run had it, with the ways it took.
    """
    if run_id is None:
        drawn, title, over = load_machine(name), f"Machine {name}", None
    else:
        with app.compose() as composed:
            view, drawn = composed.engine.run(run_id), composed.engine.machine_of(run_id)
        _must_be(view, name)
        # How the machine ended says little: ours end well with an outcome that says more.
        outcome = (view.output or {}).get("outcome") or view.status.lower()
        title, over = f"Machine {name}, run {run_id}: {outcome}", overlay(view.history)
    flow = graph(drawn.source)
    click.echo(mermaid(flow, over) if form == "mermaid" else svg(flow, title, _about(drawn), over), nl=False)


def _about(drawn: Machine) -> str:
    return drawn.definition.comment or ""


def _must_be(view: RunView, name: str) -> None:
    if view.machine != name:
        raise PermanentError(
            ErrorCode.INVALID_REQUEST,
            f"Run {view.run_id} is one of the machine {view.machine}.",
            field="name",
            advice=f"Draw it with `dcs-access machine show {view.machine} --run {view.run_id}`.",
        )
