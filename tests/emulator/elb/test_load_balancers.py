import pytest

from emulator import Dials, World
from emulator.core.resources import Lag
from tests.emulator.elb.cloud import Cloud

ZONED = """
vpc:
  vpcs:
    - {name: vpc-elb, cidr: 10.0.0.0/16}
    - {name: vpc-dcs, cidr: 192.168.0.0/16}
  subnets:
    - {name: subnet-elb, vpc_id: vpc-elb, cidr: 10.0.0.0/24}
    - {name: tiny, vpc_id: vpc-elb, cidr: 10.0.9.0/28}
    - {name: subnet-dcs, vpc_id: vpc-dcs, cidr: 192.168.0.0/24}
elb:
  quotas: {loadbalancer: 2}
  flavors:
    - {name: L4_flavor.elb.s1.small, type: L4}
    - {name: gone, type: L4, sold_out: true}
    - {name: L7_flavor.elb.s1.small, type: L7}
  zone_sets:
    - [{code: eu-de-01}, {code: eu-de-02, protocol: [L7]}, {code: eu-de-03, state: INACTIVE}]
    - [{code: eu-de-04}]
"""


@pytest.fixture
def zoned():
    return Cloud(World.loads(ZONED))


def body(cloud, **fields):
    standard = {
        "vpc_id": cloud.vpc("vpc-elb"),
        "availability_zone_list": ["eu-de-01"],
        "l4_flavor_id": cloud.flavor("L4_flavor.elb.s1.small"),
    }
    return {"loadbalancer": {**standard, **fields}}


def test_an_inline_eip_is_made_and_bound_and_shown_under_both_names(cloud):
    made = cloud.load_balancer(tags=[{"key": "k", "value": "v"}])
    (eip,) = cloud.emulator.world().eip.publicips.values()
    assert made["publicips"] == [{"publicip_id": eip.id, "publicip_address": eip.address, "ip_version": 4}]
    assert made["eips"] == [{"eip_id": eip.id, "eip_address": eip.address, "ip_version": 4}]
    assert (eip.bound_to, eip.instance_id) == ("ELB", made["id"])
    assert made["tags"] == [{"key": "k", "value": "v"}]
    assert (made["provisioning_status"], made["operating_status"]) == ("ACTIVE", "ONLINE")
    assert made["created_at"].endswith("Z")


def test_an_existing_eip_is_bound_once(cloud):
    first = cloud.load_balancer()
    cloud.elb("DELETE", f"loadbalancers/{first['id']}")
    eip_id = first["publicips"][0]["publicip_id"]
    again = cloud.load_balancer(publicip=None, publicip_ids=[eip_id])
    assert again["publicips"][0]["publicip_id"] == eip_id
    refused = cloud.refusal("POST", "loadbalancers", body(cloud, publicip_ids=[eip_id]))
    assert refused == (409, "ELB.8907")
    assert cloud.refusal("POST", "loadbalancers", body(cloud, publicip_ids=["no"])) == (404, "ELB.8904")


def test_a_load_balancer_occupies_addresses_of_its_backend_subnet(cloud):
    before = cloud.subnet("subnet-elb").free
    plain = cloud.load_balancer(ip_target_enable=False, publicip=None)
    assert before - cloud.subnet("subnet-elb").free == 2
    cloud.elb("PUT", f"loadbalancers/{plain['id']}", {"loadbalancer": {"ip_target_enable": True}})
    assert before - cloud.subnet("subnet-elb").free == 6
    cloud.load_balancer(availability_zone_list=["eu-de-01", "eu-de-02"], publicip=None)
    assert before - cloud.subnet("subnet-elb").free == 6 + 8
    cloud.elb("DELETE", f"loadbalancers/{plain['id']}")
    assert before - cloud.subnet("subnet-elb").free == 8


def test_ip_targets_need_sixteen_free_addresses(zoned):
    tiny = {"elb_virsubnet_ids": [zoned.subnet("tiny").id]}
    refused = zoned.refusal("POST", "loadbalancers", body(zoned, ip_target_enable=True, **tiny))
    assert refused == (400, "ELB.8934")
    made = zoned.make("loadbalancer", **body(zoned, **tiny)["loadbalancer"])
    change = {"loadbalancer": {"ip_target_enable": True}}
    assert zoned.refusal("PUT", f"loadbalancers/{made['id']}", change) == (400, "ELB.8934")


def test_without_a_subnet_the_roomiest_one_of_the_vpc_is_chosen_and_there_is_no_private_address(zoned):
    made = zoned.make("loadbalancer", **body(zoned)["loadbalancer"])
    assert made["elb_virsubnet_ids"] == [zoned.subnet("subnet-elb").id]
    assert made["vip_address"] is made["vip_port_id"] is made["vip_subnet_cidr_id"] is None


