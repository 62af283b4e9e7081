from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.session import connect
from emulator import Emulator, Fault, World
from emulator.server import serve
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud

PASSWORD = "demo-password"
NOBODY: dict[str, Any] = {"username": None, "password": None, "user_domain_name": None}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator(World.small())
    yield emulator
    emulator.close()


@pytest.fixture
def url(emulator: Emulator) -> Iterator[str]:
    with serve(emulator) as server:
        yield server.url


@pytest.fixture(autouse=True)
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clouds.yaml of this test's own, and none of the caller's variables."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "clouds.yaml"
    path.write_text("clouds: {}")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.chdir(tmp_path)
    return path


def write(path: Path, url: str, *, auth: dict[str, Any] | None = None, **more: Any) -> None:
    """Configure the cloud `emu`; an `auth` value of None leaves that field out."""
    whole = {
        "auth_url": f"{url}/v3",
        "username": "demo",
        "password": PASSWORD,
        "user_domain_name": "OTC-EU-DE-00000000001000000001",
        "project_name": "eu-de_demo",
    } | (auth or {})
    given = {name: value for name, value in whole.items() if value is not None}
    # JSON is YAML.
    cloud = {"auth": given, "region_name": "eu-de"} | more
    path.write_text(json.dumps({"clouds": {"emu": cloud}}))


def paths(emulator: Emulator) -> list[tuple[str, str]]:
    return [(call.method, call.path) for call in emulator.calls]


def test_signing_in_is_one_request(emulator: Emulator, url: str, clouds: Path):
    write(clouds, url)
    transport = connect("emu")
    assert paths(emulator) == [("POST", "/v3/auth/tokens")]
    assert transport.region == "eu-de"
    assert transport.project_id == next(iter(emulator.world().iam.projects))


@pytest.mark.parametrize("ending", ["/v3", "/v3/", ""])
def test_the_address_of_iam_may_leave_its_version_out(emulator: Emulator, url: str, clouds: Path, ending: str):
    write(clouds, url, auth={"auth_url": url + ending})
    connect("emu")
    assert paths(emulator) == [("POST", "/v3/auth/tokens")]


def test_the_variables_of_openstack_do_as_well(emulator: Emulator, url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OS_AUTH_URL", f"{url}/v3")
    monkeypatch.setenv("OS_USERNAME", "demo")
    monkeypatch.setenv("OS_PASSWORD", PASSWORD)
    monkeypatch.setenv("OS_USER_DOMAIN_NAME", "OTC-EU-DE-00000000001000000001")
    monkeypatch.setenv("OS_PROJECT_NAME", "eu-de_demo")
    assert connect(region="eu-de").region == "eu-de"


def test_a_token_does_as_well(emulator: Emulator, url: str, clouds: Path):
    write(clouds, url)
    Cloud(connect("emu"))
    token = emulator_token(emulator)
    write(clouds, url, auth={"token": token} | NOBODY, auth_type="token")
    assert Cloud(connect("emu")).vpc.vpcs()


def test_each_service_is_found_through_the_catalog(url: str, clouds: Path):
    write(clouds, url)
    cloud = Cloud(connect("emu"))
    assert cloud.elb.load_balancers() == []
    assert cloud.eip.public_ips() == []
    assert {vpc.name for vpc in cloud.vpc.vpcs()} == {"vpc-elb", "vpc-dcs"}
    assert [instance.name for instance in cloud.dcs.instances()] == ["redis-demo"]


def test_an_endpoint_can_be_put_in_place_of_the_catalogs(url: str, clouds: Path):
    write(clouds, url, elbv3_endpoint_override="http://127.0.0.1:1/v3/whatever")
    cloud = Cloud(connect("emu"))
    assert cloud.vpc.vpcs()
    with pytest.raises(TemporaryError) as caught:
        cloud.elb.load_balancers()
    assert caught.value.code is ErrorCode.NO_ANSWER


def test_a_token_that_ends_within_a_run_is_renewed(emulator: Emulator, url: str, clouds: Path):
    write(clouds, url)
    cloud = Cloud(connect("emu"))
    with emulator.change() as account:
        account.iam.expire_tokens()
    assert cloud.vpc.vpcs()
    assert len([path for path in paths(emulator) if path == ("POST", "/v3/auth/tokens")]) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(method="POST", path="*ipgroups", lost=True), ErrorCode.NO_ANSWER),
        (Fault(method="POST", path="*ipgroups", status=429, retry_after=1), ErrorCode.THROTTLED),
        (Fault(method="POST", path="*ipgroups", status=503), ErrorCode.SERVER_ERROR),
    ],
    ids=["lost", "429", "503"],
)
def test_a_mutation_is_sent_once_whatever_happens(
    emulator: Emulator, url: str, clouds: Path, fault: Fault, code: ErrorCode
):
    write(clouds, url)
    cloud = Cloud(connect("emu"))
    emulator.faults.add(fault)
    with pytest.raises(TemporaryError) as caught:
        cloud.elb.create_ip_group("n", "", ["203.0.113.0/24"])
    assert caught.value.code is code
    assert len([call for call in emulator.calls if call.mutating]) == 1


