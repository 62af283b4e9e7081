"""The platform kills the engine, delivers its hand-overs twice and loses steps, at every state."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product as every
from typing import Any

import pytest

from emulator.core.message import Request
from emulator.faults import Fault
from emulator.functiongraph.runtime.spec import KernelCode
from shared.ids import run_id
from shared.starting import ENGINE
from tests.chaos.scenes import SCENES, STAGES, expected, holdings
from tests.chaos.turns import at_once
from tests.support.serverless import EngineKilled, Serverless, StepTrouble

OURS = ("dcs", "eip", "elb", "vpc")
BUILD = (
    "PlanExposure",
    "EnsureLoadBalancer",
    "EnsurePeering",
    "EnsureWhitelist",
    "EnsureListener",
    "EnsureRoutes",
    "EnsureBackend",
)
STATES = {
    "expose": (*BUILD, "CheckHealth", "ProbeRedis", "EmitCompleted"),
    "withdraw": (
        "PlanWithdrawal",
        "ReleaseBackend",
        "ReleaseListener",
        "ReleaseLoadBalancer",
        "ReleaseWhitelist",
        "ReleaseRoutes",
        "ReleasePeering",
        "ReleaseIpGroup",
        "EmitWithdrawn",
    ),
    "roll back": (
        *BUILD,
        "ReviewFailure",
        "RollBackBackend",
        "RollBackListener",
        "RollBackLoadBalancer",
        "RollBackWhitelist",
        "RollBackRoutes",
        "RollBackPeering",
        "RollBackIpGroup",
        "EmitFailed",
    ),
}
HAND_OVERS = {"expose": 8, "withdraw": 9, "roll back": 13}
EVENTS = {"expose": "completed", "withdraw": "withdrawn", "roll back": "failed"}
EDGES = ("before", "after", "handed over")
TROUBLES = (
    KernelCode.EXITED,
    KernelCode.TIMED_OUT,
    KernelCode.OUT_OF_MEMORY,
    KernelCode.START_FAILED,
    KernelCode.OVERLOADED,
)


@dataclass
class Case:
    """A request on a stage, and what has to be left of it."""

    act: str
    product: Serverless
    request: dict[str, Any]
    before: dict[str, Any]
    scene: str
    seen: list[str] = field(default_factory=list)

    @cached_property
    def run(self) -> str:
        """The id of the run."""
        return run_id(self.product.cloud.project_id, self.request["request_id"])

    def see(self, name: str, event: Any) -> None:
        """Take note of a step."""
        if name != ENGINE:
            self.seen.append(event["state"]["Name"])

    def check(self, *also: str) -> None:
        """One set of resources or none, and every event one of this run, by an id that no other kind has."""
        if self.act == "expose":
            assert holdings(self.product) == expected(self.scene)
        else:
            assert account(self.product) == self.before
        told = self.product.sink.events
        kinds = [event["type"].rpartition(".")[2] for event in told]
        assert [event["id"] for event in told] == [f"{self.run}.{kind}" for kind in kinds]
        assert kinds[0] == EVENTS[self.act]
        assert set(kinds) - {kinds[0]} <= set(also)


def account(product: Serverless) -> dict[str, Any]:
    """What an exposure consists of; not the functions that make it."""
    whole = product.account()
    return {service: whole[service] for service in OURS}


def case(act: str, scene: str) -> Case:
    """Set a stage for one of the acts."""
    product, request = STAGES[scene](Serverless)
    before = account(product)
    if act == "withdraw":
        product.run({**request, "request_id": "before"})
        product.sink.events.clear()
        request = {"action": "withdraw", "instance_id": product.instance_id, "request_id": "withdrawal"}
    if act == "roll back":
        product.emulator.faults.add(Fault(method="POST", path="*/elb/pools", status=403, times=None))
    made = Case(act, product, request, before, scene)
    product.runner.before.append(
        lambda name, event: made.seen.append(event["state"]["Name"]) if name != ENGINE else None
    )
    return made


def once(product: Serverless, edge: str, state: str, trouble: Callable[[], BaseException]) -> list[str]:
    """Raise trouble once around a state's step; the list says when it has happened."""
    happened: list[str] = []

    def strike(name: str, event: Any) -> None:
        if name != ENGINE and event["state"]["Name"] == state and not happened:
            happened.append(edge)
            raise trouble()

    (product.runner.before if edge == "before" else product.runner.after).append(strike)
    return happened


