"""Looking into an emulated cloud while it is served, and turning its dials."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.running import Exit
from tests.cli.support import Terminal, run
from tests.emulator.client import Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, code, create, zipped

SOURCE = (
    "def handler(event, context):\n    context.getLogger().info('said by a function')\n    raise ValueError('no')\n"
)


@pytest.fixture
def served(terminal: Terminal) -> Terminal:
    """A terminal whose emulator is the one that was served last."""
    config = terminal.folder / "config" / "dcs-access" / "emulator" / "clouds.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(terminal.clouds.read_text())
    return terminal


def shown(*words: str) -> Any:
    return json.loads(run("emulator", *words, "-o", "json").stdout)


def test_what_functions_did_and_said_is_shown(served: Terminal):
    api = Caller(served.emulator)
    group = api.post("/v2/{pid}/groups", {"log_group_name": "app", "ttl_in_days": 7}, 201)["log_group_id"]
    stream = api.post(f"/v2/{{pid}}/groups/{group}/streams", {"log_stream_name": "all"}, 201)["log_stream_id"]
    urn = create(api, log_config={"group_id": group, "stream_id": stream}, **code(zipped(SOURCE)))
    request_id = api.post(f"{FUNCTIONS}/{urn}/invocations-async", {}, 202)["request_id"]
    served.emulator.drain()
    (one,) = shown("invocations")
    assert (one["request_id"], one["function"], one["source"]) == (request_id, "hello", "API")
    assert (one["status"], one["attempts"], one["error_code"]) == ("FAIL", 1, 4002)
    assert request_id in run("emulator", "invocations").stdout
    (line,) = shown("logs", "--containing", "said by")
    assert (line["stream"], request_id in line["line"]) == ("all", True)
    assert "said by a function" in run("emulator", "logs").stdout


def test_dials_are_shown_and_turned(served: Terminal):
    assert shown("dials")["agency_delay"] == 0.0
    turned = shown("dials", 'events={"duplicate_every": 2}', "agency_delay=600", "eip_bound_status=ELB")
    assert (turned["events"]["duplicate_every"], turned["agency_delay"], turned["eip_bound_status"]) == (
        2,
        600.0,
        "ELB",
    )
    assert served.emulator.dials.events.duplicate_every == 2


@pytest.mark.parametrize("change", ["agency_delay", "no_such_dial=1", "agency_delay=soon"])
def test_a_dial_that_is_none_is_refused(served: Terminal, change: str):
    before = served.emulator.dials.model_dump()
    assert run("emulator", "dials", change).exit_code == Exit.REFUSED
    assert served.emulator.dials.model_dump() == before
