"""A message is a request: started once by its id, or refused with a reason; none is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import Fault
from functions.on_message import handler
from shared.errors import ErrorCode, TemporaryError
from shared.ids import run_id
from shared.settings import Settings
from tests.functions.incoming import (
    MESSAGE_ID,
    WRAPPINGS,
    Wrapping,
    ago,
    cts,
    destination,
    smn,
    taken,
    timer,
    told,
)
from tests.support.serverless import Serverless

VERIFY = {"action": "verify"}
INVOKE_ASYNC = "*/invocations-async"


@pytest.fixture
def product() -> Serverless:
    return Serverless()


def published(product: Serverless, *messages: Any) -> dict[str, Any]:
    return smn(*messages, time=ago(product, 1))


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("message", WRAPPINGS.values(), ids=[f"message {name}" for name in WRAPPINGS])
def test_a_message_is_understood_however_it_is_wrapped(
    product: Serverless, wrapping: Wrapping, message: Wrapping
) -> None:
    event = published(product, message(VERIFY))
    (outcome,) = taken(handler, product, wrapping(event))
    run = run_id(product.cloud.project_id, MESSAGE_ID)
    assert (outcome["fate"], outcome["request_id"], outcome["run_id"]) == ("started", MESSAGE_ID, run)
    assert len(product.queued("run_workflow")) == 1


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_direct_invocation_is_a_message_of_its_own_name(product: Serverless, wrapping: Wrapping) -> None:
    (named,) = taken(handler, product, wrapping({**VERIFY, "request_id": "mine"}))
    (nameless,) = taken(handler, product, wrapping(VERIFY))
    assert (named["request_id"], named["record"] == "mine") == ("mine", False)
    assert nameless["request_id"] == nameless["record"]


def test_a_message_exposes_and_is_answered_by_an_event(product: Serverless) -> None:
    taken(handler, product, published(product, product.request()))
    product.settle()
    (event,) = product.sink.events
    assert event["type"].endswith(".completed")
    assert event["data"]["request_id"] == MESSAGE_ID


def test_one_bad_record_does_not_lose_the_others(product: Serverless) -> None:
    event = published(product, VERIFY, "no JSON", VERIFY, {**VERIFY, "colour": "red"})
    event["record"] += ["no record", {"smn": "no envelope"}, {}]
    fates = [outcome["fate"] for outcome in taken(handler, product, event)]
    assert fates == ["started", "rejected", "started", *["rejected"] * 4]
    assert told(product) == [
        ("rejected", "InvalidRequest", "request"),
        ("rejected", "InvalidRequest", "colour"),
        *[("rejected", "InvalidRequest", "message")] * 3,
    ]
    assert len({event["id"] for event in product.sink.events}) == 5


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({**VERIFY, "request_id": 7}, "request_id"),
        ({**VERIFY, "request_id": "a b"}, "request_id"),
        ({"action": "explode"}, "action"),
        ({"action": "expose", "instance_id": "i"}, "allow"),
        ({"action": "expose", "instance_id": "i", "allow": ["10.0.0.1/8"] * 5000}, "allow.0"),
        ({"action": "expose", "instance_id": "i", "allow": ["x"], "padding": "x" * 200_000}, "request"),
        ([VERIFY], "message"),
        (["[" * 5000], "message"),
        ("[" * 100_000, "request"),
        ('{"action": "verify", "action": "expose"}', "action"),
        ({**VERIFY, "notify": ["https://evil.example/hook"]}, "notify"),
        ({"action": "expose", "instance_id": "i", "allow": ["10.0.0.1"], "accept": ["open_world"]}, "accept"),
        ({"action": "repair", "instance_id": "i", "accept": ["no_password"]}, "accept"),
    ],
)
def test_a_request_that_is_refused_is_told_with_its_field_and_reason(
    product: Serverless, message: Any, field: str
) -> None:
    (outcome,) = taken(handler, product, published(product, message))
    assert (outcome["fate"], outcome["field"]) == ("rejected", field)
    assert told(product) == [("rejected", "InvalidRequest", field)]
    (event,) = product.sink.events
    assert event["data"]["request_id"] == MESSAGE_ID
    assert event["id"] == f"{MESSAGE_ID}.rejected"
    assert outcome["reason"] == event["data"]["error"]["message"]
    assert len(json.dumps(event)) < 64 * 1024
    assert product.queued("run_workflow") == []


def test_what_a_message_may_ask_for_is_a_setting() -> None:
    product = Serverless(
        settings=Settings(message_accepts=("production", "open_world"), notify_hosts=("Hooks.example",))
    )
    request = product.request(accept=["production", "open_world"], notify=["https://hooks.example/a"])
    (outcome,) = taken(handler, product, published(product, request))
    assert outcome["fate"] == "started"


def test_a_message_cannot_smuggle_the_host_of_its_webhook_past_the_setting() -> None:
    product = Serverless(settings=Settings(notify_hosts=("hooks.example",)))
    for url in (r"https://evil.example\@hooks.example/x", "https://hooks.example@evil.example/x"):
        (outcome,) = taken(handler, product, published(product, product.request(notify=[url])))
        assert outcome["fate"] == "rejected"


def test_a_late_message_does_not_undo_what_came_after_it(product: Serverless) -> None:
    event = smn(product.request(), time=ago(product, 3601))
    (outcome,) = taken(handler, product, event)
    assert (outcome["fate"], outcome["code"]) == ("rejected", "Stale")
    assert told(product) == [("rejected", "Stale", None)]


def test_a_message_told_twice_is_one_run_and_one_event(product: Serverless) -> None:
    event = published(product, product.request())
    for _ in range(2):
        taken(handler, product, event)
    product.settle()
    account = product.account()
    taken(handler, product, event)
    product.settle()
    run = run_id(product.cloud.project_id, MESSAGE_ID)
    assert {event["id"] for event in product.sink.events} == {f"{run}.completed"}
    assert {event["type"].rpartition(".")[2] for event in product.sink.events} == {"completed"}
    assert product.account()["elb"] == account["elb"]


def test_a_platform_that_takes_nothing_for_a_while_delays_that_record_and_no_other(product: Serverless) -> None:
    event = published(product, VERIFY, VERIFY, "bad")
    product.emulator.faults.add(Fault(method="POST", path=INVOKE_ASYNC, status=503, times=1))
    with pytest.raises(TemporaryError, match=MESSAGE_ID):
        taken(handler, product, event)
    first = product.queued("run_workflow")
    assert (len(first), len(product.sink.events)) == (1, 1)
    fates = [outcome["fate"] for outcome in taken(handler, product, event)]
    assert fates == ["started", "started", "rejected"]
    assert product.sink.events[0] == product.sink.events[1]


def test_a_platform_that_refuses_the_engine_is_told(product: Serverless) -> None:
    product.emulator.faults.add(Fault(method="POST", path=INVOKE_ASYNC, status=403))
    (outcome,) = taken(handler, product, published(product, VERIFY))
    assert (outcome["fate"], outcome["code"]) == ("rejected", ErrorCode.FORBIDDEN)


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize(
    "event",
    [
        timer(),
        cts("createDCSInstance", "i"),
        destination("urn:fss:eu-de:p:function:dcs-access:run_workflow", {}),
        {"trigger_type": "KAFKA", "records": [{"messages": ["m1"], "topic_id": "t"}]},
        {"body": "e30=", "httpMethod": "GET", "requestContext": {}, "path": "/"},
        {"lts": {"data": "e30="}},
        {"Records": [{"s3": {}}]},
    ],
    ids=["timer", "trace", "destination", "queue", "gateway", "logs", "bucket"],
)
def test_an_event_for_another_function_is_told_by_its_name(
    product: Serverless, event: dict[str, Any], wrapping: Wrapping
) -> None:
    (outcome,) = taken(handler, product, wrapping(event))
    assert (outcome["fate"], outcome["field"]) == ("rejected", "event")
    assert "this function takes SMN or direct invocation" in outcome["reason"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["expose", "verify", "[", '{"smn":1}']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["record", "smn", "message", "message_id", "timestamp", "body", "action", "request_id", "allow"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
SHARED = Serverless()


@given(ANYTHING)
def test_nothing_that_comes_in_brings_it_down_or_is_dropped(event: Any) -> None:
    SHARED.sink.events.clear()
    outcomes = taken(handler, SHARED, event)
    assert all(outcome["fate"] in {"started", "rejected"} for outcome in outcomes)
    assert len(SHARED.sink.events) == sum(outcome["fate"] == "rejected" for outcome in outcomes)
