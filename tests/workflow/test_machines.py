"""The two machines: every step may try again, every wait has an end, and every way leads to an event."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any

import pytest

import functions
from shared.errors import TEMPORARY, ErrorCode
from shared.otc.transport import CONNECT_TIMEOUT, READ_TIMEOUT
from workflow import machines
from workflow.language import validate
from workflow.machines import NAMES, load_machine, load_machines

# Any step that calls the cloud may meet these.
OF_EVERY_CALL = {
    ErrorCode.NOT_READY,
    ErrorCode.BUSY,
    ErrorCode.THROTTLED,
    ErrorCode.SERVER_ERROR,
    ErrorCode.NO_ANSWER,
}
# Codes that a handler raises beyond those, or waits longer for, and how long (seconds) the machine must poll on them.
POLLED = {
    "plan_exposure": {ErrorCode.NOT_YET: 900},
    "plan_repair": {ErrorCode.NOT_YET: 900},
    "ensure_whitelist": {ErrorCode.NOT_YET: 120, ErrorCode.BUSY: 900},
    "release_whitelist": {ErrorCode.NOT_YET: 120, ErrorCode.BUSY: 900},
    "check_health": {ErrorCode.UNHEALTHY: 120},
    "probe_redis": {ErrorCode.PROBE_FAILED: 15},
}
# Serve the queue and the cloud's own events, not a state.
INTAKE = {"on_failure", "on_message", "on_timer", "on_trace", "run_workflow"}
# The way back and the telling.
BACK = ("Emit", "Keep", "Close", "Review", "Restore", "RollBack")
TERMINAL = {"completed", "failed", "rejected", "repaired", "withdrawn"}

# A verification tells an event of each exposure from within its step.
TOLD_WITHIN = {"Verified"}


@dataclass(frozen=True)
class State:
    """A state with its machine and its name."""

    machine: str
    name: str
    body: dict[str, Any]

    @property
    def handler(self) -> str:
        return str(self.body["Resource"]).rpartition(":")[2]

    @property
    def retried(self) -> dict[str, dict[str, Any]]:
        return {error: retrier for retrier in self.body.get("Retry", ()) for error in retrier["ErrorEquals"]}


def states(machine: str) -> list[State]:
    """Every state of a machine, those of branches included."""
    return list(_states(machine, load_machine(machine).source["States"]))


def _states(machine: str, level: dict[str, Any]) -> Iterator[State]:
    for name, body in level.items():
        yield State(machine, name, body)
        for branch in body.get("Branches", ()):
            yield from _states(machine, branch["States"])


ALL = [state for name in NAMES for state in states(name)]
TASKS = [state for state in ALL if state.body["Type"] == "Task"]
handlers = {name for _, name, _ in iter_modules(functions.__path__)}
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.machine}.{task.name}")


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_is_valid(name: str) -> None:
    assert validate(load_machine(name).source) == []


def test_there_is_one_file_for_each_machine() -> None:
    found = {entry.name for entry in files(machines).iterdir() if entry.name.endswith(".asl.json")}
    assert found == {f"{name}.asl.json" for name in NAMES}
    assert load_machines().keys() == set(NAMES)


@each_task
def test_a_task_names_a_handler_that_exists_by_its_function_urn(task: State) -> None:
    assert re.fullmatch(r"urn:fss:\$\{Region}:\$\{ProjectId}:function:\$\{Application}:[a-z_]+", task.body["Resource"])
    assert task.handler in handlers
    assert callable(import_module(f"functions.{task.handler}").handler)


def test_every_handler_serves_a_state() -> None:
    assert handlers - INTAKE == {task.handler for task in TASKS}


@each_task
def test_a_task_says_its_run_and_its_state(task: State) -> None:
    assert task.body["Parameters"]["run.$"] == "$$.Execution.Id"
    assert task.body["Parameters"]["state.$"] == "$$.State"


@each_task
def test_a_task_has_a_time_out_below_the_functions_and_above_one_calls(task: State) -> None:
    assert CONNECT_TIMEOUT + READ_TIMEOUT < task.body["TimeoutSeconds"] < 90


@each_task
def test_a_task_retries_every_temporary_code_that_its_handler_can_raise(task: State) -> None:
    raised = OF_EVERY_CALL | POLLED.get(task.handler, {}).keys()
    if task.handler == "emit_event" and task.body["Parameters"].get("deliver", True):
        raised |= {ErrorCode.EVENT_UNDELIVERED}
    assert raised | {"States.Timeout"} == task.retried.keys() - {ErrorCode.CANCELLED}


@each_task
def test_no_retrier_names_what_an_earlier_one_takes(task: State) -> None:
    named = [error for retrier in task.body["Retry"] for error in retrier["ErrorEquals"]]
    assert len(named) == len(set(named))


@each_task
def test_no_permanent_code_is_retried(task: State) -> None:
    named = {error for error in task.retried if not error.startswith("States.")}
    assert named - {ErrorCode.CANCELLED} <= TEMPORARY


@each_task
def test_a_cancel_stops_the_way_there_and_neither_the_way_back_nor_the_telling(task: State) -> None:
    """An engine tells a run once that it is cancelled; a step that goes on regardless tries again."""
    goes_on = task.name.startswith(BACK)
    assert (ErrorCode.CANCELLED in task.retried) is goes_on
    if goes_on:
        assert task.retried[ErrorCode.CANCELLED]["MaxAttempts"] == 1


@each_task
def test_what_is_polled_has_a_deadline_of_interval_times_attempts_at_rate_one(task: State) -> None:
    for code, deadline in POLLED.get(task.handler, {}).items():
        retrier = task.retried[code]
        assert retrier["BackoffRate"] == 1
        assert "JitterStrategy" not in retrier
        assert retrier["IntervalSeconds"] * retrier["MaxAttempts"] == deadline


@each_task
def test_what_is_not_polled_backs_off_with_jitter_up_to_a_limit(task: State) -> None:
    for code in OF_EVERY_CALL - POLLED.get(task.handler, {}).keys():
        retrier = task.retried[code]
        assert retrier["BackoffRate"] > 1
        assert retrier["MaxDelaySeconds"] <= 60
        # A parent gets ready in its own time, so its deadline must not hang on chance.
        assert retrier.get("JitterStrategy", "NONE") == ("NONE" if code is ErrorCode.NOT_READY else "FULL")
        assert retrier["MaxAttempts"] >= 5


def test_the_codes_of_polling_are_those_that_the_machines_poll_on() -> None:
    """Every temporary code is met somewhere: none is a word without use."""
    met = OF_EVERY_CALL | {code for codes in POLLED.values() for code in codes} | {ErrorCode.EVENT_UNDELIVERED}
    assert met == TEMPORARY


@each_task
def test_every_failure_of_a_task_is_caught_unless_the_event_itself_cannot_be_built(task: State) -> None:
    caught = [error for catcher in task.body.get("Catch", ()) for error in catcher["ErrorEquals"]]
    if task.name.startswith("Keep"):
        assert caught == []
        return
    assert caught[-1] == "States.ALL"


@each_task
def test_a_catcher_keeps_what_the_run_knows(task: State) -> None:
    for catcher in task.body.get("Catch", ()):
        assert catcher["ResultPath"].startswith("$.")
    assert task.body["ResultPath"].startswith("$.")


def following(state: dict[str, Any]) -> set[str]:
    """Where a state may lead."""
    nexts = [state.get("Next"), state.get("Default")]
    nexts += [rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
    return {name for name in nexts if name}


@pytest.mark.parametrize("name", NAMES)
def test_every_way_through_a_machine_ends_in_an_event(name: str) -> None:
    """No machine fails: a failure is an outcome, told like any other."""
    top = load_machine(name).source["States"]
    ends = {state for state, body in top.items() if body.get("End") or body["Type"] in {"Succeed", "Fail"}}
    for end in ends - TOLD_WITHIN:
        assert top[end]["Type"] == "Pass"
        told = top[end]["Parameters"]
        assert told["outcome"] in TERMINAL
        assert told["event.$"] == "$.emitted.event"
        before = {state for state, body in top.items() if end in following(body)}
        assert {top[state]["Resource"].rpartition(":")[2] for state in before} == {"emit_event"}
        assert {top[state]["Parameters"]["kind"] for state in before} == {told["outcome"]}
        assert {top[state]["Parameters"].get("deliver", True) for state in before} == {told["delivered"]}


@pytest.mark.parametrize("name", NAMES)
def test_from_every_state_an_event_is_reached(name: str) -> None:
    top = load_machine(name).source["States"]
    reaching = {
        state for state, body in top.items() if body.get("Parameters", {}).get("kind")
    } | TOLD_WITHIN & top.keys()
    telling = set(reaching)
    while True:
        more = {state for state, body in top.items() if following(body) & reaching} - reaching
        if not more:
            break
        reaching |= more
    after = {state for one in telling for state in following(top[one])}
    assert reaching | after == top.keys()


BUILDS = [state for state in ALL if state.body["Type"] == "Parallel"]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.machine)
def test_every_branch_catches_its_own_failure_as_data_so_that_the_parallel_always_joins(build: State) -> None:
    assert "Catch" not in build.body
    assert len(build.body["Branches"]) == 3
    for branch in build.body["Branches"]:
        ends = {name for name, body in branch["States"].items() if body.get("End")}
        for name, body in branch["States"].items():
            if body["Type"] != "Task":
                continue
            (catcher,) = body["Catch"]
            assert catcher["ErrorEquals"] == ["States.ALL"]
            assert catcher["ResultPath"] == "$.failure"
            assert catcher["Next"] in ends, name


def test_a_repair_builds_by_the_same_steps_as_an_exposure_and_takes_nothing_back() -> None:
    expose, repair = (load_machine(name).source["States"] for name in ("expose", "repair"))
    assert repair["Build"] == expose["Build"]
    assert [name for name in repair if name.startswith(("RollBack", "Restore"))] == []


def test_a_vanished_parent_leads_back_to_the_parallel_at_most_twice() -> None:
    top = load_machine("expose").source["States"]
    (again,) = top["AnotherPass"]["Choices"]
    assert (again["Variable"], again["NumericLessThan"], again["Next"]) == ("$.passes.n", 2, "CountPass")
    assert top["CountPass"]["Next"] == "Build"


def test_a_withdrawal_takes_the_public_side_down_first_and_the_anchor_last() -> None:
    top = load_machine("withdraw").source["States"]
    order, state = [], load_machine("withdraw").source["StartAt"]
    while state in top and "Next" in top[state]:
        order.append(top[state]["Resource"].rpartition(":")[2])
        state = top[state]["Next"]
        state = top[state].get("Default", state)
    assert order == [
        "plan_withdrawal",
        "release_backend",
        "release_listener",
        "release_load_balancer",
        "release_whitelist",
        "release_routes",
        "release_peering",
        "release_ip_group",
        "emit_event",
    ]


def test_a_withdrawal_that_is_cancelled_or_overtaken_goes_on_with_nothing() -> None:
    releases = [task for task in TASKS if task.machine == "withdraw" and task.handler.startswith("release_")]
    assert len(releases) == 7
    for task in releases:
        for told in (ErrorCode.CANCELLED, ErrorCode.CONFLICT):
            catcher = next(one for one in task.body["Catch"] if {told, "States.ALL"} & set(one["ErrorEquals"]))
            assert (catcher["ResultPath"], catcher["Next"]) == ("$.failure", "EmitFailed"), task.name


def test_every_ensure_has_its_release() -> None:
    made = {task.handler.removeprefix("ensure_") for task in TASKS if task.handler.startswith("ensure_")}
    released = {task.handler.removeprefix("release_") for task in TASKS if task.handler.startswith("release_")}
    assert made | {"ip_group"} == released
    rolled_back = {task.handler for task in TASKS if task.name.startswith("RollBack")}
    assert rolled_back == {f"release_{kind}" for kind in released}


def test_a_roll_back_goes_on_after_a_failure_and_acts_for_its_own_run_only() -> None:
    top = load_machine("expose").source["States"]
    back = {name: body for name, body in top.items() if name.startswith("RollBack")}
    for name, body in back.items():
        assert body["Parameters"]["owner.$"] == "$$.Execution.Id", name
        *again, catcher = body["Catch"]
        assert catcher["ResultPath"].startswith("$.left.")
        assert catcher["Next"] in {*back, "RolledBack", "EmitFailed"}
        # The members go first; who is reached after that is reached by another delivery of the run.
        assert ("error.$" in body["Parameters"]) == (name != "RollBackBackend"), name
        assert [(one["ErrorEquals"], one["Next"]) for one in again] == (
            [(["Conflict"], "ReviewFailure")] if name != "RollBackBackend" else []
        )


@pytest.mark.parametrize(("name", "after"), [("expose", "ReviewFailure"), ("repair", "EmitFailed")])
def test_an_open_redis_is_closed_at_once_whoever_made_it(name: str, after: str) -> None:
    top = load_machine(name).source["States"]
    (first, *_) = top["ProbeRedis"]["Catch"]
    assert (first["ErrorEquals"], first["Next"]) == (["OpenToAll"], "CloseBackend")
    for state in ("CloseBackend", "CloseListener"):
        assert "owner.$" not in top[state]["Parameters"]
        assert {catcher["Next"] for catcher in top[state]["Catch"]} == {after}
    assert top["CloseBackend"]["Next"] == "CloseListener"
