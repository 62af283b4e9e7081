"""A timer has everything verified, once a tick, and finds what no trace tells."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import World
from functions.on_timer import handler
from shared.ids import run_id
from shared.intake.changes import RECENT
from shared.settings import Settings
from tests.functions.incoming import WRAPPINGS, Wrapping, cts, smn, taken, timer, told
from tests.support.console import Watched

TICK = "Timer_001-2023-06-01T08:30:00+08:00"


@pytest.fixture
def product() -> Watched:
    RECENT.clear()
    # Whoever the product acts as here.
    user = next(iter(World.small().iam.users.values()))
    return Watched(settings=Settings(own_agencies=(user.name,)))


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_tick_is_one_verification_however_often_it_is_told(product: Watched, wrapping: Wrapping) -> None:
    (first,), (second,) = (taken(handler, product, wrapping(timer())) for _ in range(2))
    assert first == second
    assert (first["fate"], first["request_id"]) == ("started", TICK)
    assert first["run_id"] == run_id(product.cloud.project_id, TICK)


@pytest.mark.parametrize(
    ("user_event", "machine"),
    [
        (None, "verify"),
        ("", "verify"),
        ('{"action": "verify", "repair": true}', "verify"),
        ({"repair": True}, "verify"),
        ('{"action": "withdraw", "instance_id": "i"}', "withdraw"),
    ],
)
def test_the_triggers_user_event_says_what_is_to_be_done(product: Watched, user_event: Any, machine: str) -> None:
    taken(handler, product, timer(user_event=user_event))
    product.settle(within=60)
    assert set(product.started) == {machine}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (timer(user_event="good morning"), "request"),
        (timer(user_event="[1]"), "user_event"),
        (timer(user_event='{"colour": "red"}'), "colour"),
        (smn("{}"), "event"),
        (cts("createDCSInstance", "i"), "event"),
        ({}, "event"),
        (None, "event"),
    ],
)
def test_what_is_no_tick_or_asks_for_nothing_sensible_is_told(product: Watched, event: Any, field: str) -> None:
    assert taken(handler, product, event)[0]["fate"] == "rejected"
    assert told(product) == [("rejected", "InvalidRequest", field)]


def test_a_tick_without_a_time_or_a_name_is_named_after_its_invocation(product: Watched) -> None:
    names = {taken(handler, product, timer(time=None))[0]["request_id"] for _ in range(2)}
    assert len(names) == 2


def test_the_timer_finds_a_deleted_route_and_says_so(product: Watched) -> None:
    product.expose()
    product.clock.advance_to(product.clock.now() + 3600)
    product.settle(within=60)
    with product.emulator.change() as account:
        for table in account.world.vpc.route_tables.values():
            table.routes = [route for route in table.routes if route.type != "peering"]
    product.sink.events.clear()
    product.every("30m")
    product.settle(within=2000)
    (event,) = product.sink.events
    assert event["type"].endswith(".drifted")
    assert {each["kind"] for each in event["data"]["differences"]} == {"route"}


def test_what_has_expired_is_withdrawn_after_a_tick(product: Watched) -> None:
    product.expose(expires_after="1h")
    product.every("1h")
    product.settle(within=2 * 3600 + 60)
    assert product.exposed() == set()
    assert [kind for kind, _, _ in told(product)][-2:] == ["expired", "withdrawn"]