@pytest.mark.parametrize(
    ("config", "code", "word"),
    [
        ({"auth": {"password": "wrong-one"}}, ErrorCode.UNAUTHORIZED, "password"),
        ({"auth": {"project_name": "nobody"}}, ErrorCode.UNAUTHORIZED, "project"),
        ({"auth_type": "token", "auth": {"token": "old"} | NOBODY}, ErrorCode.UNAUTHORIZED, "token"),
        ({"auth": {"password": None}}, ErrorCode.INVALID_REQUEST, "password"),
        ({"auth": {"username": None}}, ErrorCode.INVALID_REQUEST, "username"),
        ({"auth": {"auth_url": None}}, ErrorCode.INVALID_REQUEST, "auth_url"),
        ({"auth": {"project_name": None}}, ErrorCode.INVALID_REQUEST, "project"),
        ({"auth": {"usrname": "demo"}}, ErrorCode.INVALID_REQUEST, "'usrname'"),
        ({"auth_type": "none"}, ErrorCode.INVALID_REQUEST, "auth_type"),
        ({"auth": {"auth_url": "http://127.0.0.1:1/v3"}}, ErrorCode.ENDPOINT_UNREACHABLE, "127.0.0.1:1"),
        ({"auth": {"auth_url": "nonsense"}}, ErrorCode.ENDPOINT_UNREACHABLE, "auth_url"),
        ({"region_name": "eu-xx"}, ErrorCode.ENDPOINT_UNREACHABLE, "eu-xx"),
    ],
)
def test_what_keeps_one_from_signing_in_is_told(
    url: str, clouds: Path, config: dict[str, Any], code: ErrorCode, word: str
):
    write(clouds, url, **config)
    with pytest.raises(PermanentError) as caught:
        connect("emu")
    error = caught.value
    assert error.code is code
    assert word in f"{error} {error.data.advice}"
    assert error.data.advice
    assert "wrong-one" not in str(error.envelope())
    assert PASSWORD not in str(error.envelope())


def test_a_cloud_that_is_not_configured_is_named():
    with pytest.raises(PermanentError, match="nowhere") as caught:
        connect("nowhere")
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_without_any_credentials_one_is_told_how_to_give_them():
    with pytest.raises(PermanentError) as caught:
        connect()
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert "OS_AUTH_URL" in str(caught.value.data.advice)


@pytest.mark.parametrize(("status", "code"), [(429, ErrorCode.THROTTLED), (503, ErrorCode.SERVER_ERROR)])
def test_a_failing_iam_is_worth_another_try(emulator: Emulator, url: str, clouds: Path, status: int, code: ErrorCode):
    write(clouds, url)
    emulator.faults.add(Fault(path="/v3/auth/tokens", status=status, times=None))
    with pytest.raises(TemporaryError) as caught:
        connect("emu")
    assert caught.value.code is code


def emulator_token(emulator: Emulator) -> str:
    """A token that the emulator has issued."""
    with emulator.change() as account:
        world = account.world
        user, project = next(iter(world.iam.users.values())), next(iter(world.iam.projects.values()))
        return account.iam.issue(user, project, "password").id


@pytest.mark.parametrize("kind", ["password", "token"])
def test_what_belongs_to_the_account_is_called_with_a_token_of_the_account(
    kind: str, clouds: Path, emulator: Emulator, url: str
):
    write(clouds, url)
    if kind == "token":
        issued = connect("emu")._session.get_token()
        write(clouds, url, auth={**NOBODY, "token": issued}, auth_type="token")
    seen: dict[str, str] = {}
    emulator.before_call.append(lambda request: seen.update({request.path: request.headers.get("x-auth-token", "")}))
    cloud = Cloud(connect("emu"))
    cloud.vpc.vpcs()
    cloud.iam.agencies(cloud.iam.domain_id())
    with emulator.change() as account:
        tokens = {path: account.iam.token(text) for path, text in seen.items() if text}
    assert tokens["/v3.0/OS-AGENCY/agencies"].project is None
    assert tokens[f"/v3/{cloud.project_id}/vpc/vpcs"].project.id == cloud.project_id
