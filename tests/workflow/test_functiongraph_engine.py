"""The engine on the platform, on its own: one invocation does a round, sleeps in hops, and always stops in time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.functiongraph import TimedOutError
from tests.workflow.running import START, failing, one, task
from workflow.engines.functiongraph import Platform, Run, refuse_long_waits
from workflow.engines.functiongraph.hop import LONGEST_SLEEP, MARGIN, Called, OutOfTimeError, hop
from workflow.engines.functiongraph.run import LARGEST_EVENT
from workflow.engines.tree import RunTree
from workflow.engines.virtual import VirtualClock, VirtualEngine
from workflow.interpreter import StartContext, start
from workflow.language import parse
from workflow.machines import NAMES, load_machine

Json = Any
TIMEOUT = 900.0
FAILED = PermanentError(ErrorCode.REFUSED, "It is refused.")


class Invocations:
    """Invokes the engine as often as it hands over; `calls` are the handlers' calls, one list an invocation."""

    def __init__(
        self, definition: Mapping[str, Json], handler: Callable[[Json], Json], timeout: float = TIMEOUT
    ) -> None:
        self.clock = VirtualClock(START)
        self.machine, self.handler, self.timeout = parse(definition), handler, timeout
        self.slept: list[list[float]] = []
        self.calls: list[list[Json]] = []
        self.lasted: list[float] = []
        self.did: list[Called] = []

    def run(self, data: Json = None) -> RunTree:
        started = start(self.machine, data or {}, StartContext("run", START), random=0.5)
        tree = RunTree.begin(self.machine, started, clock=self.clock.now, random=lambda: 0.5)
        while True:
            saved = json.loads(json.dumps(tree.to_json()))
            tree = RunTree.from_json(self.machine, saved, clock=self.clock.now, random=lambda: 0.5)
            if not self.hop(tree):
                return tree

    def hop(self, tree: RunTree) -> bool:
        self.slept.append([])
        self.calls.append([])
        begun = self.clock.now()
        again = hop(tree, self.platform(begun), self.did.append)
        self.lasted.append(self.clock.now() - begun)
        return again

    def platform(self, begun: float) -> Platform:
        return Platform(
            clock=self.clock.now,
            sleep=self._sleep,
            remaining=lambda: begun + self.timeout - self.clock.now(),
            random=lambda: 0.5,
            invoke=self._invoke,
            hand_over=lambda saved: None,
        )

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept[-1].append(seconds)
        self.clock.advance_to(self.clock.now() + seconds)

    def _invoke(self, resource: str, parameters: Json) -> Json:
        self.calls[-1].append(parameters)
        return self.handler(parameters)


def chain(*names: str) -> dict[str, Json]:
    """Tasks one after another, each told its name."""
    following = [*names[1:], None]
    states = {
        name: {**task(Parameters={"name": name}, ResultPath=None), **({"Next": next_} if next_ else {"End": True})}
        for name, next_ in zip(names, following, strict=True)
    }
    return {"StartAt": names[0], "States": states}


def named(invocations: Invocations) -> list[list[str]]:
    return [[call["name"] for call in calls] for calls in invocations.calls if calls]


def test_an_invocation_carries_out_one_task_and_hands_over() -> None:
    invocations = Invocations(chain("One", "Two", "Three"), lambda parameters: {})
    assert invocations.run().end
    assert named(invocations) == [["One"], ["Two"], ["Three"]]
    assert [did.state for did in invocations.did] == ["One", "Two", "Three"]


def test_all_tasks_that_are_due_are_carried_out_side_by_side() -> None:
    branches = [chain("A1", "A2"), chain("B1"), chain("C1", "C2", "C3")]
    invocations = Invocations(one({"Type": "Parallel", "Branches": branches}), lambda parameters: parameters["name"])
    tree = invocations.run()
    assert [sorted(names) for names in named(invocations)] == [["A1", "B1", "C1"], ["A2", "C2"], ["C3"]]
    assert tree.end
    assert tree.end.status == "SUCCEEDED"


