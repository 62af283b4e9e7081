"""What the commands of a deployment do."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cli.deploy import lint as linter
from cli.deploy.actions import agency_actions
from cli.deploy.apply import Site
from cli.deploy.decide import Change, Verb
from cli.deploy.measure import report
from cli.deploy.model import Template, template_schema
from cli.deploy.package import build_package, digest
from cli.deploy.run import application_of, cache_path, plan_removal, prepare, site_of, take_away
from cli.deploy.runtime import runtime_of
from cli.deploy.target import Target
from cli.deploy.template import Resolver, Surroundings, parameters_of, read_template, template_path
from cli.exposures import exposures
from cli.options import App, Format
from cli.output import explain, facts, show, table
from cli.running import Exit
from shared.errors import AccessError, ErrorCode, PermanentError

_COLUMNS = ("do", "kind", "name", "reason")


def deploy(app: App, parameters: dict[str, str], file: Path | None, *, only_plan: bool) -> int:
    """Deploy, or say only what that would do; how much there was to do."""
    transport = app.connect()
    deployment = prepare(
        transport,
        transport.endpoints,
        file or template_path(),
        given=parameters,
        environment=os.environ.get,
        cache=cache_path(),
    )
    changes = deployment.plan()
    rows = [_row(change) for change in changes if change.verb is not Verb.KEEP]
    if only_plan:
        show({"changes": rows}, app.output, lambda: _planned(rows))
        return len(rows)
    if not app.quiet:
        click.echo(_planned(rows), err=True)
    with _failing_half_way(deployment.site, "`dcs-access deploy` again goes on from there, `undeploy` takes it away."):
        outputs = deployment.carry_out(changes, lambda text: None if app.quiet else click.echo(text, err=True))
    show({"changes": rows, "outputs": outputs}, app.output, lambda: facts(outputs))
    return len(rows)


def undeploy(app: App, parameters: dict[str, str], file: Path | None, *, yes: bool) -> None:
    """Delete all that was deployed, after a confirmation."""
    template = _template(file)
    application = application_of(template, parameters_of(template, parameters, os.environ.get))
    site = site_of(app.connect(), application)
    changes = plan_removal(site)
    rows = [_row(change) for change in changes if change.verb is Verb.DELETE]
    kept = [_row(change) for change in changes if change.verb is Verb.KEEP]
    left = exposures(site.cloud)
    if not rows:
        show({"deleted": [], "exposures": left}, app.output, lambda: f"Nothing is deployed as {application}.")
        return
    click.echo(table([*rows, *kept], _COLUMNS), err=True)
    click.echo(_left(left), err=True)
    if not yes:
        click.confirm(f"Delete these {len(rows)}?", abort=True, err=True)
    with _failing_half_way(site, "`dcs-access undeploy` again goes on from there."):
        rest = take_away(site, changes, lambda text: None if app.quiet else click.echo(text, err=True))
    listed = ", ".join(f"{change.kind} {change.name}: {change.reason}" for change in rest)
    end = f"Of {application} is left: {listed}." if rest else f"Nothing of {application} is left."
    show({"deleted": rows, "exposures": left}, app.output, lambda: end)


@contextmanager
def _failing_half_way(site: Site, advice: str) -> Iterator[None]:
    """Let no failure pass for a refusal, which would mean that nothing was done, once something was."""
    try:
        yield
    except AccessError as problem:
        if not site.transport.changed:
            raise
        told = " ".join(filter(None, (problem.data.advice, "Not all was done:", advice)))
        explain(problem.data.model_copy(update={"advice": told}))
        raise SystemExit(Exit.FAILED) from None


def lint(file: Path | None) -> bool:
    """Print what is wrong with a template; whether nothing is."""
    wrong = linter.lint(_template(file))
    for line in wrong:
        click.echo(line)
    return not wrong


def show_actions(app: App, file: Path | None) -> None:
    """Print which IAM actions each agency needs."""
    needed = agency_actions(_template(file))
    rows = [{"agency": agency, "action": action} for agency, actions in needed.items() for action in actions]
    show(needed, app.output, lambda: table(rows, ("agency", "action")))


def package(
    output: Format, parameters: dict[str, str], file: Path | None, target: Target, to: Path | None, *, measured: bool
) -> None:
    """Build the zip, write it, and say how large it is; measured, how long its handlers import."""
    wanted = _template(file)
    values = parameters_of(wanted, parameters, os.environ.get)
    runtime = runtime_of(Resolver(wanted, Surroundings("", "", "", values)))
    built = build_package(target, runtime, cache_path())
    if to:
        _write(to, built)
    about: dict[str, Any] = {"digest": digest(built), "bytes": len(built)}
    if measured:
        # What is measured has to run here.
        about |= report(build_package(Target.EMULATOR, runtime, cache_path())) | {"bytes": len(built)}
    rows = about.pop("handlers", None)
    whole = about if rows is None else {**about, "handlers": rows}
    columns = ("handler", "import_ms", "ratio")
    show(whole, output, lambda: facts(about) + ("" if rows is None else f"\n\n{table(rows, columns)}"))


def show_template() -> None:
    """Print the product's own template as it is."""
    click.echo(template_path().read_text("utf-8"), nl=False)


def show_schema() -> None:
    """Print the JSON Schema of a template."""
    click.echo(json.dumps(template_schema(), indent=2))


def _template(file: Path | None) -> Template:
    return read_template(file or template_path())


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


def _known(row: dict[str, Any]) -> str:
    if row["instance_id"] is None:
        return "its record is lost; `dcs-access verify` tells more"
    return f"instance {row['instance_id']}  expires {row['expires_at'] or 'never'}"


def _left(left: list[dict[str, Any]]) -> str:
    if not left:
        return "No exposure stays."
    stay, them = ("1 exposure stays", "it") if len(left) == 1 else (f"{len(left)} exposures stay", "them")
    lines = [f"  {row['exposure']}  {_known(row)}" for row in left]
    ways = f"withdraw {them} with `dcs-access withdraw`, or look after {them} with"
    advice = f"{ways} `dcs-access serve --verify-every 30m`"
    return "\n".join([f"{stay}, and nobody will expire {them}; {advice}:", *lines])
