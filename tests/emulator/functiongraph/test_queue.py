from __future__ import annotations

import json
from threading import Barrier, Event
from typing import Any

import pytest

from emulator import Emulator, ManualClock, World
from emulator.dials import Dials, Events, FunctionTrouble
from emulator.functiongraph.queue import HISTORY
from tests.emulator.client import Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, Inline, create, raising

AGENCY = """
iam:
  roles:
    - name: telling
      display_name: telling
      type: XA
      policy:
        Version: "1.1"
        Statement: [{Effect: Allow, Action: [%s]}]
  agencies:
    - {name: teller, grants: [{role_id: telling}]}
"""
ALLOWED = '"smn:topic:publish", "smn:topic:list", "functiongraph:function:invokeAsync"'


@pytest.fixture
def cloud(clock: ManualClock, runner: Inline) -> Emulator:
    return Emulator(World.loads(AGENCY % ALLOWED), clock=clock, runner=runner)


@pytest.fixture
def urn(api: Caller) -> str:
    return create(api, xrole="teller")


def send(api: Caller, urn: str, event: Any) -> str:
    request_id: str = api.post(f"{FUNCTIONS}/{urn}/invocations-async", event, 202)["request_id"]
    return request_id


def test_as_many_run_at_once_as_the_account_may_and_what_is_more_waits(runner: Inline) -> None:
    limit = 30
    cloud = Emulator(World(), dials=Dials(function_concurrency=limit, async_retry_seconds=0.01), runner=runner)
    api, meeting, last = Caller(cloud), Barrier(limit + 1), Event()

    def handler(event: Any, _: object) -> None:
        if event == "last":
            last.set()
            return
        meeting.wait(5)
        meeting.wait(5)

    runner.handlers["hello"] = handler
    urn = create(api)
    for number in range(limit):
        send(api, urn, number)
    meeting.wait(5)
    send(api, urn, "last")
    assert not last.wait(0.05)
    meeting.wait(5)
    assert last.wait(5)
    cloud.close()


def configure(api: Caller, urn: str, **settings: Any) -> None:
    api.put(f"{FUNCTIONS}/{urn}/async-invoke-config", {"enable_async_status_log": True, **settings})


def statuses(api: Caller, urn: str, **query: Any) -> list[str]:
    shown = api.get(f"{FUNCTIONS}/{urn}/async-invocations", **query)["invocations"]
    return [one["status"] for one in shown]


def test_an_event_is_queued_and_run_later_with_the_requests_id(
    api: Caller, cloud: Emulator, urn: str, runner: Inline
) -> None:
    configure(api, urn)
    request_id = send(api, urn, {"a": "ü"})
    assert (runner.runs, statuses(api, urn)) == ([], ["WAIT"])
    cloud.drain()
    assert runner.events() == [{"a": "ü"}]
    assert runner.runs[0][1].request_id == request_id
    assert statuses(api, urn, request_id=request_id, status="SUCCESS") == ["SUCCESS"]
    assert statuses(api, urn, status="FAIL") == []


def test_statuses_are_shown_only_where_their_log_is_enabled(api: Caller, clock: ManualClock, urn: str) -> None:
    send(api, urn, {})
    assert statuses(api, urn) == []
    configure(api, urn)
    assert statuses(api, urn) == ["WAIT"]
    clock.advance(3601)
    assert statuses(api, urn) == []
    assert statuses(api, urn, query_begin_time="2026-01-01T00:00:00") == ["WAIT"]
    assert api.refused("GET", f"{FUNCTIONS}/{urn}/async-invocations", query_end_time="now") == (400, "FSS.1001")


@pytest.mark.parametrize(
    ("content", "refusal"), [(b"{", (406, "FSS.0406")), (json.dumps("x" * 256 * 1024).encode(), (413, "FSS.0413"))]
)
def test_an_event_of_the_queue_is_json_of_at_most_256_kb(
    api: Caller, cloud: Emulator, urn: str, content: bytes, refusal: tuple[int, str]
) -> None:
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/invocations-async", content) == refusal
    assert not cloud.world().functiongraph.invocations


