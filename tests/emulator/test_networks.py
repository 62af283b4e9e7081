from __future__ import annotations

from typing import Any

import pytest

from emulator import Emulator, World
from tests.emulator.client import Caller

VPCS = "/v1/{pid}/vpcs"
BANDWIDTH = {"name": "bw", "size": 5, "share_type": "PER"}
SUBNETS = "/v1/{pid}/subnets"


def new_vpc(api: Caller, name: str = "third", cidr: str = "172.16.0.0/16") -> str:
    made: str = api.post(VPCS, {"vpc": {"name": name, "cidr": cidr}})["vpc"]["id"]
    return made


def subnet_body(vpc_id: str, cidr: str = "10.0.1.0/24", **fields: Any) -> dict[str, Any]:
    gateway = cidr.rsplit(".", 1)[0] + ".1"
    return {"subnet": {"name": "s", "vpc_id": vpc_id, "cidr": cidr, "gateway_ip": gateway, **fields}}


def test_a_vpc_is_creating_in_the_answer_and_ok_when_read(api: Caller):
    made = api.post(VPCS, {"vpc": {"name": "third", "cidr": "172.16.0.0/16", "description": "d"}})["vpc"]
    assert (made["status"], made["created_at"]) == ("CREATING", "2026-01-01T00:00:00")
    assert api.get(f"{VPCS}/{made['id']}")["vpc"] == {**made, "status": "OK"}
    (v3,) = api.get("/v3/{pid}/vpc/vpcs", id=made["id"])["vpcs"]
    assert (v3["status"], v3["created_at"], v3["extend_cidrs"]) == ("ACTIVE", "2026-01-01T00:00:00Z", [])
    api.delete(f"{VPCS}/{made['id']}")
    assert api.refused("GET", f"{VPCS}/{made['id']}") == (404, "VPC.0003")
    assert api.refused("GET", f"/v3/{{pid}}/vpc/vpcs/{made['id']}") == (404, "VPC.9904")


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": "vpc-elb", "cidr": "172.16.0.0/16"}, (400, "VPC.0115")),
        ({"name": "third", "cidr": "8.8.0.0/16"}, (400, "VPC.0101")),
        ({"name": "third", "cidr": "10.0.0.1/16"}, (400, "VPC.0101")),
        ({"name": "third", "description": "<b>"}, (400, "VPC.0101")),
    ],
)
def test_a_vpc_that_cannot_be_is_refused(api: Caller, fields: dict[str, str], refusal: tuple[int, str]):
    assert api.refused("POST", VPCS, {"vpc": fields}) == refusal


def test_vpcs_and_peerings_are_limited_by_quotas_that_can_be_read(api: Caller, vpcs: dict[str, str]):
    with api.emulator.change() as account:
        account.world.vpc.quotas |= {"vpc": 2, "vpcPeer": 0}
    assert api.refused("POST", VPCS, {"vpc": {"name": "third", "cidr": "172.16.0.0/16"}}) == (409, "VPC.0114")
    ends = {"request_vpc_info": {"vpc_id": vpcs["vpc-elb"]}, "accept_vpc_info": {"vpc_id": vpcs["vpc-dcs"]}}
    assert api.refused("POST", "/v2.0/vpc/peerings", {"peering": {"name": "p", **ends}}) == (409, "OverQuota")
    (row,) = api.get("/v1/{pid}/quotas", type="vpc")["quotas"]["resources"]
    assert row == {"type": "vpc", "used": 2, "quota": 2, "min": 0}
    assert api.refused("GET", "/v1/{pid}/quotas", type="moon") == (400, "VPC.1207")
    types = {row["type"] for row in api.get("/v1/{pid}/quotas")["quotas"]["resources"]}
    assert types >= {"vpcPeer", "publicIp", "routetableContainRoutes", "vpcContainRoutetable"}


