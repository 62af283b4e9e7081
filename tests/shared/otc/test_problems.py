from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import TEMPORARY, ErrorCode, PermanentError, TemporaryError
from shared.otc.problems import ambiguous, problem
from shared.otc.transport import Answer, Call, Service, lost
from shared.otc.vpc import VpcClient
from tests.shared.otc.canned import Canned, answer

GET = Call(Service.ELB, "GET", "/v3/5f0d/elb/listeners/l1", "elb:listeners:get")
POST = Call(Service.ELB, "POST", "/v3/5f0d/elb/listeners", "elb:listeners:create")


def elb(code: str, message: str = "no") -> dict[str, str]:
    return {"error_code": code, "error_msg": message, "request_id": "r"}


def vpc(code: str, message: str = "no") -> dict[str, str]:
    return {"code": code, "message": message}


def neutron(kind: str) -> dict[str, Any]:
    return {"NeutronError": {"type": kind, "message": "no", "detail": ""}}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, elb("ELB.1103"), ErrorCode.UNAUTHORIZED),
        (401, {"error": {"code": 401, "message": "no", "title": "Unauthorized"}}, ErrorCode.UNAUTHORIZED),
        (403, elb("ELB.8903"), ErrorCode.FORBIDDEN),
        (403, elb("ELB.2001"), ErrorCode.QUOTA_EXCEEDED),
        (400, elb("ELB.9807"), ErrorCode.QUOTA_EXCEEDED),
        (409, elb("ELB.8905"), ErrorCode.QUOTA_EXCEEDED),
        (409, vpc("VPC.0521"), ErrorCode.QUOTA_EXCEEDED),
        (409, neutron("OverQuota"), ErrorCode.QUOTA_EXCEEDED),
        (400, elb("DCS.4036"), ErrorCode.QUOTA_EXCEEDED),
        (404, elb("ELB.8904"), ErrorCode.NOT_FOUND),
        (404, neutron("PeeringNotFound"), ErrorCode.NOT_FOUND),
        (404, elb("APIGW.0101"), ErrorCode.API_MISSING),
        (404, None, ErrorCode.API_MISSING),
        (409, elb("ELB.8907"), ErrorCode.CONFLICT),
        (400, vpc("VPC.2812"), ErrorCode.CONFLICT),
        (500, vpc("VPC.2812"), ErrorCode.CONFLICT),
        (500, vpc("VPC.0516"), ErrorCode.CONFLICT),
        (409, vpc("VPC.0512"), ErrorCode.BUSY),
        (400, elb("DCS.4111"), ErrorCode.BUSY),
        (400, elb("DCS.4026"), ErrorCode.BUSY),
        (400, elb("DCS.4049"), ErrorCode.BUSY),
        (400, elb("DCS.4061"), ErrorCode.NOT_FOUND),
        (404, elb("DCS.3022"), ErrorCode.NOT_FOUND),
        (400, elb("DCS.4002"), ErrorCode.REFUSED),
        (408, None, ErrorCode.SERVER_ERROR),
        (429, elb("APIGW.0308"), ErrorCode.THROTTLED),
        (500, elb("ELB.8906"), ErrorCode.SERVER_ERROR),
        (502, None, ErrorCode.SERVER_ERROR),
        (504, elb("APIGW.0201"), ErrorCode.SERVER_ERROR),
        (400, elb("ELB.8902"), ErrorCode.REFUSED),
        (302, None, ErrorCode.UNEXPECTED_ANSWER),
    ],
)
def test_each_services_refusal_is_read_by_its_own_envelope(status: int, body: dict[str, Any] | None, code: ErrorCode):
    error = problem(GET, answer(status, body))
    assert error.code is code
    assert isinstance(error, TemporaryError if code in TEMPORARY else PermanentError)
    assert error.data.advice
    assert error.data.resource == GET.path


def test_a_missing_permission_is_named():
    error = problem(POST, answer(403, elb("ELB.9802")))
    assert "elb:listeners:create" in str(error)
    assert "elb:listeners:create" in str(error.data.advice)


def test_a_refusal_carries_the_clouds_own_code_and_words():
    text = str(problem(POST, answer(400, elb("ELB.8902", "Invalid input for 'name'."))))
    assert "ELB.8902: Invalid input for 'name'." in text
    assert "POST /v3/5f0d/elb/listeners" in text


def test_a_404_of_somebody_else_is_never_taken_for_a_resource_that_is_gone():
    page = Answer(404, b"<html>not here</html>")
    assert problem(Call(Service.ELB, "DELETE", "/x", "a"), page).code is ErrorCode.API_MISSING


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("86400", 60.0), ("9" * 400, 60.0), ("soon", None), ("-3", None)]
)
def test_throttling_tells_how_long_to_wait_if_the_gateway_does(header: str, seconds: float | None):
    error = problem(GET, answer(429, elb("APIGW.0308"), **{"Retry-After": header}))
    assert error.data.retry_after == seconds
    assert problem(GET, answer(409, {"code": "VPC.0512"}, **{"Retry-After": header})).data.retry_after is None


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_only_a_mutation_is_ambiguous_after_a_server_fault(status: int):
    assert ambiguous(problem(POST, answer(status, elb("APIGW.0201"))))
    assert not ambiguous(problem(GET, answer(status, elb("APIGW.0201"))))


def test_throttled_and_refused_mutations_are_not_ambiguous():
    assert not ambiguous(problem(POST, answer(429, elb("APIGW.0308"))))
    assert not ambiguous(problem(POST, answer(409, elb("ELB.8907"))))


@pytest.mark.parametrize(("method", "mutates"), [("delete_peering", True), ("peering", False)])
def test_only_a_mutation_is_ambiguous_after_a_lost_answer(method: str, mutates: bool):
    client = VpcClient(Canned(lost(GET)))
    with pytest.raises(TemporaryError) as caught:
        getattr(client, method)("p")
    assert caught.value.code is ErrorCode.NO_ANSWER
    assert ambiguous(caught.value) is mutates


def test_only_a_mutation_is_said_to_have_been_carried_out_perhaps():
    assert "carried out" in str(lost(POST))
    assert "carried out" not in str(lost(GET))
    assert "Look for" not in str(lost(GET).data.advice)
    assert "Look for" in str(lost(POST).data.advice)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"peering": null}', b'{"peering": {"id": "p"}}', b"{}"])
def test_a_success_that_cannot_be_read_says_so(body: bytes):
    with pytest.raises(PermanentError) as caught:
        VpcClient(Canned(Answer(200, body))).peering("p")
    assert caught.value.code is ErrorCode.UNEXPECTED_ANSWER


def test_an_unreadable_answer_never_repeats_its_values():
    body = {"peering": {"id": "p", "status": {"password": "hunter2"}}}
    with pytest.raises(PermanentError) as caught:
        VpcClient(Canned(answer(200, body))).peering("p")
    assert "status" in str(caught.value)
    assert "hunter2" not in json.dumps(caught.value.envelope())
