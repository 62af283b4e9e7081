from __future__ import annotations

from typing import Any

import pytest

from emulator import Dials, Emulator, ManualClock, World
from emulator.world import WorldError
from tests.emulator.client import Caller

AGENCIES = "/v3.0/OS-AGENCY/agencies"
ROLES = "/v3.0/OS-ROLE/roles"


class Admin(Caller):
    """Whoever sets up agencies."""

    @property
    def domain_id(self) -> str:
        return self.emulator.world().iam.domain.id

    def agency(self, name: str = "reader", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "domain_id": self.domain_id, "trust_domain_name": "op_svc_cff", **fields}
        made: dict[str, Any] = self.post(AGENCIES, {"agency": body}, 201)["agency"]
        return made

    def policy(self, *statements: tuple[str, list[str]], name: str = "reading", kind: str = "XA") -> str:
        made: str = self.post(ROLES, role(*statements, name=name, kind=kind), 201)["role"]["id"]
        return made

    def grants(self, agency_id: str, scope: str = "project") -> str:
        return {
            "project": f"/v3.0/OS-AGENCY/projects/{self.project_id}/agencies/{agency_id}/roles",
            "domain": f"/v3.0/OS-AGENCY/domains/{self.domain_id}/agencies/{agency_id}/roles",
            "everywhere": f"/v3.0/OS-INHERIT/domains/{self.domain_id}/agencies/{agency_id}/roles",
        }[scope]

    def grant(self, agency_id: str, role_id: str, scope: str = "project", method: str = "PUT") -> int:
        suffix = "/inherited_to_projects" if scope == "everywhere" else ""
        return self.call(method, f"{self.grants(agency_id, scope)}/{role_id}{suffix}").status

    def as_agency(self, name: str = "reader") -> str | None:
        """A token of the agency for the project, as a function gets it."""
        with self.emulator.change() as account:
            agency = account.iam.agency(name)
            token = agency and account.iam.agency_token(agency, self.project_id)
        return token and token.id


def role(*statements: tuple[str, list[str]], name: str = "reading", kind: str = "XA") -> dict[str, Any]:
    policy = {"Version": "1.1", "Statement": [{"Effect": effect, "Action": actions} for effect, actions in statements]}
    return {"role": {"display_name": name, "type": kind, "description": "a test", "policy": policy}}


@pytest.fixture
def admin(cloud: Emulator) -> Admin:
    return Admin(cloud)


def test_an_agency_is_made_once_found_by_name_changed_and_deleted(admin: Admin):
    made = admin.agency(duration="ONEDAY", description="reads")
    assert made["create_time"] == "2026-01-01T00:00:00.000000"
    assert made["expire_time"] == "2026-01-02T00:00:00.000000"
    again = {"agency": {"name": "reader", "domain_id": admin.domain_id, "trust_domain_name": "op_svc_cff"}}
    assert admin.refused("POST", AGENCIES, again) == (409, 409)
    admin.agency("other")
    assert admin.get(AGENCIES, domain_id=admin.domain_id, name="reader")["agencies"] == [made]
    assert len(admin.get(AGENCIES, domain_id=admin.domain_id)["agencies"]) == 2
    assert admin.get(f"{AGENCIES}/{made['id']}")["agency"] == made
    changed = admin.put(f"{AGENCIES}/{made['id']}", {"agency": {"description": "writes"}})["agency"]
    assert changed == {**made, "description": "writes"}
    admin.delete(f"{AGENCIES}/{made['id']}")
    assert admin.refused("DELETE", f"{AGENCIES}/{made['id']}") == (404, 404)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "n" * 65}, 400),
        ({"trust_domain_name": None}, 400),
        ({"domain_id": "0" * 32}, 403),
        ({"duration": "SOMETIMES"}, 400),
        ({"extra": 1}, 400),
    ],
)
def test_an_agency_that_cannot_exist_is_refused(admin: Admin, fields: dict[str, Any], status: int):
    whole = {"name": "reader", "domain_id": admin.domain_id, "trust_domain_name": "op_svc_cff", **fields}
    assert admin.refused("POST", AGENCIES, {"agency": whole})[0] == status
    assert admin.refused("GET", AGENCIES)[0] == 400


@pytest.mark.parametrize("scope", ["project", "everywhere"])
def test_an_agencys_token_may_what_its_policies_allow_and_nothing_they_deny(admin: Admin, scope: str):
    agency_id = admin.agency()["id"]
    assert admin.as_agency() is None
    role_id = admin.policy(("Allow", ["vpc:*:*", "DCS:instance:LIST".replace("DCS", "dcs")]), ("Deny", ["vpc:vpcs:*"]))
    assert admin.grant(agency_id, role_id, scope) == 204
    token = admin.as_agency()
    assert token is not None
    assert admin.call("GET", "/v1/{pid}/subnets", token=token).status == 200
    assert admin.call("GET", "/v2/{pid}/instances", token=token).status == 200
    assert admin.refused("GET", "/v1/{pid}/vpcs", token=token) == (403, "VPC.2201")
    assert admin.refused("GET", "/v3/{pid}/elb/loadbalancers", token=token)[0] == 403
    assert admin.refused("GET", AGENCIES, token=token, domain_id=admin.domain_id) == (403, 403)
    assert admin.grant(agency_id, role_id, scope, "DELETE") == 204
    assert admin.call("GET", "/v1/{pid}/subnets", token=token).status == 403
    assert admin.as_agency() is None