def test_a_branch_that_fails_stops_the_others_whose_answers_count_for_nothing() -> None:
    branches = [chain("Bad", "Never"), chain("Good", "Neither")]
    machine = one({"Type": "Parallel", "Branches": branches})
    invocations = Invocations(machine, lambda parameters: FAILED.envelope() if parameters["name"] == "Bad" else {})
    tree = invocations.run()
    assert named(invocations) == [["Bad", "Good"]]
    assert tree.end
    assert (tree.end.status, tree.end.error) == ("FAILED", "Refused")


def test_a_short_wait_is_slept_and_what_follows_done_in_the_same_invocation() -> None:
    machine = {
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 20, "Next": "It"}, **one(task())["States"]},
    }
    invocations = Invocations(machine, lambda parameters: {})
    invocations.run()
    assert invocations.slept == [[20.0]]


def test_a_long_wait_is_slept_in_hops_of_five_minutes() -> None:
    invocations = Invocations(one({"Type": "Wait", "Seconds": 700}), lambda parameters: {})
    invocations.run()
    assert invocations.slept == [[LONGEST_SLEEP], [LONGEST_SLEEP], [100.0]]


def test_a_retry_is_waited_for_after_the_hand_over_that_keeps_what_came_before() -> None:
    retriers = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 10, "BackoffRate": 1}]
    invocations = Invocations(one(task(Retry=retriers)), failing("NotYet", "NotYet"))
    invocations.run()
    assert invocations.slept == [[], [10.0], [10.0]]
    assert [did.error for did in invocations.did] == ["NotYet", "NotYet", None]


@pytest.mark.parametrize("wait", [1, 299, 300, 301, 899])
@pytest.mark.parametrize("slow", [0.0, 79.0, 90.0])
@pytest.mark.parametrize("timeout", [170.0, 400.0, 900.0])
def test_no_invocation_lasts_longer_than_the_platform_lets_it(wait: int, slow: float, timeout: float) -> None:
    retriers = [{"ErrorEquals": ["NotYet", "States.Timeout"], "IntervalSeconds": wait, "BackoffRate": 1}]
    fails = failing("NotYet", "NotYet")

    def handle(parameters: Json) -> Json:
        invocations.clock.advance_to(invocations.clock.now() + slow)
        return fails(parameters)

    invocations = Invocations(one(task(Retry=retriers, TimeoutSeconds=80)), handle, timeout)
    assert invocations.run().end
    assert max(invocations.lasted) <= timeout - MARGIN + 10
    assert all(sum(slept) <= LONGEST_SLEEP for slept in invocations.slept)


def test_a_time_out_that_is_too_short_for_a_task_is_an_error_and_no_endless_hand_over() -> None:
    with pytest.raises(OutOfTimeError):
        Invocations(one(task(TimeoutSeconds=80)), lambda parameters: {}, timeout=80 + MARGIN - 1).run()


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (TimedOutError(ErrorCode.NO_ANSWER, "too slow"), "States.Timeout"),
        (TemporaryError(ErrorCode.THROTTLED, "busy"), "Throttled"),
        (PermanentError(ErrorCode.FORBIDDEN, "no"), "Forbidden"),
    ],
)
def test_what_the_platform_could_not_do_is_an_error_of_the_state(raised: Exception, error: str) -> None:
    def handle(parameters: Json) -> Json:
        raise raised

    tree = Invocations(one(task()), handle).run()
    assert tree.end
    assert tree.end.error == error


def test_an_answer_after_the_time_out_of_its_task_counts_for_nothing() -> None:
    def handle(parameters: Json) -> Json:
        invocations.clock.advance_to(invocations.clock.now() + 81)
        return {}

    invocations = Invocations(one(task(TimeoutSeconds=80)), handle)
    tree = invocations.run()
    assert tree.end
    assert tree.end.error == "States.Timeout"


