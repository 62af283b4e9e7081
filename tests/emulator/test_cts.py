from __future__ import annotations

import json
from typing import Any

import pytest

from emulator import Dials, Emulator, ManualClock, World
from emulator.core.resources import Lag
from emulator.cts.models import matches
from emulator.cts.operations import OPERATIONS
from emulator.emulator import ROUTES
from tests.emulator.client import Caller
from tests.emulator.functions import deploy, invoked, trace_trigger

TRACES = "/v3/{pid}/traces"
NOTIFICATIONS = "/v3/{pid}/notifications"
INSTANCES = "/v2/{pid}/instances"


@pytest.fixture
def slow(clock: ManualClock) -> Emulator:
    dials = Dials(dcs_create=Lag(seconds=60), dcs_restart=Lag(reads=2), dcs_delete=Lag(seconds=60))
    return Emulator(World.small(), clock=clock, dials=dials)


def traces(api: Caller, **query: Any) -> list[dict[str, Any]]:
    """The traces, newest first."""
    found: list[dict[str, Any]] = api.get(TRACES, trace_type="system", **{"limit": 200, **query})["traces"]
    return found


def names(api: Caller, **query: Any) -> list[str]:
    """The names of the traces, oldest first."""
    return [trace["trace_name"] for trace in reversed(traces(api, **query))]


def new_instance(api: Caller) -> str:
    subnet = next(one for one in api.get("/v1/{pid}/subnets")["subnets"] if one["name"] == "subnet-dcs")
    body = {
        "name": "fresh",
        "engine": "Redis",
        "capacity": 0.125,
        "spec_code": "redis.ha.xu1.tiny.r2.128",
        "az_codes": ["eu-de-01"],
        "vpc_id": subnet["vpc_id"],
        "subnet_id": subnet["id"],
        "password": "Passw0rd-1",
        "tags": [{"key": "dcs-access-allow", "value": "office"}],
    }
    instance_id: str = api.post(INSTANCES, body)["instances"][0]["instance_id"]
    return instance_id


def test_every_operation_of_the_table_is_a_call_that_changes_something() -> None:
    served = {(route.method, route.path) for route in ROUTES if route.mutating}
    assert set(OPERATIONS) <= served


def test_the_trace_of_a_change_says_who_what_and_when(api: Caller, vpcs: dict[str, str]) -> None:
    api.delete(
        "/v1/{pid}/vpcs/" + api.post("/v1/{pid}/vpcs", {"vpc": {"name": "v", "cidr": "10.9.0.0/16"}})["vpc"]["id"]
    )
    deleted, made = traces(api)
    assert (made["service_type"], made["resource_type"], made["trace_name"]) == ("VPC", "vpc", "createVpc")
    assert (deleted["trace_name"], deleted["resource_name"]) == ("deleteVpc", "v")
    assert made["resource_id"] == deleted["resource_id"] not in vpcs.values()
    assert (made["code"], made["trace_rating"], made["trace_type"]) == (200, "normal", "ApiCall")
    assert made["user"]["name"] == "demo"
    assert made["user"]["domain"]["name"].startswith("OTC-")
    assert made["request"]["vpc"]["cidr"] == "10.9.0.0/16"
    assert made["time"] == made["record_time"] == 1767225600000


def test_a_refused_change_is_a_warning_and_a_read_is_nothing(api: Caller, vpcs: dict[str, str]) -> None:
    api.refused("DELETE", f"/v1/{{pid}}/vpcs/{vpcs['vpc-elb']}")
    (trace,) = traces(api)
    assert (trace["trace_name"], trace["resource_name"]) == ("deleteVpc", "vpc-elb")
    assert (trace["code"], trace["trace_rating"]) == (409, "warning")


def test_a_stranger_leaves_no_trace_but_a_user_without_the_permission_does(cloud: Emulator, api: Caller) -> None:
    body = {"vpc": {"name": "v", "cidr": "10.9.0.0/16"}}
    api.call("POST", "/v1/{pid}/vpcs", body, token="unknown")
    assert traces(api) == []
    with cloud.change() as account:
        next(iter(account.iam.state.users.values())).permissions = ["cts:trace:list"]
    limited = Caller(cloud)
    limited.refused("POST", "/v1/{pid}/vpcs", body)
    (trace,) = traces(limited)
    assert (trace["code"], trace["resource_id"], trace["resource_name"]) == (403, "", "v")


