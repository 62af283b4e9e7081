"""Every failure has a code that stays, and says whether another try may help."""

from __future__ import annotations

import re

import pytest

from shared.errors import TEMPORARY, AccessError, ErrorCode, ErrorData, PermanentError, TemporaryError


def test_codes_are_asl_error_names_that_no_language_reserves() -> None:
    for code in ErrorCode:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", code.value), code
        assert not code.value.startswith("States.")


def test_a_codes_name_is_its_value_in_another_spelling() -> None:
    for code in ErrorCode:
        assert code.name.replace("_", "").lower() == code.value.lower()


@pytest.mark.parametrize("kind", [TemporaryError, PermanentError])
def test_the_envelope_reads_back_as_the_same_failure(kind: type[AccessError]) -> None:
    error = kind(ErrorCode.BUSY, "It is busy.", resource="r", advice="Wait.", field="f", retry_after=3.0)
    envelope = error.envelope()
    assert envelope.keys() == {"error"}
    assert ErrorData.model_validate(envelope["error"]) == error.data
    assert str(error) == "It is busy."


def test_what_does_not_apply_is_left_out_of_the_envelope() -> None:
    assert PermanentError(ErrorCode.INTERNAL, "No.").envelope() == {"error": {"code": "Internal", "message": "No."}}


def test_temporary_codes_are_those_that_a_retry_may_name() -> None:
    assert ErrorCode.PARENT_GONE not in TEMPORARY
    assert {code.value for code in TEMPORARY} == {
        "NotYet",
        "NotReady",
        "Throttled",
        "ServerError",
        "NoAnswer",
        "Busy",
        "EventUndelivered",
        "Unhealthy",
        "ProbeFailed",
    }