def test_without_settings_a_failure_is_final(api: Caller, cloud: Emulator, urn: str, runner: Inline) -> None:
    runner.handlers["hello"] = raising
    send(api, urn, {})
    cloud.drain()
    assert (len(runner.runs), cloud.next_due) == (1, None)


def test_a_failure_is_tried_again_as_often_as_said_with_growing_pauses(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    configure(api, urn, max_async_retry_attempts=3)
    runner.handlers["hello"] = raising
    request_id = send(api, urn, {})
    pauses = []
    while cloud.next_due is not None:
        pauses.append(cloud.next_due - clock.now())
        clock.advance(pauses[-1])
        cloud.drain()
    assert pauses == [0.0, 1.0, 2.0, 4.0]
    assert [invocation.request_id for _, invocation in runner.runs] == [request_id] * 4
    shown = api.get(f"{FUNCTIONS}/{urn}/async-invocations")["invocations"][0]
    assert (shown["status"], shown["error_code"]) == ("FAIL", 4002)
    assert "out of order" in shown["error_message"]


def test_an_old_event_is_discarded(api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline) -> None:
    configure(api, urn, max_async_event_age_in_seconds=60)
    send(api, urn, {})
    clock.advance(61)
    cloud.drain()
    assert (runner.runs, statuses(api, urn)) == ([], ["DISCARD"])


def test_a_throttled_invocation_waits_and_one_over_capacity_is_discarded(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    configure(api, urn)
    cloud.set_dials({"functions": {"hello": FunctionTrouble(throttled_every=2)}})
    for number in range(2):
        send(api, urn, number)
    cloud.drain()
    clock.advance(1)
    cloud.drain()
    assert (runner.events(), statuses(api, urn)) == ([0, 1], ["SUCCESS", "SUCCESS"])
    cloud.set_dials({"functions": {}})
    api.put(f"{FUNCTIONS}/{urn}/config-max-instance", {"max_instance_num": 0})
    send(api, urn, 2)
    cloud.drain()
    assert statuses(api, urn)[-1] == "DISCARD"


def test_a_killed_instance_is_retried_though_its_work_was_done(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    configure(api, urn, max_async_retry_attempts=1)
    cloud.set_dials({"functions": {"*": FunctionTrouble(killed_every=1)}})
    send(api, urn, "once")
    cloud.drain()
    cloud.set_dials({"functions": {}})
    clock.advance(1)
    cloud.drain()
    assert (runner.events(), statuses(api, urn)) == (["once", "once"], ["SUCCESS"])


def test_dials_bring_events_twice_late_and_newest_first(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    cloud.set_dials({"events": Events(duplicate_every=2, late_every=3, late_seconds=60.0, order="newest")})
    ids = [send(api, urn, number) for number in range(4)]
    cloud.drain()
    assert runner.events() == [3, 3, 1, 1, 0]
    clock.advance(60)
    cloud.drain()
    assert runner.events()[5:] == [2]
    assert runner.runs[0][1].request_id == runner.runs[1][1].request_id == ids[3]


def test_a_saved_world_goes_on_with_its_queue(api: Caller, cloud: Emulator, clock: ManualClock, urn: str) -> None:
    runner = Inline()
    send(api, urn, {"kept": True})
    copy = Emulator(World.loads(cloud.world().dump()), clock=clock, runner=runner)
    copy.drain()
    assert runner.events() == [{"kept": True}]


def test_what_ran_when_the_world_was_saved_runs_again(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    saved: list[str] = []
    runner.handlers["hello"] = lambda event, _: saved.append(cloud.world().dump())
    send(api, urn, "interrupted")
    cloud.drain()
    again = Inline()
    Emulator(World.loads(saved[0]), clock=clock, runner=again).drain()
    assert again.events() == ["interrupted"]


def test_a_waiting_invocation_can_be_cancelled_once(api: Caller, cloud: Emulator, urn: str, runner: Inline) -> None:
    configure(api, urn)
    request_id = send(api, urn, {})
    answer = api.call("POST", f"{FUNCTIONS}/{urn}/cancel", {"request_id": request_id, "type": "force"})
    assert (answer.status, answer.body) == (200, b"null")
    cloud.drain()
    assert (runner.runs, statuses(api, urn)) == ([], ["DISCARD"])
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/cancel", {"request_id": request_id}) == (400, "FSS.0400")


def test_a_running_invocation_is_cancelled_for_good(api: Caller, cloud: Emulator, urn: str, runner: Inline) -> None:
    configure(api, urn, max_async_retry_attempts=3)

    def cancelling(event: Any, invocation: Any) -> None:
        api.post(f"{FUNCTIONS}/{urn}/cancel", {"request_id": invocation.request_id})
        raise ValueError("too late")

    runner.handlers["hello"] = cancelling
    send(api, urn, {})
    cloud.drain()
    assert (len(runner.runs), statuses(api, urn), cloud.next_due) == (1, ["FAIL"], None)


def test_an_outcome_goes_to_the_function_or_topic_that_was_named(
    api: Caller, cloud: Emulator, urn: str, runner: Inline
) -> None:
    after, listener = create(api, "after"), create(api, "listener")
    topic = api.post("/v2/{pid}/notifications/topics", {"name": "failures"}, 201)["topic_urn"]
    trigger = {"trigger_type_code": "SMN", "event_data": {"topic_urn": topic}}
    api.post(f"/v2/{{pid}}/fgs/triggers/{listener}", trigger, 201)
    targets = {
        "on_success": {"destination": "FunctionGraph", "param": json.dumps({"func_urn": after})},
        "on_failure": {"destination": "SMN", "param": json.dumps({"topic_urn": topic})},
    }
    configure(api, urn, max_async_retry_attempts=0, destination_config=targets)
    send(api, urn, {"n": 1})
    cloud.drain()
    runner.handlers["hello"] = raising
    request_id = send(api, urn, {"n": 2})
    cloud.drain()
    told = {spec.name: json.loads(invocation.event) for spec, invocation in runner.runs}
    assert [json.loads(told["after"][key]) for key in ("request_payload", "response_payload")] == [{"n": 1}, {"n": 1}]
    failure = json.loads(told["listener"]["record"][0]["smn"]["message"])
    assert failure["request_context"] == {
        "request_id": request_id,
        "function_urn": urn,
        "condition": "RetriesExhausted",
        "approximate_invoke_count": 1,
    }
    assert json.loads(failure["request_payload"]) == {"n": 2}
    assert failure["response_context"]["status_code"] == 200
    assert "out of order" in failure["response_context"]["function_error"]
    assert failure["timestamp"] == "2026-01-01T08:00:00.000Z+08:00"


@pytest.mark.parametrize("actions", ['"smn:topic:publish"', '"smn:topic:list"'])
def test_an_outcome_is_dropped_where_the_agency_may_not_tell_it(
    clock: ManualClock, runner: Inline, actions: str, caplog: pytest.LogCaptureFixture
) -> None:
    api = Caller(Emulator(World.loads(AGENCY % actions), clock=clock, runner=runner))
    urn, listener = create(api, xrole="teller"), create(api, "listener")
    topic = api.post("/v2/{pid}/notifications/topics", {"name": "failures"}, 201)["topic_urn"]
    api.post(
        f"/v2/{{pid}}/fgs/triggers/{listener}", {"trigger_type_code": "SMN", "event_data": {"topic_urn": topic}}, 201
    )
    target = {"destination": "SMN", "param": json.dumps({"topic_urn": topic})}
    configure(api, urn, destination_config={"on_success": target})
    send(api, urn, {})
    api.emulator.drain()
    assert [spec.name for spec, _ in runner.runs] == ["hello"]
    assert "the agency teller lacks smn:topic:" in caplog.text


def test_the_queue_remembers_only_so_many(api: Caller, cloud: Emulator, urn: str) -> None:
    for number in range(HISTORY + 5):
        with cloud.change() as account:
            account.functiongraph.invoke_async(urn, number, source="test")
        cloud.drain()
    assert len(cloud.world().functiongraph.invocations) <= HISTORY + 1
