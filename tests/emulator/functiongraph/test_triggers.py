from __future__ import annotations

import json
from typing import Any

import pytest

from emulator import Emulator, ManualClock, World
from tests.emulator.client import Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, TRIGGERS, Inline, create

TIMER = {"name": "verify", "schedule_type": "Rate", "schedule": "10m", "user_event": '{"kind": "verify"}'}
TRACES = {"name": "changes", "operations": ["DCS:Redis:createDCSInstance;deleteDCSInstance"]}


@pytest.fixture
def urn(api: Caller) -> str:
    return create(api)


@pytest.fixture
def topic(api: Caller) -> str:
    urn: str = api.post("/v2/{pid}/notifications/topics", {"name": "requests"}, 201)["topic_urn"]
    return urn


def body(kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"trigger_type_code": kind, "event_data": data, **more}


def bind(api: Caller, urn: str, kind: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post(f"{TRIGGERS}/{urn}", body(kind, data, **more), 201)
    return made


@pytest.mark.parametrize(("kind", "data"), [("TIMER", TIMER), ("CTS", TRACES)])
def test_a_trigger_is_shown_listed_and_deleted_by_its_kind_and_id(
    api: Caller, urn: str, kind: str, data: dict[str, Any]
) -> None:
    made = bind(api, urn, kind, data)
    assert (made["event_data"], made["trigger_status"]) == (data, "ACTIVE")
    one = f"{TRIGGERS}/{urn}/{kind}/{made['trigger_id']}"
    assert api.get(one) == made
    assert api.get(f"{TRIGGERS}/{urn}:latest") == [made]
    assert api.refused("GET", f"{TRIGGERS}/{urn}/SMN/{made['trigger_id']}") == (404, "FSS.1131")
    api.delete(one)
    assert api.get(f"{TRIGGERS}/{urn}") == []


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("KAFKA", {}, "FSS.1101"),
        ("MAGIC", {}, "FSS.1101"),
        ("SMN", {}, "FSS.1102"),
        ("SMN", {"topic_urn": 1}, "FSS.1102"),
        ("TIMER", {"name": "t", "schedule_type": "Rate"}, "FSS.1109"),
        ("TIMER", {**TIMER, "schedule_type": "Sometimes"}, "FSS.1109"),
        ("TIMER", {**TIMER, "schedule": "61m"}, "FSS.1109"),
        ("TIMER", {**TIMER, "schedule_type": "Cron", "schedule": "0 0 0 30 2 ?"}, "FSS.1109"),
        ("TIMER", {**TIMER, "name": "n" * 65}, "FSS.1317"),
        ("CTS", {"operations": TRACES["operations"]}, "FSS.1312"),
        ("CTS", {"name": "changes", "operations": []}, "FSS.1314"),
        ("CTS", {"name": "changes", "operations": ["DCS:Redis"]}, "FSS.1318"),
        ("CTS", {"name": "changes", "operations": ["DCS:a;b:" + ";".join(f"op{n}" for n in range(51))]}, "FSS.1313"),
        ("CTS", {"name": "changes", "operations": ["DCS:Redis:one;two", "DCS:Redis:two"]}, "FSS.1316"),
        ("CTS", {**TRACES, "more": 1}, "FSS.0400"),
    ],
)
def test_a_trigger_with_wrong_data_is_refused_with_its_code(
    api: Caller, urn: str, kind: str, data: dict[str, Any], code: str
) -> None:
    assert api.refused("POST", f"{TRIGGERS}/{urn}", body(kind, data)) == (400, code)
    assert api.get(f"{TRIGGERS}/{urn}") == []


def test_a_twin_is_refused(api: Caller, urn: str, topic: str) -> None:
    for kind, data in (("TIMER", TIMER), ("CTS", TRACES), ("SMN", {"topic_urn": topic})):
        bind(api, urn, kind, data)
    refusals = [
        api.refused("POST", f"{TRIGGERS}/{urn}", body(kind, data))
        for kind, data in (("TIMER", TIMER), ("CTS", TRACES), ("SMN", {"topic_urn": topic}))
    ]
    assert refusals == [(409, "FSS.1148"), (400, "FSS.1307"), (409, "FSS.1141")]


