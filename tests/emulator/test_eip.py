from __future__ import annotations

from typing import Any

import pytest

from emulator import Emulator, ManualClock, World
from emulator.core.problems import Refusal
from emulator.eip.models import BandwidthSpec
from tests.emulator.client import Caller

EIPS = "/v1/{pid}/publicips"
WITH_BALANCER = """
vpc:
  vpcs: [{name: v, cidr: 10.0.0.0/16}]
  subnets: [{name: s, vpc_id: v, cidr: 10.0.0.0/24}]
elb:
  loadbalancers: [{name: lb, vpc_id: v, vip_subnet_cidr_id: s}]
"""


def body(**fields: Any) -> dict[str, Any]:
    bandwidth = {"name": "bw", "size": 5, "share_type": "PER", "charge_mode": "traffic"}
    return {"publicip": {"type": "5_bgp", **fields}, "bandwidth": bandwidth}


def with_bandwidth(**fields: Any) -> dict[str, Any]:
    return {"publicip": {"type": "5_bgp"}, "bandwidth": fields}


@pytest.fixture
def bound(clock: ManualClock) -> Caller:
    """A caller of an account whose one EIP is bound to a load balancer."""
    cloud = Emulator(World.loads(WITH_BALANCER), clock=clock)
    with cloud.change() as account:
        (project_id,) = account.world.iam.projects
        (balancer_id,) = account.world.elb.loadbalancers
        eip = account.eip.create(project_id, "5_bgp", BandwidthSpec(share_type="PER", name="bw", size=5))
        account.eip.bind(eip, "ELB", balancer_id)
    return Caller(cloud)


def test_an_eip_is_made_with_200_and_pending_until_it_is_read(api: Caller):
    made = api.post(EIPS, body(alias="mine"))["publicip"]
    assert (made["status"], made["bandwidth_size"], made["create_time"]) == ("PENDING_CREATE", 0, "2026-01-01 00:00:00")
    shown = api.get(f"{EIPS}/{made['id']}")["publicip"]
    assert (shown["status"], shown["bandwidth_size"], shown["bandwidth_name"]) == ("DOWN", 5, "bw")
    assert (shown["port_id"], shown["private_ip_address"], shown["alias"]) == (None, None, "mine")
    bandwidth = api.get(f"/v1/{{pid}}/bandwidths/{shown['bandwidth_id']}")["bandwidth"]
    assert bandwidth["publicip_info"][0]["publicip_address"] == shown["public_ip_address"]


def test_a_released_eip_takes_its_own_bandwidth_with_it(api: Caller):
    before = api.emulator.snapshot()
    made = api.post(EIPS, body())["publicip"]
    api.delete(f"{EIPS}/{made['id']}")
    assert api.refused("GET", f"{EIPS}/{made['id']}") == (404, "VPC.0504")
    assert api.get("/v1/{pid}/bandwidths")["bandwidths"] == []
    assert api.emulator.snapshot() == before


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (body(type="5_gray"), (400, "VPC.0501")),
        (body(ip_version=6), (400, "VPC.0501")),
        (body(ip_address="hello"), (400, "VPC.0501")),
        (body(ip_address="192.168.0.1"), (400, "VPC.0501")),
        (with_bandwidth(share_type="PER", name="b"), (400, "VPC.0301")),
        (with_bandwidth(share_type="PER", name="b", size=0), (400, "VPC.0301")),
        (with_bandwidth(share_type="PER", name="b", size=1001), (400, "VPC.0301")),
        (with_bandwidth(share_type="PER", size=5), (400, "VPC.0301")),
        (with_bandwidth(share_type="PER", name="b", size=5, charge_mode="bandwidth"), (400, "VPC.0301")),
        (with_bandwidth(share_type="WHOLE", id="none"), (404, "VPC.0306")),
        (with_bandwidth(share_type="HALF"), (400, "VPC.0501")),
    ],
)
def test_an_eip_that_cannot_be_is_refused_and_leaves_nothing_behind(api: Caller, wrong, refusal):
    before = api.emulator.snapshot()
    assert api.refused("POST", EIPS, wrong) == refusal
    assert api.emulator.snapshot() == before