def test_without_flavors_it_gets_one_of_each_type(zoned):
    fields = {**body(zoned)["loadbalancer"], "l4_flavor_id": None}
    made = zoned.make("loadbalancer", **fields)
    assert made["l4_flavor_id"] == zoned.flavor("L4_flavor.elb.s1.small")
    assert made["l7_flavor_id"] == zoned.flavor("L7_flavor.elb.s1.small")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"availability_zone_list": []}, (400, "ELB.8902")),
        ({"availability_zone_list": ["eu-de-01", "eu-de-04"]}, (400, "ELB.8902")),
        ({"availability_zone_list": ["eu-de-02"]}, (400, "ELB.8902")),
        ({"availability_zone_list": ["eu-de-03"]}, (400, "ELB.8902")),
        ({"vpc_id": None}, (400, "ELB.8902")),
        ({"vpc_id": "no"}, (404, "ELB.8904")),
        ({"vip_subnet_cidr_id": "no"}, (404, "ELB.8904")),
        ({"elb_virsubnet_ids": ["no"]}, (400, "ELB.8902")),
        ({"vip_address": "10.0.0.9"}, (400, "ELB.8902")),
        ({"l4_flavor_id": "no"}, (404, "ELB.8904")),
        ({"guaranteed": False}, (400, "ELB.8902")),
        ({"admin_state_up": False}, (400, "ELB.8902")),
        ({"name": "x" * 256}, (400, "ELB.8902")),
        ({"name": 7}, (400, "ELB.8902")),
        ({"ip_target_enable": "true"}, (400, "ELB.8902")),
        ({"tags": [{"key": "k" * 37, "value": ""}]}, (400, "ELB.8902")),
        ({"tags": [{"key": str(n), "value": ""} for n in range(21)]}, (400, "ELB.8902")),
        ({"enterprise_project_id": "f1e2"}, (400, "ELB.8902")),
        ({"colour": "red"}, (400, "ELB.8902")),
    ],
)
def test_a_wrong_field_is_refused(zoned, fields, refused):
    assert zoned.refusal("POST", "loadbalancers", body(zoned, **fields)) == refused


@pytest.mark.parametrize(
    ("publicip", "refused"),
    [
        ({"network_type": "5_gray"}, (404, "ELB.8904")),
        ({"network_type": "5_bgp", "bandwidth": {"size": 0}}, (400, "ELB.8902")),
        ({"network_type": "5_bgp", "bandwidth": {"size": 301}}, (400, "ELB.8902")),
        ({"network_type": "5_bgp", "bandwidth": {"size": 1200}}, (400, "ELB.8902")),
        ({"network_type": "5_bgp", "bandwidth": {"charge_mode": "bandwidth"}}, (400, "ELB.8902")),
        ({"network_type": "5_bgp", "bandwidth": {"size": None}}, (400, "ELB.8902")),
    ],
)
def test_an_inline_eip_must_be_possible(cloud, publicip, refused):
    bandwidth = {"name": "bw", "size": 5, "share_type": "PER", "charge_mode": "traffic"}
    wanted = {**publicip, "bandwidth": {**bandwidth, **publicip.get("bandwidth", {})}}
    assert cloud.refusal("POST", "loadbalancers", body(cloud, publicip=wanted)) == refused


def test_the_one_enterprise_project_may_be_named(zoned):
    for said in ("0", None):
        made = zoned.make("loadbalancer", **body(zoned, enterprise_project_id=said)["loadbalancer"])
        assert made["enterprise_project_id"] == "0"


def test_an_unknown_field_is_named(cloud):
    answer = cloud.elb("POST", "loadbalancers", body(cloud, colour="red"))
    assert "loadbalancer.colour" in answer.json()["error_msg"]


def test_a_subnet_must_be_in_the_vpc(cloud):
    elsewhere = cloud.subnet("subnet-dcs")
    for fields in (
        {"vip_subnet_cidr_id": elsewhere.neutron_subnet_id},
        {"elb_virsubnet_ids": [elsewhere.id]},
    ):
        assert cloud.refusal("POST", "loadbalancers", body(cloud, **fields)) == (400, "ELB.8902")


def test_a_network_id_is_not_a_subnet_id(cloud):
    network_id = cloud.subnet("subnet-elb").id
    refused = cloud.refusal("POST", "loadbalancers", body(cloud, vip_subnet_cidr_id=network_id))
    assert refused == (404, "ELB.8904")


