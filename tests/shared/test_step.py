"""A handler's border: data in, data out, failures too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.transport import Answer, Call
from shared.probe import ProbeAnswer
from shared.resources.converge import telling
from shared.results import Did, Kind, StepResult, Touched
from shared.services import LocalContext, Services, gather
from shared.settings import Settings
from shared.step import Order, run_step

ENTERED = "2026-01-01T00:00:00.000Z"
TOUCHED = Touched(kind=Kind.LISTENER, id="l", did=Did.CREATED, reason="it was not there")


class NoCalls:
    project_id, region = "p", "eu-de"

    def send(self, call: Call) -> Answer:
        raise AssertionError(call)


SERVICES = Services(
    cloud=Cloud(NoCalls()),
    settings=Settings(),
    now=lambda: datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC),
    probe=lambda _host, _port: ProbeAnswer.LOCKED,
    sinks=lambda _notify: [],
)


def event(**changes: Any) -> dict[str, Any]:
    state = {"Name": "EnsureListener", "EnteredTime": ENTERED, "RetryCount": 2}
    return {"run": "run-1", "state": state} | changes


def work(order: Order, services: Services) -> StepResult:
    return StepResult(touched=(TOUCHED,), facts={"listener_id": "l"})


def failing(error: Exception) -> Any:
    def fail(order: Order, services: Services) -> StepResult:
        raise error

    return fail


def test_a_result_goes_out_as_plain_data_with_its_times() -> None:
    result = run_step(Order, work, event(), LocalContext(SERVICES))
    assert result["step"] == {
        "state": "EnsureListener",
        "attempts": 3,
        "started": ENTERED,
        "ended": "2026-01-01T00:00:07.000+00:00",
    }
    assert StepResult.model_validate_json(StepResult.model_validate(result).model_dump_json()).touched == (TOUCHED,)


@pytest.mark.parametrize("kind", [TemporaryError, PermanentError])
def test_a_failure_goes_out_as_data_with_its_times(kind: type[TemporaryError] | type[PermanentError]) -> None:
    error = kind(ErrorCode.NOT_YET, "Not yet.", retry_after=30.0)
    result = run_step(Order, failing(error), event(), LocalContext(SERVICES))
    assert result["error"]["code"] == "NotYet"
    assert result["error"]["retry_after"] == 30.0
    assert result["error"]["step"]["attempts"] == 3


def test_a_failure_goes_out_with_what_was_done_before_it() -> None:
    def work(order: Order, services: Services) -> StepResult:
        with telling([TOUCHED]):
            raise PermanentError(ErrorCode.FORBIDDEN, "No.")

    result = run_step(Order, work, event(), LocalContext(SERVICES))
    assert result["error"]["touched"] == [TOUCHED.model_dump(mode="json")]


@pytest.mark.parametrize(
    "bad", [None, [], "x", {}, event(run=7), event(surprise=1), event(state={}), event(passes="x")]
)
def test_an_event_that_does_not_fit_is_refused_as_data(bad: Any) -> None:
    result = run_step(Order, failing(AssertionError("no work is done")), bad, LocalContext(SERVICES))
    assert result["error"]["code"] == "InvalidRequest"


def test_a_bug_leaves_as_an_exception_for_the_engine_to_stop() -> None:
    with pytest.raises(ZeroDivisionError):
        run_step(Order, failing(ZeroDivisionError()), event(), LocalContext(SERVICES))


@pytest.mark.parametrize(("retries", "passes", "first"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_only_the_very_first_attempt_may_rely_on_earlier_observations(
    retries: int, passes: int, *, first: bool
) -> None:
    state = {"Name": "S", "EnteredTime": ENTERED, "RetryCount": retries}
    assert Order.model_validate({"run": "r", "state": state, "passes": passes}).first is first


def test_side_by_side_calls_answer_in_order_and_all_end_before_a_failure_is_told() -> None:
    ended: list[int] = []

    def good(number: int) -> int:
        ended.append(number)
        return number

    assert gather(lambda: good(1), lambda: good(2), lambda: good(3)) == [1, 2, 3]
    ended.clear()
    with pytest.raises(KeyError):
        gather(lambda: good(1), lambda: {}["missing"], lambda: good(3))
    assert sorted(ended) == [1, 3]
