from __future__ import annotations

import json
from base64 import b64decode
from threading import Event, Thread
from typing import Any

import pytest

from emulator import Dials, Emulator, Fault, ManualClock, World
from emulator.core.message import Request, Response
from emulator.dials import FunctionTrouble
from emulator.faults import ConnectionLost
from emulator.functiongraph.runtime.spec import KernelCode, RunResult
from tests.emulator.client import IAM_HOST, Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, Inline, create, fields, raising

WITH_AGENCY = """
iam:
  roles:
    - name: reading
      display_name: reading
      type: XA
      policy: {Version: "1.1", Statement: [{Effect: Allow, Action: ["vpc:vpcs:list"]}]}
  agencies:
    - {name: reader, grants: [{role_id: reading}]}
"""


@pytest.fixture
def urn(api: Caller) -> str:
    return create(api)


def invoke(api: Caller, urn: str, body: Any, **headers: str) -> Response:
    """A synchronous invocation with headers of its own."""
    url = f"{IAM_HOST}{FUNCTIONS.replace('{pid}', api.project_id)}/{urn}/invocations"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.emulator.handle(Request.of("POST", url, {"X-Auth-Token": api.token, **names}, json.dumps(body).encode()))


def test_the_answer_is_what_the_function_returned_and_headers_say_how_it_went(
    api: Caller, urn: str, runner: Inline
) -> None:
    runner.handlers["hello"] = lambda event, _: {"sum": sum(event)}
    runner.seconds = 0.0025
    answer = invoke(api, urn, [1, 2])
    assert (answer.status, answer.json()) == (200, {"sum": 3})
    assert (answer.headers["X-Func-Err-Code"], answer.headers["X-Is-Func-Err"]) == ("0", "false")
    assert answer.headers["X-Cff-Request-Id"] == runner.runs[0][1].request_id
    summary = {"duration": 2.5, "billingDuration": 3, "memorySize": 256, "memoryUsed": 20.0}
    assert json.loads(answer.headers["X-Cff-Invoke-Summary"]) == summary
    assert "X-Cff-Function-Log" not in answer.headers


def test_the_other_form_of_answer_wraps_result_and_log(api: Caller, urn: str, runner: Inline) -> None:
    answer = invoke(api, urn, {"a": 1}, X_CFF_Request_Version="v1", X_Cff_Log_Type="tail").json()
    assert json.loads(answer["result"]) == {"a": 1}
    assert (answer["status"], answer["log"].startswith("Start invoke")) == (200, True)
    assert invoke(api, urn, {}, X_CFF_Request_Version="v2").json()["error_code"] == "FSS.0400"
    assert len(runner.runs) == 1, "what is refused is not run"


def test_a_caller_may_ask_for_another_memory(api: Caller, urn: str, runner: Inline) -> None:
    assert invoke(api, urn, {}, X_Cff_Instance_Memory="512").status == 200
    assert runner.runs[0][0].memory_size == 512
    assert invoke(api, urn, {}, X_Cff_Instance_Memory="513").json()["error_code"] == "FSS.1007"


def test_the_log_comes_along_for_who_asks(api: Caller, urn: str) -> None:
    answer = invoke(api, urn, {}, X_Cff_Log_Type="tail")
    assert b"Finish invoke request" in b64decode(answer.headers["X-Cff-Function-Log"])


def test_a_failing_function_is_a_200_whose_headers_say_so(api: Caller, urn: str, runner: Inline) -> None:
    runner.handlers["hello"] = raising
    answer = invoke(api, urn, {})
    assert (answer.status, answer.json()["errorType"]) == (200, "ValueError")
    assert (answer.headers["X-Func-Err-Code"], answer.headers["X-Is-Func-Err"]) == ("4002", "true")


def test_the_function_gets_its_configuration_and_its_event(api: Caller, urn: str, runner: Inline) -> None:
    api.post(f"{FUNCTIONS}/{urn}/invocations", {"a": 1})
    spec, invocation = runner.runs[0]
    assert (spec.urn, spec.handler, spec.timeout, spec.memory_size) == (f"{urn}:latest", "index.handler", 30, 256)
    assert (spec.region, spec.project_id, spec.package) == ("eu-de", api.project_id, "default")
    assert (json.loads(invocation.event), invocation.token) == ({"a": 1}, "")


@pytest.mark.parametrize(
    ("content", "refusal"), [(b"no JSON", (406, "FSS.0406")), (b'"' + b"x" * 6 * 1024**2 + b'"', (413, "FSS.0413"))]
)
def test_an_event_is_json_of_at_most_six_megabytes(
    api: Caller, urn: str, runner: Inline, content: bytes, refusal: tuple[int, str]
) -> None:
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/invocations", content) == refusal
    assert not runner.runs


def test_functions_call_functions_and_the_cloud(api: Caller, urn: str, runner: Inline) -> None:
    create(api, "inner")
    runner.handlers["hello"] = lambda event, _: api.post(
        f"{FUNCTIONS}/{urn.replace('hello', 'inner')}/invocations", event
    )
    assert invoke(api, urn, {"deep": True}).json() == {"deep": True}


def test_while_a_function_runs_others_may_call(api: Caller, urn: str, runner: Inline) -> None:
    seen: list[Any] = []

    def handler(event: Any, invocation: Any) -> bool:
        thread = Thread(target=lambda: seen.append(api.get(FUNCTIONS)["count"]), daemon=True)
        thread.start()
        thread.join(5)
        return not thread.is_alive()

    runner.handlers["hello"] = handler
    assert invoke(api, urn, {}).json() is True
    assert seen == [1]