def test_addresses_are_given_once_and_may_be_asked_for(api: Caller):
    addresses = {api.post(EIPS, body())["publicip"]["public_ip_address"] for _ in range(3)}
    assert len(addresses) == 3
    assert api.post(EIPS, body(ip_address="80.158.7.7"))["publicip"]["public_ip_address"] == "80.158.7.7"
    assert api.refused("POST", EIPS, body(ip_address="80.158.7.7")) == (409, "VPC.0522")


def test_the_quota_of_eips_is_a_409(api: Caller):
    with api.emulator.change() as account:
        account.world.vpc.quotas["publicIp"] = 1
    api.post(EIPS, body())
    assert api.refused("POST", EIPS, body()) == (409, "VPC.0521")
    (row,) = api.get("/v1/{pid}/quotas", type="publicIp")["quotas"]["resources"]
    assert (row["used"], row["quota"]) == (1, 1)


def test_an_eip_of_a_load_balancer_is_released_only_after_it_is_unbound_and_the_refusal_is_a_500(bound: Caller):
    (eip,) = bound.get(EIPS)["publicips"]
    assert (eip["status"], eip["port_id"], eip["private_ip_address"]) == ("ACTIVE", None, None)
    assert bound.refused("DELETE", f"{EIPS}/{eip['id']}") == (500, "VPC.0516")
    bound.put(f"{EIPS}/{eip['id']}", {"publicip": {"port_id": ""}})
    assert bound.refused("DELETE", f"{EIPS}/{eip['id']}") == (500, "VPC.0516")
    v3 = f"/v3/{{pid}}/eip/publicips/{eip['id']}"
    assert bound.get(v3)["publicip"]["associate_instance_type"] == "ELB"
    freed = bound.post(f"{v3}/disassociate-instance", None)["publicip"]
    assert (freed["status"], freed["associate_instance_id"], freed["vnic"]) == ("DOWN", None, None)
    assert bound.refused("POST", f"{v3}/disassociate-instance") == (409, "VPC.0512")
    bound.delete(f"{EIPS}/{eip['id']}")


def test_the_status_of_a_bound_eip_is_a_dial(bound: Caller):
    bound.emulator.set_dials({"eip_bound_status": "ELB"})
    assert bound.get(EIPS)["publicips"][0]["status"] == "ELB"


def test_a_load_balancer_takes_one_eip_by_port_or_by_association(bound: Caller):
    balancer = next(iter(bound.emulator.world().elb.loadbalancers.values()))
    (first,) = bound.get(EIPS)["publicips"]
    second = bound.post(EIPS, body())["publicip"]["id"]
    association = {"publicip": {"associate_instance_type": "ELB", "associate_instance_id": balancer.id}}
    by_port = {"publicip": {"port_id": balancer.vip_port_id}}
    v3 = f"/v3/{{pid}}/eip/publicips/{second}"
    assert bound.refused("POST", f"{v3}/associate-instance", association) == (409, "VPC.0511")
    assert bound.refused("PUT", f"{EIPS}/{second}", by_port) == (409, "VPC.0511")
    bound.post(f"/v3/{{pid}}/eip/publicips/{first['id']}/disassociate-instance", None)
    assert bound.put(f"{EIPS}/{second}", by_port)["publicip"]["status"] == "ACTIVE"
    assert bound.refused("POST", f"{v3}/associate-instance", association) == (409, "VPC.0510")
    assert bound.refused("PUT", f"{EIPS}/{first['id']}", {"publicip": {"port_id": "none"}}) == (500, "VPC.0508")


def test_where_v3_is_not_offered_the_gateway_says_so(bound: Caller):
    (eip,) = bound.get(EIPS)["publicips"]
    assert bound.get("/v3/{pid}/eip/publicips", status="ACTIVE")["total_count"] == 1
    assert bound.get("/v3/{pid}/eip/publicips", status="DOWN")["publicips"] == []
    assert bound.get("/v3/{pid}/eip/publicip-pools/common-pools")["common_pools"][0]["name"] == "5_bgp"
    bound.emulator.set_dials({"eip_v3_offered": False})
    for path in ("publicips", f"publicips/{eip['id']}", "publicip-pools/common-pools"):
        assert bound.refused("GET", f"/v3/{{pid}}/eip/{path}") == (404, "APIGW.0101")


