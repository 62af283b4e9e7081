"""An emulated cloud on this machine: serve it, and look into it or disturb it while it runs."""

from __future__ import annotations

import json
import shlex
import signal
from pathlib import Path
from threading import Event
from typing import Any

import click
import requests
import yaml

from cli.options import App, common, emulator_config, examples
from cli.output import cut, show, table
from shared.errors import ErrorCode, PermanentError

CLOUD = "emulator"
_TIMEOUT = 10.0
_LONGEST_MESSAGE = 60


@click.group()
def emulator() -> None:
    """Serve an emulated cloud, and look into it or disturb it."""


@emulator.command("serve", epilog=examples("dcs-access emulator serve", "dcs-access --os-cloud emulator list"))
@click.option("--world", "world_file", type=click.Path(path_type=Path), help="What the account holds, as YAML.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Where its API listens.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="Port of its API; 0: a free one."
)
@common
def serve_(app: App, world_file: Path | None, address: str, port: int) -> None:
    """Serve an emulated cloud until stopped; `--os-cloud emulator` then means this one."""
    from cli.emulating import read_world, running, write_clouds  # noqa: PLC0415  # the emulator is slow to import

    with running(read_world(world_file), address=address, port=port) as (account, server):
        config = emulator_config()
        config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_clouds(config, account, server.url)
        click.echo(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(config))} OS_CLOUD={CLOUD}")
        if not app.quiet:
            click.echo(f"Serving {server.url}; it is `--os-cloud {CLOUD}`.", err=True)
            for instance in account.world().dcs.instances.values():
                click.echo(f"  instance {instance.name}  {instance.id}", err=True)
        _until_stopped()
        if _served() == server.url:
            config.unlink(missing_ok=True)


@emulator.command()
@click.option("--mutating", is_flag=True, help="Only the calls that ask for a change.")
@click.option("--clear", is_flag=True, help="Forget them.")
@common
def calls(app: App, *, mutating: bool, clear: bool) -> None:
    """Show the calls that the emulated cloud got."""
    if clear:
        _admin("DELETE", "calls")
        return
    rows = [call for call in _admin("GET", "calls")["calls"] if call["mutating"] or not mutating]
    show(rows, app.output, lambda: table(rows, ("number", "method", "path", "status", "fault")))


@emulator.command(epilog=examples("dcs-access emulator coverage > docs/emulator-coverage.md"))
@common
def coverage(app: App) -> None:  # noqa: ARG001  # every command takes the common options
    """Show which calls of the cloud are served, whose page says so, and what is assumed."""
    from emulator import Emulator  # noqa: PLC0415  # as above
    from emulator.coverage import coverage as table_of  # noqa: PLC0415

    click.echo(table_of(Emulator().router), nl=False)


@emulator.command(
    epilog=examples("dcs-access emulator fault --method POST --path '*/listeners' --when after --status 504")
)
@click.option("--method", metavar="GLOB", help="Such as POST.")
@click.option("--path", metavar="GLOB", help="Of the call or its route.")
@click.option("--action", metavar="GLOB", help="Of the IAM action, such as elb:listeners:*.")
@click.option("--nth", type=click.IntRange(1), default=1, show_default=True, help="The first matching call to spoil.")
@click.option("--times", type=click.IntRange(0), default=1, show_default=True, help="How many; 0 for all.")
@click.option("--when", type=click.Choice(["before", "after"]), default="before", show_default=True)
@click.option("--status", type=click.IntRange(400, 599), help="What the client is answered.")
@click.option("--lost", is_flag=True, help="The client is not answered.")
@click.option("--delay", type=click.FloatRange(0), default=0.0, help="Seconds that the call takes longer.")
@click.option("--clear", is_flag=True, help="Lift all faults.")
@common
def fault(_app: App, *, clear: bool, times: int, **rule: Any) -> None:
    """Make a coming call fail, before or after it is carried out."""
    if clear:
        _admin("DELETE", "faults")
        return
    if not (rule["status"] or rule["lost"] or rule["delay"]):
        raise click.UsageError("Say what goes wrong: --status, --lost or --delay.")
    _admin("POST", "faults", {**rule, "times": times or None})