def test_peerings_and_routes_are_not_recorded(api: Caller, vpcs: dict[str, str]) -> None:
    ends = {"request_vpc_info": {"vpc_id": vpcs["vpc-elb"]}, "accept_vpc_info": {"vpc_id": vpcs["vpc-dcs"]}}
    peering = api.post("/v2.0/vpc/peerings", {"peering": {"name": "p", **ends}}, 201)["peering"]["id"]
    route = {"type": "peering", "nexthop": peering, "destination": "192.168.0.0/16", "vpc_id": vpcs["vpc-elb"]}
    api.post("/v2.0/vpc/routes", {"route": route}, 201)
    api.delete(f"/v2.0/vpc/peerings/{peering}")
    assert traces(api) == []


def test_a_job_of_dcs_leaves_a_pair_and_the_result_comes_when_it_is_over(slow: Emulator, clock: ManualClock) -> None:
    api = Caller(slow)
    instance_id = new_instance(api)
    assert names(api) == ["submitCreateDCSInstanceRequest"]
    clock.advance(59)
    assert names(api) == ["submitCreateDCSInstanceRequest"]
    clock.advance(1)
    result, request = traces(api)
    assert (result["trace_name"], result["trace_type"]) == ("createDCSInstance", "SystemAction")
    assert result["time"] - request["time"] == 60_000
    assert {(one["resource_id"], one["resource_name"], one["resource_type"]) for one in (result, request)} == {
        (instance_id, "fresh", "Redis")
    }
    assert "Passw0rd-1" not in json.dumps([result, request])


def test_the_result_of_a_job_comes_without_anybody_calling_and_after_a_restart(
    slow: Emulator, clock: ManualClock
) -> None:
    new_instance(Caller(slow))
    assert slow.next_due == clock.now() + 60
    again = Emulator(World.loads(slow.world().dump()), clock=clock)
    clock.advance(60)
    again.drain()
    assert names(Caller(again)) == ["submitCreateDCSInstanceRequest", "createDCSInstance"]


def test_restarts_tags_whitelists_and_deletions_have_their_published_names(slow: Emulator, clock: ManualClock) -> None:
    api = Caller(slow)
    (redis,) = (one["instance_id"] for one in api.get(INSTANCES)["instances"])
    api.put(INSTANCES + "/status", {"action": "restart", "instances": [redis]})
    tags = {"action": "create", "tags": [{"key": "dcs-access-allow", "value": "office"}]}
    api.post(f"/v2/{{pid}}/dcs/{redis}/tags/action", tags, 204)
    assert names(api) == ["submitRestartDCSInstanceRequest", "updateInstanceTag"]
    for _ in range(3):
        api.get(f"{INSTANCES}/{redis}")
    api.put(f"/v2/{{pid}}/instance/{redis}/whitelist", {"enable_whitelist": False, "whitelist": []}, 204)
    api.delete(f"{INSTANCES}/{redis}")
    assert names(api)[2:] == ["restartDCSInstance", "modifyWhiteList"]
    clock.advance(60)
    last = traces(api)[0]
    assert (last["trace_name"], last["resource_id"], last["resource_name"]) == (
        "deleteDCSInstance",
        redis,
        "redis-demo",
    )
    assert {trace["resource_type"] for trace in traces(api)} == {"Redis", "Instance"}


def test_jobs_for_several_instances_have_names_of_their_own(api: Caller, redis: str) -> None:
    both = {"instances": [redis, new_instance(api)]}
    api.put(INSTANCES + "/status", {"action": "restart", **both})
    api.put(INSTANCES + "/status", {"action": "flush", **both})
    api.call("DELETE", INSTANCES, both)
    assert names(api, service_type="DCS")[2:] == [
        *["submitBatchRestartDCSInstanceRequest", "batchRestartDCSInstance"] * 2,
        *["submitFlushDCSInstanceRequest", "flushDCSInstance"] * 2,
        *["batchDeleteDCSInstance"] * 2,
    ]
    assert {trace["resource_id"] for trace in traces(api)} == set(both["instances"])


def test_of_several_instances_those_that_were_refused_are_warnings(slow: Emulator, clock: ManualClock) -> None:
    api = Caller(slow)
    redis = api.get(INSTANCES)["instances"][0]["instance_id"]
    fresh = new_instance(api)
    api.call("DELETE", INSTANCES, {"instances": [fresh, redis]})
    (warning,) = traces(api, trace_name="batchDeleteDCSInstance")
    assert (warning["resource_id"], warning["trace_rating"]) == (fresh, "warning")
    clock.advance(60)
    deleted = traces(api, trace_name="batchDeleteDCSInstance")[0]
    assert (deleted["resource_id"], deleted["trace_rating"]) == (redis, "normal")


