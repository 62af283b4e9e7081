"""Real Redis servers behind a real relay, driven through the API."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from emulator import ManualClock
from emulator.dataplane import Admission, Backend, CannotListenError, Connection, Frontend, Node, RedisInstance
from emulator.dataplane.cluster import FIRST_WITH_CLIENT_PORT
from emulator.dataplane.loopback import LoopbackDataPlane
from emulator.dataplane.redis_process import find_server, major_version
from emulator.dataplane.relay import choose
from tests.emulator.elb.cloud import Cloud

PORT = 8080


@pytest.fixture
def plane():
    plane = LoopbackDataPlane(connect_timeout=0.2)
    yield plane
    plane.close()


@pytest.fixture
def cloud(plane):
    """Everything but routes: load balancer, listener, pool, member and monitor; time is ours."""
    cloud = Cloud(data_plane=plane, clock=ManualClock())
    cloud.balancer = cloud.load_balancer()
    cloud.address = cloud.balancer["publicips"][0]["publicip_address"]
    cloud.listener, cloud.backends, cloud.target = cloud.backend(cloud.balancer, PORT)
    return cloud


def client(cloud, **options):
    options = {"password": cloud.redis.password, "retry": None, "socket_timeout": 2, **options}
    return redis.Redis(cloud.address, PORT, **options)


def eventually(check, seconds=2.0):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def command_lines():
    return subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def refused(cloud):
    with client(cloud) as connection, pytest.raises(redis.ConnectionError):
        connection.ping()
    return True


def test_a_key_written_in_public_is_on_the_instance(cloud, plane):
    cloud.peer()
    with client(cloud) as public:
        public.set("greeting", "x" * 1_000_000)
    host, port = plane.locate(cloud.vpc("vpc-dcs"), cloud.redis.ip, cloud.redis.port)
    with redis.Redis(host, port, password=cloud.redis.password) as private:
        assert private.strlen("greeting") == 1_000_000


def test_a_flush_takes_the_keys_and_leaves_the_connections(cloud):
    cloud.peer()
    with client(cloud) as public:
        public.set("greeting", "hello")
        told = public.client_id()
        body = {"action": "flush", "instances": [cloud.redis.id]}
        assert cloud.send("PUT", f"/v2/{cloud.project}/instances/status", body).status == 200
        assert (public.get("greeting"), public.client_id()) == (None, told)


def test_without_the_password_the_instance_is_locked(cloud):
    cloud.peer()
    with client(cloud, password=None) as public, pytest.raises(redis.AuthenticationError):
        public.ping()


def test_a_real_check_finds_the_member_online_and_a_missing_route_offline(cloud):
    cloud.monitor(cloud.backends)
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("OFFLINE", "CONNECT_TIMEOUT")
    assert refused(cloud)
    peering = cloud.peer()
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("ONLINE", None)
    with client(cloud) as public:
        assert public.ping()
    cloud.route("vpc-dcs", "10.0.0.0/16")
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("OFFLINE", "CONNECT_TIMEOUT")
    cloud.route("vpc-dcs", "10.0.0.0/16", peering["id"])
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("ONLINE", None)


def test_a_stopped_server_refuses_the_check(cloud, plane):
    cloud.peer()
    cloud.monitor(cloud.backends)
    cloud.clock.advance(60)
    plane.instance_stopped(cloud.redis.id)
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("OFFLINE", "CONNECT_REFUSED")
    assert refused(cloud)


def test_a_wrong_port_refuses_the_check(cloud):
    cloud.peer()
    _, pool, member = cloud.backend(cloud.balancer, PORT + 1, (cloud.redis.ip, 6380))
    cloud.monitor(pool)
    cloud.clock.advance(60)
    assert cloud.health(pool, member) == ("OFFLINE", "CONNECT_REFUSED")


def test_a_whitelist_without_the_backend_subnet_lets_nothing_through(cloud):
    cloud.peer()
    cloud.monitor(cloud.backends)
    cloud.whitelist("203.0.113.0/24")
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("OFFLINE", "CONNECT_TIMEOUT")
    cloud.whitelist("10.0.0.0/24")
    cloud.clock.advance(60)
    assert cloud.health(cloud.backends, cloud.target) == ("ONLINE", None)


def test_without_a_monitor_a_lost_packet_is_silence(cloud):
    started = time.monotonic()
    assert refused(cloud)
    assert time.monotonic() - started > 0.15


def bind(cloud, ip_list, kind="white"):
    group = cloud.make("ipgroup", name="clients", ip_list=[{"ip": one} for one in ip_list])
    change = {"listener": {"ipgroup": {"ipgroup_id": group["id"], "type": kind}}}
    assert cloud.elb("PUT", f"listeners/{cloud.listener['id']}", change).status == 200
    return group


def test_the_ip_group_decides_about_new_connections_only(cloud):
    cloud.peer()
    with client(cloud) as before:
        assert before.ping()
        group = bind(cloud, ["203.0.113.0/24"])
        assert before.ping()
        with socket.create_connection((cloud.address, PORT)) as stranger, pytest.raises(ConnectionResetError):
            stranger.recv(1)
    more = {"ipgroup": {"ip_list": [{"ip": "127.0.0.0/8"}]}}
    cloud.elb("POST", f"ipgroups/{group['id']}/iplist/create-or-update", more)
    with client(cloud) as listed:
        assert listed.ping()


@pytest.mark.parametrize(
    ("ip_list", "kind", "admitted"),
    [([], "white", False), ([], "black", True), (["127.0.0.1"], "black", False), (["127.0.0.1"], "white", True)],
)
def test_an_empty_white_list_admits_nobody_and_a_black_list_all_others(cloud, ip_list, kind, admitted):
    cloud.peer()
    bind(cloud, ip_list, kind)
    if admitted:
        with client(cloud) as public:
            assert public.ping()
    else:
        assert refused(cloud)


def test_an_open_connection_ends_with_its_route_and_with_its_listener(cloud):
    peering = cloud.peer()
    with client(cloud) as routed:
        assert routed.ping()
        cloud.route("vpc-elb", "192.168.0.0/16")
        with pytest.raises(redis.ConnectionError):
            routed.ping()
    cloud.route("vpc-elb", "192.168.0.0/16", peering["id"])
    with client(cloud) as listened:
        assert listened.ping()
        assert cloud.elb("DELETE", f"listeners/{cloud.listener['id']}/force").status == 204
        with pytest.raises(redis.ConnectionError):
            listened.ping()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((cloud.address, PORT))


def test_a_member_of_weight_nought_gets_no_new_connections(cloud):
    cloud.peer()
    with client(cloud) as before:
        assert before.ping()
        path = f"pools/{cloud.backends['id']}/members/{cloud.target['id']}"
        cloud.elb("PUT", path, {"member": {"weight": 0}})
        assert before.ping()
        assert refused(cloud)


def test_a_taken_port_is_refused_by_the_api_with_the_remedy(cloud):
    with socket.create_server((cloud.address, PORT + 2)):
        fields = {"loadbalancer_id": cloud.balancer["id"], "protocol": "TCP", "protocol_port": PORT + 2}
        answer = cloud.elb("POST", "listeners", {"listener": fields})
    assert answer.status == 400
    assert f"{cloud.address}:{PORT + 2} cannot be bound" in answer.json()["error_msg"]
    assert "choose another port" in answer.json()["error_msg"]


def test_what_cannot_be_bound_after_all_is_named_and_does_not_stop_the_rest(plane):
    address = str(plane.public_network[10])
    with socket.create_server((address, PORT)), pytest.raises(CannotListenError, match=f"{address}:{PORT}"):
        plane.publish([Frontend("a", address, PORT), Frontend("b", address, PORT + 1)])
    with socket.create_connection((address, PORT + 1)):
        pass


def test_a_change_is_answered_although_a_listener_cannot_be_bound_and_the_log_tells_once(cloud, caplog):
    moved = cloud.emulator.world().elb.listeners[cloud.listener["id"]].model_copy(update={"protocol_port": PORT + 3})
    with socket.create_server((cloud.address, PORT + 3)), cloud.emulator.change() as account:
        account.world.elb.listeners[moved.id] = moved
    with socket.create_server((cloud.address, PORT + 3)):
        assert cloud.make("pool", protocol="TCP", lb_algorithm="ROUND_ROBIN", loadbalancer_id=cloud.balancer["id"])
    assert caplog.text.count(f"{cloud.address}:{PORT + 3}") == 1
    cloud.pool(loadbalancer_id=cloud.balancer["id"])
    with socket.create_connection((cloud.address, PORT + 3)):
        pass


def test_planes_side_by_side_have_public_addresses_of_their_own(plane):
    other = LoopbackDataPlane()
    assert not other.public_network.overlaps(plane.public_network)
    other.close()


def test_an_instance_keeps_its_server_while_only_its_port_changes(plane):
    plane.instance_started(RedisInstance("i", "v", (Node("192.168.0.10"),), "secret"))
    before = plane.locate("v", "192.168.0.10", 6379)
    plane.instance_started(RedisInstance("i", "v", (Node("192.168.0.10", 7000),), "secret"))
    assert plane.connect("v", "192.168.0.10", 6379) is Connection.REFUSED
    assert plane.locate("v", "192.168.0.10", 7000) == before
    plane.instance_started(RedisInstance("i", "v", (Node("192.168.0.10", 7000),), "other"))
    host, port = plane.locate("v", "192.168.0.10", 7000)
    with redis.Redis(host, port, password="other") as changed:
        assert changed.ping()
    plane.instance_removed("i")
    assert plane.connect("v", "192.168.0.10", 7000) is Connection.TIMED_OUT


def test_a_password_is_never_on_a_command_line_and_any_text_will_do(plane):
    password = 'a "b" \\ # ü \''
    plane.instance_started(RedisInstance("i", "v", (Node("192.168.0.10"),), password))
    host, port = plane.locate("v", "192.168.0.10", 6379)
    with redis.Redis(host, port, password=password) as known:
        assert known.ping()
    assert password not in command_lines()


def test_a_cluster_serves_one_nodes_slots_and_redirects_to_private_addresses(plane):
    nodes = (
        Node("192.168.0.11", slots=(0, 8191)),
        Node("192.168.0.12", slots=(8192, 16383)),
        Node("192.168.0.13", master_ip="192.168.0.11"),
    )
    plane.instance_started(RedisInstance("c", "v", nodes, "secret", cluster=True))
    address = str(plane.public_network[10])
    plane.publish([Frontend("l", address, PORT, (Backend("v", "192.168.0.11", 6379),))])
    with redis.Redis(address, PORT, password="secret", retry=None) as public:
        assert public.set("bar", "1")
        port = "6379" if major_version(find_server(), "Valkey") >= FIRST_WITH_CLIENT_PORT else r"\d+"
        with pytest.raises(redis.ResponseError, match=rf"12182 192\.168\.0\.12:{port}"):
            public.set("foo", "1")
        eventually(lambda: public.info("replication")["connected_slaves"] == 1)


def test_a_killed_emulator_leaves_no_server_behind():
    script = (
        "import os, signal\n"
        "from emulator.dataplane.redis_process import RedisProcess\n"
        "process = RedisProcess()\n"
        "print(process.folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    folder = ended.stdout.strip()
    eventually(lambda: not Path(folder).exists() and folder not in command_lines())


@pytest.mark.parametrize(
    ("algorithm", "load", "chosen"),
    [
        ("ROUND_ROBIN", [], ["b", "b", "a", "b"]),
        ("LEAST_CONNECTIONS", ["b"], ["a"] * 4),
        ("LEAST_CONNECTIONS", ["a", "b"], ["b"] * 4),
        ("SOURCE_IP", [], ["b"] * 4),
    ],
)
def test_the_algorithm_and_the_weights_choose_the_member(algorithm, load, chosen):
    members = {"a": Backend("v", "a", 1, weight=1), "b": Backend("v", "b", 1, weight=2)}
    idle = Backend("v", "idle", 1, weight=0)
    frontend = Frontend("l", "127.0.0.1", 1, (*members.values(), idle), algorithm)
    at_work = [members[name] for name in load]
    picked = [choose(frontend, "127.0.0.1", turn, at_work) for turn in range(1, 5)]
    assert [one.ip for one in picked if one] == chosen
    assert choose(Frontend("l", "127.0.0.1", 1, (idle,)), "127.0.0.1", 1, []) is None


def test_admission_is_decided_by_address():
    assert Admission().admits("127.0.0.1")
    assert not Admission(white=True).admits("127.0.0.1")
