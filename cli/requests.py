"""The commands that make a request: expose, extend, withdraw, submit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TextIO, TypeVar, cast

import click

from cli.completion import known
from cli.intake import checked, read_request
from cli.options import App, common, duration, examples
from cli.output import show
from cli.running import EXITS, carry_out
from cli.topic import DEPLOYED, publish
from shared.errors import ErrorCode, PermanentError
from shared.request import OnFailure, Risk

F = TypeVar("F", bound=Callable[..., Any])

# With or without the mark that some editors put first.
_FILE = click.File(encoding="utf-8-sig")


_EXPOSING = (
    click.argument("instance", required=False, shell_complete=known),
    click.option("-f", "--file", type=_FILE, help="A request as JSON in place of all options; - is standard input."),
    click.option("--allow", multiple=True, metavar="CIDR", help="Clients that may connect; may be given again."),
    click.option(
        "--accept", multiple=True, type=click.Choice([risk.value for risk in Risk]), help="A risk you acknowledge."
    ),
    click.option("--port", type=int, help="Listener port.  [default: 80]"),
    click.option("--node", metavar="IP:PORT", help="Which node of a Redis Cluster."),
    click.option("--vpc-id", metavar="ID", help="Where the load balancer stands.  [default: the instance's VPC]"),
    click.option("--subnet-id", metavar="ID", help="Its subnet.  [default: the one with most free addresses]"),
    click.option("--same-vpc", type=click.Choice(["documented", "direct"]), help="If both are in one VPC."),
    click.option("--helper-vpc-id", metavar="ID", help="The other VPC that a documented same-VPC peering needs."),
    click.option("--availability-zone", "availability_zones", multiple=True, metavar="ZONE", help="May be repeated."),
    click.option("--flavor", metavar="ID|NAME", help="L4 flavor.  [default: the smallest]"),
    click.option("--bandwidth-mbit", type=int, help="Of the public address.  [default: 5]"),
    click.option("--on-failure", type=click.Choice([each.value for each in OnFailure]), help="[default: rollback]"),
    click.option("--expires-after", metavar="DURATION", help="Such as 30m, 8h or 7d, or never."),
    click.option("--expires-at", metavar="TIME", help="RFC 3339, such as 2030-01-31T18:00:00Z."),
    click.option("--repair", is_flag=True, help="The schedule repairs what differs, and does not only report it."),
    click.option("--require-probe", is_flag=True, help="Fail unless Redis was seen to answer from here."),
    click.option("--notify", multiple=True, metavar="URL", help="A webhook that gets the event, too."),
    click.option("--request-id", metavar="ID", help="Idempotency key.  [default: a new UUID]"),
)


def exposing(command: F) -> F:
    """Give a command all that a request to expose may say."""
    for option in reversed(_EXPOSING):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "dcs-access expose 1b0e... --allow 203.0.113.0/24 --accept production",
        "dcs-access expose 1b0e... --allow 203.0.113.7 --accept production --expires-after 8h -o json",
        "dcs-access expose -f request.json",
    )
)
@exposing
@common
def expose(app: App, file: TextIO | None, instance: str | None, **fields: Any) -> None:
    """Publish INSTANCE at a public address and port."""
    carry_out(app, expose_request(file, instance, fields))


def expose_request(file: TextIO | None, instance: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    """The request to expose that a file or the options make.

    Raises:
        PermanentError: `InvalidRequest`.
    """
    fields["instance_id"] = instance
    return _request("expose", file, _given(fields))


@click.command(epilog=examples("dcs-access withdraw 1b0e..."))
@click.argument("instance", required=False, shell_complete=known)
@click.option("-f", "--file", type=_FILE, help="A request as JSON in place of all options; - is standard input.")
@click.option("--node", metavar="IP:PORT", help="Which node of a Redis Cluster.")
@click.option("--notify", multiple=True, metavar="URL", help="A webhook that gets the event, too.")
@click.option("--request-id", metavar="ID", help="Idempotency key.  [default: a new UUID]")
@common
def withdraw(app: App, file: TextIO | None, instance: str | None, **fields: Any) -> None:
    """Take the exposure of INSTANCE down, without a trace."""
    fields["instance_id"] = instance
    carry_out(app, _request("withdraw", file, _given(fields)))


@click.command(epilog=examples("dcs-access extend 1b0e... --expires-after 8h"))
@click.argument("instance", shell_complete=known)
@click.option("--node", metavar="IP:PORT", help="Which node of a Redis Cluster.")
@click.option("--expires-after", metavar="DURATION", help="From now on: such as 30m, 8h or 7d, or never.")
@click.option("--expires-at", metavar="TIME", help="RFC 3339, such as 2030-01-31T18:00:00Z.")
@click.option("--notify", multiple=True, metavar="URL", help="A webhook that gets the event, too.")
@click.option("--request-id", metavar="ID", help="Idempotency key.  [default: a new UUID]")
@common
def extend(app: App, instance: str, **fields: Any) -> None:
    """Give the exposure of INSTANCE another end; nothing else of it changes."""
    carry_out(app, checked({"action": "extend", "instance_id": instance, **_given(fields)}))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that somebody gave; 0 is a value, though Python takes it for False."""
    return {name: value for name, value in options.items() if value is not None and value is not False and value != ()}


