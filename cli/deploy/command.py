"""The commands that deploy, take away, and look into the template."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.deploy.actions import agency_actions
from cli.deploy.decide import Change, Verb
from cli.deploy.lint import lint
from cli.deploy.measure import report
from cli.deploy.model import template_schema
from cli.deploy.package import Target, build_package, digest
from cli.deploy.run import application_of, plan_removal, prepare, site_of, take_away
from cli.deploy.template import parameters_of, read_template, template_path
from cli.exposures import exposures
from cli.options import App, common, examples, state_path
from cli.output import explain, facts, show, table
from shared.errors import AccessError, ErrorCode, PermanentError

F = TypeVar("F", bound=Callable[..., Any])

_SAME, _FAILED, _CHANGES = 0, 1, 2
_COLUMNS = ("do", "kind", "name", "reason")
_EXITS = """\b
Exit codes with --detailed-exitcode:
  0    nothing to do
  1    any error
  2    something is to be made, changed or deleted (--plan), or was"""


def _parameters(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = next((name for name, sign, _ in pairs if not (name and sign)), None)
    if wrong is not None:
        raise click.BadParameter(f"{wrong!r} is not NAME=VALUE.")
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
            help="A parameter of the template; else its variable, else its default.",
        ),
        click.option(
            "--template",
            "file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
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
    try:
        changes = _deploy(app, parameters, file or template_path(), only_plan=only_plan)
    except AccessError as problem:
        if not detailed_exitcode:
            raise
        explain(problem.data)
        raise SystemExit(_FAILED) from None
    if detailed_exitcode:
        raise SystemExit(_CHANGES if changes else _SAME)


def _deploy(app: App, parameters: dict[str, str], file: Path, *, only_plan: bool) -> int:
    transport = app.connect()
    deployment = prepare(
        transport, transport.endpoints, file, given=parameters, environment=os.environ.get, cache=cache_path()
    )
    changes = deployment.plan()
    rows = [_row(change) for change in changes if change.verb is not Verb.KEEP]
    if only_plan:
        show({"changes": rows}, app.output, lambda: _planned(rows))
        return len(rows)
    if not app.quiet:
        click.echo(_planned(rows), err=True)
    outputs = deployment.carry_out(changes, lambda text: None if app.quiet else click.echo(text, err=True))
    show({"changes": rows, "outputs": outputs}, app.output, lambda: facts(outputs))
    return len(rows)


@click.command(epilog=examples("dcs-access --os-cloud otc undeploy"))
@click.option("--yes", is_flag=True, help="Do not ask for the confirmation.")
@_templated
@common
def undeploy(app: App, *, yes: bool, parameters: dict[str, str], file: Path | None) -> None:
    """Delete all that was deployed, and nothing else; exposures stay."""
    template = read_template(file or template_path())
    application = application_of(template, parameters_of(template, parameters, os.environ.get))
    site = site_of(app.connect(), application)
    rows = [_row(change) for change in plan_removal(site)]
    left = exposures(site.cloud)
    if not rows:
        show({"deleted": [], "exposures": left}, app.output, lambda: f"Nothing is deployed as {application}.")
        return
    click.echo(table(rows, _COLUMNS), err=True)
    click.echo(_left(left), err=True)
    if not yes:
        click.confirm(f"Delete these {len(rows)}?", abort=True, err=True)
    take_away(site, lambda text: None if app.quiet else click.echo(text, err=True))
    show({"deleted": rows, "exposures": left}, app.output, lambda: f"Nothing of {application} is left.")


@click.group()
def template() -> None:
    """Look into the template: what it grants, whether it is sound, what it packs."""


@template.command("lint")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def lint_(file: Path | None) -> None:
    """Check a template, the product's own by default."""
    wrong = lint(read_template(file or template_path()))
    for line in wrong:
        click.echo(line)
    if wrong:
        raise SystemExit(_FAILED)


@template.command()
@_templated
@common
def actions(app: App, *, parameters: dict[str, str], file: Path | None) -> None:
    """Print which IAM actions each agency needs, as the code of its functions says."""
    del parameters
    needed = agency_actions(read_template(file or template_path()))
    rows = [{"agency": agency, "action": action} for agency, actions in needed.items() for action in actions]
    show(needed, app.output, lambda: table(rows, ("agency", "action")))


@template.command()
@click.option("--output", "output_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the zip here.")
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
    app: App, *, output_file: Path | None, target: str, measured: bool, parameters: dict[str, str], file: Path | None
) -> None:
    """Build the zip of the functions; same input, same bytes."""
    found = read_template(file or template_path())
    runtime = str(parameters_of(found, parameters, os.environ.get).get("Runtime", ""))
    built = build_package(Target(target), runtime, cache_path())
    if output_file:
        _write(output_file, built)
    about: dict[str, Any] = {"digest": digest(built), "bytes": len(built)}
    if measured:
        # What is measured has to run here.
        about |= report(build_package(Target.EMULATOR, runtime, cache_path())) | {"bytes": len(built)}
    rows = about.pop("handlers", None)
    whole = about if rows is None else {**about, "handlers": rows}
    columns = ("handler", "import_ms", "ratio")
    show(whole, app.output, lambda: facts(about) + ("" if rows is None else f"\n\n{table(rows, columns)}"))


@template.command()
def schema() -> None:
    """Print the JSON Schema of a template."""
    click.echo(json.dumps(template_schema(), indent=2))


def cache_path() -> Path:
    """Where downloaded wheels are kept."""
    return state_path() / "wheels"


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as problem:
        message = f"{path} cannot be written: {problem.strerror}."
        raise PermanentError(ErrorCode.INVALID_REQUEST, message, field="output", advice="Choose another.") from None


def _row(change: Change) -> dict[str, str]:
    return {"do": change.verb.value, "kind": change.kind, "name": change.name, "reason": change.reason}


def _planned(rows: list[dict[str, str]]) -> str:
    return table(rows, _COLUMNS) if rows else "Nothing to do."


def _left(left: list[dict[str, Any]]) -> str:
    if not left:
        return "No exposure stays."
    stay = "1 exposure stays" if len(left) == 1 else f"{len(left)} exposures stay"
    lines = [
        f"  {row['exposure']}  instance {row['instance_id']}  expires {row['expires_at'] or 'never'}" for row in left
    ]
    advice = "withdraw them with `dcs-access withdraw`, or look after them with `dcs-access serve --verify-every 30m`"
    return "\n".join([f"{stay}, and nobody will expire them; {advice}:", *lines])
