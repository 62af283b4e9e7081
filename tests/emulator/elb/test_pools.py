import pytest


@pytest.fixture
def balancer(cloud):
    return cloud.load_balancer()


def pool(**fields):
    return {"pool": {"protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", **fields}}


def member(**fields):
    return {"member": {"address": "192.168.0.10", "protocol_port": 6379, **fields}}


def monitor(owner_id, **fields):
    standard = {"pool_id": owner_id, "type": "TCP", "delay": 5, "timeout": 3, "max_retries": 3}
    return {"healthmonitor": {**standard, **fields}}


def test_a_pool_names_a_listener_a_load_balancer_or_a_type(cloud, balancer):
    assert cloud.refusal("POST", "pools", pool()) == (400, "ELB.8902")
    made = cloud.pool(loadbalancer_id=balancer["id"])
    assert made["loadbalancers"] == [{"id": balancer["id"]}]
    assert (made["healthmonitor_id"], made["members"], made["listeners"]) == (None, [], [])
    assert cloud.pool(type="ip")["loadbalancers"] == []


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"type": "instance"}, (400, "ELB.8902")),
        ({"type": "ip", "vpc_id": "any"}, (400, "ELB.8902")),
        ({"type": "other"}, (400, "ELB.8902")),
        ({"loadbalancer_id": "no"}, (404, "ELB.8904")),
        ({"listener_id": "no"}, (404, "ELB.8904")),
        ({"type": "ip", "lb_algorithm": "RANDOM"}, (400, "ELB.8902")),
        ({"type": "ip", "session_persistence": {"type": "HTTP_COOKIE"}}, (400, "ELB.8902")),
        (
            {"type": "ip", "session_persistence": {"type": "SOURCE_IP", "persistence_timeout": 61}},
            (400, "ELB.8902"),
        ),
    ],
)
def test_a_wrong_pool_is_refused(cloud, fields, refused):
    assert cloud.refusal("POST", "pools", pool(**fields)) == refused


def test_a_listener_has_one_pool(cloud, balancer):
    listener, first, _ = cloud.backend(balancer)
    assert cloud.get(f"listeners/{listener['id']}")["listener"]["default_pool_id"] == first["id"]
    assert cloud.refusal("POST", "pools", pool(listener_id=listener["id"])) == (409, "ELB.8907")


def test_a_pool_with_members_or_monitor_is_not_deleted(cloud, balancer):
    _, made, target = cloud.backend(balancer)
    check = cloud.monitor(made)
    assert cloud.refusal("DELETE", f"pools/{made['id']}") == (409, "ELB.8907")
    cloud.elb("DELETE", f"pools/{made['id']}/members/{target['id']}")
    assert cloud.refusal("DELETE", f"pools/{made['id']}") == (409, "ELB.8907")
    cloud.elb("DELETE", f"healthmonitors/{check['id']}")
    assert cloud.elb("DELETE", f"pools/{made['id']}").status == 204


def test_an_ip_target_looks_as_the_cloud_shows_it(cloud, balancer):
    _, made, target = cloud.backend(balancer)
    assert {**target, "member_type": "ip", "subnet_cidr_id": None, "admin_state_up": False} == target
    assert (target["operating_status"], target["weight"]) == ("NO_MONITOR", 1)
    assert cloud.get(f"pools/{made['id']}")["pool"]["members"] == [{"id": target["id"]}]


def test_address_and_port_are_in_a_pool_once(cloud, balancer):
    _, made, _ = cloud.backend(balancer)
    path = f"pools/{made['id']}/members"
    assert cloud.refusal("POST", path, member()) == (409, "ELB.8907")
    assert cloud.elb("POST", path, member(protocol_port=6380)).status == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"address": "8.8.8.8"},
        {"address": "redis"},
        {"protocol_port": 0},
        {"weight": 101},
        {"subnet_cidr_id": "no"},
        {"colour": "red"},
    ],
)
def test_a_wrong_member_is_refused(cloud, balancer, fields):
    made = cloud.pool(loadbalancer_id=balancer["id"])
    assert cloud.refusal("POST", f"pools/{made['id']}/members", member(**fields)) == (400, "ELB.8902")