def test_secondary_ranges_show_in_v3_alone_and_bound_the_subnets(api: Caller, vpcs: dict[str, str]):
    vpc_id = vpcs["vpc-elb"]
    path = f"/v3/{{pid}}/vpc/vpcs/{vpc_id}"
    assert api.refused("POST", SUBNETS, subnet_body(vpc_id, "172.20.0.0/24")) == (400, "VPC.0203")
    shown = api.put(f"{path}/add-extend-cidr", {"vpc": {"extend_cidrs": ["172.20.0.0/16"]}})["vpc"]
    assert (shown["cidr"], shown["extend_cidrs"]) == ("10.0.0.0/16", ["172.20.0.0/16"])
    assert "extend_cidrs" not in api.get(f"{VPCS}/{vpc_id}")["vpc"]
    subnet = api.post(SUBNETS, subnet_body(vpc_id, "172.20.0.0/24"))["subnet"]
    removal = {"vpc": {"extend_cidrs": ["172.20.0.0/16"]}}
    assert api.refused("PUT", f"{path}/remove-extend-cidr", removal) == (409, "VPC.9914")
    api.delete(f"{VPCS}/{vpc_id}/subnets/{subnet['id']}")
    assert api.put(f"{path}/remove-extend-cidr", removal)["vpc"]["extend_cidrs"] == []
    assert api.refused("PUT", f"{path}/remove-extend-cidr", removal) == (404, "VPC.9915")
    for cidr, code in (("10.0.9.0/24", (409, "VPC.9914")), ("x", (400, "VPC.0101"))):
        assert api.refused("PUT", f"{path}/add-extend-cidr", {"vpc": {"extend_cidrs": [cidr]}}) == code
    six = [f"172.{number}.0.0/16" for number in range(16, 22)]
    assert api.refused("PUT", f"{path}/add-extend-cidr", {"vpc": {"extend_cidrs": six}}) == (400, "VPC.9912")


@pytest.mark.parametrize(
    ("cidrs", "refusal"),
    [
        (["0.0.0.0/0"], (400, "VPC.0101")),
        (["192.168.128.0/17"], (400, "VPC.0101")),
        (["100.64.0.0/16"], (400, "VPC.0101")),
        (["172.20.0.1/32"], (400, "VPC.0101")),
        (["172.20.0.0/16", "172.20.0.0/16"], (409, "VPC.9914")),
        (["172.20.0.0/16", "172.20.9.0/24"], (409, "VPC.9914")),
    ],
)
def test_a_secondary_range_that_the_manual_rules_out_is_refused(api: Caller, vpcs, cidrs, refusal):
    path, before = f"/v3/{{pid}}/vpc/vpcs/{vpcs['vpc-elb']}/add-extend-cidr", api.emulator.snapshot()
    assert api.refused("PUT", path, {"vpc": {"extend_cidrs": cidrs}}) == refusal
    assert api.emulator.snapshot() == before
    # The manual's own example is a public range.
    assert api.put(path, {"vpc": {"extend_cidrs": ["100.20.0.0/16"]}})["vpc"]["extend_cidrs"] == ["100.20.0.0/16"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"cidr": "0.0.0.0/0"}, (400, "VPC.0101")),
        ({"cidr": "10.0.0.0/29"}, (400, "VPC.0101")),
        ({"name": "vpc-dcs"}, (400, "VPC.0115")),
    ],
)
def test_what_a_new_vpc_may_not_be_an_old_one_may_not_become(api: Caller, vpcs: dict[str, str], change, refusal):
    before = api.emulator.snapshot()
    assert api.refused("PUT", f"{VPCS}/{vpcs['vpc-elb']}", {"vpc": change}) == refusal
    assert api.refused("PUT", f"/v2.0/routers/{vpcs['vpc-elb']}", {"router": {"name": "vpc-dcs"}})[0] == 400
    assert api.emulator.snapshot() == before
    api.put(f"{VPCS}/{vpcs['vpc-elb']}", {"vpc": {"name": "vpc-elb", "cidr": "10.0.0.0/8"}})


def test_a_subnet_has_two_ids_and_is_unknown_until_it_is_read(api: Caller, vpcs: dict[str, str]):
    made = api.post(SUBNETS, subnet_body(vpcs["vpc-elb"], primary_dns="1.1.1.1"))["subnet"]
    assert made["status"] == "UNKNOWN"
    shown = api.get(f"{SUBNETS}/{made['id']}")["subnet"]
    assert shown["status"] == "ACTIVE"
    assert shown["id"] == shown["neutron_network_id"] != shown["neutron_subnet_id"]
    assert shown["dnsList"] == ["1.1.1.1"]
    listed = api.get(SUBNETS, vpc_id=vpcs["vpc-elb"])["subnets"]
    assert [subnet["name"] for subnet in listed] == ["subnet-elb", "s"]
    changed = api.put(f"{VPCS}/{vpcs['vpc-elb']}/subnets/{made['id']}", {"subnet": {"name": "t"}})
    assert changed == {"subnet": {"id": made["id"], "status": "ACTIVE"}}
    assert api.refused("DELETE", f"{VPCS}/{vpcs['vpc-dcs']}/subnets/{made['id']}") == (400, "VPC.0207")


