"""The engine's function: what it cannot carry on is told, what follows from a verification is started."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from emulator.faults import Fault
from functions import run_workflow
from shared.expiry import expired_id
from shared.ids import run_id
from shared.request import normalised
from shared.starting import ENGINE
from tests.chaos.scenes import ONE_SET, holdings
from tests.support.serverless import Serverless
from workflow.engines.functiongraph import Passed, Run
from workflow.engines.tree import RunTree
from workflow.interpreter import StartContext, start
from workflow.machines import load_machine

ASYNC = "*/invocations-async"


@pytest.fixture
def product() -> Serverless:
    return Serverless()


def hops(product: Serverless) -> list[dict[str, Any]]:
    """Collect the engine's events as they are handed over."""
    kept: list[dict[str, Any]] = []
    product.runner.before.append(lambda name, event: kept.append(event) if name == ENGINE else None)
    return kept


def invoke(product: Serverless, event: Any) -> None:
    with product.emulator.change() as account:
        account.functiongraph.invoke_async(product.urn(ENGINE), event, source="test")
    product.settle()


def told(product: Serverless, run: str) -> dict[str, Any]:
    """The one event that was told, however often: the run has failed."""
    events = product.sink.events
    assert {event["id"] for event in events} == {f"{run}.failed"}
    return events[-1]["data"]


@pytest.mark.parametrize("wrap", [lambda event: {"body": event}, json.dumps, lambda event: {"body": json.dumps(event)}])
def test_an_event_is_understood_in_every_wrapper_of_the_platform(product: Serverless, wrap: Any) -> None:
    run = run_id(product.cloud.project_id, "wrapped")
    request = normalised(product.request(request_id="wrapped"))
    invoke(product, wrap({"start": {"machine": "expose", "run": run, "input": {"request": request}}}))
    assert [event["id"] for event in product.sink.events] == [f"{run}.completed"]
    assert holdings(product) == ONE_SET


def test_a_run_whose_machine_was_changed_ends_in_a_failed_event_that_says_so(product: Serverless) -> None:
    kept = hops(product)
    run = product.carry_out(product.request())
    product.sink.events.clear()
    stale = kept[2]
    for node in stale["hop"]["tree"].values():
        node["execution"]["digest"] = "of another deployment"
    invoke(product, stale)
    data = told(product, run)
    assert "changed the machine" in data["error"]["message"]
    assert data["error"]["advice"]
    assert data["request"]["instance_id"] == product.instance_id
    assert product.queued(ENGINE)[-1] == "FAIL"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda hop: hop.pop("tree"),
        lambda hop: hop.update(tree=7),
        lambda hop: hop.update(tree={}),
        lambda hop: hop.update(machine="../../secret"),
        lambda hop: hop["tree"]["0"].pop("execution"),
        lambda hop: hop["tree"]["0"]["execution"].update(phase="DREAMING"),
        lambda hop: hop["tree"]["0"]["execution"].update(state="Nowhere"),
        lambda hop: hop["tree"]["0"]["execution"].update(scope="/nowhere"),
    ],
)
def test_a_run_that_cannot_be_read_ends_in_a_failed_event_and_not_in_a_loop(product: Serverless, spoil: Any) -> None:
    kept = hops(product)
    run = product.carry_out(product.request())
    product.sink.events.clear()
    event = json.loads(json.dumps(kept[-1]))
    spoil(event["hop"])
    count = len(kept)
    invoke(product, event)
    assert told(product, run)["error"]["code"] == "Internal"
    assert len(kept) - count == 4, "the first delivery and three retries"
    assert product.queued(ENGINE)[-1] == "FAIL"


@pytest.mark.parametrize("event", [None, [], 7, {}, {"hop": None}, {"start": {}}, {"hop": {"run": 7}}])
def test_what_is_no_run_at_all_fails_without_an_event(product: Serverless, event: Any) -> None:
    invoke(product, event)
    assert product.sink.events == []
    assert product.queued(ENGINE) == ["FAIL"]


def test_a_hand_over_that_is_forbidden_is_told_with_the_missing_action(product: Serverless) -> None:
    product.emulator.faults.add(Fault(path=ASYNC, nth=2, times=None, status=403))
    run = product.carry_out(product.request())
    error = told(product, run)["error"]
    assert error["code"] == "Forbidden"
    assert "functiongraph:function:invokeAsync" in error["message"]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"lost": True}, {"lost": True, "when": "after"}])
def test_a_hand_over_that_is_lost_is_made_again(product: Serverless, fault: dict[str, Any]) -> None:
    product.emulator.faults.add(Fault(path=ASYNC, nth=3, times=3, **fault))
    run = product.carry_out(product.request())
    assert {event["id"] for event in product.sink.events} == {f"{run}.completed"}
    assert holdings(product) == ONE_SET


