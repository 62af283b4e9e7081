import pytest

from emulator import World
from emulator.world import WorldError
from tests.emulator.elb.cloud import Cloud

EXPOSED = """
vpc:
  vpcs: [{name: a, cidr: 10.0.0.0/16}]
  subnets: [{name: s, vpc_id: a, cidr: 10.0.0.0/24}]
eip:
  bandwidths: [{name: bw}]
  publicips: [{address: 80.158.0.10, bandwidth_id: bw, bound_to: ELB, instance_id: lb}]
elb:
  loadbalancers: [{name: lb, vpc_id: a, vip_subnet_cidr_id: s, ip_target_enable: true}]
  pools: [{name: p, loadbalancer_id: lb}]
  ipgroups: [{name: office, ip_list: [{ip: 203.0.113.0/24}]}]
  listeners: [{name: l, loadbalancer_id: lb, protocol_port: 80, default_pool_id: p, ipgroup: {ipgroup_id: office}}]
  members: [{pool_id: p, address: 10.0.0.50, protocol_port: 6379}]
  healthmonitors: [{pool_id: p}]
"""


def test_ip_lists_are_replaced_merged_and_shortened(cloud):
    group = cloud.make("ipgroup", name="g", ip_list=[{"ip": "203.0.113.0/24", "description": "office"}])
    path = f"ipgroups/{group['id']}"
    assert not group["created_at"].endswith("Z")

    def entries(answer):
        return {one["ip"]: one["description"] for one in answer.json()["ipgroup"]["ip_list"]}

    more = [{"ip": "203.0.113.0/24", "description": "new"}, {"ip": "198.51.100.1-198.51.100.9"}]
    merged = cloud.elb("POST", f"{path}/iplist/create-or-update", {"ipgroup": {"ip_list": more}})
    assert entries(merged) == {"203.0.113.0/24": "new", "198.51.100.1-198.51.100.9": ""}
    gone = {"ipgroup": {"ip_list": [{"ip": "203.0.113.0/24"}]}}
    left = cloud.elb("POST", f"{path}/iplist/batch-delete", gone)
    assert entries(left) == {"198.51.100.1-198.51.100.9": ""}
    assert cloud.refusal("POST", f"{path}/iplist/batch-delete", gone) == (400, "ELB.8902")
    replaced = cloud.elb("PUT", path, {"ipgroup": {"ip_list": [{"ip": "192.0.2.7"}]}})
    assert entries(replaced) == {"192.0.2.7": ""}


def test_ip_groups_have_limits(cloud):
    many = [{"ip": f"10.{n // 200}.{n % 200}.1"} for n in range(301)]
    assert cloud.refusal("POST", "ipgroups", {"ipgroup": {"ip_list": many}}) == (409, "ELB.8905")
    assert cloud.elb("POST", "ipgroups", {"ipgroup": {"ip_list": many[:300]}}).status == 201
    wrong = {"ipgroup": {"ip_list": [{"ip": "10.0.0.0/33"}]}}
    assert cloud.refusal("POST", "ipgroups", wrong) == (400, "ELB.8902")


def test_zones_come_in_sets_and_flavors_by_type(cloud):
    ((first, *_),) = cloud.get("availability-zones")["availability_zones"]
    assert first == {
        "code": "eu-de-01",
        "state": "ACTIVE",
        "protocol": ["L4", "L7"],
        "public_border_group": "center",
        "category": 0,
    }
    small = cloud.get("flavors", type="L4", shared="true")["flavors"][0]
    assert small["info"] == {"connection": 500_000, "cps": 10_000, "bandwidth": 50, "lcu": 10}
    assert cloud.get(f"flavors/{small['id']}")["flavor"] == small
    assert cloud.refusal("GET", "flavors/no") == (404, "ELB.8904")