@pytest.mark.parametrize(
    ("cidr", "refusal"),
    [
        ("10.0.0.128/25", (400, "VPC.0204")),
        ("11.0.0.0/24", (400, "VPC.0203")),
        ("10.0.1.0/29", (400, "VPC.0212")),
    ],
)
def test_a_subnet_must_fit_into_its_vpc_beside_the_others(api: Caller, vpcs: dict[str, str], cidr: str, refusal):
    assert api.refused("POST", SUBNETS, subnet_body(vpcs["vpc-elb"], cidr)) == refusal


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"gateway_ip": "abc"}, (400, "VPC.0101")),
        ({"gateway_ip": ""}, (400, "VPC.0101")),
        ({"gateway_ip": "10.0.2.1"}, (400, "VPC.0201")),
        ({"gateway_ip": "10.0.1.0"}, (400, "VPC.0201")),
        ({"gateway_ip": "10.0.1.255"}, (400, "VPC.0201")),
        ({"primary_dns": "garbage"}, (400, "VPC.0101")),
    ],
)
def test_a_gateway_is_a_host_of_its_subnet_and_a_name_server_has_an_address(api: Caller, vpcs, fields, refusal):
    before = api.emulator.snapshot()
    assert api.refused("POST", SUBNETS, subnet_body(vpcs["vpc-elb"], **fields)) == refusal
    assert api.emulator.snapshot() == before


def test_a_name_server_is_changed_to_an_address_or_to_none(api: Caller, vpcs, subnets):
    subnet = subnets["subnet-elb"]
    path = f"{VPCS}/{vpcs['vpc-elb']}/subnets/{subnet['id']}"
    api.put(path, {"subnet": {"name": "s", "primary_dns": "1.1.1.1", "secondary_dns": ""}})
    assert api.get(f"{SUBNETS}/{subnet['id']}")["subnet"]["dnsList"] == ["1.1.1.1"]
    wrong = {"subnet": {"name": "s", "primary_dns": "garbage"}}
    assert api.refused("PUT", path, wrong) == (400, "VPC.0101")
    neutron = {"subnet": {"dns_nameservers": ["garbage"]}}
    assert api.refused("PUT", f"/v2.0/subnets/{subnet['neutron_subnet_id']}", neutron) == (400, "HTTPBadRequest")


def test_the_list_of_name_servers_says_the_first_two_as_well_and_may_have_more(api: Caller, vpcs: dict[str, str]):
    made = api.post(SUBNETS, subnet_body(vpcs["vpc-elb"], dnsList=["1.1.1.1", "8.8.8.8", "9.9.9.9"]))["subnet"]
    assert (made["primary_dns"], made["secondary_dns"]) == ("1.1.1.1", "8.8.8.8")
    path = f"{VPCS}/{vpcs['vpc-elb']}/subnets/{made['id']}"

    def after(**fields: Any) -> list[str]:
        api.put(path, {"subnet": {"name": "s", **fields}})
        shown: list[str] = api.get(f"{SUBNETS}/{made['id']}")["subnet"]["dnsList"]
        return shown

    assert after(description="d") == ["1.1.1.1", "8.8.8.8", "9.9.9.9"]
    assert after(primary_dns="4.4.4.4") == ["4.4.4.4", "8.8.8.8", "9.9.9.9"]
    assert after(dnsList=["1.1.1.1"]) == ["1.1.1.1"]
    assert after(dnsList=[]) == []
    assert after(secondary_dns="8.8.8.8") == ["8.8.8.8"]
    assert api.get(f"{SUBNETS}/{made['id']}")["subnet"]["primary_dns"] == "8.8.8.8"
    assert api.refused("PUT", path, {"subnet": {"name": "s", "dnsList": ["x"]}}) == (400, "VPC.0101")
    without = api.post(SUBNETS, subnet_body(vpcs["vpc-elb"], "10.0.2.0/24"))["subnet"]
    assert (without["dnsList"], without["primary_dns"]) == ([], "")