def test_v3_is_not_offered_in_the_netherlands_unless_a_dial_says_so():
    dutch = Emulator(World.loads("{region: eu-nl, iam: {projects: [{name: eu-nl_demo}]}}"))
    api, path = Caller(dutch, project="eu-nl_demo"), "/v3/{pid}/eip/publicips"
    assert api.refused("GET", path) == (404, "APIGW.0101")
    dutch.set_dials({"eip_v3_offered": True})
    assert api.get(path)["total_count"] == 0


def test_lists_filter_by_repeated_keys_and_page_by_marker(api: Caller):
    made = [api.post(EIPS, body())["publicip"] for _ in range(3)]
    ids = [eip["id"] for eip in made]
    assert [eip["id"] for eip in api.get(EIPS, id=ids[1:])["publicips"]] == ids[1:]
    found = api.get(EIPS, public_ip_address=made[0]["public_ip_address"])["publicips"]
    assert [eip["id"] for eip in found] == ids[:1]
    assert [eip["id"] for eip in api.get(EIPS, limit=1, marker=ids[0])["publicips"]] == ids[1:2]
    assert len(api.get(EIPS, limit=2**31 - 1)["publicips"]) == 3
    assert api.refused("GET", EIPS, limit=2**31) == (400, "VPC.0501")


def test_tags_and_bandwidths_can_be_changed(api: Caller):
    eip = api.post(EIPS, body())["publicip"]["id"]
    tags = f"/v2.0/{{pid}}/publicips/{eip}/tags"
    api.post(tags, {"tag": {"key": "a", "value": "1"}}, 204)
    api.post(f"{tags}/action", {"action": "create", "tags": [{"key": "b", "value": "2"}]}, 204)
    assert api.get(tags)["tags"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    api.post(f"{tags}/action", {"action": "delete", "tags": [{"key": "a"}]}, 204)
    api.delete(f"{tags}/b")
    assert api.get(tags)["tags"] == []
    assert api.refused("DELETE", f"{tags}/b")[0] == 404
    assert api.refused("POST", tags, {"tag": {"key": "k" * 37}}) == (400, "VPC.0501")
    bandwidth = api.get(f"{EIPS}/{eip}")["publicip"]["bandwidth_id"]
    path = f"/v1/{{pid}}/bandwidths/{bandwidth}"
    assert api.put(path, {"bandwidth": {"size": 10}})["bandwidth"]["size"] == 10
    assert api.refused("PUT", path, {"bandwidth": {"size": 0}}) == (400, "VPC.0501")
    assert api.refused("GET", "/v1/{pid}/bandwidths/none") == (404, "VPC.0306")


def test_an_eip_is_bound_to_one_thing_at_a_time(cloud: Emulator):
    with cloud.change() as account:
        (project_id,) = account.world.iam.projects
        eip = account.eip.create(project_id, "5_bgp", BandwidthSpec(share_type="PER", size=5))
        account.eip.bind(eip, "PORT", "port", "10.0.0.9")
        with pytest.raises(Refusal, match="already been bound"):
            account.eip.bind(eip, "NATGW", "gateway")
        with pytest.raises(Refusal, match="Unbind it first"):
            account.eip.release(eip)
        account.eip.unbind(eip)
        account.eip.release(eip)


V3 = "/v3/{pid}/eip/publicips"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"alias": ["a", "c"]}, "ac"),
        ({"alias_like": "b"}, "b"),
        ({"public_ip_address_like": "80.158.0.", "status": "DOWN"}, "abc"),
        ({"bandwidth.name": "bw", "bandwidth.size": "5", "bandwidth.share_type": "PER"}, "abc"),
        ({"bandwidth.name_like": ["w"], "bandwidth.charge_mode": "bandwidth"}, ""),
        ({"vnic.port_id": "none"}, ""),
        ({"associate_instance_id": "none"}, ""),
        ({"ip_version": "4", "type": "EIP", "network_type": "5_bgp", "billing_mode": "PAY_PER_USE"}, "abc"),
        ({"enterprise_project_id": "1"}, ""),
        ({"sort_key": "public_ip_address", "sort_dir": "desc"}, "cba"),
        ({"sort_dir": "desc", "limit": 1}, "c"),
        ({"offset": 1, "limit": 1}, "b"),
        ({"marker": "", "limit": 2}, "ab"),
    ],
)
def test_the_v3_list_filters_sorts_and_pages_in_two_ways(api: Caller, query: dict[str, Any], found: str):
    for name in "abc":
        api.post(EIPS, body(alias=name))
    answer = api.get(V3, **query)
    assert "".join(eip["alias"] for eip in answer["publicips"]) == found
    assert answer["page_info"]["current_count"] == len(found)