def kill_after_hand_over(product: Serverless, state: str) -> list[str]:
    """Kill the engine once it has handed over what a state came to."""
    reached: list[str] = []
    happened: list[str] = []

    def note(name: str, event: Any) -> None:
        if name != ENGINE and event["state"]["Name"] == state:
            reached.append(state)

    def strike(request: Request) -> None:
        if reached and not happened and request.path.endswith("/invocations-async"):
            happened.append(state)
            raise EngineKilled

    product.runner.after.append(note)
    product.emulator.after_call.append(strike)
    return happened


def twin(product: Serverless, nth: int, *, late: bool) -> list[Any]:
    """Deliver the nth event of the engine twice: at once, or if it is late, whenever it is taken from the list."""
    count = 0
    kept: list[Any] = []

    def double(request: Request) -> None:
        nonlocal count
        if not request.path.endswith("/invocations-async"):
            return
        count += 1
        if count == nth + 1:
            kept.append(json.loads(request.body))
            if not late:
                deliver(product, kept[0])

    product.emulator.after_call.append(double)
    return kept


def deliver(product: Serverless, event: Any) -> None:
    """Have the engine invoked with an event."""
    with product.emulator.change() as account:
        account.functiongraph.invoke_async(product.urn(ENGINE), event, source="twin")


def cases(edges: tuple[Any, ...], places: Callable[[str], Any]) -> list[Any]:
    """Every act, scene, place and edge; by default one edge a place, taking turns, in the first scene."""
    return [
        pytest.param(act, scene, place, edge, marks=() if _fast(scene, number, turn, edges) else pytest.mark.slow)
        for act, scene in every(STATES, STAGES)
        for (number, place), (turn, edge) in every(enumerate(places(act)), enumerate(edges))
    ]


def _fast(scene: str, number: int, turn: int, edges: tuple[Any, ...]) -> bool:
    return scene == "cross-vpc" and number % len(edges) == turn


@pytest.mark.parametrize("act", STATES)
def test_an_undisturbed_run_goes_through_each_state_and_is_told_once(act: str) -> None:
    made = case(act, "cross-vpc")
    made.product.carry_out(made.request)
    assert sorted(set(made.seen)) == sorted(STATES[act])
    assert len(made.product.sink.events) == 1
    made.check()
    assert set(made.product.queued(ENGINE)) == {"SUCCESS"}


@pytest.mark.parametrize(("act", "scene", "state", "edge"), cases(EDGES, lambda act: STATES[act][:-1]))
def test_an_engine_killed_at_any_state_goes_on(act: str, scene: str, state: str, edge: str) -> None:
    made = case(act, scene)
    if edge == "handed over":
        happened = kill_after_hand_over(made.product, state)
    else:
        happened = once(made.product, edge, state, EngineKilled)
    made.product.carry_out(made.request)
    assert happened
    made.check(*_also(made, state == "PlanWithdrawal" and edge == "handed over"))


@pytest.mark.parametrize("edge", EDGES[:2])
@pytest.mark.parametrize("act", STATES)
def test_an_engine_killed_as_it_tells_the_end_tells_it_again(act: str, edge: str) -> None:
    made = case(act, "cross-vpc")
    assert once(made.product, edge, STATES[act][-1], EngineKilled) == []
    made.product.carry_out(made.request)
    assert len(made.product.sink.events) == 1 + (edge == "after")
    made.check()