@emulator.command()
@common
def messages(app: App) -> None:
    """Show the messages of topics that left the emulated cloud: mails and text messages go no further."""
    rows = [
        {**message, **{name: message["body"].get(name) for name in ("type", "message", "subscribe_url")}}
        for message in _admin("GET", "messages")["messages"]
    ]
    columns = ("state", "protocol", "endpoint", "type", "message", "subscribe_url", "problem")
    brief = [{**row, "message": cut(row["message"] or "", _LONGEST_MESSAGE)} for row in rows]
    show(rows, app.output, lambda: table(brief, columns))


@emulator.command()
@common
def invocations(app: App) -> None:
    """Show the asynchronous invocations of functions: what waits, runs, and how the last ones ended."""
    rows = [
        {**one, "function": one["function_urn"].split(":")[6]} for one in _admin("GET", "invocations")["invocations"]
    ]
    columns = ("request_id", "function", "source", "status", "attempts", "error_code")
    show(rows, app.output, lambda: table(rows, columns))


@emulator.command()
@click.option("--containing", metavar="TEXT", default="", help="Only lines with this text, such as a run's id.")
@common
def logs(app: App, *, containing: str) -> None:
    """Show what functions wrote into their log streams."""
    rows = [row for row in _admin("GET", "logs")["lines"] if containing in row["line"]]
    show(rows, app.output, lambda: "\n".join(f"{row['time']}  {row['line']}" for row in rows))


@emulator.command(
    epilog=examples(
        "dcs-access emulator dials",
        """dcs-access emulator dials 'events={"duplicate_every": 2}' agency_delay=600""",
    )
)
@click.argument("changes", metavar="[NAME=VALUE]...", nargs=-1)
@common
def dials(app: App, changes: tuple[str, ...]) -> None:
    """Show how the emulated cloud behaves where documents leave it open, or change it; values are JSON."""
    wanted = dict(_dial(change) for change in changes)
    data = _admin("PUT", "dials", wanted) if wanted else _admin("GET", "dials")
    show(data, app.output, lambda: yaml.safe_dump(data, sort_keys=False).rstrip())


def _dial(change: str) -> tuple[str, Any]:
    name, given, value = change.partition("=")
    if not given:
        raise click.UsageError(f"{change!r} is not NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


@emulator.command()
@common
def snapshot(app: App) -> None:
    """Show all that the emulated account holds."""
    data = _admin("GET", "snapshot")
    show(data, app.output, lambda: yaml.safe_dump(data, sort_keys=False).rstrip())


def _until_stopped() -> None:
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    stop.wait()


def _admin(method: str, what: str, body: Any = None) -> Any:
    try:
        answer = requests.request(method, f"{_served()}/emulator/{what}", json=body, timeout=_TIMEOUT)
    except requests.RequestException:
        raise refused("No emulator answers.", "emulator", "Start one with `dcs-access emulator serve`.") from None
    if answer.status_code >= 400:
        raise refused(f"The emulator refuses: {answer.text}", what, "Correct the option.")
    return answer.json() if answer.content else None


def _served() -> str:
    """The address of the emulated cloud that was served last; empty if its file is gone or spoiled."""
    try:
        clouds = yaml.safe_load(emulator_config().read_text())
        return str(clouds["clouds"][CLOUD]["auth"]["auth_url"]).removesuffix("/v3")
    except (OSError, UnicodeDecodeError, yaml.YAMLError, LookupError, TypeError):
        return ""


def refused(message: str, field: str, advice: str) -> PermanentError:
    """The error for an emulated cloud that cannot be had, or does not do what is asked."""
    return PermanentError(ErrorCode.INVALID_REQUEST, message, field=field, advice=advice)
