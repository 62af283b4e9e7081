"""What follows from a verification: ends by their own ids, repairs once a slot, nothing of one that failed."""

from __future__ import annotations

from typing import Any

import pytest

from shared.request import parse_request
from shared.verification.following import follow_ups

DUE = {"exposure": "e" * 20, "instance_id": "i", "node": None, "expires_at": 1700000000}
NODE = {**DUE, "exposure": "f" * 20, "node": "192.168.0.11:6379"}
OUTPUT = {"outcome": "verified", "verified": {"expired": [DUE, NODE], "repairs": [NODE]}}


def test_an_end_has_the_same_id_in_every_slot_and_a_repair_another() -> None:
    first, second = follow_ups(OUTPUT, "1"), follow_ups(OUTPUT, "2")
    assert [each["action"] for each in first] == ["withdraw", "withdraw", "repair"]
    assert first[:2] == second[:2]
    assert first[2]["request_id"] != second[2]["request_id"]
    assert ["node" in each for each in first] == [False, True, True]


def test_all_that_follows_is_a_valid_request() -> None:
    for request in follow_ups(OUTPUT, "0c5f5ad3-5a1f-4a52-8f0b-0a3d7e3f6a01"):
        parse_request(request)


@pytest.mark.parametrize("output", [None, {}, {"outcome": "failed", "event": {}}])
def test_nothing_follows_from_a_verification_that_failed(output: Any) -> None:
    assert follow_ups(output, "1") == []
