"""What is true of every service: routing, faults, throttling, lag, the call log."""

from __future__ import annotations

import json
import threading

import pytest

from emulator import Dials, Emulator, Fault, ManualClock, World
from emulator.calls import KEPT, LONGEST_BODY, CallLog
from emulator.core.message import Request
from emulator.core.resources import Lag
from emulator.dials import Throttle
from emulator.faults import ConnectionLost
from tests.emulator.client import Caller

PEERINGS = "/v2.0/vpc/peerings"


def peering(vpcs: dict[str, str], name: str = "p") -> dict[str, object]:
    ends = {"request_vpc_info": {"vpc_id": vpcs["vpc-elb"]}, "accept_vpc_info": {"vpc_id": vpcs["vpc-dcs"]}}
    return {"peering": {"name": name, **ends}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v9/nothing"),
        ("PATCH", "/v1/{pid}/vpcs"),
        ("GET", "/v1/{pid}/vpcs/"),
        ("DELETE", "/v3/{pid}/elb/pools"),
    ],
)
def test_an_unknown_api_is_the_gateways_404_and_not_a_resources(api: Caller, method: str, path: str):
    assert api.refused(method, path) == (404, "APIGW.0101")
    assert api.call(method, path).json()["request_id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("POST", "/v1/{pid}/vpcs", {"vpc": {"name": "a", "colour": 1}}, "VPC.0101"),
        ("POST", "/v1/{pid}/publicips", {"publicip": {"type": "5_bgp", "colour": 1}}, "VPC.0501"),
        ("POST", PEERINGS, {"peering": {"colour": 1}}, "HTTPBadRequest"),
        ("PUT", "/v2/{pid}/instance/{dcs}/whitelist", {"enable_whitelist": True, "colour": 1}, "DCS.4800"),
        ("PUT", "/v2/{pid}/instances/{dcs}", {"port": "many"}, "DCS.4800"),
        ("PUT", "/v2/{pid}/instances/{dcs}", b"{", "DCS.4005"),
        ("POST", "/v3/{pid}/elb/ipgroups", {"ipgroup": {"colour": 1}}, "ELB.8902"),
    ],
)
def test_an_unknown_or_wrong_field_is_the_services_own_400(api: Caller, redis: str, *, method, path, body, code):
    before = api.emulator.snapshot(timestamps=True)
    assert api.refused(method, path.replace("{dcs}", redis), body) == (400, code)
    assert api.emulator.snapshot(timestamps=True) == before


@pytest.mark.parametrize(
    "path",
    [
        "/v1/{pid}/vpcs",
        "/v3/{pid}/vpc/vpcs",
        "/v1/{pid}/subnets",
        "/v1/{pid}/routetables",
        "/v2.0/vpc/peerings",
        "/v2.0/vpc/routes",
        "/v1/{pid}/publicips",
        "/v2/{pid}/instances",
        "/v3/{pid}/elb/pools",
        "/v3/auth/projects",
    ],
)
def test_an_unknown_query_parameter_is_refused_and_named(api: Caller, path: str):
    response = api.call("GET", path, colour="red")
    assert response.status == 400
    assert b"colour" in response.body


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v2/{pid}/instances/{redis}", {"port": "6380"}),
        ("POST", "/v2.0/{pid}/bandwidths", {"bandwidth": {"name": "b", "size": "5"}}),
        ("PUT", "/v2/{pid}/instance/{redis}/whitelist", {"enable_whitelist": 1, "whitelist": []}),
        ("POST", "/v2/{pid}/instances/{redis}/swap", {"now": True}),
    ],
)
def test_a_body_has_the_types_of_json_and_somebody_who_reads_it(
    api: Caller, redis: str, method: str, path: str, body: dict[str, object]
):
    assert api.call(method, path.replace("{redis}", redis), body).status == 400


@pytest.mark.parametrize("body", [None, b" {} ", b"{ }", b"null"])
def test_an_empty_body_passes_where_none_is_read(api: Caller, redis: str, body: bytes | None):
    assert api.call("POST", f"/v2/{{pid}}/instances/{redis}/swap", body).status < 300


