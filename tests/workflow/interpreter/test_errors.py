from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflow.running import events, failing, one, output, run, task
from workflow.interpreter import (
    DefinitionChangedError,
    Elapsed,
    EventType,
    StartContext,
    TaskSucceeded,
    advance,
    start,
)
from workflow.interpreter.failure import delay
from workflow.language import parse
from workflow.language.definition import Retrier

CAUGHT = {"Type": "Pass", "End": True}


def delays(result):
    return [event.seconds for event in events(result, EventType.RETRY_SCHEDULED)]


def retry(*errors, **fields):
    return {"ErrorEquals": list(errors), **fields}


def test_a_retrier_has_the_defaults_of_the_language():
    result = run(one(task(Retry=[retry("E")])), handler=failing("E", "E", "E", "E"))
    assert (delays(result), result.error) == ([1, 2, 4], "E")
    assert json.loads(result.cause) == {"code": "E", "message": "said so"}


def test_max_attempts_zero_means_never():
    assert delays(run(one(task(Retry=[retry("E", MaxAttempts=0)])), handler=failing("E"))) == []


@given(st.integers(1, 100), st.floats(1, 5), st.one_of(st.none(), st.integers(101, 5000)), st.integers(0, 2000))
def test_a_delay_grows_by_its_rate_up_to_its_limit(interval, rate, longest, count):
    limit = {"MaxDelaySeconds": longest} if longest else {}
    retrier = Retrier.model_validate({"ErrorEquals": ["E"], "IntervalSeconds": interval, "BackoffRate": rate, **limit})
    wanted = float(interval)
    for _ in range(count):
        wanted = wanted * rate
    assert delay(retrier, count, 0.3) == pytest.approx(min(wanted, longest or float("inf")), rel=1e-6)


@given(st.integers(0, 5), st.floats(0, 1, exclude_max=True))
def test_full_jitter_lies_between_nothing_and_the_delay(count, source):
    retrier = Retrier.model_validate({"ErrorEquals": ["E"], "JitterStrategy": "FULL"})
    assert delay(retrier, count, source) == pytest.approx(source * 2**count)


@pytest.mark.parametrize(("asked", "waited"), [(None, 10), (3, 10), (25.5, 25.5)])
def test_what_a_failure_asks_for_lengthens_a_delay_and_never_shortens_it(asked, waited):
    answers = [{"error": {"code": "E", "message": "", "retry_after": asked}}, {}]
    result = run(one(task(Retry=[retry("E", IntervalSeconds=10)])), handler=lambda _: answers.pop(0))
    assert delays(result) == [waited]
    assert result.history[-1].at - result.history[0].at == waited


def test_each_retrier_counts_for_itself_over_all_visits_of_a_state():
    retriers = [
        retry("ErrorA", "ErrorB", IntervalSeconds=1, BackoffRate=2.0, MaxAttempts=2),
        retry("ErrorC", IntervalSeconds=5),
    ]
    caught = [retry("States.ALL") | {"Next": "Caught"}]
    machine = one(task(Retry=retriers, Catch=caught, Next="Caught"), Caught=CAUGHT)
    result = run(machine, handler=failing("ErrorA", "ErrorB", "ErrorC", "ErrorB"))
    assert delays(result) == [1, 2, 5]
    assert result.output["Error"] == "ErrorB"


@given(st.lists(st.sampled_from(["A", "B", "C", None]), max_size=12), st.integers(0, 3), st.integers(0, 3))
def test_retry_counters_follow_the_first_retrier_that_names_the_error(codes, most_first, most_second):
    retriers = [retry("A", "B", MaxAttempts=most_first), retry("B", "C", MaxAttempts=most_second)]
    counts, wanted = [0, 0], None
    for code in codes:
        if code is None:
            break
        index = 0 if code in "AB" else 1
        if counts[index] == (most_first, most_second)[index]:
            wanted = code
            break
        counts[index] += 1
    result = run(one(task(Retry=retriers)), handler=failing(*codes))
    assert (result.error, len(delays(result))) == (wanted, sum(counts))


