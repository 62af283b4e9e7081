"""What the platform gives up is told, with the id of its run or request, and nothing goes round in circles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator import Fault
from functions.on_failure import handler
from shared.errors import TemporaryError
from shared.ids import run_id
from tests.functions.incoming import (
    MESSAGE_ID,
    TRACE_ID,
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
from tests.support.console import Watched

REQUEST = {"action": "withdraw", "request_id": "mine", "instance_id": "i"}
START = {"machine": "withdraw", "run": "r", "input": {"request": REQUEST}}


@pytest.fixture
def product() -> Watched:
    product = Watched()
    product.allow_telling()
    return product


def lost(product: Watched, function: str, payload: Any) -> dict[str, Any]:
    return destination(product.urn(function) + ":latest", payload)


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("payload", [{"start": START}, {"body": {"start": START}}, {"hop": {"deep": [START]}}], ids=str)
def test_a_lost_run_is_told_as_failed_by_its_own_id(product: Watched, payload: Any, wrapping: Wrapping) -> None:
    event = lost(product, "run_workflow", wrapping(payload))
    run = run_id(product.cloud.project_id, "mine")
    for each in (event, smn(event), json.dumps(event)):
        (outcome,) = taken(handler, product, wrapping(each))
        assert (outcome["fate"], outcome["run_id"]) == ("told", run)
    assert told(product) == [("failed", "GivenUp", None)] * 3
    assert {event["id"] for event in product.sink.events} == {f"{run}.failed"}
    assert all(event["data"]["instance"]["id"] == "i" for event in product.sink.events)


@pytest.mark.parametrize(
    ("function", "event", "named"),
    [
        ("on_message", smn(REQUEST), "mine"),
        ("on_message", smn({"action": "verify"}), MESSAGE_ID),
        ("on_trace", cts("deleteDCSInstance", "i"), TRACE_ID),
        ("on_timer", timer(), "Timer_001-2023-06-01T08:30:00+08:00"),
        ("on_message", "cut off", "0b7e1c1d-1d8c-4f70-a1ef-4cbb2d1f0001"),
        ("on_trace", {}, "0b7e1c1d-1d8c-4f70-a1ef-4cbb2d1f0001"),
    ],
)
def test_a_lost_request_is_told_as_rejected_by_its_own_id(
    product: Watched, function: str, event: Any, named: str
) -> None:
    (outcome,) = taken(handler, product, lost(product, function, event))
    assert outcome["fate"] == "rejected"
    (told_of,) = product.sink.events
    assert (told_of["id"], told_of["data"]["error"]["code"]) == (f"{named}.rejected", "GivenUp")


def test_every_request_of_a_lost_batch_is_told(product: Watched) -> None:
    taken(handler, product, lost(product, "on_message", smn(REQUEST, "bad", {**REQUEST, "request_id": "yours"})))
    assert [event["id"] for event in product.sink.events] == [
        f"{named}.rejected" for named in ("mine", f"{MESSAGE_ID}1", "yours")
    ]


@pytest.mark.parametrize("function", ["on_failure", "check_health"])
def test_a_failure_of_what_takes_no_requests_is_ignored(product: Watched, function: str) -> None:
    (outcome,) = taken(handler, product, lost(product, function, {}))
    assert (outcome["fate"], product.sink.events) == ("ignored", [])


@pytest.mark.parametrize("urn", ["", "urn:fss:eu-de:p:function:another:run_workflow", "no urn", None, 7], ids=repr)
def test_a_failure_of_a_strangers_function_is_ignored(product: Watched, urn: Any) -> None:
    assert taken(handler, product, destination(urn, {"start": START}))[0]["fate"] == "ignored"


@pytest.mark.parametrize("context", [None, "text", {}, {"function_urn": None}], ids=repr)
def test_a_failure_that_cannot_be_read_harms_nobody(product: Watched, context: Any) -> None:
    event = destination("", "", request_context=context)
    assert taken(handler, product, event)[0]["fate"] == "ignored"
    assert taken(handler, product, smn("no JSON"))[0]["fate"] == "rejected"


def test_a_request_that_the_platform_cannot_start_ends_in_an_event(product: Watched) -> None:
    product.emulator.faults.add(Fault(method="POST", path="*run_workflow*/invocations-async", status=503, times=9))
    message = {"action": "verify", "request_id": "mine"}
    product.cloud.smn.publish(product.topic("requests"), "request", json.dumps(message))
    product.settle()
    assert product.queued("on_message") == ["FAIL"]
    assert told(product) == [("rejected", "GivenUp", None)]
    assert product.sink.events[0]["id"] == "mine.rejected"


def test_its_own_failure_starts_nothing_and_ends(product: Watched) -> None:
    class Deaf:
        name = "deaf"

        def deliver(self, event: dict[str, Any]) -> None:
            raise TemporaryError("EventUndelivered", "It hears nothing.")

    product.sink.deliver = Deaf().deliver  # type: ignore[method-assign]
    message = json.dumps(lost(product, "run_workflow", {"start": START}))
    product.cloud.smn.publish(product.topic("failures"), "failure", message)
    product.settle()
    assert product.queued("on_failure") == ["FAIL", "SUCCESS"]
    assert not product.started


def test_the_time_of_a_lost_message_is_that_of_its_events(product: Watched) -> None:
    sent = ago(product, 60)
    taken(handler, product, lost(product, "on_message", smn(REQUEST, time=sent)))
    assert product.sink.events[0]["time"] == sent