def test_a_subnet_tells_its_time_servers_until_they_are_taken_away(api: Caller, vpcs: dict[str, str]):
    def option(value: str | None) -> dict[str, Any]:
        return {"extra_dhcp_opts": [{"opt_name": "ntp", "opt_value": value}]}

    made = api.post(SUBNETS, subnet_body(vpcs["vpc-elb"], **option("10.100.0.33,10.100.0.34")))["subnet"]
    assert made["extra_dhcp_opts"] == option("10.100.0.33,10.100.0.34")["extra_dhcp_opts"]
    path = f"{VPCS}/{vpcs['vpc-elb']}/subnets/{made['id']}"
    for wrong in ("", "now", "1.1.1.1,1.1.1.1", "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5"):
        assert api.refused("PUT", path, {"subnet": {"name": "s", **option(wrong)}}) == (400, "VPC.0101")
    api.put(path, {"subnet": {"name": "s", **option(None)}})
    assert api.get(f"{SUBNETS}/{made['id']}")["subnet"]["extra_dhcp_opts"] == []


def test_a_vpc_is_deleted_only_when_nothing_is_in_it(api: Caller, vpcs: dict[str, str]):
    vpc_id, other = new_vpc(api), vpcs["vpc-elb"]
    assert api.refused("DELETE", f"{VPCS}/{other}") == (409, "VPC.0104")
    ends = {"request_vpc_info": {"vpc_id": vpc_id}, "accept_vpc_info": {"vpc_id": other}}
    peering_id = api.post("/v2.0/vpc/peerings", {"peering": {"name": "p", **ends}}, 201)["peering"]["id"]
    assert api.refused("DELETE", f"{VPCS}/{vpc_id}") == (409, "VPC.0108")
    route = {"type": "peering", "nexthop": peering_id, "destination": "10.0.0.0/16", "vpc_id": vpc_id}
    api.post("/v2.0/vpc/routes", {"route": route}, 201)
    assert api.refused("DELETE", f"{VPCS}/{vpc_id}") == (409, "VPC.0120")
    api.delete(f"/v2.0/vpc/peerings/{peering_id}")
    api.delete(f"{VPCS}/{vpc_id}")
    assert api.get("/v1/{pid}/routetables", vpc_id=vpc_id)["routetables"] == []


def test_a_subnet_in_use_is_kept_with_a_500(api: Caller, vpcs: dict[str, str], subnets):
    path = f"{VPCS}/{vpcs['vpc-dcs']}/subnets/{subnets['subnet-dcs']['id']}"
    assert api.refused("DELETE", path) == (500, "VPC.0209")


def test_ip_usage_leaves_reserved_addresses_out_and_follows_who_uses_them(api: Caller, subnets):
    def usage(name: str) -> tuple[int, int]:
        found = api.get(f"/v2.0/network-ip-availabilities/{subnets[name]['id']}")["network_ip_availability"]
        assert found["subnet_ip_availability"][0]["subnet_id"] == subnets[name]["neutron_subnet_id"]
        return found["total_ips"], found["used_ips"]

    assert usage("subnet-elb") == (251, 0)
    assert usage("subnet-dcs") == (251, 3)
    with api.emulator.change() as account:
        subnet = account.vpc.state.subnets[subnets["subnet-elb"]["id"]]
        assert subnet.take("me") == "10.0.0.2"
        assert subnet.take("me", "10.0.0.2") == "10.0.0.2"
        assert subnet.take("you", "10.0.0.2") is None
        assert [subnet.take("me", f"10.0.0.{host}") for host in (0, 1, 253, 254, 255)] == [None] * 5
        assert subnet.take("me", "10.0.0.252") == "10.0.0.252"
    assert usage("subnet-elb") == (251, 2)
    with api.emulator.change() as account:
        account.vpc.release("me")
    assert usage("subnet-elb") == (251, 0)
    assert api.refused("GET", "/v2.0/network-ip-availabilities/none") == (404, "NetworkNotFound")


