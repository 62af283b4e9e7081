"""Verdicts as events: a kind each, and ids by which a reader knows what it has seen."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.events import EventKind
from shared.results import Kind
from shared.verification.telling import build_verdict_event, event_of_verdict
from shared.verification.verdict import Difference, Verdict, VerdictKind

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
END = 1_800_000_000


def verdict(kind: VerdictKind, **more: Any) -> Verdict:
    return Verdict(exposure="e", instance_id="i-1", node=None, kind=kind, reason="so it was found", **more)


def tell(kind: EventKind, found: Verdict, run: str = "run-1") -> dict[str, Any]:
    return build_verdict_event(kind, run=run, verdict=found, region="eu-de", project_id="p", time=NOON).to_json()


@pytest.mark.parametrize("kind", VerdictKind)
def test_a_drift_and_an_end_have_kinds_of_their_own_and_every_event_names_its_verdict(kind: VerdictKind):
    found = verdict(kind, expires_at=END)
    event = tell(event_of_verdict(found), found)
    word = kind if kind in {VerdictKind.DRIFTED, VerdictKind.EXPIRED} else "verified"
    assert event["type"] == f"dcs-public-access.exposure.{word}"
    assert (event["subject"], event["data"]["verdict"]) == ("e", kind)
    assert json.loads(json.dumps(event)) == event


def test_a_drift_says_what_is_and_what_should_be():
    difference = Difference(kind=Kind.MEMBER, id="m-1", field="weight", is_="5", should="1")
    event = tell(
        EventKind.DRIFTED,
        verdict(VerdictKind.DRIFTED, differences=(difference,), endpoint="198.51.100.7:80"),
    )
    assert event["data"]["differences"] == [
        {"kind": "member", "id": "m-1", "field": "weight", "is": "5", "should": "1"}
    ]
    assert event["data"]["endpoint"] == {"address": "198.51.100.7", "port": 80}


@pytest.mark.parametrize("kind", [EventKind.EXPIRING, EventKind.EXPIRED])
def test_one_end_is_one_event_whoever_finds_it_and_another_end_another(kind: EventKind):
    found = verdict(VerdictKind.EXPIRED, expires_at=END)
    assert tell(kind, found, "run-1")["id"] == tell(kind, found, "run-2")["id"]
    assert tell(kind, found)["id"] != tell(kind, verdict(VerdictKind.EXPIRED, expires_at=END + 1))["id"]


def test_two_looks_are_two_events():
    found = verdict(VerdictKind.HEALTHY)
    assert tell(EventKind.VERIFIED, found, "run-1")["id"] != tell(EventKind.VERIFIED, found, "run-2")["id"]