def test_the_call_log_tells_what_was_asked_and_whether_it_was_carried_out(api: Caller, vpcs: dict[str, str]):
    api.emulator.calls.clear()
    api.call("POST", PEERINGS, peering(vpcs))
    api.call("POST", PEERINGS, peering(vpcs))
    api.call("GET", PEERINGS, vpc_id=vpcs["vpc-elb"])
    first, second, read = api.emulator.calls
    assert (first.status, first.committed, first.mutating, first.action) == (201, True, True, "vpc:peerings:create")
    assert (second.status, second.committed) == (409, False)
    assert (read.mutating, read.query, read.route) == (False, [("vpc_id", vpcs["vpc-elb"])], PEERINGS)
    assert first.number < second.number < read.number
    assert first.end >= first.start
    assert list(api.emulator.calls.mutating()) == [first, second]


def test_the_call_log_tells_no_password_and_keeps_the_last_calls_cut_short():
    log = CallLog()
    for number in range(KEPT + 1):
        log.open(Request.of("PUT", f"http://x/{number}", {}, b""))
    assert (len(log), next(iter(log)).path) == (KEPT, "/1")
    fields = {"password": 'a"b\\', "nested": {"new_password": "s3cret"}, "name": "n"}
    log.open(Request.of("PUT", "http://x/", {}, json.dumps(fields).encode()))
    *_, last = log
    assert json.loads(last.body) == {"password": "******", "nested": {"new_password": "******"}, "name": "n"}
    log.open(Request.of("PUT", "http://x/", {}, b'{"password": "' + b"s3cret" * LONGEST_BODY))
    log.open(Request.of("PUT", "http://x/", {}, b"0" * LONGEST_BODY * 2))
    *_, masked, cut = log
    assert masked.body == '{"password": "******'
    assert len(cut.body) == LONGEST_BODY


def test_asking_for_a_token_is_no_change(api: Caller):
    assert [call.mutating for call in api.emulator.calls] == [False]


@pytest.mark.parametrize(
    ("fault", "status", "committed"),
    [
        (Fault(action="vpc:peerings:create", status=500), 500, False),
        (Fault(action="vpc:peerings:create", status=500, when="after"), 500, True),
        (Fault(path="/v2.0/*", status=504, when="after"), 504, True),
        (Fault(method="POST", status=504), 504, False),
        (Fault(method="POST", status=429, retry_after=3), 429, False),
        (Fault(method="POST", lost=True), None, False),
        (Fault(method="POST", lost=True, when="after"), None, True),
        (Fault(method="POST", status=418, body={"tea": True}), 418, False),
    ],
)
def test_a_fault_spoils_the_call_before_or_after_it_is_carried_out(
    api: Caller, vpcs: dict[str, str], fault: Fault, status: int | None, committed: bool
):
    api.emulator.calls.clear()
    api.emulator.faults.add(fault)
    if status is None:
        with pytest.raises(ConnectionLost):
            api.call("POST", PEERINGS, peering(vpcs))
    else:
        assert api.call("POST", PEERINGS, peering(vpcs)).status == status
    (record,) = api.emulator.calls
    assert (record.status, record.committed, bool(record.fault)) == (status, committed, True)
    assert len(api.emulator.world().vpc.peerings) == committed


def test_the_gateways_own_errors_come_in_its_envelope_and_a_500_in_the_services(api: Caller):
    envelopes = {429: "APIGW.0308", 504: "APIGW.0201", 503: "APIGW.0201", 500: "DCS.5000", 401: "DCS.1001"}
    for status, code in envelopes.items():
        api.emulator.faults.add(Fault(path="/v2/*/instances", status=status, retry_after=7))
        response = api.call("GET", "/v2/{pid}/instances")
        assert (response.status, response.json()["error_code"]) == (status, code)
        assert response.headers.get("Retry-After") == ("7" if status == 429 else None)
        api.emulator.faults.clear()


def test_a_fault_hits_the_nth_matching_call_and_as_many_as_it_is_told(api: Caller):
    def statuses(fault: Fault, count: int = 5) -> list[int]:
        api.emulator.faults.clear()
        api.emulator.faults.add(fault)
        return [api.call("GET", "/v1/{pid}/vpcs").status for _ in range(count)]

    assert statuses(Fault(status=500, nth=3)) == [200, 200, 500, 200, 200]
    assert statuses(Fault(status=500, nth=2, times=2)) == [200, 500, 500, 200, 200]
    assert statuses(Fault(status=500, nth=4, times=None)) == [200, 200, 200, 500, 500]
    assert statuses(Fault(status=500, path="/v1/{project_id}/vpcs"), 2) == [500, 200]
    assert statuses(Fault(status=500, method="POST"), 2) == [200, 200]