def test_the_query_filters_and_pages_from_the_newest_on(api: Caller, clock: ManualClock) -> None:
    for name in ("a", "b", "c"):
        api.post("/v1/{pid}/vpcs", {"vpc": {"name": name, "cidr": "10.9.0.0/16"}})
        clock.advance(1)
    first = api.get(TRACES, trace_type="system", limit=2)
    assert [one["resource_name"] for one in first["traces"]] == ["c", "b"]
    assert first["meta_data"] == {"count": 2, "marker": first["traces"][1]["trace_id"]}
    second = api.get(TRACES, trace_type="system", limit=2, next=first["meta_data"]["marker"])
    assert [one["resource_name"] for one in second["traces"]] == ["a"]
    assert second["meta_data"] == {"count": 1, "marker": None}
    start = 1767225600000
    between = {"from": start + 500, "to": start + 1500}
    assert [one["resource_name"] for one in traces(api, **between)] == ["b"]
    assert [one["resource_name"] for one in traces(api, resource_name="a")] == ["a"]
    assert traces(api, trace_rating="warning") == traces(api, user="nobody") == traces(api, service_type="DCS") == []
    trace_id = second["traces"][0]["trace_id"]
    assert [one["resource_name"] for one in traces(api, trace_id=trace_id, resource_name="b")] == ["a"]
    clock.advance(3600)
    assert traces(api) == []
    assert len(traces(api, **{"from": start, "to": start + 5000})) == 3


@pytest.mark.parametrize(
    "query", [{}, {"trace_type": "data"}, {"trace_type": "system", "limit": 201}, {"trace_type": "system", "next": "x"}]
)
def test_a_query_that_makes_no_sense_is_refused(api: Caller, query: dict[str, Any]) -> None:
    assert api.refused("GET", TRACES, **query) == (400, "CTS.0003")


def test_traces_are_kept_for_seven_days(api: Caller, cloud: Emulator, clock: ManualClock) -> None:
    api.post("/v1/{pid}/vpcs", {"vpc": {"name": "old", "cidr": "10.9.0.0/16"}})
    clock.advance(7 * 86_400 + 1)
    Caller(cloud).post("/v1/{pid}/vpcs", {"vpc": {"name": "new", "cidr": "10.9.0.0/16"}})
    assert [trace["resource_name"] for trace in cloud.world().cts.traces] == ["new"]


def test_of_many_traces_the_newest_are_kept(api: Caller, cloud: Emulator) -> None:
    for number in range(1002):
        api.refused("DELETE", f"/v1/{{pid}}/vpcs/{number}")
    kept = cloud.world().cts.traces
    assert (len(kept), kept[0]["resource_id"], kept[-1]["resource_id"]) == (1000, "2", "1001")


def test_an_account_that_is_as_before_has_the_same_snapshot_whatever_was_traced(api: Caller, cloud: Emulator) -> None:
    before = cloud.snapshot()
    api.delete(
        "/v1/{pid}/vpcs/" + api.post("/v1/{pid}/vpcs", {"vpc": {"name": "v", "cidr": "10.9.0.0/16"}})["vpc"]["id"]
    )
    assert cloud.snapshot() == before


@pytest.mark.parametrize(
    ("operations", "wanted"),
    [
        ("DCS:Redis:createDCSInstance", True),
        ("DCS:Instance;Redis:deleteDCSInstance;createDCSInstance", True),
        ("dcs:Redis:createDCSInstance", False),
        ("DCS:redis:createDCSInstance", False),
        ("DCS:Redis:submitCreateDCSInstanceRequest", False),
        ("DCS:Redis", False),
    ],
)
def test_a_trigger_names_service_types_and_operations_to_the_letter(operations: str, *, wanted: bool) -> None:
    trace = {"service_type": "DCS", "resource_type": "Redis", "trace_name": "createDCSInstance"}
    assert matches(operations, trace) is wanted


def test_a_function_is_invoked_with_the_whole_trace_that_its_trigger_names(api: Caller, cloud: Emulator) -> None:
    trace_trigger(cloud, deploy(cloud), "DCS:Redis:createDCSInstance;deleteDCSInstance", "VPC:eip:deleteEip")
    instance_id = new_instance(api)
    ((source, event),) = invoked(cloud)
    trace = event["cts"]
    assert (source, list(event)) == ("CTS", ["cts"])
    assert (trace["trace_name"], trace["resource_id"]) == ("createDCSInstance", instance_id)
    assert (trace["operation_id"], trace["trace_status"], trace["read_only"]) == ("CreateDCSInstance", "normal", False)
    assert trace["project_id"] == api.project_id
    assert trace["domain_id"] == trace["user"]["domain"]["id"]