def test_a_version_has_at_most_ten_triggers(api: Caller, urn: str) -> None:
    for number in range(10):
        bind(api, urn, "TIMER", {**TIMER, "name": f"t{number}"})
    assert api.refused("POST", f"{TRIGGERS}/{urn}", body("TIMER", TIMER)) == (400, "FSS.1306")


def test_a_topics_trigger_brings_its_messages(
    api: Caller, cloud: Emulator, urn: str, topic: str, runner: Inline
) -> None:
    missing = {"topic_urn": topic + "-2"}
    assert api.refused("POST", f"{TRIGGERS}/{urn}", body("SMN", missing)) == (404, "FSS.1171")
    made = bind(api, urn, "SMN", {"topic_urn": topic})
    assert made["event_data"]["subscription_status"] == "Confirmed"
    api.post(f"/v2/{{pid}}/notifications/topics/{topic}/publish", {"subject": "s", "message": "text"})
    cloud.drain()
    assert runner.events()[0]["record"][0]["smn"]["message"] == "text"
    api.delete(f"{TRIGGERS}/{urn}/SMN/{made['trigger_id']}")
    assert not cloud.world().smn.subscriptions


def test_a_trace_trigger_tells_of_what_it_selected(
    api: Caller, cloud: Emulator, redis: str, urn: str, runner: Inline
) -> None:
    bind(api, urn, "CTS", TRACES)
    api.delete(f"/v2/{{pid}}/instances/{redis}")
    cloud.drain()
    assert [event["cts"]["trace_name"] for event in runner.events()] == ["deleteDCSInstance"]


def test_a_timer_fires_each_period_and_says_when(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    bind(api, urn, "TIMER", TIMER)
    cloud.drain()
    assert runner.events() == []
    clock.advance(25 * 60)
    cloud.drain()
    assert [event["time"] for event in runner.events()] == ["2026-01-01T00:10:00+00:00", "2026-01-01T00:20:00+00:00"]
    assert runner.events()[0]["trigger_type"] == "TIMER"
    assert json.loads(runner.events()[0]["user_event"]) == {"kind": "verify"}


def test_a_disabled_timer_rests_and_begins_anew(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str, runner: Inline
) -> None:
    made = bind(api, urn, "TIMER", TIMER, trigger_status="DISABLED")
    one = f"{TRIGGERS}/{urn}/TIMER/{made['trigger_id']}"
    clock.advance(1800)
    cloud.drain()
    assert runner.events() == []
    api.put(one, {"trigger_status": "ACTIVE"})
    clock.advance(600)
    cloud.drain()
    api.put(one, {"trigger_status": "DISABLED"})
    clock.advance(600)
    cloud.drain()
    assert len(runner.events()) == 1
    assert cloud.next_due is None


def test_only_timers_can_be_disabled(api: Caller, urn: str) -> None:
    made = bind(api, urn, "CTS", TRACES)
    one = f"{TRIGGERS}/{urn}/CTS/{made['trigger_id']}"
    assert api.refused("PUT", one, {"trigger_status": "DISABLED"}) == (400, "FSS.1318")
    assert api.refused(
        "POST", f"{TRIGGERS}/{urn}", body("CTS", {**TRACES, "name": "x"}, trigger_status="DISABLED")
    ) == (
        400,
        "FSS.1318",
    )


def test_a_saved_timer_goes_on_without_making_up_for_what_it_missed(
    api: Caller, cloud: Emulator, clock: ManualClock, urn: str
) -> None:
    bind(api, urn, "TIMER", TIMER)
    text, runner = cloud.world().dump(), Inline()
    clock.advance(86_400)
    copy = Emulator(World.loads(text), clock=clock, runner=runner)
    copy.drain()
    assert runner.events() == []
    clock.advance(600)
    copy.drain()
    assert len(runner.events()) == 1


def test_rights_of_triggers_are_their_own(cloud: Emulator, api: Caller, urn: str) -> None:
    with cloud.change() as account:
        next(iter(account.iam.state.users.values())).permissions = ["functiongraph:function:*"]
    assert api.refused("GET", f"{TRIGGERS}/{urn}") == (403, "FSS.0403")
    assert api.get(FUNCTIONS)["count"] == 1
