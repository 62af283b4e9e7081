"""Custom policies and the list of roles on the wire."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, Request, created, ok
from emulator.core.resources import Strict, seen
from emulator.iam.errors import not_found, policy_refused
from emulator.iam.policies import MAX_POLICY_LENGTH, SYSTEM_ROLES, Policy, Role


class RoleFields(Strict):
    """The fields of a custom policy; a change gives all of them again."""

    display_name: str = Field(min_length=1, max_length=64)
    type: Literal["AX", "XA"]
    description: str
    description_cn: str | None = None
    policy: Policy


class RoleBody(Strict):
    """The body of creating or changing a custom policy."""

    role: RoleFields


class PolicyQuery(Strict):
    """The pager of custom policies; page and per_page only count together."""

    page: int | None = Field(default=None, ge=1)
    per_page: int | None = Field(default=None, ge=1, le=300)


class RoleQuery(PolicyQuery):
    """Filters of the list of roles; `domain_id` asks for the custom policies instead of the system's."""

    domain_id: str | None = None
    name: str | None = None
    display_name: str | None = None


def create_policy(account: Account, request: Request, body: RoleBody) -> Answer:
    """IAM API: creating a custom policy for cloud services.

    Assumed: a display name is taken once (409, IAM.0005); actions that no service has are accepted; a resource or
    condition that limits a statement is refused as a wrong one is, unless dial `policy_limits` lets it not count.
    """
    _check(account, body.role, None)
    domain_id = account.iam.state.domain.id
    name = f"custom_{domain_id}_{account.world.ids_issued}"
    role = account.add(account.iam.state.roles, Role, "iam", "", name=name, **_fields(body.role))
    return created({"role": role_view(account, request, role)})


def list_policies(account: Account, request: Request, query: PolicyQuery) -> Answer:
    """IAM API: listing custom policies."""
    return _listed(account, request, seen(account.iam.state.roles.values(), account.now()), query)


def show_policy(account: Account, request: Request, role_id: str) -> Answer:
    """IAM API: querying custom policy details."""
    role = _custom(account, role_id)
    if not seen([role], account.now()):
        raise not_found("role", role_id)
    return ok({"role": {**role_view(account, request, role), "references": _references(account, role)}})


def update_policy(account: Account, request: Request, role_id: str, body: RoleBody) -> Answer:
    """IAM API: modifying a custom policy for cloud services.

    Assumed: it counts at once.
    """
    role = _custom(account, role_id)
    _check(account, body.role, role)
    for name, value in _fields(body.role).items():
        setattr(role, name, value)
    account.touch(role)
    return ok({"role": role_view(account, request, role)})


def delete_policy(account: Account, role_id: str) -> Answer:
    """IAM API: deleting a custom policy.

    Assumed: what was granted goes with it.
    """
    role = _custom(account, role_id)
    del account.iam.state.roles[role.id]
    for agency in account.iam.state.agencies.values():
        agency.grants = [grant for grant in agency.grants if grant.role_id != role.id]
    return Answer(200)


def list_roles(account: Account, request: Request, query: RoleQuery) -> Answer:
    """IAM API: querying a role list.

    Assumed: the system has four roles here.
    """
    table = SYSTEM_ROLES if query.domain_id is None else account.iam.state.roles
    if query.domain_id is not None:
        account.iam.agencies.check_domain(query.domain_id)
    found = [
        role
        for role in table.values()
        if query.name in (None, role.name) and query.display_name in (None, role.display_name)
    ]
    return _listed(account, request, found, query)


def show_role(account: Account, request: Request, role_id: str) -> Answer:
    """IAM API: querying role details."""
    return ok({"role": role_view(account, request, account.iam.agencies.role(role_id))})


def role_view(account: Account, request: Request, role: Role) -> dict[str, Any]:
    """A role on the wire."""
    custom = role.id not in SYSTEM_ROLES
    shown = {
        "id": role.id,
        "name": role.name,
        "display_name": role.display_name,
        "description": role.description,
        "domain_id": account.iam.state.domain.id if custom else None,
        "catalog": "CUSTOMED" if custom else "BASE",
        "type": role.type,
        "policy": role.policy.model_dump(exclude_none=True),
        "links": {"self": f"{request.base}/v3/roles/{role.id}"},
        "created_time": f"{role.created_at * 1000:.0f}",
        "updated_time": f"{role.updated_at * 1000:.0f}",
    }
    return shown if role.description_cn is None else {**shown, "description_cn": role.description_cn}


def _listed(account: Account, request: Request, roles: list[Role], query: PolicyQuery) -> Answer:
    if (query.page is None) != (query.per_page is None):
        raise policy_refused("IAM.0007", "Request parameter page is invalid.")
    page = roles
    if query.page is not None and query.per_page is not None:
        page = roles[(query.page - 1) * query.per_page : query.page * query.per_page]
    links = {"self": request.base + request.path, "next": None, "previous": None}
    shown = [role_view(account, request, role) for role in page]
    return ok({"roles": shown, "links": links, "total_number": len(roles)})


def _custom(account: Account, role_id: str) -> Role:
    role = account.iam.state.roles.get(role_id)
    if role is None:
        raise not_found("role", role_id)
    return role


def _check(account: Account, fields: RoleFields, changed: Role | None) -> None:
    length = len(json.dumps(fields.policy.model_dump(exclude_none=True), separators=(",", ":")))
    if length > MAX_POLICY_LENGTH:
        raise policy_refused("IAM.1021", f"The size {length} of the policy exceeds 6,144 characters.")
    limits = [one.limit for one in fields.policy.Statement if account.dials.policy_limits == "refused"]
    if "Resource" in limits:
        raise policy_refused("IAM.1047", "Resource URIs that limit a statement are not emulated.")
    if "Condition" in limits:
        raise policy_refused("IAM.1052", "Conditions that limit a statement are not emulated.")
    others = (role for role in account.iam.state.roles.values() if role is not changed)
    if any(role.display_name == fields.display_name for role in others):
        why = f"Conflict occurred when attempting to store role - the name {fields.display_name} exists."
        raise policy_refused("IAM.0005", why, status=409)


def _fields(fields: RoleFields) -> dict[str, Any]:
    # A shallow copy: the policy is a model already.
    return {name: getattr(fields, name) for name in RoleFields.model_fields}


def _references(account: Account, role: Role) -> int:
    agencies = account.iam.state.agencies.values()
    return sum(grant.role_id == role.id for agency in agencies for grant in agency.grants)
