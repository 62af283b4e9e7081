from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import events, failing, one, output, run, task
from workflow.interpreter import EventType


def branch(name, state, **others):
    ending = {} if state["Type"] in {"Fail", "Succeed"} or "Next" in state else {"End": True}
    return {"StartAt": name, "States": {name: {**state, **ending}, **others}}


def parallel(*branches, **fields):
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def each(state, **fields):
    return {"Type": "Map", "ItemProcessor": branch("Each", state), **fields}


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(0, 4))
def test_results_come_in_the_order_of_branches_and_items_whatever_ends_first(naps, most):
    branches = [
        branch(
            f"Nap{i}",
            {"Type": "Wait", "Seconds": nap, "Next": f"Say{i}"},
            **{f"Say{i}": {"Type": "Pass", "Result": [i, nap], "End": True}},
        )
        for i, nap in enumerate(naps)
    ]
    wanted = [[i, nap] for i, nap in enumerate(naps)]
    assert output(one(parallel(*branches))) == wanted
    nap = {"Type": "Wait", "SecondsPath": "$[1]"}
    assert output(one(each(nap, MaxConcurrency=most)), wanted) == wanted


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(0, 3))
def test_no_more_iterations_run_at_once_than_allowed(naps, most):
    result = run(one(each({"Type": "Wait", "SecondsPath": "$"}, MaxConcurrency=most)), naps)
    entered, left = EventType.STATE_ENTERED, EventType.STATE_EXITED
    inner = [event.type for event in result.history if event.branch and event.type in {entered, left}]
    peak = max(accumulate(1 if kind is entered else -1 for kind in inner))
    assert peak <= (most or len(naps))
    if most == 1:
        assert result.history[-1].at - result.history[0].at == sum(naps)
    if most == 0:
        assert result.history[-1].at - result.history[0].at == max(naps)


def test_every_branch_gets_the_same_input_and_the_variables_but_keeps_its_own():
    def branches(*names):
        return [
            branch(
                name,
                {"Type": "Pass", "Assign": {f"own{name}.$": "$outer"}, "Next": f"Tell{name}"},
                **{f"Tell{name}": {"Type": "Pass", "Parameters": {"v.$": f"$own{name}", "in.$": "$"}, "End": True}},
            )
            for name in names
        ]

    machine = one(
        {"Type": "Pass", "Assign": {"outer": 5}, "Next": "Both"},
        Both=parallel(*branches("A", "B"), Parameters={"p.$": "$.x"}, ResultPath="$.r", Next="Tell"),
        Tell={"Type": "Pass", "Parameters": {"r.$": "$.r", "own.$": "$ownA"}, "End": True},
    )
    assert run(machine, {"x": 1}).error == "States.Runtime"
    machine["States"]["Tell"] = {"Type": "Pass", "OutputPath": "$.r", "End": True}
    assert output(machine, {"x": 1}) == [{"v": 5, "in": {"p": 1}}] * 2


def test_a_failed_branch_passes_its_own_error_up_and_stops_the_others():
    late = branch("Late", {"Type": "Wait", "Seconds": 100})
    soon = branch("Soon", {"Type": "Wait", "Seconds": 5, "Next": "Bad"}, Bad={"Type": "Fail", "Error": "Own"})
    result = run(one(parallel(late, soon)))
    assert (result.error, result.history[-1].at - result.history[0].at) == ("Own", 5)


def test_a_retried_parallel_runs_all_of_its_branches_again():
    state = parallel(
        branch("A", task()), branch("B", {"Type": "Pass"}), Retry=[{"ErrorEquals": ["E"], "IntervalSeconds": 9}]
    )
    result = run(one(state), handler=failing("E"))
    assert (result.status, sorted(result.entered)) == ("SUCCEEDED", ["A", "A", "B", "B", "It"])
    assert result.history[-1].at - result.history[0].at == 9


def test_a_selector_sees_the_item_and_the_maps_own_input():
    selector = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "all.$": "$.n", "state.$": "$$.State.Name"}
    state = each({"Type": "Pass"}, InputPath="$.data", ItemsPath="$.items", ItemSelector=selector)
    wanted = [{"i": i, "v": v, "all": 2, "state": "It"} for i, v in enumerate("ab")]
    assert output(one(state), {"data": {"items": ["a", "b"], "n": 2}}) == wanted


def test_an_iteration_knows_its_item_in_all_of_its_states():
    inner = {"Type": "Pass", "Parameters": {"i.$": "$$.Map.Item.Index", "state.$": "$$.State.Name"}}
    assert output(one(each(inner)), ["x"]) == [{"i": 0, "state": "Each"}]


def test_the_older_names_of_a_map_mean_the_same():
    legacy = {"Type": "Map", "Iterator": branch("Each", {"Type": "Pass"}), "Parameters": {"v.$": "$$.Map.Item.Value"}}
    assert output(one(legacy), [1]) == [{"v": 1}]


def test_no_items_give_no_results_and_no_list_is_a_runtime_error():
    assert output(one(each({"Type": "Pass"})), []) == []
    assert run(one(each({"Type": "Pass"})), {"a": 1}).error == "States.Runtime"


def test_the_limit_of_iterations_may_come_from_a_path():
    state = each({"Type": "Wait", "Seconds": 1}, ItemsPath="$.items", MaxConcurrencyPath="$.most")
    result = run(one(state), {"items": [1, 2, 3], "most": 1})
    assert result.history[-1].at - result.history[0].at == 3
    assert run(one(state), {"items": [], "most": "many"}).error == "States.Runtime"


def test_history_tells_branches_apart_and_only_the_run_starts_and_ends():
    result = run(one(parallel(branch("A", each({"Type": "Pass"})), branch("B", {"Type": "Pass"}))), [1, 2])
    entered = {(event.branch, event.state) for event in events(result, EventType.STATE_ENTERED)}
    assert entered == {
        ("", "It"),
        ("/It.0", "A"),
        ("/It.1", "B"),
        ("/It.0/A.0", "Each"),
        ("/It.0/A.1", "Each"),
    }
    assert len(events(result, EventType.EXECUTION_STARTED)) == len(events(result, EventType.EXECUTION_SUCCEEDED)) == 1