def test_a_sold_out_flavor_and_one_of_the_wrong_type_are_refused(zoned):
    gone = zoned.refusal("POST", "loadbalancers", body(zoned, l4_flavor_id=zoned.flavor("gone")))
    wrong = body(zoned, l4_flavor_id=zoned.flavor("L7_flavor.elb.s1.small"))
    assert gone == (400, "ELB.8950")
    assert zoned.refusal("POST", "loadbalancers", wrong) == (400, "ELB.8902")


def test_the_quota_is_kept(zoned):
    for _ in range(2):
        zoned.make("loadbalancer", **body(zoned)["loadbalancer"])
    assert zoned.refusal("POST", "loadbalancers", body(zoned)) == (409, "ELB.8905")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"ip_target_enable": False}, (400, "ELB.8902")),
        ({"l4_flavor_id": None}, (400, "ELB.8959")),
        ({"l7_flavor_id": "any"}, (400, "ELB.8959")),
        ({"elb_virsubnet_ids": []}, (400, "ELB.8902")),
        ({"vip_address": "10.0.0.1"}, (400, "ELB.8902")),
        ({"tags": []}, (400, "ELB.8902")),
        ({"vpc_id": "other"}, (400, "ELB.8902")),
        ({"publicip_ids": []}, (400, "ELB.8902")),
    ],
)
def test_what_cannot_be_changed_is_refused(cloud, change, refused):
    made = cloud.load_balancer()
    path = f"loadbalancers/{made['id']}"
    assert cloud.refusal("PUT", path, {"loadbalancer": change}) == refused


def test_texts_flavor_and_private_address_can_be_changed(cloud):
    made = cloud.load_balancer()
    cloud.clock.advance(60)
    bigger = cloud.flavor("L4_flavor.elb.s2.large")
    change = {"name": "new", "l4_flavor_id": bigger, "vip_address": "10.0.0.77"}
    changed = cloud.elb("PUT", f"loadbalancers/{made['id']}", {"loadbalancer": change}).json()["loadbalancer"]
    assert {**changed, **change} == changed
    assert changed["updated_at"] == "2026-01-01T00:01:00Z"
    assert "10.0.0.77" in cloud.subnet("subnet-elb").addresses


def test_saying_again_where_the_private_address_is_moves_nothing(cloud):
    made = cloud.load_balancer()
    path, subnet = f"loadbalancers/{made['id']}", {"vip_subnet_cidr_id": made["vip_subnet_cidr_id"]}
    used = cloud.subnet("subnet-elb").addresses
    for change in (subnet, {"vip_address": made["vip_address"]}, {**subnet, "vip_address": made["vip_address"]}):
        changed = cloud.elb("PUT", path, {"loadbalancer": change}).json()["loadbalancer"]
        assert changed["vip_address"] == made["vip_address"]
        assert cloud.subnet("subnet-elb").addresses == used


def test_a_private_address_that_is_moved_or_taken_off_is_free_again(zoned):
    wanted = {"vip_subnet_cidr_id": zoned.subnet("subnet-elb").neutron_subnet_id, "vip_address": "10.0.0.77"}
    made = zoned.make("loadbalancer", **body(zoned, **wanted)["loadbalancer"])
    path, subnet = f"loadbalancers/{made['id']}", zoned.subnet
    zoned.elb("PUT", path, {"loadbalancer": {"vip_address": "10.0.0.88"}})
    assert subnet("subnet-elb").assignable("10.0.0.77")
    zoned.elb("PUT", path, {"loadbalancer": {"vip_subnet_cidr_id": subnet("tiny").neutron_subnet_id}})
    assert subnet("subnet-elb").assignable("10.0.0.88")
    assert len(subnet("tiny").addresses) == 1
    changed = zoned.elb("PUT", path, {"loadbalancer": {"vip_subnet_cidr_id": None}}).json()["loadbalancer"]
    assert changed["vip_address"] is changed["vip_port_id"] is None
    assert subnet("tiny").addresses == {}
    assert len(subnet("subnet-elb").addresses) == 2


def test_deleting_leaves_the_eip_and_gives_addresses_back(cloud):
    before = cloud.subnet("subnet-elb")
    made = cloud.load_balancer()
    assert cloud.elb("DELETE", f"loadbalancers/{made['id']}").status == 204
    assert cloud.refusal("GET", f"loadbalancers/{made['id']}") == (404, "ELB.8904")
    assert cloud.subnet("subnet-elb") == before
    (eip,) = cloud.emulator.world().eip.publicips.values()
    assert eip.bound_to is None


