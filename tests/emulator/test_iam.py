from __future__ import annotations

import pytest

from emulator import Emulator, ManualClock, World
from emulator.core.message import Request, Response
from tests.emulator.client import IAM_HOST, Caller, password_body

TOKENS = "/v3/auth/tokens"


def test_a_token_is_in_a_header_and_its_catalog_names_the_hosts_of_the_region(cloud: Emulator, api: Caller):
    response = api.call("POST", TOKENS, password_body(project={"name": "eu-de_demo"}))
    assert response.status == 201
    assert response.headers["X-Subject-Token"] != api.token
    token = response.json()["token"]
    urls = {entry["type"]: entry["endpoints"][0]["url"] for entry in token["catalog"]}
    assert urls["elbv3"] == f"https://elb.eu-de.otc.t-systems.com/v3/{api.project_id}"
    assert urls["network"] == "https://vpc.eu-de.otc.t-systems.com"
    assert urls["dcs"].replace("v1.0", "v2") == f"https://dcs.eu-de.otc.t-systems.com/v2/{api.project_id}"
    assert token["roles"] == [{"id": "0", "name": "te_admin"}]
    assert (token["issued_at"], token["expires_at"]) == ("2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z")


def test_nocatalog_leaves_the_catalog_out_and_that_of_a_domain_token_has_only_iam(api: Caller):
    scoped = password_body(project={"id": api.project_id})
    assert "catalog" not in api.call("POST", TOKENS, scoped, nocatalog="x").json()["token"]
    for body in (password_body(), password_body(domain={"name": "OTC-EU-DE-00000000001000000001"})):
        token = api.call("POST", TOKENS, body).json()["token"]
        assert [entry["type"] for entry in token["catalog"]] == ["identity"]
        assert token["domain"]["name"] == "OTC-EU-DE-00000000001000000001"


def test_a_token_can_be_got_from_a_token_and_does_not_outlive_it(api: Caller, clock: ManualClock):
    clock.advance(3600)
    body = {
        "auth": {
            "identity": {"methods": ["token"], "token": {"id": api.token}},
            "scope": {"project": {"name": "eu-de_demo"}},
        }
    }
    response = api.call("POST", TOKENS, body)
    assert response.status == 201
    assert response.json()["token"]["expires_at"] == "2026-01-02T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (password_body(password="wrong", project={"name": "eu-de_demo"}), 401),
        (password_body(user="nobody", project={"name": "eu-de_demo"}), 401),
        (password_body(project={"name": "elsewhere"}), 401),
        (password_body(domain={"name": "elsewhere"}), 401),
        ({"auth": {"identity": {"methods": ["magic"]}}}, 400),
        ({"auth": {"identity": {"methods": ["password"]}, "extra": 1}}, 400),
        (b"{", 400),
    ],
)
def test_wrong_credentials_are_401_and_a_wrong_body_is_400_in_keystones_envelope(api: Caller, body, status):
    response = api.call("POST", TOKENS, body)
    assert response.status == status
    assert response.json()["error"]["code"] == status
    assert set(response.json()["error"]) == {"code", "message", "title"}


@pytest.fixture
def limited() -> Caller:
    """Somebody who may do nothing, next to the default user."""
    users = "iam: {users: [{name: demo, password: demo-password}, {name: eve, password: p, permissions: []}]}"
    return Caller(Emulator(World.loads(users), clock=ManualClock()), user="eve")


def subject(caller: Caller, method: str, token: str, **query: str) -> Response:
    """A call about a token."""
    url = f"{IAM_HOST}{TOKENS}" + "".join(f"?{name}={value}" for name, value in query.items())
    headers = {"X-Auth-Token": caller.token, "X-Subject-Token": token}
    return caller.emulator.handle(Request.of(method, url, headers, b""))


def test_a_token_is_shown_and_revoked_and_then_good_for_nothing(limited: Caller):
    other = limited.call("POST", TOKENS, password_body("eve", "p"), token="").headers["X-Subject-Token"]
    shown = subject(limited, "GET", other, nocatalog="x")
    assert (shown.status, shown.json()["token"]["user"]["name"]) == (200, "eve")
    assert "catalog" not in shown.json()["token"]
    assert (subject(limited, "HEAD", other).status, subject(limited, "HEAD", other).body) == (200, b"")
    assert subject(limited, "DELETE", other).status == 204
    assert [subject(limited, method, other).status for method in ("GET", "HEAD", "DELETE")] == [404] * 3
    assert subject(limited, "DELETE", limited.token).status == 204
    assert subject(limited, "GET", other).status == 401


def test_the_token_of_somebody_else_needs_a_right(limited: Caller):
    demo = Caller(limited.emulator)
    assert [subject(limited, method, demo.token).status for method in ("GET", "HEAD", "DELETE")] == [403] * 3
    assert subject(demo, "DELETE", limited.token).status == 204


def test_expired_tokens_are_forgotten(cloud: Emulator, clock: ManualClock):
    with cloud.change() as account:
        for _ in range(3):
            Caller(cloud)
            clock.advance(24 * 3600)
        assert len(account.iam._tokens) == 1


def test_an_expired_or_unknown_token_is_refused_by_each_service_in_its_own_form(api: Caller, clock: ManualClock):
    paths = {
        "/v3/auth/projects": 401,
        "/v1/{pid}/vpcs": "VPC.0008",
        "/v3/{pid}/vpc/vpcs": "VPC.0008",
        "/v2.0/vpc/peerings": "VPC.0008",
        "/v1/{pid}/publicips": "VPC.0008",
        "/v2/{pid}/instances": "DCS.1001",
        "/v3/{pid}/elb/loadbalancers": "ELB.1103",
    }
    assert {path: api.refused("GET", path, token="unknown") for path in paths} == {
        path: (401, code) for path, code in paths.items()
    }
    clock.advance(24 * 3600 - 1)
    api.get("/v1/{pid}/vpcs")
    clock.advance(1)
    assert api.refused("GET", "/v1/{pid}/vpcs") == (401, "VPC.0008")


