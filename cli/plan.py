"""The command that says what a request would do."""

from __future__ import annotations

import os
from typing import Any, TextIO

import click

from cli.options import App, common, examples
from cli.output import explain, facts, moment, show, table
from cli.requests import expose_request, exposing
from shared.errors import AccessError
from shared.ids import run_id
from shared.otc.cloud import Cloud
from shared.planning.decide import make_plan
from shared.planning.plan import PlanResult
from shared.preview import Preview, preview
from shared.request import parse_request
from shared.services import utc_now
from shared.settings import read_settings

_SAME, _FAILED, _CHANGES = 0, 1, 2
_EXITS = """\b
Exit codes with --detailed-exitcode:
  0    nothing to do
  1    any error, a safety rule's refusal included
  2    something would be made or changed"""


@click.command(epilog=examples("dcs-access plan 1b0e... --allow 203.0.113.0/24 --accept production") + f"\n\n{_EXITS}")
@click.option("--detailed-exitcode", is_flag=True, help="Say by the exit code whether there is something to do.")
@exposing
@common
def plan(app: App, *, detailed_exitcode: bool, file: TextIO | None, instance: str | None, **fields: Any) -> None:
    """Say what it would take to expose INSTANCE; only reads."""
    try:
        seen, foreseen = _foresee(app, expose_request(file, instance, fields))
    except AccessError as problem:
        if not detailed_exitcode:
            raise
        explain(problem.data)
        raise SystemExit(_FAILED) from None
    show(_data(seen, foreseen), app.output, lambda: _text(seen, foreseen))
    if detailed_exitcode:
        raise SystemExit(_CHANGES if foreseen.changes else _SAME)


def _foresee(app: App, request: dict[str, Any]) -> tuple[PlanResult, Preview]:
    cloud, now = Cloud(app.connect()), utc_now()
    wanted = parse_request(request)
    assert wanted.action == "expose"
    run = run_id(cloud.project_id, wanted.request_id)
    seen = make_plan(cloud, wanted, run, read_settings(os.environ.get), now)
    return seen, preview(cloud, seen.plan, now)


def _data(seen: PlanResult, foreseen: Preview) -> dict[str, Any]:
    return {
        "exposure": seen.plan.exposure,
        "instance_id": seen.plan.instance_id,
        "expires_at": moment(seen.plan.expires_at),
        **foreseen.model_dump(mode="json"),
        "findings": [finding.model_dump() for finding in seen.findings],
    }


def _text(seen: PlanResult, foreseen: Preview) -> str:
    data = _data(seen, foreseen)
    head = {
        "instance": f"{seen.plan.instance_name} {seen.plan.instance_id}",
        "exposure": seen.plan.exposure,
        "port": seen.plan.listener_port,
        "way": seen.plan.mode.value,
        "clients": list(seen.plan.allow),
        "expires": data["expires_at"],
    }
    made = f"{foreseen.calls} changing calls." if foreseen.changes else "Nothing to do."
    notes = [f"Note {finding.code}: {finding.message}" for finding in seen.findings]
    return "\n".join([facts(head), "", table(data["resources"], ("did", "kind", "id", "reason")), "", made, *notes])