def test_a_run_too_large_to_travel_is_told_with_all_that_it_made(product: Serverless) -> None:
    kept = hops(product)
    run = product.carry_out(product.request())
    product.sink.events.clear()
    grown = kept[1]
    grown["hop"]["tree"]["0"]["execution"]["variables"] = {"ballast": "x" * 246_000}
    invoke(product, grown)
    data = told(product, run)
    assert "can be handed over" in data["error"]["message"]
    assert {"load_balancer", "vpc_peering"} <= {each["kind"] for each in data["resources"]}


def test_a_verification_starts_the_withdrawal_of_what_has_expired_once_however_often_it_is_delivered(
    product: Serverless,
) -> None:
    product.carry_out(product.request(expires_after="1h"))
    end = datetime.fromisoformat(product.sink.events[-1]["data"]["expires_at"]).timestamp()
    product.clock.advance_to(product.clock.now() + 3700)
    product.sink.events.clear()
    kept = hops(product)
    verification = {"action": "verify", "request_id": "timer-1"}
    run = product.carry_out(verification)
    product.carry_out(verification)
    starts = [event["start"] for event in kept if "start" in event]
    withdrawals = [each for each in starts if each["machine"] == "withdraw"]
    named = f"{expired_id(product.exposure, int(end))}-{run}"
    assert {each["input"]["request"]["request_id"] for each in withdrawals} == {named}
    assert set(holdings(product).values()) == {0}
    assert [event["type"].rpartition(".")[2] for event in product.sink.events].count("withdrawn") == 1


def test_a_withdrawal_that_failed_is_tried_again_by_the_next_verification_and_told_as_another_run(
    product: Serverless,
) -> None:
    product.carry_out(product.request(expires_after="1h"))
    product.clock.advance_to(product.clock.now() + 3700)
    product.sink.events.clear()
    product.emulator.faults.add(Fault(method="DELETE", path="*/listeners/*", status=403, times=1))
    for number in range(2):
        product.carry_out({"action": "verify", "request_id": f"timer-{number}"})
    told = [(event["type"].rpartition(".")[2], event["id"]) for event in product.sink.events]
    ends = [(kind, name) for kind, name in told if kind in {"failed", "withdrawn"}]
    assert [kind for kind, _ in ends] == ["failed", "withdrawn"]
    assert len({name for _, name in ends}) == 2
    assert set(holdings(product).values()) == {0}


def test_a_verification_starts_the_repair_of_what_may_be_repaired(product: Serverless) -> None:
    product.carry_out(product.request(repair=True))
    product.clock.advance_to(product.clock.now() + 3600)
    for listener in product.cloud.elb.listeners():
        product.cloud.elb.update_listener(listener.id, name="renamed")
    product.sink.events.clear()
    product.carry_out({"action": "verify", "request_id": "timer-2"})
    assert product.sink.events[-1]["type"].endswith(".repaired")


def remembering(product: Serverless, monkeypatch: pytest.MonkeyPatch) -> Passed:
    """Have every event go to one and the same instance of the engine."""
    passed = Passed()
    monkeypatch.setattr(run_workflow, "work", partial(run_workflow.work, passed=passed))
    return passed


def test_an_instance_hands_over_no_round_twice_so_that_repeated_deliveries_do_not_multiply(
    product: Serverless, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembering(product, monkeypatch)
    kept = hops(product)
    product.emulator.set_dials({"events": {"duplicate_every": 1}})
    run = product.carry_out(product.request())
    assert [event["id"] for event in product.sink.events] == [f"{run}.completed"]
    rounds = [event["hop"]["round"] for event in kept if "hop" in event]
    # The request was delivered twice, too, so that it has begun twice, and each round of both was.
    assert max(Counter(rounds).values()) <= 4
    assert holdings(product) == ONE_SET


def test_a_request_that_is_sent_again_is_carried_out_again_by_the_same_instance(
    product: Serverless, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembering(product, monkeypatch)
    run = product.carry_out(product.request())
    product.clock.advance_to(product.clock.now() + 1)
    assert product.carry_out(product.request()) == run
    assert [event["id"] for event in product.sink.events] == [f"{run}.completed"] * 2


def test_an_instance_remembers_so_many_runs() -> None:
    passed, runs = Passed(most=2), [begun(f"run-{number}") for number in range(3)]
    for run in runs:
        passed.note(run, ended=False)
    assert [passed.has(run) for run in runs] == [False, True, True]
    passed.note(runs[1], ended=True)
    assert passed.has(replace(runs[1], round=99))
    assert not passed.has(replace(runs[2], round=1))


def begun(name: str) -> Run:
    machine = load_machine("verify")
    started = start(machine, {"request": {}}, StartContext(name, 0.0, name=name, machine_name="verify"), random=0.0)
    return Run(name, "verify", RunTree.begin(machine, started, clock=lambda: 0.0, random=lambda: 0.0))
