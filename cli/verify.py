"""The command that looks after exposures: what differs, and with --repair the way back."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from cli.completion import known
from cli.intake import checked
from cli.options import App, common, examples
from cli.output import cut, show, table
from cli.running import Exit, event_of, exit_of, follow, report, summary
from shared.request import Risk

if TYPE_CHECKING:
    from cli.composition import Composition

_COLUMNS = ("exposure", "verdict", "endpoint", "reason")
_WELL = frozenset({"healthy", "held"})
_DIFFERING = frozenset({"drifted", "changing"})
_EXITS = """\b
Exit codes:
  0    all are healthy, or held by their owners
  1    the verification or a repair failed
  2    refused
  4    not all is as it should be"""


@click.command(
    epilog=examples("dcs-access verify", "dcs-access verify 1b0e... --repair", "dcs-access verify -o json")
    + f"\n\n{_EXITS}"
)
@click.argument("exposures", nargs=-1, metavar="[EXPOSURE|INSTANCE]...", shell_complete=known)
@click.option("--repair", is_flag=True, help="Make what differs what it should be, as far as that takes nothing away.")
@click.option("--replace", is_flag=True, help="With --repair: make a load balancer or address that is gone anew.")
@click.option("--allow", multiple=True, metavar="CIDR", help="With --repair of one: the clients, if that list is lost.")
@click.option(
    "--accept", multiple=True, type=click.Choice([risk.value for risk in Risk]), help="A risk you acknowledge."
)
@click.option("--notify", multiple=True, metavar="URL", help="A webhook that gets the events, too.")
@common
def verify(app: App, exposures: tuple[str, ...], *, repair: bool, notify: tuple[str, ...], **how: Any) -> None:
    """Say whether exposures are as they should be; of all of the project, if none is named."""
    how = {name: value for name, value in how.items() if value}
    if how and not repair:
        raise click.UsageError(f"--{next(iter(how))} goes with --repair.")
    if "allow" in how and len(exposures) != 1:
        raise click.UsageError("--allow is for one exposure, which has to be named.")
    look = checked({"action": "verify", "exposures": exposures, "repair": repair, "notify": notify})
    with app.compose() as composed:
        found = _look(app, composed, look)
        due = _due(found, beyond=bool(how.keys() & {"replace", "allow"})) if repair else []
        repaired = [_repair(app, composed, each, {**how, "notify": notify}) for each in due]
        if repaired:
            found = _look(app, composed, {**look, "request_id": str(uuid4())})
    show({**found, "repaired": repaired}, app.output, lambda: _text(found, repaired))
    raise SystemExit(_exit(found, repaired))


def _look(app: App, composed: Composition, request: dict[str, Any]) -> dict[str, Any]:
    view = follow(app, composed, composed.enqueue(request).run_id)
    found: dict[str, Any] | None = (view.output or {}).get("verified")
    if found is None:
        raise SystemExit(report(app, view))
    return {name: found[name] for name in ("counts", "verdicts", "repairs", "expired", "expiring", "findings")}


def _due(found: Mapping[str, Any], *, beyond: bool) -> list[dict[str, Any]]:
    """What to repair; `beyond` adds what a repair can do only because the caller has said more.

    Who asks for repairs by hand knows whether a run is still at work.
    """
    changing = [each for each in found["verdicts"] if each["kind"] == "changing" and each["repairable"]]
    drifted = [each for each in found["verdicts"] if beyond and each["kind"] in _DIFFERING]
    more = [each for each in (*changing, *drifted) if each["instance_id"]]
    return list({each["exposure"]: each for each in (*found["repairs"], *more)}.values())


def _repair(app: App, composed: Composition, due: Mapping[str, Any], how: dict[str, Any]) -> dict[str, Any]:
    named = {name: due[name] for name in ("instance_id", "node") if due[name]}
    view = follow(app, composed, composed.enqueue(checked({"action": "repair", **named, **how})).run_id)
    event = event_of(view)
    if event is None:
        raise SystemExit(report(app, view))
    return event


def _exit(found: Mapping[str, Any], repaired: Iterable[Mapping[str, Any]]) -> Exit:
    worst = max((exit_of(event) for event in repaired), default=Exit.OK)
    if worst is not Exit.OK:
        return Exit.FAILED if worst is Exit.REFUSED else worst
    well = all(count == 0 or verdict in _WELL for verdict, count in found["counts"].items())
    return Exit.OK if well else Exit.DIFFERS


def _text(found: Mapping[str, Any], repaired: Iterable[Mapping[str, Any]]) -> str:
    parts = [summary(event) for event in repaired]
    counted = [f"{count} {verdict}" for verdict, count in found["counts"].items() if count]
    parts.append(", ".join(counted) or "There are no exposures.")
    if found["verdicts"]:
        parts.append(_crop(table([{**each, "verdict": each["kind"]} for each in found["verdicts"]], _COLUMNS)))
    parts += [_differences(each) for each in found["verdicts"] if each["differences"]]
    parts += [f"Note {finding['code']}: {finding['message']}" for finding in found["findings"]]
    return "\n\n".join(parts)


def _differences(verdict: Mapping[str, Any]) -> str:
    lines = (
        f"  {each['kind']} {each['id']}: {each['field']} is {each['is']}, should be {each['should']}"
        for each in verdict["differences"]
    )
    return "\n".join((f"{verdict['exposure']}:", *lines))


def _crop(text: str) -> str:
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(cut(line, width) for line in text.splitlines())
