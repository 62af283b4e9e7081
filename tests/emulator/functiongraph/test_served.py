"""The whole of it in real time: an uploaded zip, run in its own process, that calls the emulator over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from emulator import Emulator, Server, World, serve
from tests.emulator.client import Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, code, create, fields, zipped
from tests.emulator.functiongraph.test_invocations import WITH_AGENCY

SOURCE = """
import json, os, urllib.request

def handler(event, context):
    url = f"{context.getUserData('endpoint')}/v1/{context.getProjectID()}/vpcs"
    request = urllib.request.Request(url, headers={"X-Auth-Token": context.getToken()})
    with urllib.request.urlopen(request) as answer:
        vpcs = json.load(answer)["vpcs"]
    context.getLogger().info("looked")
    return {"vpcs": len(vpcs), "event": event, "request": context.getRequestID()}
"""


@pytest.fixture
def cloud() -> Iterator[Emulator]:
    emulator = Emulator(World.loads(WITH_AGENCY))
    yield emulator
    emulator.close()


@pytest.fixture
def server(cloud: Emulator) -> Iterator[Server]:
    with serve(cloud) as server:
        yield server


def test_a_function_runs_from_its_zip_and_acts_in_the_cloud_as_its_agency(cloud: Emulator, server: Server) -> None:
    api = Caller(cloud)
    urn = create(api, app_xrole="reader", user_data=json.dumps({"endpoint": server.url}), **code(zipped(SOURCE)))
    answer = api.post(f"{FUNCTIONS}/{urn}/invocations", {"n": 1})
    assert (answer["vpcs"], answer["event"]) == (0, {"n": 1})
    api.put(f"{FUNCTIONS}/{urn}/async-invoke-config", {"enable_async_status_log": True})
    request_id = api.post(f"{FUNCTIONS}/{urn}/invocations-async", {"n": 2}, 202)["request_id"]
    cloud.drain()
    shown = api.get(f"{FUNCTIONS}/{urn}/async-invocations", request_id=request_id)["invocations"]
    assert [one["status"] for one in shown] == ["SUCCESS"]


def test_an_instance_is_killed_in_the_middle_of_its_handler(cloud: Emulator) -> None:
    api = Caller(cloud)
    source = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'slept'\n"
    urn = create(api, **code(zipped(source)))
    cloud.set_dials({"functions": {"hello": {"killed_every": 1, "killed_after": 0.2}}})
    begun = time.monotonic()
    answer = api.call("POST", f"{FUNCTIONS}/{urn}/invocations", 20)
    assert (answer.status, answer.headers["X-Func-Err-Code"]) == (200, "4204")
    assert time.monotonic() - begun < 10
    cloud.set_dials({"functions": {}})
    assert api.post(f"{FUNCTIONS}/{urn}/invocations", 0) == "slept"


def test_changed_code_and_configuration_count_from_the_next_invocation_on(cloud: Emulator) -> None:
    api = Caller(cloud)
    urn = create(api, user_data='{"key": "old"}', **code(zipped("def handler(event, context):\n    return 1\n")))
    invocations = f"{FUNCTIONS}/{urn}/invocations"
    assert api.post(invocations, {}) == 1
    api.put(
        f"{FUNCTIONS}/{urn}/code", code(zipped("def handler(event, context):\n    return context.getUserData('key')\n"))
    )
    assert api.post(invocations, {}) == "old"
    api.put(f"{FUNCTIONS}/{urn}/config", fields(user_data='{"key": "new"}'))
    assert api.post(invocations, {}) == "new"