def test_what_is_limited_for_each_is_used_as_much_as_where_it_is_used_most(cloud):
    balancer = cloud.load_balancer()
    cloud.backend(balancer, 80)
    group = cloud.make("ipgroup", name="office", ip_list=[{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}])
    listener = {"loadbalancer_id": balancer["id"], "protocol": "TCP", "ipgroup": {"ipgroup_id": group["id"]}}
    for port in (81, 82):
        cloud.make("listener", **listener, protocol_port=port)
    used = {one["quota_key"]: one["used"] for one in cloud.get("quotas/details")["quotas"]}
    assert (used["members_per_pool"], used["listeners_per_pool"]) == (1, 1)
    assert (used["listeners_per_loadbalancer"], used["ipgroup_bindings"], used["ipgroup_max_length"]) == (3, 2, 2)


def test_quotas_show_limit_and_use(cloud):
    cloud.load_balancer()
    assert cloud.get("quotas")["quota"]["loadbalancer"] == 50
    (usage,) = cloud.get("quotas/details", quota_key="loadbalancer")["quotas"]
    assert usage == {"quota_key": "loadbalancer", "quota_limit": 50, "used": 1, "unit": "count"}


@pytest.mark.parametrize("kind", ["loadbalancers", "listeners"])
def test_tags_are_changed_through_the_older_api(cloud, kind):
    balancer = cloud.load_balancer()
    listener, _, _ = cloud.backend(balancer)
    item = balancer if kind == "loadbalancers" else listener
    path = f"/v2.0/{cloud.project}/{kind}/{item['id']}/tags"
    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert cloud.send("POST", f"{path}/action", {"action": "create", "tags": tags}).status == 204
    assert cloud.send("POST", path, {"tag": {"key": "c", "value": "3"}}).status == 204
    assert cloud.send("DELETE", f"{path}/a").status == 204
    assert cloud.send("DELETE", f"{path}/a").status == 404
    drop = {"action": "delete", "tags": [{"key": "b"}]}
    assert cloud.send("POST", f"{path}/action", drop).status == 204
    assert cloud.send("GET", path).json()["tags"] == [{"key": "c", "value": "3"}]
    assert cloud.get(f"{kind}/{item['id']}")[kind[:-1]]["tags"] == [{"key": "c", "value": "3"}]


def test_pages_follow_each_other_both_ways(cloud):
    made = [cloud.make("ipgroup", name=str(n))["id"] for n in range(5)]

    def page(**query):
        answer = cloud.get("ipgroups", **query)
        return [one["id"] for one in answer["ipgroups"]], answer["page_info"]

    assert page() == (made, {"current_count": 5})
    ids, info = page(limit=2)
    assert (ids, info) == (made[:2], {"current_count": 2, "next_marker": made[1]})
    ids, info = page(limit=2, marker=made[1])
    assert ids == made[2:4]
    assert info == {"current_count": 2, "previous_marker": made[2], "next_marker": made[3]}
    assert page(limit=2, marker=made[3])[1] == {"current_count": 1, "previous_marker": made[4]}
    assert page(limit=2, marker=made[4], page_reverse="true")[0] == made[2:4]
    assert page(marker="no", page_reverse="true")[0] == made
    for wrong in ({"limit": 2001}, {"limit": 1, "marker": ""}, {"limit": 1, "marker": "no"}):
        assert cloud.refusal("GET", "ipgroups", **wrong) == (400, "ELB.8902")