def test_a_delay_passes_on_the_emulators_clock(api: Caller, clock: ManualClock):
    api.emulator.faults.add(Fault(delay=30.0))
    start = clock.now()
    assert api.call("GET", "/v1/{pid}/vpcs").status == 200
    assert clock.now() == start + 30


def test_hooks_see_every_call_before_and_after_it(api: Caller):
    seen: list[tuple[str, str]] = []
    api.emulator.before_call.append(lambda request: seen.append(("before", request.path)))
    api.emulator.after_call.append(lambda request: seen.append(("after", request.path)))
    api.call("GET", "/v9/nothing")
    assert seen == [("before", "/v9/nothing"), ("after", "/v9/nothing")]


def test_a_service_is_throttled_by_rate_or_by_count_and_others_are_not(api: Caller, clock: ManualClock):
    def statuses(count: int, path: str = "/v1/{pid}/vpcs") -> list[int]:
        return [api.call("GET", path).status for _ in range(count)]

    api.emulator.dials.throttle = {"vpc": Throttle(rate=2, retry_after=1.5)}
    assert statuses(3) == [200, 200, 429]
    assert api.call("GET", "/v1/{pid}/vpcs").headers["Retry-After"] == "1.5"
    assert statuses(3, "/v2/{pid}/instances") == [200, 200, 200]
    clock.advance(0.5)
    assert statuses(2) == [200, 429]
    api.emulator.dials.throttle = {"vpc": Throttle(every=2)}
    assert sorted(statuses(4)) == [200, 200, 429, 429]


def test_a_fresh_resource_is_missed_by_as_many_reads_as_the_dial_says(api: Caller, vpcs: dict[str, str]):
    api.emulator.dials.hidden_reads = {"vpc": 2}
    peering_id = api.post(PEERINGS, peering(vpcs), 201)["peering"]["id"]
    assert api.refused("GET", f"{PEERINGS}/{peering_id}") == (404, "VpcPeeringNotFound")
    assert api.get(PEERINGS)["peerings"] == []
    assert api.get(PEERINGS)["peerings"][0]["id"] == peering_id


@pytest.mark.parametrize(("lag", "reads"), [(Lag(), 0), (Lag(reads=2), 2), (Lag(seconds=60), None)])
def test_a_status_lags_by_reads_or_by_time(clock: ManualClock, lag: Lag, reads: int | None):
    api = Caller(Emulator(World.small(), clock=clock, dials=Dials(eip_create=lag)))
    body = {"publicip": {"type": "5_bgp"}, "bandwidth": {"name": "b", "size": 5, "share_type": "PER"}}
    created = api.post("/v1/{pid}/publicips", body)["publicip"]

    def status() -> str:
        shown: str = api.get(f"/v1/{{pid}}/publicips/{created['id']}")["publicip"]["status"]
        return shown

    assert created["status"] == "PENDING_CREATE"
    if reads is None:
        assert {status() for _ in range(5)} == {"PENDING_CREATE"}
        clock.advance(60)
    else:
        assert [status() for _ in range(reads)] == ["PENDING_CREATE"] * reads
    assert status() == "DOWN"


def test_the_same_calls_give_the_same_ids_and_another_seed_gives_others(clock: ManualClock):
    def ids(seed: int) -> str:
        api = Caller(Emulator(World.small().model_copy(update={"seed": seed}), clock=clock))
        vpcs = {vpc["name"]: vpc["id"] for vpc in api.get("/v1/{pid}/vpcs")["vpcs"]}
        made: str = api.post(PEERINGS, peering(vpcs), 201)["peering"]["id"]
        return made

    assert ids(0) == ids(0) != ids(1)


def test_of_many_calls_at_once_for_one_thing_one_wins(api: Caller, vpcs: dict[str, str]):
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(api.call("POST", PEERINGS, peering(vpcs)).status))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 7


def test_every_answer_has_a_request_id_of_its_own(cloud: Emulator):
    ids = {cloud.handle(Request("GET", "/v3")).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3


def test_dials_are_set_while_running_and_unknown_ones_are_refused(cloud: Emulator):
    cloud.set_dials({"same_vpc_targets": "not_routable", "eip_create": {"reads": 3}})
    assert (cloud.dials.same_vpc_targets, cloud.dials.eip_create.reads) == ("not_routable", 3)
    for wrong in ({"speed": 3}, {"same_vpc_targets": "maybe"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            cloud.set_dials(wrong)
