"""Agencies and their grants on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, Request, created, no_content, ok
from emulator.core.resources import Strict, seen
from emulator.core.times import with_micros
from emulator.iam.agencies import Agency, NewAgency, Scope, trusted_domain
from emulator.iam.errors import not_found, refused
from emulator.iam.policies import Role
from emulator.iam.responses_roles import role_view


class CreateBody(Strict):
    """The body of creating an agency."""

    agency: NewAgency


class AgencyChange(Strict):
    """What may change of an agency."""

    trust_domain_id: str | None = None
    trust_domain_name: str | None = None
    description: str | None = Field(default=None, max_length=255)
    duration: str | None = Field(default=None, pattern=r"^(FOREVER|ONEDAY|[1-9]\d{0,4})$")


class UpdateBody(Strict):
    """The body of changing an agency."""

    agency: AgencyChange


class AgencyQuery(Strict):
    """Filters of the list of agencies."""

    domain_id: str
    name: str | None = None
    trust_domain_id: str | None = None


def create_agency(account: Account, body: CreateBody) -> Answer:
    """IAM API: creating an agency.

    Assumed: any name of another account is known; names are unique (the 409).
    """
    return created({"agency": _view(account, account.iam.agencies.create(body.agency))})


def list_agencies(account: Account, query: AgencyQuery) -> Answer:
    """IAM API: querying an agency list based on the specified conditions."""
    account.iam.agencies.check_domain(query.domain_id)
    found = [
        agency
        for agency in account.iam.state.agencies.values()
        if query.name in (None, agency.name) and query.trust_domain_id in (None, agency.trust_domain_id)
    ]
    return ok({"agencies": [_view(account, agency) for agency in seen(found, account.now())]})


def show_agency(account: Account, agency_id: str) -> Answer:
    """IAM API: obtaining details of a specified agency."""
    visible = seen([account.iam.agencies.get(agency_id)], account.now())
    if not visible:
        raise not_found("agency", agency_id)
    return ok({"agency": _view(account, visible[0])})


def update_agency(account: Account, agency_id: str, body: UpdateBody) -> Answer:
    """IAM API: modifying an agency."""
    agency, change = account.iam.agencies.get(agency_id), body.agency
    fields = change.model_dump(exclude_none=True)
    if not fields:
        raise refused(400, "At least one field of the agency is required.")
    if change.trust_domain_name or change.trust_domain_id:
        fields |= trusted_domain(change.trust_domain_name, change.trust_domain_id)
    for name, value in fields.items():
        setattr(agency, name, value)
    account.touch(agency)
    return ok({"agency": _view(account, agency)})


def delete_agency(account: Account, agency_id: str) -> Answer:
    """IAM API: deleting an agency."""
    account.iam.agencies.delete(account.iam.agencies.get(agency_id))
    return no_content()


def grant_on_project(account: Account, target_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: granting permissions to an agency for a project.

    Assumed: a role of another level is refused with 403; a grant works after the dial `agency_delay`.
    """
    return _grant(account, agency_id, role_id, "project", _project(account, target_id))


def grant_on_domain(account: Account, domain_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: granting permissions to an agency on a domain.

    Assumed: as for a project.
    """
    account.iam.agencies.check_domain(domain_id)
    return _grant(account, agency_id, role_id, "domain")


def grant_everywhere(account: Account, domain_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: granting specified permissions to an agency for all projects.

    Assumed: as for a project.
    """
    account.iam.agencies.check_domain(domain_id)
    return _grant(account, agency_id, role_id, "all_projects")


def revoke_on_project(account: Account, target_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: deleting permissions of an agency on a project.

    Assumed: it counts at once.
    """
    return _revoke(account, agency_id, role_id, "project", _project(account, target_id))


def revoke_on_domain(account: Account, domain_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: deleting permissions of an agency on a domain."""
    account.iam.agencies.check_domain(domain_id)
    return _revoke(account, agency_id, role_id, "domain")


def revoke_everywhere(account: Account, domain_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: removing specified permissions of an agency in all projects."""
    account.iam.agencies.check_domain(domain_id)
    return _revoke(account, agency_id, role_id, "all_projects")


def check_on_project(account: Account, target_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: checking whether an agency has the specified permissions on a project."""
    return _check(account, agency_id, role_id, "project", _project(account, target_id))


def check_on_domain(account: Account, domain_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: checking whether an agency has the specified permissions on a domain."""
    account.iam.agencies.check_domain(domain_id)
    return _check(account, agency_id, role_id, "domain")


def check_everywhere(account: Account, domain_id: str, agency_id: str, role_id: str) -> Answer:
    """IAM API: checking whether an agency has specified permissions (for all projects)."""
    account.iam.agencies.check_domain(domain_id)
    return _check(account, agency_id, role_id, "all_projects")


def list_on_project(account: Account, request: Request, target_id: str, agency_id: str) -> Answer:
    """IAM API: querying the list of permissions of an agency on a project."""
    return _list(account, request, agency_id, "project", _project(account, target_id))


def list_on_domain(account: Account, request: Request, domain_id: str, agency_id: str) -> Answer:
    """IAM API: querying the list of permissions of an agency on a domain."""
    account.iam.agencies.check_domain(domain_id)
    return _list(account, request, agency_id, "domain")


def list_everywhere(account: Account, request: Request, domain_id: str, agency_id: str) -> Answer:
    """IAM API: querying all permissions of an agency (for all projects)."""
    account.iam.agencies.check_domain(domain_id)
    return _list(account, request, agency_id, "all_projects")


def _grant(account: Account, agency_id: str, role_id: str, scope: Scope, project_id: str | None = None) -> Answer:
    agency, role = _both(account, agency_id, role_id)
    account.iam.agencies.grant(agency, role, scope, project_id)
    return no_content()


def _revoke(account: Account, agency_id: str, role_id: str, scope: Scope, project_id: str | None = None) -> Answer:
    agency, role = _both(account, agency_id, role_id)
    account.iam.agencies.revoke(agency, role, scope, project_id)
    return no_content()


def _check(account: Account, agency_id: str, role_id: str, scope: Scope, project_id: str | None = None) -> Answer:
    agency, role = _both(account, agency_id, role_id)
    if account.iam.agencies.granted(agency, role, scope, project_id) is None:
        raise not_found("role", role_id)
    return no_content()


def _list(account: Account, request: Request, agency_id: str, scope: Scope, project_id: str | None = None) -> Answer:
    agencies = account.iam.agencies
    grants = [one for one in agencies.get(agency_id).grants if (one.scope, one.project_id) == (scope, project_id)]
    roles = [role_view(account, request, agencies.role(one.role_id)) for one in grants]
    return ok({"roles": roles, "links": {"self": request.base + request.path}})


def _both(account: Account, agency_id: str, role_id: str) -> tuple[Agency, Role]:
    return account.iam.agencies.get(agency_id), account.iam.agencies.role(role_id)


def _project(account: Account, project_id: str) -> str:
    if project_id not in account.iam.state.projects:
        raise not_found("project", project_id)
    return project_id


def _view(account: Account, agency: Agency) -> dict[str, Any]:
    expires_at = agency.expires_at
    return {
        "id": agency.id,
        "name": agency.name,
        "domain_id": account.iam.state.domain.id,
        "trust_domain_id": agency.trust_domain_id,
        "trust_domain_name": agency.trust_domain_name,
        "description": agency.description,
        "duration": agency.duration,
        "expire_time": None if expires_at is None else with_micros(expires_at).removesuffix("Z"),
        "create_time": with_micros(agency.created_at).removesuffix("Z"),
    }