@pytest.mark.parametrize(
    ("kind", "query", "found"),
    [
        ("loadbalancers", {"member_address": "10.0.0.50"}, 1),
        ("loadbalancers", {"member_address": "10.0.0.51"}, 0),
        ("loadbalancers", {"name": ["lb", "other"], "guaranteed": "true"}, 1),
        ("loadbalancers", {"publicips": "publicip_address=80.158.0.10"}, 1),
        ("loadbalancers", {"eips": "eip_address=80.158.0.11"}, 0),
        ("loadbalancers", {"availability_zone_list": "eu-de-01", "provisioning_status": "ACTIVE"}, 1),
        ("loadbalancers", {"name": "l"}, 0),
        ("listeners", {"protocol_port": "80", "member_address": "10.0.0.50"}, 1),
        ("listeners", {"loadbalancer_id": "no"}, 0),
        ("listeners", {"keepalive_timeout": "300", "enable_member_retry": "true", "enterprise_project_id": "0"}, 1),
        ("listeners", {"member_instance_id": "no"}, 0),
        ("listeners", {"tls_ciphers_policy": "tls-1-2"}, 0),
        ("pools", {"protection_status": "nonProtection", "vpc_id": "no"}, 0),
        ("pools", {"member_device_id": "no"}, 0),
        ("members", {"enterprise_project_id": "0", "ip_version": "v4"}, 1),
        ("members", {"pool_id": "no"}, 0),
        ("members", {"loadbalancer_id": "no"}, 0),
        ("healthmonitors", {"http_version": "2"}, 0),
        ("pools", {"member_address": "10.0.0.50", "lb_algorithm": "ROUND_ROBIN"}, 1),
        ("pools", {"name": "q"}, 0),
        ("members", {"address": "10.0.0.50", "protocol_port": "6379", "member_type": "ip"}, 1),
        ("members", {"operating_status": "ONLINE"}, 0),
        ("healthmonitors", {"type": "TCP", "delay": "5"}, 1),
        ("ipgroups", {"name": "office"}, 1),
        ("ipgroups", {"ip_list": "203.0.113.0/24"}, 1),
        ("flavors", {"name": "L4_flavor.elb.s1.small"}, 1),
    ],
)
def test_lists_are_filtered(kind, query, found):
    cloud = Cloud(World.loads(EXPOSED))
    assert len(cloud.get(kind, **query)[kind]) == found


def test_a_filter_by_owner_finds_its_children():
    cloud = Cloud(World.loads(EXPOSED))
    balancer = cloud.get("loadbalancers")["loadbalancers"][0]["id"]
    (pool,) = cloud.get("pools", loadbalancer_id=balancer)["pools"]
    (listener,) = cloud.get("listeners", loadbalancer_id=balancer, default_pool_id=pool["id"])["listeners"]
    assert cloud.get("pools", listener_id=listener["id"])["pools"] == [pool]
    (member,) = cloud.get("members", pool_id=pool["id"], loadbalancer_id=balancer)["members"]
    assert (member["pool_id"], member["loadbalancers"]) == (pool["id"], [{"id": balancer}])
    assert cloud.refusal("GET", "listeners", colour="red") == (400, "ELB.8902")


def test_an_exposure_in_a_world_is_complete_and_survives_being_saved():
    cloud = Cloud(World.loads(EXPOSED))
    (shown,) = cloud.get("loadbalancers")["loadbalancers"]
    tree = cloud.get(f"loadbalancers/{shown['id']}/statuses")["statuses"]["loadbalancer"]
    (listener,) = tree["listeners"]
    assert listener["pools"] == tree["pools"]
    assert [one["address"] for one in tree["pools"][0]["members"]] == ["10.0.0.50"]
    assert shown["publicips"][0]["publicip_address"] == "80.158.0.10"
    saved = cloud.emulator.world()
    assert World.loads(saved.dump()) == saved


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("loadbalancer_id: lb, protocol_port", "loadbalancer_id: nowhere, protocol_port", "elb.listeners[l]"),
        ("instance_id: lb", "instance_id: nowhere", "eip.publicips[80.158.0.10].instance_id"),
        ("vpc_id: a, vip_subnet_cidr_id: s", "vpc_id: a, vip_subnet_cidr_id: nowhere", "vip_subnet_cidr_id"),
        ("ip_target_enable: true", "ip_target_enable: false", "ip_target_enable"),
        ("{pool_id: p}", "{pool_id: nowhere}", "elb.healthmonitors"),
        ("203.0.113.0/24", "203.0.113.0/33", "elb.ipgroups[office].ip_list"),
        ("ipgroup_id: office", "ipgroup_id: nowhere", "elb.listeners[l].ipgroup"),
    ],
)
def test_a_world_that_cannot_exist_is_refused_naming_the_field(before, after, field):
    assert before in EXPOSED
    with pytest.raises(WorldError) as refused:
        World.loads(EXPOSED.replace(before, after))
    assert field in str(refused.value)