def test_another_projects_path_is_refused_by_each_service_in_its_own_form(api: Caller):
    other = "0" * 32
    assert api.refused("GET", f"/v1/{other}/vpcs") == (400, "VPC.0007")
    assert api.refused("GET", f"/v1/{other}/publicips") == (400, "VPC.0007")
    assert api.refused("GET", f"/v2/{other}/instances") == (401, "DCS.1004")
    assert api.refused("GET", f"/v3/{other}/elb/loadbalancers")[0] == 403


def test_a_domain_token_is_good_for_iam_only(api: Caller):
    token = api.call("POST", TOKENS, password_body()).headers["X-Subject-Token"]
    assert api.call("GET", "/v3/auth/projects", token=token).status == 200
    assert api.call("GET", "/v2.0/vpc/peerings", token=token).status == 400
    assert api.call("GET", "/v3/auth/catalog", token=token).status == 403


def test_projects_are_found_by_name_and_paged_only_by_page_and_per_page_together(api: Caller):
    found = api.get("/v3/projects", name="eu-de_demo")["projects"]
    assert [project["id"] for project in found] == [api.project_id]
    assert api.get("/v3/projects", name="other")["projects"] == []
    assert api.get("/v3/projects", page=2, per_page=1)["projects"] == []
    assert api.refused("GET", "/v3/projects", page=1) == (400, 400)
    assert api.get("/v3/auth/catalog")["catalog"]


def test_a_missing_permission_is_403_and_names_the_action():
    world = World.loads(
        "iam: {users: [{name: demo, password: demo-password, permissions: ['vpc:*:get', 'dcs:*', 'elb:*']}]}"
    )
    api = Caller(Emulator(world))
    assert api.refused("GET", "/v1/{pid}/vpcs") == (403, "VPC.2201")
    assert b"vpc:vpcs:list" in api.call("GET", "/v1/{pid}/vpcs").body
    assert api.refused("POST", "/v2.0/vpc/peerings", {}) == (403, "PolicyNotAuthorized")
    assert api.call("GET", "/v2.0/vpc/peerings").status == 200


def test_the_version_documents_need_no_token_and_point_to_the_callers_host(cloud: Emulator):
    def links(path: str) -> object:
        return cloud.handle(Request("GET", path, base="http://127.0.0.1:9")).json()

    assert links("/v3")["version"]["links"][0]["href"] == "http://127.0.0.1:9/v3/"
    assert links("/")["versions"]["values"][0]["id"] == "v3.6"


def test_what_clients_look_up_by_themselves_is_there(api: Caller):
    (user,) = api.get("/v3/users", name="demo")["users"]
    assert api.get(f"/v3/users/{user['id']}")["user"] == user
    assert api.get("/v3/users", name="nobody")["users"] == []
    assert api.refused("GET", "/v3/users/nobody") == (404, 404)
    assert api.get(f"/v3/projects/{api.project_id}")["project"] == api.get("/v3/projects")["projects"][0]
    assert api.refused("GET", "/v3/projects/none") == (404, 404)
    assert [one["id"] for one in api.get("/v3/auth/domains")["domains"]] == [user["domain_id"]]
    (service,) = api.get("/v3/services", type="elbv3")["services"]
    (endpoint,) = api.get("/v3/endpoints", service_id=service["id"], interface="public")["endpoints"]
    assert endpoint["url"] == f"https://elb.eu-de.otc.t-systems.com/v3/{api.project_id}"
    assert api.get("/v3/endpoints", interface="admin")["endpoints"] == []
    assert api.get(f"/v3/services/{service['id']}")["service"] == service
    assert api.get(f"/v3/endpoints/{endpoint['id']}")["endpoint"] == endpoint
    assert api.refused("GET", "/v3/services/none") == (404, 404)


def test_the_catalog_lists_all_services_or_those_that_a_dial_names(cloud: Emulator, api: Caller):
    def types() -> set[str]:
        return {entry["type"] for entry in api.get("/v3/auth/catalog")["catalog"]}

    assert {"functiongraph", "smn", "cts", "lts", "identity"} <= types()
    cloud.set_dials({"catalog_types": ["vpc"]})
    assert types() == {"vpc"}


def test_no_token_is_for_a_project_of_a_foreign_domain(api: Caller):
    known = api.emulator.world().iam.domain
    for domain, status in (({"name": known.name}, 201), ({"id": known.id}, 201), ({"name": "OTC-OTHER"}, 401)):
        scoped = password_body(project={"name": "eu-de_demo", "domain": domain})
        assert api.call("POST", TOKENS, scoped).status == status


def test_projects_are_filtered_by_what_they_are_under(api: Caller):
    own = api.emulator.world().iam.domain.id
    for query, count in (({"parent_id": own}, 1), ({"parent_id": "another"}, 0), ({"domain_id": "another"}, 0)):
        assert len(api.get("/v3/projects", **query)["projects"]) == count


def test_a_project_in_the_scope_wins_over_a_domain(api: Caller):
    scope = {"project": {"name": "eu-de_demo"}, "domain": {"name": "OTC-EU-DE-00000000001000000001"}}
    token = api.call("POST", TOKENS, password_body(**scope)).json()["token"]
    assert token["project"]["id"] == api.project_id
    assert "domain" not in token