def test_a_trace_too_long_for_a_function_or_for_one_that_is_gone_spoils_nothing(api: Caller, cloud: Emulator) -> None:
    trace_trigger(cloud, deploy(cloud), "VPC:vpc:createVpc")
    body = {"vpc": {"name": "v", "cidr": "10.9.0.0/16", "description": "x" * 300_000}}
    assert api.refused("POST", "/v1/{pid}/vpcs", body)[0] == 400
    with cloud.change() as account:
        account.world.functiongraph.functions.clear()
    api.post("/v1/{pid}/vpcs", {"vpc": {"name": "v", "cidr": "10.9.0.0/16"}})
    assert (invoked(cloud), len(traces(api))) == ([], 2)


def test_dials_show_bodies_as_text_and_hide_who_asked_for_a_job(api: Caller, cloud: Emulator) -> None:
    cloud.set_dials({"trace_bodies": "text", "job_traces_name_user": False})
    new_instance(api)
    result, request = traces(api)
    assert json.loads(request["request"])["name"] == "fresh"
    assert (result["user"], result["source_ip"], request["user"]["name"]) == (None, None, "demo")


def test_a_notification_tells_a_topic_of_the_traces_it_names(api: Caller, cloud: Emulator, redis: str) -> None:
    topic = api.post("/v2/{pid}/notifications/topics", {"name": "keys", "display_name": ""}, 201)["topic_urn"]
    function = deploy(cloud)
    with cloud.change() as account:
        account.smn.subscribe_function(topic, function)
    operations = [{"service_type": "DCS", "resource_type": "Redis", "trace_names": ["updateInstanceTag"]}]
    body = {
        "notification_name": "tags",
        "operation_type": "customized",
        "operations": operations,
        "notify_user_list": [{"user_group": "admin", "user_list": ["demo"]}],
        "filter": {"is_support_filter": True, "condition": "AND", "rule": ["code != 400", "trace_rating = normal"]},
        "topic_id": topic,
    }
    made = api.post(NOTIFICATIONS, body, 201)
    assert (made["notification_type"], made["status"], made["project_id"]) == ("smn", "enabled", api.project_id)
    tags = {"action": "create", "tags": [{"key": "k", "value": "v"}]}
    api.post(f"/v2/{{pid}}/dcs/{redis}/tags/action", tags, 204)
    api.put(f"{INSTANCES}/{redis}", {"description": "d"}, 204)
    ((source, event),) = invoked(cloud)
    assert source == "SMN"
    assert json.loads(event["record"][0]["smn"]["message"])["resource_id"] == redis
    changes = (
        {"status": "disabled"},
        {"filter": {"is_support_filter": True, "rule": ["code = 400"]}},
        {"notify_user_list": [{"user_group": "admin", "user_list": ["somebody"]}]},
    )
    for change in changes:
        api.put(NOTIFICATIONS, {"status": "enabled", **body, "notification_id": made["notification_id"], **change})
        api.post(f"/v2/{{pid}}/dcs/{redis}/tags/action", tags, 204)
    assert len(invoked(cloud)) == 1


def test_notifications_are_named_once_listed_by_kind_and_deleted_together(api: Caller, cloud: Emulator) -> None:
    function = deploy(cloud)
    body = {"notification_name": "all", "operation_type": "complete", "topic_id": function}
    made = api.post(NOTIFICATIONS, body, 201)
    assert api.refused("POST", NOTIFICATIONS, body) == (400, "CTS.0400")
    assert [event["cts"]["trace_name"] for _, event in invoked(cloud)] == ["createNotification"] * 2
    other = api.post(NOTIFICATIONS, {**body, "notification_name": "other", "topic_id": None}, 201)
    assert [one["notification_name"] for one in api.get(NOTIFICATIONS + "/fun")["notifications"]] == ["all"]
    assert [one["notification_name"] for one in api.get(NOTIFICATIONS + "/smn")["notifications"]] == ["other"]
    both = f"{made['notification_id']},{other['notification_id']}"
    response = api.call("DELETE", NOTIFICATIONS, notification_id=both)
    assert response.status == 204
    assert api.refused("DELETE", NOTIFICATIONS, notification_id=both) == (404, "CTS.0003")
