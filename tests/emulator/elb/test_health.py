import pytest

from emulator import Dials, World
from emulator.core.resources import Lag
from tests.emulator.elb.cloud import Cloud


@pytest.fixture
def exposed(cloud):
    """A cloud with a whole exposure, and its pool and member."""
    cloud.peer()
    listener, pool, member = cloud.backend(cloud.load_balancer())
    monitor = cloud.monitor(pool)
    return cloud, listener, pool, member, monitor


def settle(cloud):
    """Longer than any verdict takes: 3 checks of 3 seconds, 5 seconds apart, twice."""
    cloud.clock.advance(60)


def test_without_a_monitor_nobody_knows(cloud):
    _, pool, member = cloud.backend(cloud.load_balancer())
    assert cloud.health(pool, member) == ("NO_MONITOR", None)


def test_a_complete_path_is_online_within_the_first_interval(exposed):
    cloud, _, pool, member, _ = exposed
    assert cloud.health(pool, member) == ("OFFLINE", None)
    cloud.clock.advance(5)
    assert cloud.health(pool, member) == ("ONLINE", None)


def test_a_missing_route_falls_with_a_time_out_and_its_return_rises(exposed):
    cloud, _, pool, member, _ = exposed
    cloud.clock.advance(5)
    for vpc, destination in (("vpc-elb", "192.168.0.0/16"), ("vpc-dcs", "10.0.0.0/16")):
        cloud.route(vpc, destination)
        assert cloud.health(pool, member) == ("ONLINE", None)
        cloud.clock.advance(5 + 19)
        assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_TIMEOUT")
        peering = next(iter(cloud.emulator.world().vpc.peerings))
        cloud.route(vpc, destination, peering)
        cloud.clock.advance(8 + 10)
        assert cloud.health(pool, member) == ("ONLINE", None)


def test_a_stopped_instance_refuses(exposed):
    cloud, _, pool, member, _ = exposed
    cloud.clock.advance(5)
    with cloud.emulator.change() as account:
        account.data_plane.instance_stopped(cloud.redis.id)
    cloud.clock.advance(15)
    assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_REFUSED")


def test_a_wrong_port_refuses_and_a_wrong_address_is_silent(cloud):
    cloud.peer()
    balancer = cloud.load_balancer()
    for port, target, reason in (
        (80, (cloud.redis.ip, 6380), "CONNECT_REFUSED"),
        (81, ("192.168.0.99", 6379), "CONNECT_TIMEOUT"),
    ):
        _, pool, member = cloud.backend(balancer, port, target)
        cloud.monitor(pool)
        settle(cloud)
        assert cloud.health(pool, member) == ("OFFLINE", reason)


def test_the_monitors_own_port_is_the_one_that_counts(exposed):
    cloud, _, pool, member, monitor = exposed
    cloud.elb("PUT", f"healthmonitors/{monitor['id']}", {"healthmonitor": {"monitor_port": 6380}})
    settle(cloud)
    assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_REFUSED")


def test_redis_does_not_answer_http(exposed):
    cloud, _, pool, member, monitor = exposed
    cloud.elb("PUT", f"healthmonitors/{monitor['id']}", {"healthmonitor": {"type": "HTTP"}})
    settle(cloud)
    assert cloud.health(pool, member) == ("OFFLINE", "RECV_RESPONSE_TIMEOUT")


@pytest.mark.parametrize("entry", ["10.0.0.5/24", "10.0.0.0-10.0.0.255"])
def test_what_a_whitelist_takes_is_what_the_network_reads(exposed, entry):
    cloud, _, pool, member, _ = exposed
    cloud.whitelist(entry)
    settle(cloud)
    assert cloud.health(pool, member) == ("ONLINE", None)
    world = World.loads(cloud.emulator.world().dump())
    assert [one.whitelist.whitelist[0].ip_list for one in world.dcs.instances.values()] == [[entry]]


def test_the_whitelist_must_hold_the_backend_subnet(exposed):
    cloud, _, pool, member, _ = exposed
    cloud.whitelist("203.0.113.0/24")
    settle(cloud)
    assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_TIMEOUT")
    cloud.whitelist("203.0.113.0/24", "10.0.0.0/24")
    settle(cloud)
    assert cloud.health(pool, member) == ("ONLINE", None)


def test_without_listener_nothing_is_checked(exposed):
    cloud, listener, pool, member, _ = exposed
    cloud.elb("PUT", f"listeners/{listener['id']}", {"listener": {"default_pool_id": None}})
    settle(cloud)
    assert cloud.health(pool, member) == ("OFFLINE", None)


