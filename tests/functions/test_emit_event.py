"""Emitting: every sink is tried, and a failed delivery is tried again with the same event."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from functions.emit_event import handler
from shared.errors import ErrorCode, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.transport import Answer, Call
from shared.probe import ProbeAnswer
from shared.services import LocalContext, Services, Sink
from shared.settings import Settings
from tests.shared.test_events import REQUEST, exposed


class NoCalls:
    """A project whose cloud is never asked."""

    project_id, region = "p", "eu-de"

    def send(self, call: Call) -> Answer:
        raise AssertionError(call)


class Box:
    """A sink that keeps what it gets, or fails."""

    def __init__(self, name: str, *, broken: bool = False) -> None:
        self.name, self.broken, self.events = name, broken, []

    def deliver(self, event: dict[str, Any]) -> None:
        if self.broken:
            raise TemporaryError(ErrorCode.EVENT_UNDELIVERED, f"{self.name} is broken.", resource=self.name)
        self.events.append(event)


def run(sinks: list[Sink], minute: int = 0, **changes: Any) -> dict[str, Any]:
    """One call of the handler."""
    asked = []
    services = Services(
        cloud=Cloud(NoCalls()),
        settings=Settings(),
        now=lambda: datetime(2026, 11, 2, 13, minute, tzinfo=UTC),
        probe=lambda host, port: ProbeAnswer.LOCKED,
        sinks=lambda notify: asked.append(notify) or sinks,
    )
    event = {
        "run": "run-1",
        "state": {"Name": "EmitCompleted", "EnteredTime": "2026-11-02T12:00:00.000Z", "RetryCount": minute},
        "kind": "completed",
        "request": REQUEST,
        "data": exposed(),
    } | changes
    return handler(event, LocalContext(services)) | {"asked": asked}


def test_every_sink_gets_the_event_and_the_result_holds_it():
    first, second = Box("first"), Box("second")
    result = run([first, second])
    assert first.events == second.events == [result["event"]]
    assert result["event"]["data"]["endpoint"] == {"address": "198.51.100.7", "port": 8080}


def test_one_broken_sink_keeps_no_other_from_the_event_and_is_named():
    good, broken = Box("good"), Box("broken", broken=True)
    error = run([broken, good])["error"]
    assert (error["code"], error["resource"]) == ("EventUndelivered", "broken")
    assert len(good.events) == 1


def test_a_slow_sink_keeps_no_other_waiting():
    both = Barrier(2)

    class Meeting(Box):
        """Takes an event only while the other one does."""

        def deliver(self, event: dict[str, Any]) -> None:
            both.wait(timeout=2)
            super().deliver(event)

    boxes = [Meeting("one"), Meeting("other")]
    result = run(boxes)
    assert [box.events for box in boxes] == [[result["event"]]] * 2


def test_a_retry_tells_the_same_event_word_for_word():
    box = Box("box")
    run([box], minute=0)
    run([box], minute=5)
    assert box.events[0] == box.events[1]


def test_only_a_valid_request_names_its_own_webhooks():
    request = REQUEST | {"notify": ["https://hooks.example/x"]}
    assert run([], request=request)["asked"] == [("https://hooks.example/x",)]
    assert run([], request=request | {"surprise": 1})["asked"] == [()]


def test_an_event_whose_delivery_was_given_up_is_only_kept():
    box = Box("box", broken=True)
    assert run([box], deliver=False)["event"]["id"] == "run-1.completed"
