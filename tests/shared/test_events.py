"""Events: the same facts in each kind, from the run's data alone, and nothing secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from shared.errors import ErrorCode, ErrorData
from shared.events import CompletedEvent, EventKind, build_event, event_schema
from shared.request import request_schema

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
REQUEST = {
    "action": "expose",
    "request_id": "r-1",
    "instance_id": "i-1",
    "allow": ["203.0.113.0/24"],
    "accept": ["production"],
}
PLAN = {
    "exposure": "e",
    "instance_id": "i-1",
    "instance_name": "redis",
    "listener_port": 8080,
    "expires_at": None,
}


def result(state: str, second: int, *touched: tuple[str, str, str], **facts: str) -> dict[str, Any]:
    """A step's result as it stands in a run's data."""
    at = f"2026-11-02T11:00:{second:02}.000+00:00"
    return {
        "touched": [{"kind": kind, "id": name, "did": did, "reason": f"{did} it"} for kind, name, did in touched],
        "findings": [],
        "facts": facts,
        "step": {"state": state, "attempts": 1, "started": at, "ended": at},
    }


def failure(code: str, second: int, message: str = "It broke.", **more: Any) -> dict[str, str]:
    """What a Catch leaves behind."""
    step = result("EnsureListener", second)["step"]
    error = ErrorData(code=ErrorCode(code), message=message, advice="Mend it.", step=step, **more)
    return {"Error": code, "Cause": error.model_dump_json()}


def exposed() -> dict[str, Any]:
    """The data of a run that went well."""
    plan = {**result("PlanExposure", 1), "plan": PLAN}
    balancer = result("EnsureLoadBalancer", 2, ("load_balancer", "lb-1", "created"), public_address="198.51.100.7")
    return {
        "request": REQUEST,
        "plan": plan,
        "branches": [
            {
                "plan": plan,
                "balancer": balancer,
                "listener": result("EnsureListener", 4, ("listener", "l-1", "created")),
                "backend": result("EnsureBackend", 4, ("member", "m-1", "created")),
            },
            {"plan": plan, "peering": result("EnsurePeering", 3, ("vpc_peering", "p-1", "adopted"))},
        ],
        "health": result("CheckHealth", 5, ("load_balancer", "lb-1", "unchanged"), member_status="ONLINE"),
        "probe": result("ProbeRedis", 6, answer="locked"),
    }


def tell(
    kind: EventKind, data: Any, request: dict[str, Any] | None = None, run: str | None = "run-1"
) -> dict[str, Any]:
    """The event of a run as JSON."""
    return build_event(
        kind, run=run, request=request or REQUEST, data=data, region="eu-de", project_id="p", time=NOON
    ).to_json()


def test_a_completion_names_the_endpoint_the_resources_the_health_and_every_step():
    event = tell(EventKind.COMPLETED, exposed())
    data = event["data"]
    assert event["id"] == "run-1.completed"
    assert event["source"] == "/dcs-public-access/eu-de/p"
    assert event["type"] == "dcs-public-access.exposure.completed"
    assert event["subject"] == data["exposure"]
    assert data["endpoint"] == {"address": "198.51.100.7", "port": 8080}
    assert [(each["kind"], each["did"]) for each in data["resources"]] == [
        ("load_balancer", "created"),
        ("vpc_peering", "adopted"),
        ("listener", "created"),
        ("member", "created"),
    ]
    assert data["health"] == {"status": "ONLINE", "reason_code": None}
    assert data["probe"] == "locked"
    assert [step["state"] for step in data["steps"]] == [
        "PlanExposure",
        "EnsureLoadBalancer",
        "EnsurePeering",
        "EnsureListener",
        "EnsureBackend",
        "CheckHealth",
        "ProbeRedis",
    ]
    assert data["error"] is None


def test_the_same_run_is_told_in_the_same_words():
    assert tell(EventKind.COMPLETED, exposed()) == tell(EventKind.COMPLETED, json.loads(json.dumps(exposed())))


def test_what_was_done_last_counts_but_unchanged_hides_nothing():
    data = {
        "one": result("A", 1, ("listener", "l", "created"), ("route", "r", "adopted")),
        "two": result("B", 2, ("listener", "l", "unchanged"), ("route", "r", "unchanged")),
        "three": result("C", 3, ("listener", "l", "released"), ("pool", "p", "unchanged")),
        "failure": failure("Conflict", 3),
    }
    resources = tell(EventKind.FAILED, data)["data"]["resources"]
    assert [(each["kind"], each["did"]) for each in resources] == [
        ("listener", "released"),
        ("route", "adopted"),
        ("pool", "unchanged"),
    ]


def test_what_a_failing_step_had_done_is_told_in_its_turn():
    gone = [{"kind": "load_balancer", "id": "lb-1", "did": "released", "reason": "The exposure is taken down."}]
    failed = failure("Forbidden", 7, touched=gone)
    resources = tell(EventKind.FAILED, exposed() | {"failure": failed})["data"]["resources"]
    assert [each["did"] for each in resources if each["id"] == "lb-1"] == ["released"]
    again = {"again": result("EnsureLoadBalancer", 8, ("load_balancer", "lb-1", "updated"))}
    resources = tell(EventKind.FAILED, exposed() | {"failure": failed} | again)["data"]["resources"]
    assert [each["did"] for each in resources if each["id"] == "lb-1"] == ["updated"]


def test_what_was_released_in_the_moment_in_which_it_was_made_is_told_as_released():
    made = [{"kind": "pool", "id": "pool-1", "did": "created", "reason": "The listener had no pool."}]
    back = {"back": result("RollBackBackend", 7, ("pool", "pool-1", "released"))}
    failed = {"failure": failure("Forbidden", 7, touched=made)}
    resources = tell(EventKind.FAILED, exposed() | failed | back)["data"]["resources"]
    assert [each["did"] for each in resources if each["id"] == "pool-1"] == ["released"]


def test_what_hung_below_a_parent_that_vanished_is_not_told_as_there():
    made = [{"kind": "pool", "id": "pool-1", "did": "created", "reason": "The listener had no pool."}]
    resources = tell(EventKind.COMPLETED, exposed() | {"gone": failure("ParentGone", 3, touched=made)})["data"]
    assert "pool-1" not in {each["id"] for each in resources["resources"]}


def test_a_failure_carries_code_advice_and_the_step_it_happened_in():
    data = tell(EventKind.FAILED, exposed() | {"failure": failure("Conflict", 7)})["data"]
    assert data["error"] == {
        "code": "Conflict",
        "message": "It broke.",
        "field": None,
        "resource": None,
        "advice": "Mend it.",
    }
    assert data["steps"][-1]["error"] == "Conflict"


def test_a_failure_inside_a_branch_is_told_when_the_run_has_none_of_its_own():
    branches = [{"failure": failure("Busy", 9)}, {"failure": failure("Conflict", 8)}]
    assert tell(EventKind.FAILED, {"branches": branches})["data"]["error"]["code"] == "Conflict"


def test_a_retried_parent_does_not_make_a_completion_a_failure():
    data = exposed() | {"earlier": failure("ParentGone", 3)}
    assert tell(EventKind.COMPLETED, data)["data"]["error"] is None


@pytest.mark.parametrize(
    ("caught", "code"),
    [
        ({"Error": "States.Timeout", "Cause": ""}, "Internal"),
        ({"Error": "Cancelled", "Cause": None}, "Cancelled"),
        ({"Error": "Boom", "Cause": "Traceback: password=hunter2"}, "Internal"),
        ({"Error": "Boom", "Cause": '{"password": "hunter2"}'}, "Internal"),
    ],
)
def test_free_text_of_unknown_origin_is_never_told(caught: dict[str, Any], code: str):
    event = tell(EventKind.FAILED, {"failure": caught})
    assert event["data"]["error"]["code"] == code
    assert "hunter2" not in json.dumps(event)


def test_a_rolled_back_run_has_no_endpoint_and_a_kept_one_has():
    kept = exposed() | {"failure": failure("Unhealthy", 7)}
    released = kept | {"release": result("ReleaseListener", 8, ("listener", "l-1", "released"))}
    assert tell(EventKind.FAILED, kept)["data"]["endpoint"] == {"address": "198.51.100.7", "port": 8080}
    assert tell(EventKind.FAILED, released)["data"]["endpoint"] is None


@pytest.mark.parametrize(
    ("touched", "status", "answers"),
    [
        ({"listener": "created", "member": "created"}, None, True),
        ({"listener": "unchanged", "member": "kept"}, "OFFLINE", True),
        ({"listener": "unchanged"}, "ONLINE", True),
        ({"listener": "created"}, None, False),
        ({"listener": "created"}, "OFFLINE", False),
        ({"listener": "created", "member": "released"}, "ONLINE", False),
        ({"listener": "released", "member": "created"}, "ONLINE", False),
        ({"member": "created"}, "ONLINE", False),
    ],
)
def test_a_failed_run_names_an_endpoint_only_if_something_answers_there(
    touched: dict[str, str], status: str | None, *, answers: bool
):
    built = result("EnsureBackend", 4, *((kind, kind, did) for kind, did in touched.items()), public_address="1.2.3.4")
    health = {"health": result("CheckHealth", 5, member_status=status)} if status else {}
    plan = {**result("PlanExposure", 1), "plan": PLAN}
    event = tell(EventKind.FAILED, {"planned": plan, "built": built, "failure": failure("Refused", 7)} | health)
    assert (event["data"]["endpoint"] is not None) == answers


def test_who_ends_an_exposure_is_said_of_what_there_is_only() -> None:
    finding = {"code": "NeverExpires", "message": "The exposure stays until it is withdrawn."}
    plan = {**result("PlanExposure", 1), "plan": PLAN, "findings": [finding]}
    failed = {"planned": plan, "failure": failure("Cancelled", 7)}
    assert tell(EventKind.FAILED, failed)["data"]["findings"] == []
    shared = {"peered": result("EnsurePeering", 2, ("vpc_peering", "p", "unchanged"))}
    assert tell(EventKind.FAILED, failed | shared)["data"]["findings"] == []
    assert tell(EventKind.FAILED, failed | {"built": exposed()})["data"]["findings"] == [finding]


LEFT = [failure("Forbidden", 9, "The pool stays."), failure("Forbidden", 8, "The peering stays.")]


@pytest.mark.parametrize(
    ("left", "messages"),
    [
        (LEFT[0], ["The pool stays. Mend it."]),
        ({"backend": LEFT[0], "peering": LEFT[1]}, ["The peering stays. Mend it.", "The pool stays. Mend it."]),
        ({"backend": {"Error": "States.Timeout", "Cause": ""}}, ["A step took longer than its time-out."]),
    ],
    ids=["the last", "each step's", "without words of our own"],
)
@pytest.mark.parametrize(("action", "code"), [("expose", "RollBackIncomplete"), ("withdraw", "WithdrawalIncomplete")])
def test_what_could_not_be_taken_down_is_told(left: dict[str, Any], messages: list[str], action: str, code: str):
    data = exposed() | {"failure": failure("Unhealthy", 7), "left": left}
    event = tell(EventKind.FAILED, data, REQUEST | {"action": action})
    again = "withdraw the exposure." if action == "expose" else "withdraw it again."
    told = [*messages, f"What is not released may be open and is billed: {again}"]
    assert event["data"]["findings"] == [{"code": code, "message": message} for message in told]
    assert event["data"]["error"]["code"] == "Unhealthy"


def test_nobody_is_told_to_withdraw_what_stood_before():
    data = exposed() | {"failure": failure("Unhealthy", 7), "left": {"restore": LEFT[0]}}
    told = [finding["message"] for finding in tell(EventKind.FAILED, data)["data"]["findings"]]
    assert told == ["The pool stays. Mend it.", "The exposure that stood before may differ from its record: verify it."]


def test_a_request_that_never_ran_is_known_by_its_own_id():
    event = tell(EventKind.REJECTED, {"failure": failure("InvalidRequest", 1)}, {"request_id": "r-9"}, run=None)
    assert event["id"] == "r-9.rejected"
    assert "subject" not in event


def test_the_moment_of_expiry_is_told_while_the_exposure_stands():
    data = exposed()
    data["plan"]["plan"] = {**PLAN, "expires_at": 1_800_000_000}
    assert tell(EventKind.COMPLETED, data)["data"]["expires_at"] == "2027-01-15T08:00:00Z"
    assert tell(EventKind.WITHDRAWN, data)["data"]["expires_at"] is None


def test_no_secret_of_a_request_or_a_message_gets_in():
    request = REQUEST | {
        "notify": [
            "https://me:hunter2@hooks.example:8443/T0/hunter2?token=hunter2#hunter2",
            *(f"https://hooks.example:8443/T0{mark}hunter2" for mark in "'\"<>\\"),
        ],
        "redis_password": "hunter2",
        "flavor": {"password": "hunter2"},
    }
    data = exposed() | {"failure": failure("Refused", 7, "See https://hooks.example/hunter2?x=hunter2 for more.")}
    event = tell(EventKind.FAILED, data, request)
    assert "hunter2" not in json.dumps(event)
    assert event["data"]["request"]["notify"] == ["https://hooks.example:8443/***"] * 6
    assert "flavor" not in event["data"]["request"]


@pytest.mark.parametrize("kind", [EventKind.COMPLETED, EventKind.FAILED, EventKind.WITHDRAWN, EventKind.REJECTED])
def test_every_end_of_a_request_carries_the_same_facts(kind: EventKind):
    data = tell(kind, exposed() | {"failure": failure("Conflict", 7)})["data"]
    assert data.keys() == tell(EventKind.COMPLETED, exposed())["data"].keys()
    assert data.keys() == event_schema(kind)["$defs"][_data_model(kind)]["properties"].keys()


def _data_model(kind: EventKind) -> str:
    return str(event_schema(kind)["properties"]["data"]["$ref"]).rpartition("/")[2]


@pytest.mark.parametrize("kind", EventKind)
def test_the_published_schemas_are_those_of_the_models(kind: EventKind):
    assert json.loads((SCHEMAS / f"{kind}.schema.json").read_text()) == event_schema(kind)


def test_the_published_request_schema_is_that_of_the_model():
    assert json.loads((SCHEMAS / "request.schema.json").read_text()) == request_schema()


def test_a_repair_tells_what_was_found_and_what_is_again():
    found = {"kind": "member", "id": "m-1", "field": "weight", "is": "5", "should": "1"}
    data = tell(EventKind.REPAIRED, exposed() | {"planned": {"differences": [found]}})["data"]
    assert data["repaired"] == [{"kind": "member", "id": "m-1", "field": "weight", "before": "5", "after": "1"}]
    assert data["endpoint"] == {"address": "198.51.100.7", "port": 8080}
    assert data.keys() - tell(EventKind.COMPLETED, exposed())["data"].keys() == {"repaired"}


def test_a_completion_without_an_endpoint_is_no_event():
    event = tell(EventKind.COMPLETED, exposed())
    event["data"]["endpoint"] = None
    with pytest.raises(ValidationError):
        CompletedEvent.model_validate(event)


def test_the_cloudevents_sdk_reads_an_event():
    event = tell(EventKind.COMPLETED, exposed())
    message = HTTPMessage({"content-type": "application/cloudevents+json"}, json.dumps(event).encode())
    read = from_structured(message, JSONFormat(), CloudEvent)
    assert read.get_id() == "run-1.completed"
    assert read.get_data() == event["data"]
    assert read.get_time() == NOON
