from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from emulator import Emulator, ManualClock, World
from emulator.core.message import Request, Response
from tests.emulator.client import Caller

KEYS = "/v3.0/OS-CREDENTIAL/credentials"
TEMPORARY = "/v3.0/OS-CREDENTIAL/securitytokens"
ACCESS, SECRET = "AKDEMO0000000000TEST", "a-secret-nobody-guesses"
NOW = "20260101T000000Z"
HOST = "vpc.eu-de.otc.t-systems.com"


def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), sha256).digest()


def signed(
    method: str,
    path: str,
    query: list[tuple[str, str]] | None = None,
    body: bytes = b"",
    *,
    access: str = ACCESS,
    secret: str = SECRET,
    scope: str | None = f"{NOW[:8]}///sdk_request",
    date: str = NOW,
    **headers: str,
) -> Request:
    """A request as another implementation of the algorithm signs it."""
    pairs = query or []
    given = {"host": HOST, "x-sdk-date": date, **{name.replace("_", "-"): value for name, value in headers.items()}}
    names = ";".join(sorted(given))
    canonical = [
        method,
        quote(path) + "/",
        "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(pairs)),
    ]
    canonical += [*(f"{name}:{given[name]}" for name in sorted(given)), "", names, sha256(body).hexdigest()]
    text = "\n".join(
        ["SDK-HMAC-SHA256", date, *([scope] if scope else []), sha256("\n".join(canonical).encode()).hexdigest()]
    )
    key = secret.encode()
    if scope:
        key = b"SDK" + key
        for part in scope.split("/"):
            key = mac(key, part)
    who = f"Credential={access}/{scope}" if scope else f"Access={access}"
    given["Authorization"] = f"SDK-HMAC-SHA256 {who}, SignedHeaders={names}, Signature={mac(key, text).hex()}"
    url = f"https://{HOST}{path}" + (f"?{urlencode(pairs)}" if pairs else "")
    return Request.of(method, url, given, body)


@pytest.fixture
def keyed(clock: ManualClock) -> Emulator:
    world = World.small().model_dump(mode="json")
    world["iam"]["access_keys"] = [{"id": ACCESS, "secret": SECRET, "user_id": "demo"}]
    return Emulator(World.model_validate(world), clock=clock)


def project(emulator: Emulator) -> str:
    return next(iter(emulator.world().iam.projects))


def code(response: Response) -> tuple[int, str]:
    return response.status, response.json()["error_code"]


@pytest.mark.parametrize("scope", [f"{NOW[:8]}///sdk_request", f"{NOW[:8]}/eu-de/vpc/sdk_request", None])
def test_a_signature_is_as_good_as_a_token_with_a_scope_or_without(keyed: Emulator, scope: str | None):
    path = f"/v1/{project(keyed)}/vpcs"
    assert keyed.handle(signed("GET", path, scope=scope)).status == 200
    assert keyed.handle(signed("GET", path, [("limit", "1"), ("id", "x y/z")], scope=scope)).status == 200
    body = json.dumps({"vpc": {"name": "signed", "cidr": "172.16.0.0/16"}}).encode()
    assert keyed.handle(signed("POST", path, body=body, scope=scope)).status == 200
    balancers = f"/v3/{project(keyed)}/elb/loadbalancers"
    assert keyed.handle(signed("GET", balancers, [("id", "b"), ("id", "a")], scope=scope)).status == 200


def test_what_was_changed_after_signing_is_refused_by_the_gateway(keyed: Emulator):
    request = signed("POST", f"/v1/{project(keyed)}/vpcs", body=b'{"vpc": {}}')
    changes: list[Mapping[str, Any]] = [
        {"body": b'{"vpc": {"name": "other"}}'},
        {"method": "GET"},
        {"path": f"/v1/{project(keyed)}/subnets"},
        {"query": [("limit", "1")]},
        {"headers": {**request.headers, "host": "elsewhere"}},
        {"headers": {**request.headers, "x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}},
        {"headers": {**request.headers, "authorization": request.headers["authorization"][:-1]}},
    ]
    for change in changes:
        assert code(keyed.handle(Request(**{**vars(request), **change}))) == (401, "APIGW.0301"), change
    assert len(keyed.world().vpc.vpcs) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"access": "AKNOBODY"}, {"secret": "guessed"}, {"date": "20260101T001501Z"}, {"x_security_token": "made up"}],
)
def test_an_unknown_key_a_wrong_secret_and_an_old_signature_are_refused(keyed: Emulator, wrong: dict[str, str]):
    assert code(keyed.handle(signed("GET", f"/v1/{project(keyed)}/vpcs", **wrong))) == (401, "APIGW.0301")


