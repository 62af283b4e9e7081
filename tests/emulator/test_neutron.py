"""The account as stock OpenStack clients see it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import Emulator
from emulator.eip.models import BandwidthSpec
from tests.emulator.client import Caller

EXTERNAL = "admin_external_net"


def test_a_subnet_is_a_network_with_one_subnet_and_a_vpc_is_a_router(api: Caller, subnets: dict[str, Any], vpcs: Any):
    networks = {one["name"]: one for one in api.get("/v2.0/networks")["networks"]}
    for name, subnet in subnets.items():
        network = networks[name]
        assert (network["id"], network["subnets"]) == (subnet["neutron_network_id"], [subnet["neutron_subnet_id"]])
        (shown,) = api.get("/v2.0/subnets", network_id=network["id"])["subnets"]
        assert (shown["id"], shown["cidr"]) == (subnet["neutron_subnet_id"], subnet["cidr"])
        assert api.get(f"/v2.0/subnets/{shown['id']}")["subnet"] == shown
    assert networks[EXTERNAL]["router:external"] is True
    assert {one["name"]: one["id"] for one in api.get("/v2.0/routers")["routers"]} == vpcs


@pytest.mark.parametrize(
    ("path", "query", "names"),
    [
        ("networks", {"name": "subnet-elb"}, ["subnet-elb"]),
        ("networks", {"name": ["subnet-elb", "subnet-dcs"], "status": "ACTIVE"}, ["subnet-elb", "subnet-dcs"]),
        ("networks", {"router:external": "True"}, [EXTERNAL]),
        ("networks", {"router:external": "false", "provider:network_type": "vxlan"}, ["subnet-elb", "subnet-dcs"]),
        ("networks", {"tenant_id": "other"}, []),
        ("subnets", {"cidr": "192.168.0.0/24", "ip_version": "4", "enable_dhcp": "True"}, ["subnet-dcs"]),
        ("subnets", {"gateway_ip": "10.0.0.1"}, ["subnet-elb"]),
        ("routers", {"name": "vpc-dcs"}, ["vpc-dcs"]),
    ],
)
def test_lists_take_neutrons_filters(api: Caller, path: str, query: dict[str, Any], names: list[str]):
    assert [one["name"] for one in api.get(f"/v2.0/{path}", **query)[path]] == names


def test_lists_show_the_fields_asked_for_and_link_to_the_next_page(api: Caller):
    page = api.get("/v2.0/networks", limit=2, fields=["id", "name"])
    assert [set(one) for one in page["networks"]] == [{"id", "name"}] * 2
    (link,) = page["networks_links"]
    assert link["rel"] == "next"
    assert f"marker={page['networks'][1]['id']}" in link["href"]
    assert "networks_links" not in api.get("/v2.0/networks", limit=2, marker=page["networks"][1]["id"])
    assert api.refused("GET", "/v2.0/networks", colour="red") == (400, "HTTPBadRequest")


def test_an_address_in_use_is_a_port(api: Caller, subnets: dict[str, Any]):
    subnet_id = subnets["subnet-dcs"]["neutron_subnet_id"]
    (port,) = api.get("/v2.0/ports", fixed_ips="ip_address=192.168.0.10")["ports"]
    assert port["fixed_ips"] == [{"subnet_id": subnet_id, "ip_address": "192.168.0.10"}]
    assert port in api.get("/v2.0/ports", fixed_ips=f"subnet_id={subnet_id}")["ports"]
    assert api.get(f"/v2.0/ports/{port['id']}")["port"] == port
    assert api.get("/v2.0/ports", device_id=port["device_id"], mac_address=port["mac_address"])["ports"]


@pytest.mark.parametrize("kind", ["network", "subnet", "router", "port", "floatingip"])
def test_what_is_not_there_is_a_404_in_neutrons_words(api: Caller, kind: str):
    assert api.refused("GET", f"/v2.0/{kind}s/none") == (404, f"{kind.capitalize()}NotFound")


def test_a_floating_ip_is_an_eip_of_the_same_store(api: Caller):
    (network,) = api.get("/v2.0/networks", name=EXTERNAL)["networks"]
    wanted = {"floating_network_id": network["id"], "floating_ip_address": "80.158.9.9"}
    made = api.post("/v2.0/floatingips", {"floatingip": wanted}, 201)["floatingip"]
    assert (made["status"], made["floating_ip_address"]) == ("DOWN", "80.158.9.9")
    assert api.get(f"/v1/{{pid}}/publicips/{made['id']}")["publicip"]["public_ip_address"] == "80.158.9.9"
    assert api.get("/v2.0/floatingips", floating_ip_address="80.158.9.9")["floatingips"] == [made]
    api.delete(f"/v2.0/floatingips/{made['id']}")
    assert api.get("/v3/{pid}/eip/publicips")["publicips"] == []
    elsewhere = {"floatingip": {"floating_network_id": "none"}}
    assert api.refused("POST", "/v2.0/floatingips", elsewhere) == (404, "NetworkNotFound")


def test_a_floating_ip_neither_binds_nor_unbinds_a_load_balancer_nor_is_it_released_while_bound(cloud: Emulator):
    api = Caller(cloud)
    with cloud.change() as account:
        eip = account.eip.create(api.project_id, "5_bgp", BandwidthSpec(share_type="PER", name="b", size=5))
        account.eip.bind(eip, "ELB", "a-load-balancer")
    path = f"/v2.0/floatingips/{eip.id}"
    shown = api.put(path, {"floatingip": {"port_id": None}})["floatingip"]
    assert (shown["status"], shown["port_id"]) == ("ACTIVE", None)
    assert api.refused("PUT", path, {"floatingip": {"port_id": "a-port"}})[0] == 400
    assert api.refused("DELETE", path)[0] == 500


def test_every_project_has_the_default_security_group(api: Caller):
    (group,) = api.get("/v2.0/security-groups", name="default")["security_groups"]
    assert api.get(f"/v2.0/security-groups/{group['id']}")["security_group"] == group
    rules = api.get("/v2.0/security-group-rules", security_group_id=group["id"])["security_group_rules"]
    assert rules == group["security_group_rules"]
    (egress,) = api.get("/v2.0/security-group-rules", direction="egress")["security_group_rules"]
    assert api.get(f"/v2.0/security-group-rules/{egress['id']}", fields="direction") == {
        "security_group_rule": {"direction": "egress"}
    }
    assert api.refused("GET", "/v2.0/security-groups/none")[0] == 404


def test_networks_subnets_and_routers_can_be_renamed(api: Caller, subnets: dict[str, Any], vpcs: dict[str, str]):
    subnet, vpc_id = subnets["subnet-elb"], vpcs["vpc-elb"]
    network = api.put(f"/v2.0/networks/{subnet['id']}", {"network": {"name": "renamed"}})["network"]
    assert network["name"] == api.get(f"/v1/{{pid}}/subnets/{subnet['id']}")["subnet"]["name"] == "renamed"
    change = {"name": "again", "enable_dhcp": False, "dns_nameservers": ["10.0.0.53"]}
    changed = api.put(f"/v2.0/subnets/{subnet['neutron_subnet_id']}", {"subnet": change})["subnet"]
    assert {name: changed[name] for name in change} == change
    assert api.get(f"/v1/{{pid}}/subnets/{subnet['id']}")["subnet"]["dnsList"] == ["10.0.0.53"]
    assert api.put(f"/v2.0/routers/{vpc_id}", {"router": {"name": "other"}})["router"]["name"] == "other"
    for kind in ("network", "subnet", "router"):
        refusal = api.refused("PUT", f"/v2.0/{kind}s/none", {kind: {"name": "n"}})
        assert refusal == (404, f"{kind.capitalize()}NotFound")