def test_v1_pages_by_marker_alone_and_v3_tells_the_next_marker(api: Caller):
    ids = [vpc["id"] for vpc in api.get(VPCS)["vpcs"]]
    assert [vpc["id"] for vpc in api.get(VPCS, limit=1)["vpcs"]] == ids[:1]
    assert set(api.get(VPCS, limit=1)) == {"vpcs"}
    assert [vpc["id"] for vpc in api.get(VPCS, limit=1, marker=ids[0])["vpcs"]] == ids[1:]
    first = api.get("/v3/{pid}/vpc/vpcs", limit=1)
    assert first["page_info"] == {"current_count": 1, "next_marker": ids[0]}
    last = api.get("/v3/{pid}/vpc/vpcs", limit=1, marker=ids[0])
    assert last["page_info"] == {"current_count": 1, "previous_marker": ids[1]}
    assert first["request_id"]
    assert {vpc["id"] for vpc in api.get("/v3/{pid}/vpc/vpcs", id=ids)["vpcs"]} == set(ids)
    for wrong in ({"marker": "none"}, {"limit": 2001}, {"limit": -1}, {"limit": "many"}):
        assert api.refused("GET", VPCS, **wrong) == (400, "VPC.0101")


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        (VPCS, None, "vpcs"),
        ("/v3/{pid}/vpc/vpcs", None, "vpcs"),
        ("/v1/{pid}/publicips", {"publicip": {"type": "5_bgp"}, "bandwidth": BANDWIDTH}, "publicips"),
        ("/v1/{pid}/bandwidths", {"publicip": {"type": "5_bgp"}, "bandwidth": BANDWIDTH}, "bandwidths"),
        ("/v2/{pid}/notifications/topics", {"name": "news"}, "topics"),
    ],
)
def test_all_is_in_the_one_enterprise_project_and_nothing_in_another(api: Caller, path: str, body, key: str):
    if body:
        assert api.call("POST", path.replace("bandwidths", "publicips"), body).status < 300
    assert api.get(path, enterprise_project_id="0")[key] == api.get(path)[key] != []
    assert api.get(path, enterprise_project_id="another")[key] == []


def test_what_another_project_has_is_not_there():
    world = World.loads(
        """
        iam: {projects: [{name: eu-de_demo}, {name: eu-de_other}]}
        vpc:
          vpcs: [{name: mine, cidr: 10.0.0.0/16}, {name: theirs, cidr: 10.1.0.0/16, project_id: eu-de_other}]
        """
    )
    cloud = Emulator(world)
    mine, theirs = Caller(cloud), Caller(cloud, project="eu-de_other")
    assert [vpc["name"] for vpc in mine.get(VPCS)["vpcs"]] == ["mine"]
    (vpc,) = theirs.get(VPCS)["vpcs"]
    assert mine.refused("GET", f"{VPCS}/{vpc['id']}") == (404, "VPC.0003")
    assert mine.refused("DELETE", f"{VPCS}/{vpc['id']}") == (404, "VPC.0003")


def test_a_vpc_may_be_renamed_and_may_not_shrink_below_its_subnets(api: Caller, vpcs: dict[str, str]):
    path = f"{VPCS}/{vpcs['vpc-elb']}"
    assert api.put(path, {"vpc": {"name": "renamed", "description": "d"}})["vpc"]["name"] == "renamed"
    assert api.refused("PUT", path, {"vpc": {"cidr": "10.0.128.0/17"}}) == (400, "VPC.0117")
    assert api.get(path)["vpc"]["cidr"] == "10.0.0.0/16"


def test_what_a_change_leaves_alone_does_not_stand_in_its_way():
    world = World.loads(
        """
        vpc:
          vpcs:
            - {name: odd, cidr: 100.64.0.0/16}
            - {name: same, cidr: 10.0.0.0/16}
            - {id: another, name: same, cidr: 10.1.0.0/16}
        """
    )
    api = Caller(Emulator(world))
    odd, *same = (f"{VPCS}/{vpc['id']}" for vpc in api.get(VPCS)["vpcs"])
    assert api.put(odd, {"vpc": {"name": "even"}})["vpc"]["name"] == "even"
    for path in same:
        assert api.put(path, {"vpc": {"name": "same", "description": "d"}})["vpc"]["description"] == "d"
    assert api.refused("PUT", odd, {"vpc": {"name": "same"}}) == (400, "VPC.0115")
