from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import openstack
import pytest
import requests
import yaml
from openstack.exceptions import SDKException

from emulator import Emulator, Fault, Server, World, in_process, serve
from tests.emulator.client import password_body

# openstacksdk warns about a part of itself that nobody here uses.
sdk = pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning")
DOMAIN = "OTC-EU-DE-00000000001000000001"


@pytest.fixture
def cloud() -> Emulator:
    """By the real clock: clients compare a token's expiry with their own."""
    return Emulator(World.small())


@pytest.fixture
def server(cloud: Emulator) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


@pytest.fixture
def session(server: Server) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        answer = opened.post(f"{server.url}/v3/auth/tokens", json=password_body(project={"name": "eu-de_demo"}))
        opened.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        yield opened


def connect(auth_url: str, **more: Any) -> openstack.connection.Connection:
    return openstack.connect(
        auth_url=auth_url,
        username="demo",
        password=more.pop("password", "demo-password"),
        user_domain_name=DOMAIN,
        project_name="eu-de_demo",
        project_domain_name=DOMAIN,
        region_name="eu-de",
        **more,
    )


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Whatever this machine knows about clouds is none of this test's business."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))


@sdk
def test_openstacksdk_signs_in_with_one_version_document_and_one_token(cloud: Emulator, server: Server):
    with connect(f"{server.url}/v3") as conn:
        project_id = conn.session.get_project_id()
        assert [(call.method, call.path) for call in cloud.calls] == [("GET", "/v3"), ("POST", "/v3/auth/tokens")]
        assert conn.session.get_endpoint(service_type="elbv3") == f"{server.url}/v3/{project_id}"
        answer = conn.session.get(f"{server.url}/v2.0/vpc/peerings")
        assert answer.json() == {"peerings": []}
        assert [call.status for call in cloud.calls] == [200, 201, 200]


@sdk
def test_openstacksdk_is_told_that_a_password_is_wrong(server: Server):
    with connect(f"{server.url}/v3", password="wrong") as conn, pytest.raises(SDKException, match="password is wrong"):
        conn.authorize()


@sdk
def test_openstacksdk_works_in_process_on_the_clouds_own_hosts(cloud: Emulator):
    with in_process(cloud), connect("https://iam.eu-de.otc.t-systems.com/v3") as conn:
        root = conn.session.get_endpoint(service_type="network")
        assert root == "https://vpc.eu-de.otc.t-systems.com"
        assert conn.session.get(f"{root}/v2.0/vpc/peerings").json() == {"peerings": []}


def test_one_connection_serves_many_calls_and_bodies(server: Server, session: requests.Session):
    peerings = f"{server.url}/v2.0/vpc/peerings"
    assert [session.get(peerings).status_code for _ in range(3)] == [200] * 3
    (adapter,) = {session.get_adapter(server.url)}
    (pool,) = adapter.poolmanager.pools._container.values()
    assert pool.num_connections == 1
    made = session.post(f"{server.url}/v1/{project(session, server)}/vpcs", json={"vpc": {"name": "x"}})
    assert made.json()["vpc"]["name"] == "x"
    assert session.delete(f"{made.request.url}/{made.json()['vpc']['id']}").status_code == 204
    assert session.get(peerings).status_code == 200


def project(session: requests.Session, server: Server) -> str:
    found: str = session.get(f"{server.url}/v3/auth/projects").json()["projects"][0]["id"]
    return found


def test_calls_come_in_parallel(server: Server, session: requests.Session, cloud: Emulator):
    url, headers = f"{server.url}/v2.0/vpc/peerings", dict(session.headers)
    with ThreadPoolExecutor(8) as workers:
        statuses = list(workers.map(lambda _: requests.get(url, headers=headers, timeout=5).status_code, range(40)))
    assert statuses == [200] * 40
    numbers = [call.number for call in cloud.calls]
    assert len(set(numbers)) == len(numbers)


def test_a_lost_answer_is_a_dropped_connection_at_either_door(server: Server, session: requests.Session):
    server_side = Fault(method="GET", path="/v2.0/*", lost=True)
    session.post(f"{server.url}/emulator/faults", data=server_side.model_dump_json(exclude_defaults=True))
    with pytest.raises(requests.ConnectionError):
        session.get(f"{server.url}/v2.0/vpc/peerings")
    assert session.get(f"{server.url}/v2.0/vpc/peerings").status_code == 200
    cloud = Emulator(World.small())
    cloud.faults.add(Fault(lost=True))
    with in_process(cloud), pytest.raises(requests.ConnectionError):
        requests.get("https://iam.eu-de.otc.t-systems.com/v3", timeout=1)


