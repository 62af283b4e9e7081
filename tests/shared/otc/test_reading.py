"""What the clients make of the answers' shapes, and of the calls' own oddities."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.dcs import Instance, Whitelist, WhitelistGroup
from shared.otc.elb import (
    InlineBandwidth,
    InlineEip,
    IpGroup,
    ListenerCreate,
    ListenerIpGroup,
    LoadBalancer,
    LoadBalancerCreate,
    Member,
    MonitorSettings,
)
from shared.otc.models import QuotaUsage
from shared.otc.vpc import Peering, Route
from tests.shared.otc.canned import Canned, answer

BALANCER = {
    "id": "lb1",
    "name": "n",
    "description": None,
    "provisioning_status": "ACTIVE",
    "operating_status": "ONLINE",
    "vpc_id": "v",
    "listeners": [{"id": "l1"}],
    "pools": [],
    "tags": [{"key": "env", "value": "dev"}],
    "publicips": [{"publicip_id": "e1", "publicip_address": "80.158.0.1", "ip_version": 4}],
    "a_field_of_next_year": 1,
}
REDIS = {
    "instance_id": "i1",
    "name": "redis",
    "engine": "Redis",
    "engine_version": "6.0",
    "cache_mode": "cluster",
    "status": "RUNNING",
    "ip": "192.168.0.1, 192.168.0.2",
    "port": 6379,
    "vpc_id": "v",
    "subnet_id": "s",
    "no_password_access": "true",
    "tags": [{"key": "env"}],
}


def test_a_load_balancers_references_and_tags_are_flat():
    read = LoadBalancer.model_validate(BALANCER)
    assert read.public_ips[0].id == "e1"
    assert (read.listener_ids, read.pool_ids) == (("l1",), ())
    assert (read.tags, read.description) == ({"env": "dev"}, "")


@pytest.mark.parametrize(
    "model",
    [
        LoadBalancer.model_validate(BALANCER),
        Instance.model_validate(REDIS),
        IpGroup.model_validate({"id": "g", "ip_list": [{"ip": "10.0.0.0/8", "description": ""}]}),
        Peering.model_validate(
            {
                "id": "p",
                "status": "ACTIVE",
                "request_vpc_info": {"vpc_id": "a"},
                "accept_vpc_info": {"vpc_id": "b"},
            }
        ),
        Whitelist(enabled=True, groups=(WhitelistGroup(name="g", ips=("10.0.0.0/24",)),)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_was_read_can_be_carried_as_json_and_read_again(model: Any):
    assert type(model).model_validate_json(model.model_dump_json()) == model


def test_a_members_status_is_what_its_listener_reports():
    report = {"listener_id": "l", "operating_status": "OFFLINE", "reason": {"reason_code": "CONNECT_TIMEOUT"}}
    data = {"id": "m", "address": "192.168.0.1", "protocol_port": 6379, "operating_status": "ONLINE"}
    assert Member.model_validate(data).operating_status == "ONLINE"
    read = Member.model_validate({**data, "status": [report]})
    assert (read.operating_status, read.reason_code) == ("OFFLINE", "CONNECT_TIMEOUT")


@pytest.mark.parametrize(("told", "free"), [("true", True), ("false", False), (True, True), (False, False)])
def test_password_free_access_is_told_as_text_or_truth_value(told: str | bool, free: bool):
    assert Instance.model_validate({**REDIS, "no_password_access": told}).no_password_access is free


def test_a_redis_cluster_has_several_addresses():
    read = Instance.model_validate(REDIS)
    assert read.ips == ("192.168.0.1", "192.168.0.2")
    assert read.ip == "192.168.0.1"


@pytest.mark.parametrize(("limit", "used", "full"), [(5, 5, True), (5, 4, False), (-1, 900, False)])
def test_a_quota_without_limit_is_never_full(limit: int, used: int, full: bool):
    assert QuotaUsage(limit=limit, used=used).full is full


def test_nothing_that_was_not_asked_for_is_sent():
    body = LoadBalancerCreate(name="n", vpc_id="v", availability_zone_list=("eu-de-01",)).body()
    assert body == {
        "name": "n",
        "description": "",
        "vpc_id": "v",
        "availability_zone_list": ["eu-de-01"],
        "ip_target_enable": True,
    }


def test_an_eip_is_asked_for_together_with_its_load_balancer():
    desired = LoadBalancerCreate(
        name="n",
        vpc_id="v",
        availability_zone_list=("eu-de-01",),
        publicip=InlineEip(bandwidth=InlineBandwidth(name="n", size=5)),
        tags={"env": "dev"},
    )
    assert desired.body()["publicip"] == {
        "network_type": "5_bgp",
        "bandwidth": {"name": "n", "size": 5, "share_type": "PER", "charge_mode": "traffic"},
    }
    assert desired.body()["tags"] == [{"key": "env", "value": "dev"}]


def test_a_listener_is_born_behind_its_ip_group():
    group = ListenerIpGroup(ipgroup_id="g")
    body = ListenerCreate(loadbalancer_id="lb", protocol_port=80, name="n", ipgroup=group).body()
    assert body["ipgroup"] == {"ipgroup_id": "g", "enable_ipgroup": True, "type": "white"}
    assert body["protocol"] == "TCP"


def test_a_monitor_is_told_explicitly_to_check_the_members_own_port():
    transport = Canned(
        answer(
            200,
            {
                "healthmonitor": {
                    "id": "h",
                    "type": "TCP",
                    "delay": 5,
                    "timeout": 3,
                    "max_retries": 3,
                    "pools": [{"id": "p"}],
                }
            },
        )
    )
    Cloud(transport).elb.update_monitor("h", MonitorSettings())
    assert transport.calls[0].body == {
        "healthmonitor": {"type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3, "monitor_port": None}
    }


def test_an_id_from_a_request_cannot_leave_its_place_in_the_path():
    transport = Canned(answer(404, {"error_code": "DCS.3022", "error_msg": "no"}))
    with pytest.raises(PermanentError):
        Cloud(transport).dcs.instance("../x?y=1")
    assert transport.calls[0].path == "/v2/5f0d/instances/..%2Fx%3Fy%3D1"


def test_repeated_filters_repeat_their_key():
    transport = Canned(answer(200, {"vpcs": [], "page_info": {}}))
    assert Cloud(transport).vpc.vpcs(ids=["a", "b"]) == []
    assert transport.calls[0].query[:2] == (("id", "a"), ("id", "b"))


def test_a_peering_of_a_vpc_is_found_from_either_side():
    sides = [("a", "b"), ("b", "c"), ("c", "d")]
    items = [
        {
            "id": one + two,
            "status": "ACTIVE",
            "request_vpc_info": {"vpc_id": one},
            "accept_vpc_info": {"vpc_id": two},
        }
        for one, two in sides
    ]
    found = Cloud(Canned(answer(200, {"peerings": items}))).vpc.peerings(vpc_id="b")
    assert [peering.id for peering in found] == ["ab", "bc"]


def test_a_route_table_whose_routes_are_not_told_is_not_one_without_routes():
    told = {"id": "t", "vpc_id": "v", "subnets": [{"id": "s"}]}
    route = {"type": "peering", "destination": "10.0.0.0/16", "nexthop": "p"}
    transport = Canned(answer(200, {"routetables": [told, told | {"routes": []}, told | {"routes": [route]}]}))
    found = Cloud(transport).vpc.route_tables(subnet_id="s")
    assert [table.routes for table in found] == [None, (), (Route(destination="10.0.0.0/16", nexthop="p"),)]


def test_only_the_nodes_of_the_instance_asked_for_are_told():
    node = {
        "logical_node_id": "n",
        "status": "Active",
        "node_type": "master",
        "node_ip": "192.168.0.7",
        "node_port": "6379",
    }
    listed = [{"instance_id": "i", "nodes": [node]}, {"instance_id": "other", "nodes": [node, node]}]
    found = Cloud(Canned(answer(200, {"count": 2, "instances": listed}))).dcs.nodes("i")
    assert [(one.ip, one.port, one.role) for one in found] == [("192.168.0.7", 6379, "master")]


@pytest.mark.parametrize("broken", [{"listeners": [7]}, {"listeners": [{}]}, {"tags": ["env"]}])
def test_a_list_of_the_wrong_shape_is_an_unexpected_answer(broken: dict[str, Any]):
    with pytest.raises(PermanentError) as caught:
        Cloud(Canned(answer(200, {"loadbalancer": BALANCER | broken}))).elb.load_balancer("lb1")
    assert caught.value.code is ErrorCode.UNEXPECTED_ANSWER