def test_leaving_a_state_resets_its_retriers():
    again = {"Type": "Choice", "Choices": [{"Variable": "$.n", "IsPresent": True, "Next": "Out"}], "Default": "Mark"}
    machine = one(
        task(Retry=[retry("E", MaxAttempts=1)], ResultPath=None, Next="Again"),
        Again=again,
        Mark={"Type": "Pass", "Result": 1, "ResultPath": "$.n", "Next": "It"},
        Out={"Type": "Succeed"},
    )
    assert run(machine, handler=failing("E", None, "E", None)).status == "SUCCEEDED"


def test_parameters_are_evaluated_again_for_each_attempt():
    seen = []
    answers = failing("E", "E")

    def handle(parameters):
        seen.append(parameters["n"])
        return answers(parameters)

    machine = one(task(Parameters={"n.$": "$$.State.RetryCount"}, Retry=[retry("E")]))
    assert run(machine, handler=handle).status == "SUCCEEDED"
    assert seen == [0, 1, 2]


@pytest.mark.parametrize(
    ("names", "error", "caught"),
    [
        (["E"], "E", True),
        (["F", "E"], "E", True),
        (["F"], "E", False),
        (["States.ALL"], "E", True),
        (["States.ALL"], "States.Timeout", True),
        (["States.TaskFailed"], "E", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.Timeout"], "States.Timeout", True),
        (["States.ALL"], "States.Runtime", False),
        (["States.Runtime"], "States.Runtime", False),
    ],
)
def test_a_catcher_takes_the_errors_it_names(names, error, caught):
    machine = one(task(Catch=[retry(*names) | {"Next": "Caught"}], Next="Caught"), Caught=CAUGHT)
    result = run(machine, handler=failing(error))
    assert (result.status == "SUCCEEDED") is caught


def test_a_caught_error_is_placed_in_the_raw_input_past_the_states_own_output_fields():
    state = task(
        InputPath="$.a",
        ResultSelector={"x": 1},
        ResultPath="$.r",
        OutputPath="$.r",
        Catch=[retry("E") | {"ResultPath": "$.failure", "Next": "Caught"}],
        Next="Caught",
    )
    result = output(one(state, Caught=CAUGHT), {"a": 1}, handler=failing("E"))
    assert result == {"a": 1, "failure": {"Error": "E", "Cause": '{"code": "E", "message": "said so"}'}}


def test_a_failure_without_a_cause_is_caught_with_an_empty_one():
    branch = {"StartAt": "In", "States": {"In": {"Type": "Fail", "Error": "E"}}}
    state = {"Type": "Parallel", "Branches": [branch], "Catch": [retry("E") | {"Next": "Caught"}], "Next": "Caught"}
    assert output(one(state, Caught=CAUGHT)) == {"Error": "E", "Cause": ""}


def test_an_execution_refuses_another_definition_and_an_outcome_it_does_not_wait_for():
    machine, other = parse(one(task())), parse(one(task(TimeoutSeconds=5)))
    execution = start(machine, {}, StartContext("id", 0.0)).execution
    with pytest.raises(DefinitionChangedError):
        advance(other, execution, TaskSucceeded({}, 0.0))
    with pytest.raises(TypeError):
        advance(machine, execution, Elapsed(0.0))


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"TimeoutSeconds": 30}, 30),
        ({"TimeoutSecondsPath": "$.t"}, 7),
        ({"TimeoutSeconds": 30, "HeartbeatSeconds": 5}, 5),
    ],
)
def test_a_task_tells_its_engine_how_long_it_may_take(fields, limit):
    (command,) = start(parse(one(task(**fields))), {"t": 7}, StartContext("id", 0.0)).commands
    assert command.timeout_seconds == limit
