"""The command line."""

from __future__ import annotations

import os
from errno import EPIPE
from typing import Any

import click

from cli.completion import completion
from cli.demo import demo
from cli.deploy.command import deploy, template, undeploy
from cli.emulator import emulator
from cli.exposures import list_, show_
from cli.leaks import leaks
from cli.machine import machine
from cli.options import App, common, examples
from cli.output import explain
from cli.plan import plan
from cli.requests import expose, extend, submit, withdraw
from cli.running import EXITS, Exit
from cli.runs import run, serve
from cli.schemas import schema
from cli.verify import verify
from shared.errors import AccessError, TemporaryError

_LOOPBACK = "127.0.0.0/8,localhost"
_EXAMPLES = examples(
    "dcs-access demo          all of it on this machine, no account needed",
    "dcs-access --os-cloud otc expose ID --allow 203.0.113.0/24 --accept production",
    "dcs-access --os-cloud otc list",
    "dcs-access --os-cloud otc withdraw ID",
)


class _Group(click.Group):
    """Shows a failure in one way, whatever command it ends."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(Exit.LEFT)
        except AccessError as problem:
            explain(problem.data)
            ctx.exit(Exit.FAILED if isinstance(problem, TemporaryError) else Exit.REFUSED)
        except OSError as problem:
            # Click ends by itself what nobody reads on; what has no number of the system's is a defect.
            if problem.errno in {EPIPE, None}:
                raise
            place = f"{problem.filename}: " if problem.filename else ""
            click.echo(f"Error: {place}{problem.strerror}.", err=True)
            ctx.exit(Exit.FAILED)


@click.group(cls=_Group, epilog=f"{_EXAMPLES}\n\n{EXITS}", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dcs-public-access")
@common
@click.pass_context
def main(context: click.Context, _app: App) -> None:
    """Reach a private Open Telekom Cloud DCS Redis instance from outside, and take that back."""
    if os.environ.get("NO_COLOR"):
        context.color = False
    _reach_this_machine_directly()


def _reach_this_machine_directly() -> None:
    # No proxy can reach the loopback addresses of its client, where an emulated cloud is.
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if given != "*" and _LOOPBACK not in given:
        os.environ["no_proxy"] = ",".join(filter(None, (given, _LOOPBACK)))


for _command in (
    demo,
    plan,
    expose,
    extend,
    withdraw,
    list_,
    show_,
    verify,
    leaks,
    submit,
    serve,
    run,
    machine,
    deploy,
    undeploy,
    template,
    schema,
    completion,
    emulator,
):
    main.add_command(_command)
