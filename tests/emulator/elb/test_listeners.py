import pytest

from emulator.dataplane import ModelledDataPlane
from tests.emulator.elb.cloud import Cloud


def listener(balancer, **fields):
    standard = {"loadbalancer_id": balancer["id"], "protocol": "TCP", "protocol_port": 80}
    return {"listener": {**standard, **fields}}


@pytest.fixture
def balancer(cloud):
    return cloud.load_balancer()


def test_a_port_is_taken_once_per_load_balancer_by_all_but_udp(cloud):
    both = cloud.load_balancer(l7_flavor_id=cloud.flavor("L7_flavor.elb.s1.small"))
    assert cloud.elb("POST", "listeners", listener(both)).status == 201
    for protocol in ("TCP", "HTTP"):
        assert cloud.refusal("POST", "listeners", listener(both, protocol=protocol)) == (409, "ELB.8907")
    assert cloud.elb("POST", "listeners", listener(both, protocol="UDP")).status == 201
    assert cloud.elb("POST", "listeners", listener(cloud.load_balancer())).status == 201


def test_a_protocol_needs_its_flavor(cloud, balancer):
    assert cloud.refusal("POST", "listeners", listener(balancer, protocol="HTTP")) == (400, "ELB.8902")
    large = cloud.flavor("L7_flavor.elb.s1.small")
    web = cloud.load_balancer(l4_flavor_id=None, l7_flavor_id=large)
    assert cloud.refusal("POST", "listeners", listener(web)) == (400, "ELB.8902")


@pytest.mark.parametrize(
    "fields",
    [
        {"protocol_port": 0},
        {"protocol_port": 65536},
        {"protocol_port": "80"},
        {"protocol": "SCTP"},
        {"keepalive_timeout": 9},
        {"transparent_client_ip_enable": False},
        {"http2_enable": False},
        {"insert_headers": {}},
        {"default_tls_container_ref": None},
        {"description": "x" * 256},
        {"ipgroup": {"ipgroup_id": "x", "type": "grey"}},
    ],
)
def test_a_wrong_field_or_one_of_http_is_refused(cloud, balancer, fields):
    assert cloud.refusal("POST", "listeners", listener(balancer, **fields)) == (400, "ELB.8902")


def test_what_a_listener_refers_to_must_exist(cloud, balancer):
    for fields in ({"loadbalancer_id": "no"}, {"default_pool_id": "no"}, {"ipgroup": {"ipgroup_id": "no"}}):
        assert cloud.refusal("POST", "listeners", listener(balancer, **fields)) == (404, "ELB.8904")


def test_a_pool_serves_one_listener_of_its_load_balancer_and_protocol(cloud, balancer):
    pool = cloud.pool(loadbalancer_id=balancer["id"])
    made = cloud.elb("POST", "listeners", listener(balancer, default_pool_id=pool["id"])).json()["listener"]
    assert made["default_pool_id"] == pool["id"]
    assert cloud.get(f"pools/{pool['id']}")["pool"]["listeners"] == [{"id": made["id"]}]
    second = listener(balancer, protocol_port=81, default_pool_id=pool["id"])
    assert cloud.refusal("POST", "listeners", second) == (409, "ELB.8907")
    udp = cloud.make("pool", protocol="UDP", lb_algorithm="ROUND_ROBIN", loadbalancer_id=balancer["id"])
    second["listener"]["default_pool_id"] = udp["id"]
    assert cloud.refusal("POST", "listeners", second) == (400, "ELB.8902")
    foreign = cloud.pool(loadbalancer_id=cloud.load_balancer()["id"])
    second["listener"]["default_pool_id"] = foreign["id"]
    assert cloud.refusal("POST", "listeners", second) == (400, "ELB.8902")


def test_a_listener_with_a_pool_is_not_deleted_until_the_pool_is_off(cloud, balancer):
    made, pool, _ = cloud.backend(balancer)
    answer = cloud.elb("DELETE", f"listeners/{made['id']}")
    assert (answer.status, answer.json()["error_msg"]) == (409, f"pool {pool['id']} is using this listener")
    detached = cloud.elb("PUT", f"listeners/{made['id']}", {"listener": {"default_pool_id": None}})
    assert detached.json()["listener"]["default_pool_id"] is None
    assert cloud.elb("DELETE", f"listeners/{made['id']}").status == 204


