"""IAM: agencies, custom policies, and who has which (IAM API: agency management, custom policy management).

What belongs to the account needs its domain id, which the list of one's own projects tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import ErrorCode, PermanentError
from shared.otc.client import ServiceClient, listed, read
from shared.otc.models import Seen, Text
from shared.otc.transport import Call, Service

_POLICIES_PAGE = 300


class OwnProject(Seen):
    """A project of the credentials."""

    id: str
    domain_id: str


class Agency(Seen):
    """Whom a service may act as; without a duration it lasts for ever."""

    id: str
    name: str
    description: Text = ""
    trust_domain_name: Text = ""
    trust_domain_id: Text = ""
    duration: str | None = None


class Policy(Seen):
    """A custom policy."""

    id: str
    display_name: str
    description: Text = ""
    type: str
    policy: dict[str, Any]


class GrantedRole(Seen):
    """A role that an agency has."""

    id: str


class IamClient(ServiceClient):
    """Agencies and custom policies of the account."""

    service = Service.IAM

    def domain_id(self) -> str:
        """The account of the credentials' project.

        Raises:
            PermanentError: `NotFound`, the project is not among the credentials' own.
        """
        call = self._call("GET", "iam:projects:list", "v3", "auth", "projects")
        for item in listed(call, self._send(call), "projects"):
            project = read(call, OwnProject, item)
            if project.id == self._project():
                return project.domain_id
        raise PermanentError(
            ErrorCode.NOT_FOUND,
            f"Project {self._project()} is not among the projects of the credentials.",
            resource=self._project(),
            advice="Check the credentials and their project.",
        )

    def agencies(self, domain_id: str) -> list[Agency]:
        """All agencies of the account."""
        call = self._agency("GET", "agencies:listAgencies", query=[("domain_id", domain_id)])
        return [read(call, Agency, item) for item in listed(call, self._send(call), "agencies")]

    def create_agency(self, desired: Mapping[str, Any]) -> Agency:
        """Make an agency; names are unique."""
        return self._one(self._agency("POST", "agencies:createAgency", body={"agency": desired}), Agency, "agency")

    def update_agency(self, agency_id: str, changes: Mapping[str, Any]) -> Agency:
        """Change whom an agency trusts, for how long, or its description."""
        call = self._agency("PUT", "agencies:updateAgency", agency_id, body={"agency": changes})
        return self._one(call, Agency, "agency")

    def delete_agency(self, agency_id: str) -> None:
        """Delete an agency; what it was granted goes with it."""
        self._send(self._agency("DELETE", "agencies:deleteAgency", agency_id))

    def agency_roles(self, agency_id: str) -> list[str]:
        """The ids of the roles that an agency has in the project."""
        return self._roles(self._on_project("GET", "listRolesForAgencyOnProject", agency_id))

    def agency_roles_on_domain(self, domain_id: str, agency_id: str) -> list[str]:
        """The ids of the roles that an agency has for services without projects."""
        return self._roles(self._on_domain("GET", "listRolesForAgencyOnDomain", domain_id, agency_id))

    def agency_roles_everywhere(self, domain_id: str, agency_id: str) -> list[str]:
        """The ids of the roles that an agency has in all projects, those to come too."""
        return self._roles(self._everywhere("GET", "listRolesForAgency", domain_id, agency_id))

    def grant(self, agency_id: str, role_id: str) -> None:
        """Give an agency a role in the project."""
        self._send(self._on_project("PUT", "grantRoleToAgencyOnProject", agency_id, role_id))

    def revoke(self, agency_id: str, role_id: str) -> None:
        """Take a role in the project from an agency."""
        self._send(self._on_project("DELETE", "revokeRoleFromAgencyOnProject", agency_id, role_id))

    def revoke_on_domain(self, domain_id: str, agency_id: str, role_id: str) -> None:
        """Take a role for services without projects from an agency."""
        self._send(self._on_domain("DELETE", "revokeRoleFromAgencyOnDomain", domain_id, agency_id, role_id))

    def revoke_everywhere(self, domain_id: str, agency_id: str, role_id: str) -> None:
        """Take a role in all projects from an agency."""
        self._send(self._everywhere("DELETE", "revokeRoleFromAgency", domain_id, agency_id, role_id))

    def policies(self) -> list[Policy]:
        """All custom policies of the account."""
        return list(self._policy_pages())

    def create_policy(self, desired: Mapping[str, Any]) -> Policy:
        """Make a custom policy."""
        return self._one(self._policy("POST", "createRole", body={"role": desired}), Policy, "role")

    def update_policy(self, policy_id: str, desired: Mapping[str, Any]) -> Policy:
        """Replace all fields of a custom policy."""
        return self._one(self._policy("PATCH", "updateRole", policy_id, body={"role": desired}), Policy, "role")

    def delete_policy(self, policy_id: str) -> None:
        """Delete a custom policy; whoever had it loses it."""
        self._exchange(self._policy("DELETE", "deleteRole", policy_id))

    def _policy_pages(self) -> Iterator[Policy]:
        page = 1
        while True:
            query = [("page", str(page)), ("per_page", str(_POLICIES_PAGE))]
            call = self._policy("GET", "listRoles", query=query)
            items = listed(call, self._send(call), "roles")
            yield from (read(call, Policy, item) for item in items)
            if len(items) < _POLICIES_PAGE:
                return
            page += 1

    def _agency(self, method: str, action: str, *ids: str, **more: Any) -> Call:
        return self._call(method, f"iam:{action}", "v3.0", "OS-AGENCY", "agencies", *ids, **more)

    def _roles(self, call: Call) -> list[str]:
        return [read(call, GrantedRole, item).id for item in listed(call, self._send(call), "roles")]

    def _on_project(self, method: str, action: str, agency_id: str, *role: str) -> Call:
        place = ("v3.0", "OS-AGENCY", "projects", self._project(), "agencies", agency_id, "roles")
        return self._call(method, f"iam:permissions:{action}", *place, *role)

    def _on_domain(self, method: str, action: str, domain_id: str, agency_id: str, *role: str) -> Call:
        place = ("v3.0", "OS-AGENCY", "domains", domain_id, "agencies", agency_id, "roles")
        return self._call(method, f"iam:permissions:{action}", *place, *role)

    def _everywhere(self, method: str, action: str, domain_id: str, agency_id: str, *role: str) -> Call:
        place = ("v3.0", "OS-INHERIT", "domains", domain_id, "agencies", agency_id, "roles", *role)
        return self._call(method, f"iam:permissions:{action}", *place, "inherited_to_projects")

    def _policy(self, method: str, action: str, *ids: str, **more: Any) -> Call:
        return self._call(method, f"iam:roles:{action}", "v3.0", "OS-ROLE", "roles", *ids, **more)