def test_a_grant_is_listed_and_checked_in_its_own_scope_only(admin: Admin):
    agency_id = admin.agency()["id"]
    role_id = admin.policy(("Allow", ["vpc:vpcs:get"]))
    assert [admin.grant(agency_id, role_id, method=method) for method in ("HEAD", "PUT", "PUT", "HEAD")] == [
        404,
        204,
        204,
        204,
    ]
    assert [one["id"] for one in admin.get(admin.grants(agency_id))["roles"]] == [role_id]
    assert admin.get(admin.grants(agency_id, "domain"))["roles"] == []
    assert admin.get(admin.grants(agency_id, "everywhere") + "/inherited_to_projects")["roles"] == []
    assert admin.grant(agency_id, role_id, "everywhere", "DELETE") == 404
    assert admin.get(f"{ROLES}/{role_id}")["role"]["references"] == 1


def test_an_agency_never_gets_the_right_to_give_itself_rights_or_a_role_of_another_level(admin: Admin):
    agency_id = admin.agency()["id"]
    system = {one["name"]: one["id"] for one in admin.get("/v3/roles")["roles"]}
    for_account = admin.policy(("Allow", ["iam:agencies:listAgencies"]), kind="AX")
    assert admin.grant(agency_id, system["secu_admin"], "domain") == 403
    assert admin.grant(agency_id, system["te_agency"], "domain") == 403
    assert admin.grant(agency_id, for_account) == 403
    assert admin.grant(agency_id, for_account, "domain") == 204
    assert admin.grant(agency_id, system["readonly"]) == 204
    token = admin.as_agency()
    assert admin.call("GET", "/v1/{pid}/vpcs", token=token).status == 200
    assert admin.call("POST", "/v1/{pid}/vpcs", {"vpc": {}}, token=token).status == 403
    assert admin.grant(agency_id, "0" * 32) == 404
    assert admin.grant("0" * 32, system["readonly"]) == 404


def test_a_custom_policy_is_made_listed_changed_and_deleted_with_its_grants(admin: Admin):
    agency_id = admin.agency()["id"]
    role_id = admin.policy(("Allow", ["vpc:subnets:get"]))
    assert admin.refused("POST", ROLES, role(("Allow", ["vpc:vpcs:get"]))) == (409, "IAM.0005")
    assert [one["id"] for one in admin.get(ROLES)["roles"]] == [role_id]
    assert admin.get(ROLES, page=2, per_page=1) | {"links": None} == {"roles": [], "links": None, "total_number": 1}
    assert admin.get("/v3/roles", domain_id=admin.domain_id)["roles"][0]["catalog"] == "CUSTOMED"
    admin.grant(agency_id, role_id)
    token = admin.as_agency()
    changed = role(("Allow", ["vpc:vpcs:list"]))
    assert admin.call("PATCH", f"{ROLES}/{role_id}", changed).status == 200
    assert admin.call("GET", "/v1/{pid}/subnets", token=token).status == 403
    assert admin.call("GET", "/v1/{pid}/vpcs", token=token).status == 200
    assert admin.call("DELETE", f"{ROLES}/{role_id}").status == 200
    assert admin.call("GET", "/v1/{pid}/vpcs", token=token).status == 403
    assert admin.get(admin.grants(agency_id))["roles"] == []
    assert admin.refused("GET", f"{ROLES}/{role_id}") == (404, 404)


ALLOW = ("Allow", ["vpc:vpcs:get"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (role(*[ALLOW] * 9), "IAM.1028"),
        (role(), "IAM.1028"),
        (role(("Allow", ["vpc:vpcs:get"] * 101)), "IAM.1033"),
        (role(*[("Allow", [f"vpc:a{number:0100}:get" for number in range(60)])]), "IAM.1021"),
        (role(("Allow", ["vpc vpcs get"])), "IAM.1035"),
        (role(("Perhaps", ["vpc:vpcs:get"])), "IAM.1029"),
        (role(ALLOW, kind="AA"), "IAM.1009"),
        (role(ALLOW, name="n" * 65), "IAM.0011"),
    ],
)
def test_a_policy_beyond_the_limits_is_refused_with_its_code(admin: Admin, body: dict[str, Any], code: str):
    assert admin.refused("POST", ROLES, body) == (400, code)
    assert admin.get(ROLES)["total_number"] == 0