def test_in_process_every_other_host_is_refused(cloud: Emulator):
    with in_process(cloud):
        assert requests.get("https://iam.eu-nl.otc.t-systems.com/v3", timeout=1).status_code == 200
        for url in ("https://example.com/", "https://obs.eu-de.otc.t-systems.com/", "http://127.0.0.1:1/"):
            with pytest.raises(requests.ConnectionError):
                requests.get(url, timeout=1)


def test_the_admin_api_shows_and_steers_and_is_not_recorded(server: Server, session: requests.Session):
    admin, peerings = f"{server.url}/emulator", f"{server.url}/v2.0/vpc/peerings"
    assert session.delete(f"{admin}/calls").status_code == 204
    session.get(peerings)
    (call,) = session.get(f"{admin}/calls").json()["calls"]
    assert (call["method"], call["path"], call["status"]) == ("GET", "/v2.0/vpc/peerings", 200)
    assert session.post(f"{admin}/faults", json={"status": 500, "times": None}).status_code == 204
    assert session.get(peerings).status_code == 500
    assert session.delete(f"{admin}/faults").status_code == 204
    assert session.get(peerings).status_code == 200
    dials = session.put(f"{admin}/dials", json={"same_vpc_targets": "not_routable"}).json()
    assert dials["same_vpc_targets"] == "not_routable"
    assert session.get(f"{admin}/dials").json() == dials
    for path in ("dials", "faults"):
        method = session.put if path == "dials" else session.post
        for wrong in ({"speed": 1}, [1], None):
            assert method(f"{admin}/{path}", json=wrong).status_code == 400
    assert session.get(f"{admin}/nothing").status_code == 404
    assert len(session.get(f"{admin}/calls").json()["calls"]) == 3


def test_the_admin_api_gives_the_account_as_snapshot_and_as_world(server: Server, session, cloud: Emulator):
    assert session.get(f"{server.url}/emulator/snapshot").json() == cloud.snapshot()
    dated = session.get(f"{server.url}/emulator/snapshot", params={"timestamps": "true"}).json()
    assert dated == cloud.snapshot(timestamps=True)
    text = session.get(f"{server.url}/emulator/world").text
    assert World.loads(text) == cloud.world()
    assert yaml.safe_load(text)["vpc"]["vpcs"][0]["name"] == "vpc-elb"


def test_a_defect_of_the_emulator_is_a_500_and_the_server_lives_on(
    server: Server, session: requests.Session, cloud: Emulator, caplog: pytest.LogCaptureFixture
):
    def broken(_: object) -> None:
        raise RuntimeError("a defect")

    cloud.before_call.append(broken)
    assert session.get(f"{server.url}/v2.0/vpc/peerings").status_code == 500
    assert "a defect" in caplog.text
    cloud.before_call.clear()
    assert session.get(f"{server.url}/v2.0/vpc/peerings").status_code == 200


def test_a_body_in_chunks_is_read_whole_and_the_next_call_is_read_from_its_start(
    server: Server, session: requests.Session
):
    sent = iter([b'{"vpc": {"na', b'me": "chunked"}}'])
    made = session.post(f"{server.url}/v1/{project(session, server)}/vpcs", data=sent)
    assert made.json()["vpc"]["name"] == "chunked"
    assert session.get(f"{server.url}/v2.0/vpc/peerings").status_code == 200


@pytest.mark.parametrize(
    "header", ["Content-Length: -1", "Content-Length: abc", "Content-Length: +1", "Transfer-Encoding: gzip"]
)
def test_a_body_whose_end_nobody_can_tell_is_refused_and_the_connection_ends(server: Server, header: str):
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=5) as connection:
        connection.sendall(f"POST /v3 HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\nGET /v3 HTTP/1.1\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_half_a_body_is_not_carried_out(server: Server, cloud: Emulator):
    with socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0), timeout=5) as connection:
        connection.sendall(b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert list(cloud.calls) == []


def test_a_fault_may_have_a_status_that_has_no_name(server: Server, session: requests.Session, cloud: Emulator):
    cloud.faults.add(Fault(status=520))
    assert session.get(f"{server.url}/v2.0/vpc/peerings").status_code == 520


def test_a_closed_server_ends_the_connections_that_clients_keep_open(cloud: Emulator):
    with serve(cloud) as running:
        kept = socket.create_connection(("127.0.0.1", urlsplit(running.url).port or 0), timeout=5)
        kept.sendall(b"GET /v3 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200 ")
    with kept:
        assert kept.recv(4096) == b""


def test_a_closed_server_no_longer_listens_and_another_may_take_its_place(cloud: Emulator):
    with serve(cloud) as first:
        port = urlsplit(first.url).port
        assert port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with serve(cloud, port=port) as second:
        assert second.url == first.url
        assert requests.get(f"{second.url}/v3", timeout=5).status_code == 200