def test_a_real_gateway_gives_up_on_a_function_that_runs_on(runner: Inline) -> None:
    going, ended = Event(), Event()
    api = Caller(Emulator(World.small(), runner=runner, dials=Dials(gateway_seconds=0.05)))
    urn = create(api)
    runner.handlers["hello"] = lambda *_: (going.wait(5), ended.set())
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/invocations", {}) == (504, "APIGW.0201")
    going.set()
    assert ended.wait(5)


def test_the_gateway_waits_ninety_seconds_and_not_longer(api: Caller, urn: str, runner: Inline) -> None:
    runner.seconds = 90.0
    assert invoke(api, urn, {}).status == 200
    runner.seconds = 90.5
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/invocations", {}) == (504, "APIGW.0201")
    assert len(runner.runs) == 2


def test_a_lost_answer_is_that_of_a_function_that_ran(api: Caller, cloud: Emulator, urn: str, runner: Inline) -> None:
    cloud.faults.add(Fault(action="functiongraph:function:invoke", when="after", lost=True))
    with pytest.raises(ConnectionLost):
        invoke(api, urn, {})
    assert len(runner.runs) == 1


def test_without_a_runner_an_invocation_fails_loudly(clock: ManualClock) -> None:
    api = Caller(Emulator(World.small(), clock=clock))
    assert api.refused("POST", f"{FUNCTIONS}/{create(api)}/invocations", {}) == (500, "FSS.0500")


def test_a_function_has_no_more_instances_than_it_may(api: Caller, urn: str, runner: Inline) -> None:
    api.put(f"{FUNCTIONS}/{urn}/config-max-instance", {"max_instance_num": 1})
    runner.handlers["hello"] = lambda event, _: list(api.refused("POST", f"{FUNCTIONS}/{urn}/invocations", {}))
    assert invoke(api, urn, {}).json() == [429, "FSS.0429"]
    api.put(f"{FUNCTIONS}/{urn}/config-max-instance", {"max_instance_num": 0})
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/invocations", {}) == (429, "FSS.0429")


def test_the_account_runs_no_more_functions_than_its_limit(
    api: Caller, cloud: Emulator, urn: str, runner: Inline
) -> None:
    cloud.set_dials({"function_concurrency": 1})
    other = create(api, "other")
    runner.handlers["hello"] = lambda event, _: list(api.refused("POST", f"{FUNCTIONS}/{other}/invocations", {}))
    assert invoke(api, urn, {}).json() == [429, "FSS.0429"]
    assert invoke(api, other, {}).status == 200


def test_a_runtime_without_room_is_a_429(api: Caller, urn: str, runner: Inline) -> None:
    runner.handlers["hello"] = lambda *_: RunResult(KernelCode.OVERLOADED, b"{}", "", 0.0, 0.0)
    answer = invoke(api, urn, {})
    assert (answer.status, answer.json()["error_code"]) == (429, "FSS.0429")
    assert answer.headers["X-Func-Err-Code"] == "150430"


def test_dials_throttle_and_kill_every_nth_run_of_a_function(
    api: Caller, cloud: Emulator, urn: str, runner: Inline
) -> None:
    cloud.set_dials({"functions": {"hel*": FunctionTrouble(throttled_every=2, killed_every=3)}})
    answers = [invoke(api, urn, number) for number in range(6)]
    assert [answer.status for answer in answers] == [200, 429, 200, 429, 200, 429]
    killed = [answer.headers["X-Func-Err-Code"] for answer in answers if answer.status == 200]
    assert killed == ["0", "4204", "0"]
    assert (runner.events(), runner.forgotten) == ([0, 2, 4], [f"{urn}:latest"])


def test_a_function_acts_as_its_agency_and_may_what_that_may(clock: ManualClock, runner: Inline) -> None:
    api = Caller(Emulator(World.loads(WITH_AGENCY), clock=clock, runner=runner, dials=Dials(agency_delay=600)))
    urn = create(api, app_xrole="reader")
    clock.advance(590)
    invoke(api, urn, {})
    clock.advance(20)
    invoke(api, urn, {})
    early, ready = (invocation for _, invocation in runner.runs)
    assert (early.token, early.access_key) == ("", "")
    assert api.call("GET", "/v1/{pid}/vpcs", token=ready.token).status == 200
    assert api.call("GET", "/v1/{pid}/subnets", token=ready.token).status == 403
    assert ready.access_key
    assert ready.security_token


def test_one_agency_serves_as_both_and_a_new_one_takes_its_time(clock: ManualClock, runner: Inline) -> None:
    api = Caller(Emulator(World.loads(WITH_AGENCY), clock=clock, runner=runner))
    urn = create(api)
    api.emulator.set_dials({"agency_delay": 600})
    clock.advance(700)
    api.put(f"{FUNCTIONS}/{urn}/config", fields(xrole="reader"))
    invoke(api, urn, {})
    clock.advance(700)
    invoke(api, urn, {})
    assert [bool(invocation.token) for _, invocation in runner.runs] == [False, True]


def test_the_log_is_written_to_its_stream(api: Caller, cloud: Emulator, runner: Inline) -> None:
    group = api.post("/v2/{pid}/groups", {"log_group_name": "app", "ttl_in_days": 7}, 201)["log_group_id"]
    stream = api.post(f"/v2/{{pid}}/groups/{group}/streams", {"log_stream_name": "all"}, 201)["log_stream_id"]
    urn = create(api, log_config={"group_id": group, "stream_id": stream})
    invoke(api, urn, {})
    with cloud.change() as account:
        lines = [line.content for line in account.lts.lines(account.world.lts.streams[stream])]
    request_id = runner.runs[0][1].request_id
    assert lines == [f"Start invoke request '{request_id}'", f"Finish invoke request '{request_id}'"]
