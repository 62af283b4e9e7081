"""Calling functions: a failure says whether it helps to try again, and nothing of what the function said."""

from __future__ import annotations

import pytest

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.functiongraph import TimedOutError
from shared.otc.transport import Answer
from shared.urns import function_name, function_urn
from tests.shared.otc.canned import Canned, answer

URN = function_urn("eu-de", "5f0d", "dcs-access", "plan_exposure")
_SECRET = {"errorMessage": "function invocation exception, error: Secret-1", "errorType": "ValueError"}


def _failed(code: int) -> Answer:
    return answer(200, _SECRET, **{"X-Is-Func-Err": "true", "X-Func-Err-Code": str(code)})


def test_a_result_is_the_body_and_the_call_outlasts_the_gateway() -> None:
    transport = Canned(answer(200, {"facts": {}}, **{"X-Func-Err-Code": "0", "X-Is-Func-Err": "false"}))
    assert Cloud(transport).functiongraph.invoke(URN, {"run": "r"}) == {"facts": {}}
    (call,) = transport.calls
    assert (call.path, call.action) == (f"/v2/5f0d/fgs/functions/{URN}/invocations", "functiongraph:function:invoke")
    assert call.body == {"run": "r"}
    assert (call.timeout or 0) > 90


def test_an_asynchronous_call_gives_the_request() -> None:
    transport = Canned(answer(202, {"request_id": "r1"}))
    assert Cloud(transport).functiongraph.invoke_async(URN, {"start": {}}) == "r1"
    (call,) = transport.calls
    assert call.path == f"/v2/5f0d/fgs/functions/{URN}/invocations-async"
    assert call.action == "functiongraph:function:invokeAsync"


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        (_failed(4002), PermanentError, ErrorCode.INTERNAL),
        (_failed(4007), PermanentError, ErrorCode.INTERNAL),
        (_failed(4001), PermanentError, ErrorCode.INTERNAL),
        (_failed(150434), PermanentError, ErrorCode.REFUSED),
        (_failed(4010), TimedOutError, ErrorCode.NO_ANSWER),
        (_failed(4204), TemporaryError, ErrorCode.SERVER_ERROR),
        (_failed(4205), TemporaryError, ErrorCode.SERVER_ERROR),
        (_failed(4201), TemporaryError, ErrorCode.NOT_READY),
        (_failed(150429), TemporaryError, ErrorCode.THROTTLED),
        (answer(200, _SECRET, **{"x-is-func-err": "True"}), PermanentError, ErrorCode.INTERNAL),
        (Answer(200, b"Secret-1"), PermanentError, ErrorCode.UNEXPECTED_ANSWER),
        (answer(429, {"error_code": "FSS.0429", "error_msg": "slow"}), TemporaryError, ErrorCode.THROTTLED),
        (answer(500, {"error_code": "FSS.0500", "error_msg": "oh"}), TemporaryError, ErrorCode.SERVER_ERROR),
        (Answer(504, b"gateway"), TemporaryError, ErrorCode.SERVER_ERROR),
        (answer(404, {"error_code": "FSS.1051", "error_msg": "no"}), PermanentError, ErrorCode.NOT_FOUND),
        (answer(403, {"error_code": "FSS.0403", "error_msg": "no"}), PermanentError, ErrorCode.FORBIDDEN),
    ],
)
def test_a_failed_call_says_whether_to_try_again_and_tells_no_secret(
    given: Answer, kind: type[AccessError], code: ErrorCode
) -> None:
    with pytest.raises(kind) as raised:
        Cloud(Canned(given)).functiongraph.invoke(URN, {})
    assert raised.value.code is code
    assert "Secret-1" not in str(raised.value.envelope())


def test_a_function_is_named_by_its_urn_with_a_version_or_without() -> None:
    assert function_name(URN) == function_name(f"{URN}:latest") == "plan_exposure"
    with pytest.raises(ValueError, match="not the URN"):
        function_name("urn:smn:eu-de:5f0d:topic")