@pytest.mark.parametrize(("late", "status"), [(29.0, "SUCCEEDED"), (30.0, "TIMED_OUT")])
def test_a_hand_over_that_comes_after_the_end_of_the_runs_time_calls_nothing_any_more(late: float, status: str) -> None:
    invocations = Invocations({**chain("One", "Two"), "TimeoutSeconds": 30}, lambda parameters: {})
    started = start(invocations.machine, {}, StartContext("run", START), random=0.5)
    tree = RunTree.begin(invocations.machine, started, clock=invocations.clock.now, random=lambda: 0.5)
    assert invocations.hop(tree)
    invocations.clock.advance_to(START + late)
    assert not invocations.hop(tree)
    assert tree.end
    assert tree.end.status == status
    assert named(invocations) == ([["One"], ["Two"]] if status == "SUCCEEDED" else [["One"]])


@pytest.mark.parametrize("concurrency", [0, 1, 2])
def test_it_comes_to_the_same_as_the_virtual_engine(concurrency: int) -> None:
    retry = [{"ErrorEquals": ["E"], "IntervalSeconds": 3}]
    work = {**task(Retry=retry, Parameters={"n.$": "$"}), "Next": "Pause"}
    processor = {"StartAt": "Work", "States": {"Work": work, "Pause": {"Type": "Wait", "Seconds": 5, "End": True}}}
    machine = one({"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": concurrency})
    seen: set[int] = set()

    def handle(parameters: Json) -> Json:
        number = parameters["n"]
        if number % 2 and number not in seen:
            seen.add(number)
            return {"error": {"code": "E"}}
        return number * 2

    tree = Invocations(machine, handle).run([1, 2, 3, 4])
    seen.clear()
    virtual = VirtualEngine(lambda resource: handle, clock=VirtualClock(START)).run(parse(machine), [1, 2, 3, 4])
    assert tree.end
    assert tree.end.output == virtual.output == [2, 4, 6, 8]


@pytest.mark.parametrize("name", NAMES)
def test_every_machine_of_ours_waits_short_enough(name: str) -> None:
    refuse_long_waits(load_machine(name))


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        ({"Type": "Wait", "Seconds": 900}, False),
        ({"Type": "Wait", "Seconds": 901}, True),
        ({"Type": "Wait", "SecondsPath": "$.how_long"}, True),
        ({"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z"}, True),
        (task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 90}]), False),
        (task(Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 10, "BackoffRate": 1, "MaxAttempts": 91}]), True),
        (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 10}]), True),
        (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 10, "MaxDelaySeconds": 30}]), False),
        (task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": 99999999, "BackoffRate": 1.0}]), True),
        (task(Retry=[{"ErrorEquals": ["Throttled"], "MaxAttempts": 15, "BackoffRate": 1.0}]), False),
        (task(Retry=[{"ErrorEquals": ["Throttled"], "MaxAttempts": 16, "BackoffRate": 1.0}]), True),
        (task(Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 16, "BackoffRate": 1.0}]), True),
    ],
)
def test_a_state_that_may_wait_for_more_than_a_quarter_of_an_hour_is_refused(
    state: dict[str, Json], refused: bool
) -> None:
    nested = one({"Type": "Parallel", "Branches": [one(state)]})
    nested["States"]["Outer"] = nested["States"].pop("It")
    machine = parse({**nested, "StartAt": "Outer"})
    if not refused:
        refuse_long_waits(machine)
        return
    with pytest.raises(PermanentError) as raised:
        refuse_long_waits(machine)
    assert raised.value.data.field == "It"


def test_a_state_that_is_too_large_to_travel_is_refused() -> None:
    machine = parse(one(task()))
    big = {"text": "x" * (LARGEST_EVENT // 2)}
    started = start(machine, big, StartContext("run", START))
    tree = RunTree.begin(machine, started, clock=lambda: START, random=lambda: 0.5)
    with pytest.raises(PermanentError) as raised:
        Run("run", "expose", tree).event()
    assert raised.value.code is ErrorCode.REFUSED