@pytest.mark.parametrize(("act", "scene", "nth", "late"), cases((False, True), lambda act: range(HAND_OVERS[act])))
def test_an_event_delivered_twice_leaves_one_set_of_resources(act: str, scene: str, nth: int, *, late: bool) -> None:
    made = case(act, scene)
    kept = twin(made.product, nth, late=late)
    made.product.carry_out(made.request)
    assert kept
    if late:
        deliver(made.product, kept[0])
        made.product.settle()
    made.check(*_also(made, nth == 0 and late))


@pytest.mark.parametrize(
    ("act", "scene", "state", "trouble"),
    cases(tuple(every(TROUBLES, EDGES[:2])), lambda act: STATES[act]),
)
def test_a_step_that_the_platform_loses_is_tried_again(
    act: str, scene: str, state: str, trouble: tuple[KernelCode, str]
) -> None:
    code, edge = trouble
    made = case(act, scene)
    happened = once(made.product, edge, state, lambda: StepTrouble(code))
    made.product.carry_out(made.request)
    assert happened
    made.check()


@pytest.mark.parametrize(
    ("act", "scene", "nth", "fault"),
    cases(
        tuple(every(("429", "500", "504", "lost"), ("before", "after"))),
        lambda act: range(1, len(STATES[act]) + 1),
    ),
)
def test_a_call_of_a_step_that_the_gateway_loses_is_made_again(
    act: str, scene: str, nth: int, fault: tuple[str, str]
) -> None:
    status, when = fault
    made = case(act, scene)
    what = {"lost": True} if status == "lost" else {"status": int(status)}
    made.product.emulator.faults.add(Fault(path="*/invocations", nth=nth, when=when, **what))
    made.product.carry_out(made.request)
    assert [call for call in made.product.emulator.calls if call.fault and call.path.endswith("/invocations")]
    made.check()


@pytest.mark.parametrize("nth", [0, 1])
@pytest.mark.parametrize("state", STATES["expose"][1:-2])
def test_a_late_delivery_that_fails_does_not_take_down_what_was_completed(state: str, nth: int) -> None:
    made = case("expose", "cross-vpc")
    kept = twin(made.product, nth, late=True)
    made.product.carry_out(made.request)
    happened = once(made.product, "before", state, _failed)
    deliver(made.product, kept[0])
    made.product.settle()
    assert happened
    made.check()


@pytest.mark.parametrize("state", STATES["expose"][1:-2])
def test_of_two_deliveries_at_once_of_which_one_fails_the_last_to_end_tells_what_is_there(state: str) -> None:
    made = case("expose", "cross-vpc")
    twin(made.product, 1, late=False)
    happened = once(made.product, "before", state, _failed)
    made.product.carry_out(made.request)
    assert happened
    told = made.product.sink.events
    assert {event["data"]["run_id"] for event in told} == {made.run}
    if told[-1]["type"].endswith(".completed"):
        assert holdings(made.product) == expected("cross-vpc")
    else:
        assert account(made.product) == made.before


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("scene", STAGES)
def test_two_deliveries_interleaved_call_by_call_make_one_set_of_resources_and_take_it_down(
    scene: str, seed: int
) -> None:
    """What the engine carries out one after the other here, the platform carries out at the same time."""
    product, request = SCENES[scene]()
    twin, before = product.another(), product.account()
    exposed = at_once([product, twin], [lambda: product.run(request), lambda: twin.run(request)], seed)
    assert {result.output["outcome"] for result in exposed} == {"completed"}
    assert len({result.output["event"]["id"] for result in exposed}) == 1
    assert holdings(product) == expected(scene)
    ending = {"action": "withdraw", "instance_id": product.instance_id, "request_id": "withdrawal"}
    at_once([product, twin], [lambda: product.run(ending), lambda: twin.run(ending)], seed)
    assert product.account() == before


def _also(made: Case, started_once_more: bool) -> list[str]:
    """Nothing remembers a withdrawal that is over: started once more, it finds nothing to withdraw."""
    return ["rejected"] if made.act == "withdraw" and started_once_more else []


def _failed() -> BaseException:
    return StepTrouble(KernelCode.HANDLER_RAISED)