def test_a_new_agency_and_a_new_grant_work_only_after_the_delay():
    clock = ManualClock()
    admin = Admin(Emulator(World.small(), clock=clock, dials=Dials(agency_delay=30)))
    agency_id = admin.agency()["id"]
    admin.grant(agency_id, admin.policy(("Allow", ["vpc:subnets:get"])))
    clock.advance(29)
    assert admin.as_agency() is None
    clock.advance(1)
    token = admin.as_agency()
    assert token == admin.as_agency()
    admin.grant(agency_id, admin.policy(("Allow", ["vpc:vpcs:list"]), name="more"))
    assert admin.call("GET", "/v1/{pid}/subnets", token=token).status == 200
    assert admin.call("GET", "/v1/{pid}/vpcs", token=token).status == 403
    clock.advance(30)
    assert admin.call("GET", "/v1/{pid}/vpcs", token=token).status == 200


def test_an_expired_or_deleted_agency_gives_no_token_and_its_old_ones_may_nothing(admin: Admin, clock: ManualClock):
    role_id = admin.policy(("Allow", ["vpc:vpcs:list"]))
    agency_id = admin.agency(duration="2")["id"]
    admin.grant(agency_id, role_id)
    token = admin.as_agency()
    admin.delete(f"{AGENCIES}/{agency_id}")
    assert admin.call("GET", "/v1/{pid}/vpcs", token=token).status == 403
    admin.grant(admin.agency(duration="2")["id"], role_id)
    assert admin.as_agency()
    clock.advance(2 * 86_400)
    assert Admin(admin.emulator).as_agency() is None


def test_only_who_administers_security_may_set_up_agencies():
    users = "[{name: demo, password: demo-password, permissions: ['vpc:*', 'iam:agencies:list*']}]"
    admin = Admin(Emulator(World.loads(f"iam: {{users: {users}}}")))
    assert admin.get(AGENCIES, domain_id=admin.domain_id) == {"agencies": []}
    assert admin.refused("POST", AGENCIES, {}) == (403, 403)
    assert admin.refused("POST", ROLES, {}) == (403, 403)
    assert b"iam:roles:createRole" in admin.call("POST", ROLES, {}).body


def test_agencies_and_policies_are_part_of_the_world_by_name():
    text = """
iam:
  roles:
    - name: reading
      display_name: Reading
      type: XA
      policy: {Version: "1.1", Statement: [{Effect: Allow, Action: ["vpc:*:get*", "vpc:*:list*"]}]}
  agencies:
    - {name: reader, grants: [{role_id: reading, scope: project, project_id: eu-de_demo}]}
"""
    world = World.loads(text)
    admin = Admin(Emulator(World.loads(world.dump())))
    assert admin.call("GET", "/v1/{pid}/vpcs", token=admin.as_agency()).status == 200
    assert admin.emulator.snapshot()["iam"]["agencies"][0]["name"] == "reader"
    with pytest.raises(WorldError, match=r"iam.agencies\[reader\].grants.role_id: nothing is called 'reding'"):
        World.loads(text.replace("role_id: reading", "role_id: reding"))


LIMITED = [
    ({"Resource": ["elb:*:*:loadbalancer:only-this"]}, "IAM.1047"),
    ({"Resource": {"uri": ["/iam/agencies/0"]}}, "IAM.1047"),
    ({"Condition": {"StringEquals": {"g:ProjectName": ["nobody"]}}}, "IAM.1052"),
]


@pytest.mark.parametrize(("limit", "code"), LIMITED)
def test_a_limit_that_would_not_count_is_refused_and_a_dial_lets_it_pass(admin: Admin, limit: Any, code: str):
    body = role(("Allow", ["elb:*:*"]))
    body["role"]["policy"]["Statement"][0] |= limit
    assert admin.refused("POST", ROLES, body) == (400, code)
    admin.emulator.dials.policy_limits = "ignored"
    admin.post(ROLES, body, 201)


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("elb:*:*", {"Resource": ["*"], "Condition": {}}),
        ("elb:*:*", {"Resource": ["elb:*:*:loadbalancer:*"]}),
        ("obs:object:GetObject", LIMITED[2][0]),
        ("iam:agencies:assume", LIMITED[1][0]),
    ],
)
def test_what_limits_nothing_that_is_served_is_accepted(admin: Admin, action: str, more: Any):
    body = role(("Allow", [action]))
    body["role"]["policy"]["Statement"][0] |= more
    admin.post(ROLES, body, 201)


def test_a_fresh_agency_or_policy_may_be_missed_by_reads():
    admin = Admin(Emulator(World.small(), dials=Dials(hidden_reads={"iam": 1})))
    agency_id, role_id = admin.agency()["id"], admin.policy(("Allow", ["vpc:vpcs:get"]))
    assert admin.refused("GET", f"{AGENCIES}/{agency_id}") == (404, 404)
    assert len(admin.get(AGENCIES, domain_id=admin.domain_id)["agencies"]) == 1
    assert admin.get(ROLES)["roles"] == []
    assert admin.get(f"{ROLES}/{role_id}")["role"]["id"] == role_id