def test_a_load_balancer_without_any_address_reaches_nothing(cloud):
    cloud.peer()
    balancer = cloud.load_balancer(publicip=None, vip_subnet_cidr_id=None)
    _, pool, member = cloud.backend(balancer)
    cloud.monitor(pool)
    settle(cloud)
    assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_TIMEOUT")
    subnet = cloud.subnet("subnet-elb").neutron_subnet_id
    change = {"loadbalancer": {"vip_subnet_cidr_id": subnet}}
    assert cloud.elb("PUT", f"loadbalancers/{balancer['id']}", change).status == 200
    settle(cloud)
    assert cloud.health(pool, member) == ("ONLINE", None)


def test_every_backend_subnet_needs_a_route_back(exposed):
    cloud, _, pool, member, _ = exposed
    (balancer,) = cloud.get("loadbalancers")["loadbalancers"]
    made = cloud.send(
        "POST",
        f"/v1/{cloud.project}/subnets",
        {
            "subnet": {
                "name": "more",
                "cidr": "10.0.7.0/24",
                "gateway_ip": "10.0.7.1",
                "vpc_id": balancer["vpc_id"],
            }
        },
    ).json()["subnet"]
    both = [*balancer["elb_virsubnet_ids"], made["id"]]
    cloud.elb("PUT", f"loadbalancers/{balancer['id']}", {"loadbalancer": {"elb_virsubnet_ids": both}})
    cloud.whitelist("10.0.0.0/24")
    settle(cloud)
    assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_TIMEOUT")
    cloud.whitelist("10.0.0.0/24", "10.0.7.0/24")
    settle(cloud)
    assert cloud.health(pool, member) == ("ONLINE", None)


def test_the_status_tree_is_degraded_by_an_offline_member(exposed):
    cloud, _, pool, member, _ = exposed
    (balancer,) = cloud.get("loadbalancers")["loadbalancers"]

    def statuses():
        tree = cloud.get(f"loadbalancers/{balancer['id']}/statuses")["statuses"]["loadbalancer"]
        (listener,) = tree["listeners"]
        (below,) = listener["pools"]
        return [one["operating_status"] for one in (tree, listener, below, below["members"][0])]

    assert statuses() == ["DEGRADED", "DEGRADED", "DEGRADED", "OFFLINE"]
    settle(cloud)
    assert statuses() == ["ONLINE"] * 4
    assert cloud.get(f"loadbalancers/{balancer['id']}")["loadbalancer"]["operating_status"] == "ONLINE"
    assert cloud.health(pool, member) == ("ONLINE", None)


def test_members_are_found_by_their_health(exposed):
    cloud, _, pool, _, _ = exposed
    settle(cloud)
    assert len(cloud.get(f"pools/{pool['id']}/members", operating_status="ONLINE")["members"]) == 1
    assert cloud.get("members", operating_status="OFFLINE")["members"] == []


def test_a_route_may_take_time_to_be_followed():
    cloud = Cloud(dials=Dials(routes=Lag(seconds=30)))
    _, pool, member = cloud.backend(cloud.load_balancer())
    cloud.peer()
    cloud.monitor(pool)
    cloud.clock.advance(20)
    assert cloud.health(pool, member)[0] == "OFFLINE"
    settle(cloud)
    assert cloud.health(pool, member)[0] == "ONLINE"


def test_why_packets_get_lost_is_explained(exposed):
    cloud, _, _, member, _ = exposed
    with cloud.emulator.change() as account:
        assert account.elb.explain(member["id"]) is None
    cloud.route("vpc-dcs", "10.0.0.0/16")
    with cloud.emulator.change() as account:
        assert "no route back to 10.0.0.0/24" in (account.elb.explain(member["id"]) or "")


def test_only_members_that_are_not_offline_get_connections(exposed):
    cloud, _, _, _, _ = exposed
    with cloud.emulator.change() as account:
        (before,) = account.data_plane.frontends
        cloud.clock.advance(5)
    cloud.emulator.tick()
    with cloud.emulator.change() as account:
        (after,) = account.data_plane.frontends
    assert before.backends == ()
    assert [(one.ip, one.port, one.reachable) for one in after.backends] == [(cloud.redis.ip, 6379, True)]


def test_a_world_begins_with_its_listeners_published():
    cloud = Cloud()
    cloud.peer()
    cloud.backend(cloud.load_balancer())
    again = Cloud(World.loads(cloud.emulator.world().dump()))
    with again.emulator.change() as account, cloud.emulator.change() as first:
        assert account.data_plane.frontends == first.data_plane.frontends != ()