def test_a_load_balancer_in_use_or_protected_is_not_deleted(cloud):
    made = cloud.load_balancer()
    path = f"loadbalancers/{made['id']}"
    pool = cloud.pool(loadbalancer_id=made["id"])
    assert cloud.refusal("DELETE", path) == (409, "ELB.8907")
    cloud.elb("DELETE", f"pools/{pool['id']}")
    listener = cloud.make("listener", loadbalancer_id=made["id"], protocol="TCP", protocol_port=80)
    assert cloud.refusal("DELETE", path) == (409, "ELB.8907")
    cloud.elb("DELETE", f"listeners/{listener['id']}")
    cloud.elb("PUT", path, {"loadbalancer": {"deletion_protection_enable": True}})
    assert cloud.refusal("DELETE", path) == cloud.refusal("DELETE", f"{path}/force-elb") == (409, "ELB.8907")


def test_force_delete_takes_the_whole_tree_but_leaves_the_eip(cloud):
    empty = cloud.emulator.snapshot()
    made = cloud.load_balancer()
    _, pool, _ = cloud.backend(made)
    cloud.monitor(pool)
    cloud.pool(loadbalancer_id=made["id"])
    protect = {"pool": {"member_deletion_protection_enable": True}}
    cloud.elb("PUT", f"pools/{pool['id']}", protect)
    path = f"loadbalancers/{made['id']}/force-elb"
    assert cloud.refusal("DELETE", path) == (409, "ELB.8907")
    protect["pool"]["member_deletion_protection_enable"] = False
    cloud.elb("PUT", f"pools/{pool['id']}", protect)
    assert cloud.elb("DELETE", path).status == 204
    left = cloud.emulator.snapshot()
    assert left["elb"] == empty["elb"]
    assert [one["instance_id"] for one in left["eip"]["publicips"]] == [None]


def test_a_lagging_load_balancer_takes_no_children_until_it_is_active():
    cloud = Cloud(dials=Dials(load_balancer_create=Lag(reads=2)))
    made = cloud.load_balancer()
    path = f"loadbalancers/{made['id']}"
    listener = {"listener": {"loadbalancer_id": made["id"], "protocol": "TCP", "protocol_port": 80}}
    assert made["provisioning_status"] == "PENDING_CREATE"
    assert cloud.refusal("POST", "listeners", listener) == (409, "ELB.8907")
    assert cloud.refusal("DELETE", path) == (409, "ELB.8907")
    seen = [cloud.get(path)["loadbalancer"]["provisioning_status"] for _ in range(3)]
    assert seen == ["PENDING_CREATE", "PENDING_CREATE", "ACTIVE"]
    assert cloud.elb("POST", "listeners", listener).status == 201


def test_a_change_may_keep_the_load_balancer_busy():
    cloud = Cloud(dials=Dials(load_balancer_update=Lag(seconds=1)))
    made = cloud.load_balancer()
    cloud.pool(loadbalancer_id=made["id"])
    listener = {"listener": {"loadbalancer_id": made["id"], "protocol": "TCP", "protocol_port": 80}}
    assert cloud.refusal("POST", "listeners", listener) == (409, "ELB.8907")
    cloud.clock.advance(1)
    assert cloud.elb("POST", "listeners", listener).status == 201


def test_a_lagging_delete_is_seen_before_it_is_done():
    cloud = Cloud(dials=Dials(load_balancer_delete=Lag(seconds=10)))
    made = cloud.load_balancer()
    path = f"loadbalancers/{made['id']}"
    assert cloud.elb("DELETE", path).status == 204
    assert cloud.get(path)["loadbalancer"]["provisioning_status"] == "PENDING_DELETE"
    cloud.clock.advance(10)
    assert cloud.elb("GET", path).status == 404


def test_a_fresh_resource_may_be_missed_by_reads():
    cloud = Cloud(dials=Dials(hidden_reads={"elb": 1}))
    made = cloud.load_balancer()
    assert cloud.elb("GET", f"loadbalancers/{made['id']}").status == 404
    assert cloud.elb("GET", f"loadbalancers/{made['id']}").status == 200


def test_a_list_of_others_is_no_read_of_a_resource():
    cloud = Cloud(dials=Dials(hidden_reads={"elb": 1}, load_balancer_create=Lag(reads=1)))
    made = cloud.load_balancer()

    def listed(**query):
        return [one["provisioning_status"] for one in cloud.get("loadbalancers", **query)["loadbalancers"]]

    for _ in range(3):
        assert listed(name="another") == []
    assert listed(name=made["name"]) == []
    assert listed(name=made["name"]) == ["PENDING_CREATE"]
    assert listed(provisioning_status="ACTIVE") == ["ACTIVE"]


def test_another_project_sees_and_touches_nothing(cloud):
    made = cloud.load_balancer()
    with cloud.emulator.change() as account:
        account.world.elb.loadbalancers[made["id"]].project_id = "other"
    assert cloud.get("loadbalancers")["loadbalancers"] == []
    assert cloud.refusal("DELETE", f"loadbalancers/{made['id']}") == (404, "ELB.8904")