def test_force_delete_takes_the_pool_along(cloud, balancer):
    before = cloud.emulator.snapshot()
    made, pool, _ = cloud.backend(balancer)
    cloud.monitor(pool)
    assert cloud.elb("DELETE", f"listeners/{made['id']}/force").status == 204
    assert cloud.emulator.snapshot() == before


@pytest.mark.parametrize("change", [{"protocol_port": 81}, {"protocol": "UDP"}, {"loadbalancer_id": "x"}])
def test_port_protocol_and_load_balancer_are_fixed(cloud, balancer, change):
    made = cloud.elb("POST", "listeners", listener(balancer)).json()["listener"]
    assert cloud.refusal("PUT", f"listeners/{made['id']}", {"listener": change}) == (400, "ELB.8902")


def test_a_keepalive_of_null_is_the_default_whenever_it_is_said(cloud, balancer):
    made = cloud.elb("POST", "listeners", listener(balancer, keepalive_timeout=None)).json()["listener"]
    assert made["keepalive_timeout"] == 300
    path = f"listeners/{made['id']}"
    for said, shown in ((60, 60), (None, 300)):
        changed = cloud.elb("PUT", path, {"listener": {"keepalive_timeout": said}}).json()["listener"]
        assert changed["keepalive_timeout"] == shown


def test_an_ip_group_is_bound_and_taken_off(cloud, balancer):
    group = cloud.make("ipgroup", name="office", ip_list=[{"ip": "203.0.113.0/24"}])
    bound = {"ipgroup_id": group["id"]}
    made = cloud.elb("POST", "listeners", listener(balancer, ipgroup=bound)).json()["listener"]
    assert made["ipgroup"] == {"ipgroup_id": group["id"], "enable_ipgroup": True, "type": "white"}
    assert cloud.refusal("DELETE", f"ipgroups/{group['id']}") == (409, "ELB.8907")
    changed = cloud.elb("PUT", f"listeners/{made['id']}", {"listener": {"ipgroup": None}})
    assert changed.json()["listener"]["ipgroup"] is None
    assert cloud.elb("DELETE", f"ipgroups/{group['id']}").status == 204


def test_the_quota_of_listeners_is_kept(cloud, balancer):
    with cloud.emulator.change() as account:
        account.world.elb.quotas["listeners_per_loadbalancer"] = 1
    cloud.elb("POST", "listeners", listener(balancer))
    refused = cloud.refusal("POST", "listeners", listener(balancer, protocol_port=81))
    assert refused == (409, "ELB.8905")


def test_an_ip_group_admits_for_as_many_listeners_as_the_quota_says(cloud, balancer):
    with cloud.emulator.change() as account:
        account.world.elb.quotas["ipgroup_bindings"] = 1
    group = cloud.make("ipgroup", name="office", ip_list=[{"ip": "203.0.113.0/24"}])
    bound = {"ipgroup": {"ipgroup_id": group["id"]}}
    made = cloud.make("listener", **listener(balancer, **bound)["listener"])
    other = cloud.make("listener", **listener(balancer, protocol_port=81)["listener"])
    assert cloud.refusal("POST", "listeners", listener(balancer, protocol_port=82, **bound)) == (409, "ELB.8905")
    assert cloud.refusal("PUT", f"listeners/{other['id']}", {"listener": bound}) == (409, "ELB.8905")
    assert cloud.elb("PUT", f"listeners/{made['id']}", {"listener": bound}).status == 200


class OnePortPlane(ModelledDataPlane):
    def cannot_listen(self, address, port):
        return None if port >= 1024 else f"port {port} is privileged; choose 1024 or above"


def test_a_port_that_this_machine_cannot_bind_is_refused_with_the_remedy():
    cloud = Cloud(data_plane=OnePortPlane())
    balancer = cloud.load_balancer()
    answer = cloud.elb("POST", "listeners", listener(balancer))
    assert answer.status == 400
    assert "port 80 is privileged; choose 1024 or above" in answer.json()["error_msg"]
    private = cloud.load_balancer(publicip=None)
    assert cloud.elb("POST", "listeners", listener(private)).status == 201