@click.command(
    epilog=examples(
        "dcs-access submit request.json",
        "dcs-access submit request.json --topic --wait",
        "dcs-access submit request.json --topic my-requests --listen http://203.0.113.7:8080",
    )
    + f"\n\n{EXITS}"
)
@click.argument("file", required=False)
@click.option(
    "--topic",
    is_flag=False,
    flag_value=DEPLOYED,
    metavar="[NAME|URN]",
    help="Publish it to the deployed application; without a name: to the application's own topic of requests.",
)
@click.option("--wait", is_flag=True, help="With --topic: until the cloud shows what is asked for.")
@click.option(
    "--listen", metavar="URL", help="With --topic: get the run's event at a URL of this machine, and end with it."
)
@click.option("--within", metavar="DURATION", default="15m", show_default=True, help="How long to wait or to listen.")
@common
def submit(app: App, file: str | None, topic: str | None, *, wait: bool, listen: str | None, within: str) -> None:
    """Queue the request in FILE and print its run; - is standard input."""
    if file is None:
        # An option whose value may be left out takes the next word.
        file, topic = topic, DEPLOYED
    if not file or file == DEPLOYED:
        raise click.UsageError("Missing argument 'FILE'.")
    if wait and listen:
        raise click.UsageError("--wait asks the cloud, --listen gets the event; choose one.")
    if (wait or listen) and topic is None:
        raise click.UsageError(f"--{'wait' if wait else 'listen'} goes with --topic.")
    request = read_request(cast("TextIO", _FILE.convert(file, None, click.get_current_context())))
    if topic is not None:
        limit = duration(within, "--within", timedelta(seconds=1))
        raise SystemExit(publish(app, request, topic, wait=wait, listen=listen, within=limit.total_seconds()))
    with app.compose() as composed:
        view = composed.enqueue(request)
    data = {"run_id": view.run_id, "request_id": view.request_id, "status": view.status.value}
    show(data, app.output, lambda: view.run_id)


def _request(action: str, file: TextIO | None, given: dict[str, Any]) -> dict[str, Any]:
    if file is None:
        return checked({"action": action, **given})
    if given:
        raise click.UsageError(f"A file is the whole request; leave {', '.join(sorted(given))} to it.")
    request = read_request(file)
    if request["action"] != action:
        raise PermanentError(
            ErrorCode.INVALID_REQUEST,
            f"The request asks to {request['action']}, the command to {action}.",
            field="action",
            advice=f"Use `dcs-access {request['action']}`, or `dcs-access submit`.",
        )
    return request