def test_the_v3_list_shows_the_fields_asked_for(api: Caller):
    eip = api.post(EIPS, body(alias="a"))["publicip"]
    assert api.get(V3, fields=["id", "alias"])["publicips"] == [{"id": eip["id"], "alias": "a"}]
    assert api.get(f"{V3}/{eip['id']}", fields="alias")["publicip"] == {"alias": "a"}
    for wrong in ({"sort_key": "colour"}, {"limit": 2001}, {"marker": "none"}, {"colour": "red"}):
        assert api.refused("GET", V3, **wrong) == (400, "VPC.0101")


def test_eips_share_a_bandwidth_and_get_one_of_their_own_again(api: Caller):
    shared = api.post("/v2.0/{pid}/bandwidths", {"bandwidth": {"name": "shared", "size": 10}})["bandwidth"]
    assert (shared["share_type"], shared["publicip_info"]) == ("WHOLE", [])
    eips = [api.post(EIPS, body())["publicip"]["id"] for _ in range(2)]
    references = {"publicip_info": [{"publicip_id": eip} for eip in eips]}
    path = f"/v2.0/{{pid}}/bandwidths/{shared['id']}"
    joined = api.post(f"{path}/insert", {"bandwidth": references})["bandwidth"]
    assert [one["publicip_id"] for one in joined["publicip_info"]] == eips
    assert [one["id"] for one in api.get("/v1/{pid}/bandwidths")["bandwidths"]] == [shared["id"]]
    assert api.refused("DELETE", path) == (400, "VPC.0301")
    api.delete(f"{EIPS}/{eips[0]}")
    rest = {"publicip_info": [{"publicip_id": eips[1]}], "charge_mode": "traffic", "size": 7}
    api.post(f"{path}/remove", {"bandwidth": rest}, 204)
    assert api.refused("POST", f"{path}/remove", {"bandwidth": rest}) == (404, "VPC.0306")
    assert api.get(f"{EIPS}/{eips[1]}")["publicip"]["bandwidth_size"] == 7
    api.delete(path)
    assert api.refused("POST", f"{path}/insert", {"bandwidth": references}) == (404, "VPC.0306")


def test_eips_are_found_by_tag_and_name(api: Caller):
    for name, value in (("a", "red"), ("b", "dark red"), ("c", "blue")):
        eip = api.post(EIPS, body(alias=name))["publicip"]["id"]
        api.post(f"/v2.0/{{pid}}/publicips/{eip}/tags", {"tag": {"key": "colour", "value": value}}, 204)
    assert api.get("/v2.0/{pid}/publicips/tags")["tags"] == [{"key": "colour", "values": ["blue", "dark red", "red"]}]

    def found(**search: Any) -> list[str]:
        answer = api.post("/v2.0/{pid}/publicips/resource_instances/action", {"action": "filter", **search})
        return [one["resource_name"] for one in answer["resources"]]

    assert found(tags=[{"key": "colour", "values": ["red", "blue"]}]) == ["a", "c"]
    assert found(tags=[{"key": "colour", "values": ["*red"]}]) == ["a", "b"]
    assert found(tags=[{"key": "colour"}], limit="1", offset="1") == ["b"], "as text in the sample"
    assert found(matches=[{"key": "resource_name", "value": "b"}]) == ["b"]
    count = {"action": "count", "tags": [{"key": "colour", "values": []}]}
    assert api.post("/v2.0/{pid}/publicips/resource_instances/action", count) == {"total_count": 3}