def test_an_ip_target_needs_its_protocol_and_the_load_balancers_consent(cloud, balancer):
    udp = cloud.make("pool", protocol="UDP", lb_algorithm="ROUND_ROBIN", loadbalancer_id=balancer["id"])
    assert cloud.refusal("POST", f"pools/{udp['id']}/members", member()) == (400, "ELB.8938")
    closed = cloud.load_balancer(ip_target_enable=False)
    made = cloud.pool(loadbalancer_id=closed["id"])
    assert cloud.refusal("POST", f"pools/{made['id']}/members", member()) == (400, "ELB.8939")


def test_quotas_of_members_are_kept(cloud, balancer):
    _, made, _ = cloud.backend(balancer)
    with cloud.emulator.change() as account:
        account.world.elb.quotas["members_per_pool"] = 1
    path = f"pools/{made['id']}/members"
    assert cloud.refusal("POST", path, member(protocol_port=1)) == (409, "ELB.8905")


def test_weight_may_be_nought_and_the_address_is_fixed(cloud, balancer):
    _, made, target = cloud.backend(balancer)
    path = f"pools/{made['id']}/members/{target['id']}"
    assert cloud.elb("PUT", path, {"member": {"weight": 0}}).json()["member"]["weight"] == 0
    assert cloud.refusal("PUT", path, {"member": {"address": "10.0.0.5"}}) == (400, "ELB.8902")


def test_a_pool_has_one_monitor(cloud, balancer):
    made = cloud.pool(loadbalancer_id=balancer["id"])
    check = cloud.monitor(made)
    assert (check["pools"], check["monitor_port"], check["max_retries_down"]) == ([{"id": made["id"]}], None, 3)
    assert cloud.get(f"pools/{made['id']}")["pool"]["healthmonitor_id"] == check["id"]
    assert cloud.refusal("POST", "healthmonitors", monitor(made["id"])) == (409, "ELB.8907")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"delay": 0}, (400, "ELB.8902")),
        ({"delay": 51}, (400, "ELB.8902")),
        ({"timeout": 51}, (400, "ELB.8902")),
        ({"max_retries": 11}, (400, "ELB.8902")),
        ({"max_retries_down": 0}, (400, "ELB.8902")),
        ({"monitor_port": 0}, (400, "ELB.8902")),
        ({"type": "UDP_CONNECT"}, (400, "ELB.8902")),
        ({"type": "PING"}, (400, "ELB.8902")),
        ({"url_path": "/"}, (400, "ELB.8902")),
        ({"pool_id": "no"}, (404, "ELB.8904")),
    ],
)
def test_a_wrong_monitor_is_refused(cloud, balancer, fields, refused):
    made = cloud.pool(loadbalancer_id=balancer["id"])
    assert cloud.refusal("POST", "healthmonitors", monitor(made["id"], **fields)) == refused


def test_a_timeout_longer_than_the_delay_is_not_refused(cloud, balancer):
    made = cloud.pool(loadbalancer_id=balancer["id"])
    assert cloud.monitor(made, delay=1, timeout=30)["timeout"] == 30


def test_a_monitor_has_what_its_kind_asks_for_and_nothing_else(cloud, balancer):
    made = cloud.monitor(cloud.pool(loadbalancer_id=balancer["id"]))
    http = ("url_path", "expected_codes", "http_method", "domain_name")

    def after(**change):
        answer = cloud.elb("PUT", f"healthmonitors/{made['id']}", {"healthmonitor": change})
        return tuple(answer.json()["healthmonitor"][name] for name in http)

    assert after(type="HTTP") == ("/", "200", "GET", None)
    assert after(url_path="/ping", domain_name="example.com") == ("/ping", "200", "GET", "example.com")
    assert after(url_path=None) == ("/", "200", "GET", "example.com")
    assert after(type="TCP") == (None, None, None, None)


def test_a_monitor_can_be_changed(cloud, balancer):
    made = cloud.monitor(cloud.pool(loadbalancer_id=balancer["id"]))
    path = f"healthmonitors/{made['id']}"
    changed = cloud.elb("PUT", path, {"healthmonitor": {"delay": 10, "monitor_port": 6379}}).json()
    assert (changed["healthmonitor"]["delay"], changed["healthmonitor"]["monitor_port"]) == (10, 6379)
    assert cloud.refusal("PUT", path, {"healthmonitor": {"pool_id": "x"}}) == (400, "ELB.8902")
