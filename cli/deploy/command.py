"""The commands that deploy, take away, and look into the template; what they do is imported when it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.deploy.target import Target
from cli.options import App, common, examples
from cli.output import explain
from shared.errors import AccessError

F = TypeVar("F", bound=Callable[..., Any])

_SAME, _FAILED, _CHANGES = 0, 1, 2
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_EXITS = """\b
Exit codes with --detailed-exitcode:
  0    nothing to do
  1    any error
  2    something is to be made, changed or deleted (--plan), or was"""


def _parameters(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(name and sign for name, sign, _ in pairs):
        # Which one is not said, for it may hold a secret.
        raise click.BadParameter("Each must be NAME=VALUE.")
    return {name: value for name, _, value in pairs}


def _templated(command: F) -> F:
    """Give a command the template and its parameters."""
    for option in (
        click.option(
            "--parameter",
            "parameters",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_parameters,
            help="Set a parameter; NAME= takes its default. Not given, its variable counts, then its default.",
        ),
        click.option(
            "--template",
            "file",
            type=_FILE,
            help="Another template than the product's own.",
        ),
    ):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "dcs-access --os-cloud otc deploy --plan",
        """dcs-access --os-cloud otc deploy --parameter AllowLists='{"office": ["203.0.113.0/24"]}'""",
    )
    + f"\n\n{_EXITS}"
)
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be done; only reads.")
@click.option("--detailed-exitcode", is_flag=True, help="Say by the exit code whether there is something to do.")
@_templated
@common
def deploy(
    app: App, *, only_plan: bool, detailed_exitcode: bool, parameters: dict[str, str], file: Path | None
) -> None:
    """Make the project hold what the template says: functions, topics, triggers, agencies; again, only what differs."""
    from cli.deploy import operate  # noqa: PLC0415  # see above

    try:
        changes = operate.deploy(app, parameters, file, only_plan=only_plan)
    except AccessError as problem:
        if not detailed_exitcode:
            raise
        explain(problem.data)
        raise SystemExit(_FAILED) from None
    if detailed_exitcode:
        raise SystemExit(_CHANGES if changes else _SAME)


@click.command(epilog=examples("dcs-access --os-cloud otc undeploy"))
@click.option("--yes", is_flag=True, help="Do not ask for the confirmation.")
@_templated
@common
def undeploy(app: App, *, yes: bool, parameters: dict[str, str], file: Path | None) -> None:
    """Delete all that was deployed, and nothing else; exposures stay.

    A run that is under way stops where it is, and no event tells of it: wait for the event of the last request first.
    What such a run leaves goes by `dcs-access withdraw INSTANCE`; `dcs-access leaks` finds the rest.
    """
    from cli.deploy import operate  # noqa: PLC0415  # see above

    operate.undeploy(app, parameters, file, yes=yes)


@click.group()
def template() -> None:
    """Look into the template: what it grants, whether it is sound, what it packs."""


@template.command("show")
def show_() -> None:
    """Print the product's own template: its parameters, what it grants, what it makes."""
    from cli.deploy import operate  # noqa: PLC0415  # see above

    operate.show_template()


@template.command()
@click.argument("file", type=_FILE, required=False)
def lint(file: Path | None) -> None:
    """Check a template, the product's own by default."""
    from cli.deploy import operate  # noqa: PLC0415  # see above

    if not operate.lint(file):
        raise SystemExit(_FAILED)


@template.command()
@click.argument("file", type=_FILE, required=False)
@common
def actions(app: App, *, file: Path | None) -> None:
    """Print which IAM actions each agency needs, as the code of its functions says."""
    from cli.deploy import operate  # noqa: PLC0415  # see above

    operate.show_actions(app, file)


@template.command()
@click.option("--output", "to", type=click.Path(dir_okay=False, path_type=Path), help="Write the zip here.")
@click.option(
    "--for",
    "target",
    type=click.Choice([each.value for each in Target]),
    default=Target.OTC.value,
    show_default=True,
    help="Whose interpreter runs it: the platform's, with wheels, or this one.",
)
@click.option("--report", "measured", is_flag=True, help="Say how large it is and how long its handlers import.")
@_templated
@click.pass_obj
def package(
    app: App, *, to: Path | None, target: str, measured: bool, parameters: dict[str, str], file: Path | None
) -> None:
    """Build the zip of the functions; same input, same bytes."""
    from cli.deploy import operate  # noqa: PLC0415  # see above

    operate.package(app.output, parameters, file, Target(target), to, measured=measured)


@template.command()
def schema() -> None:
    """Print the JSON Schema of a template."""
    from cli.deploy import operate  # noqa: PLC0415  # see above

    operate.show_schema()