def test_a_signed_call_is_about_the_project_it_names_or_about_the_account(keyed: Emulator):
    own = project(keyed)
    assert keyed.handle(signed("GET", "/v2.0/vpc/peerings")).status == 200
    assert keyed.handle(signed("GET", "/v2.0/vpc/peerings", x_project_id=own)).status == 200
    assert keyed.handle(signed("GET", "/v2.0/vpc/peerings", x_project_id="0" * 32)).status == 400
    domain = keyed.world().iam.domain.id
    assert keyed.handle(signed("GET", "/v3/projects", x_domain_id=domain)).status == 200
    assert keyed.handle(signed("GET", "/v2.0/vpc/peerings", x_domain_id=domain)).status == 400


def test_the_go_signer_takes_the_query_of_a_post_without_body_for_the_body(keyed: Emulator):
    path, query = f"/v1/{project(keyed)}/vpcs", [("limit", "1")]
    as_body = signed("POST", path, body=urlencode(query).encode())
    sent = Request(**{**vars(as_body), "query": query, "body": b""})
    assert keyed.handle(sent).status == 400  # signed well; the call itself has no query


def test_permanent_keys_are_made_shown_once_switched_off_and_deleted(api: Caller):
    user_id = next(iter(api.emulator.world().iam.users))
    made = api.post(KEYS, {"credential": {"user_id": user_id, "description": "robot"}}, 201)["credential"]
    sign = {"access": made["access"], "secret": made["secret"]}
    path = f"/v1/{api.project_id}/vpcs"
    assert api.emulator.handle(signed("GET", path, **sign)).status == 200
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert api.get(f"{KEYS}/{made['access']}")["credential"] == shown
    assert api.get(KEYS)["credentials"] == [shown]
    api.put(f"{KEYS}/{made['access']}", {"credential": {"status": "inactive"}})
    assert api.emulator.handle(signed("GET", path, **sign)).status == 401
    api.post(KEYS, {"credential": {"user_id": user_id}}, 201)
    assert api.call("POST", KEYS, {"credential": {"user_id": user_id}}).json()["error"]["message"] == "akSkNumExceed"
    api.delete(f"{KEYS}/{made['access']}")
    assert api.refused("GET", f"{KEYS}/{made['access']}") == (404, 404)


def test_temporary_keys_work_with_their_security_token_until_they_expire(api: Caller, clock: ManualClock):
    identity = {"methods": ["token"], "token": {"id": api.token, "duration_seconds": 1000}}
    credential = api.post(TEMPORARY, {"auth": {"identity": identity}}, 201)["credential"]
    assert credential["expires_at"] == "2026-01-01T00:16:40.000000Z"
    sign = {"access": credential["access"], "secret": credential["secret"]}
    path = f"/v1/{api.project_id}/vpcs"
    assert code(api.emulator.handle(signed("GET", path, **sign))) == (401, "APIGW.0301")
    sign["x_security_token"] = credential["securitytoken"]
    assert api.emulator.handle(signed("GET", path, **sign)).status == 200
    clock.advance(1000)
    assert api.emulator.handle(signed("GET", path, date="20260101T001640Z", **sign)).status == 401
    too_short = {"auth": {"identity": {"methods": ["token"], "token": {"duration_seconds": 899}}}}
    assert api.refused("POST", TEMPORARY, too_short) == (400, 400)
    assert api.call("POST", TEMPORARY, {"auth": {"identity": {"methods": ["token"]}}}, token="x").status == 401


def test_an_agencys_temporary_keys_may_what_the_agency_may():
    policy = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["vpc:vpcs:list"]}]}
    iam = {
        "roles": [{"name": "reading", "display_name": "Reading", "type": "XA", "policy": policy}],
        "agencies": [{"name": "reader", "grants": [{"role_id": "reading"}]}],
    }
    emulator = Emulator(World.model_validate({"iam": iam}), clock=ManualClock())
    own = project(emulator)
    with emulator.change() as account:
        agency = account.iam.agency("reader")
        keys = agency and account.iam.temporary_keys(agency, own)
        again = agency and account.iam.temporary_keys(agency, own)
    assert keys
    assert keys == again
    sign = {"access": keys[0], "secret": keys[1], "x_security_token": keys[2]}
    assert emulator.handle(signed("GET", f"/v1/{own}/vpcs", **sign)).status == 200
    assert emulator.handle(signed("GET", f"/v1/{own}/subnets", **sign)).status == 403
