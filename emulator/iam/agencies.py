"""Agencies: principals of the account that a service acts as, with the rights that were granted to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from emulator.clock import EPOCH
from emulator.core.resources import HexId, Strict
from emulator.iam.errors import forbidden, not_found, refused
from emulator.iam.policies import NEVER_TO_AGENCIES, SYSTEM_ROLES, Policy, Role, allowed

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.iam.models import IamState

DAY = 86_400.0
# Where a grant counts: in one project, in every project, or for services without projects.
Scope = Literal["project", "all_projects", "domain"]
_LEVELS = {"project": ("XA", "AA"), "all_projects": ("XA", "AA"), "domain": ("AX", "AA")}


class Grant(Strict):
    """A role that an agency has; `since` is when it was granted, in seconds since 1970."""

    role_id: str
    scope: Scope = "all_projects"
    project_id: str | None = None
    since: float = EPOCH

    def counts_in(self, project_id: str | None) -> bool:
        """Whether it counts for a token of this project; None is a token of the account."""
        if project_id is None:
            return self.scope == "domain"
        return self.scope == "all_projects" or (self.scope == "project" and self.project_id == project_id)


class Agency(HexId):
    """An agency; `duration` is FOREVER, ONEDAY or a number of days."""

    kind: ClassVar[str] = "agency"

    trust_domain_name: str = "op_svc_cff"
    trust_domain_id: str = ""
    description: str = ""
    duration: str | None = None
    grants: list[Grant] = []

    @property
    def expires_at(self) -> float | None:
        """When it stops working, in seconds since 1970."""
        if self.duration in (None, "FOREVER"):
            return None
        return self.created_at + DAY * (1 if self.duration == "ONEDAY" else int(self.duration or 0))


class NewAgency(Strict):
    """The fields of a new agency (IAM API: creating an agency)."""

    name: str = Field(min_length=1, max_length=64)
    domain_id: str
    trust_domain_id: str | None = None
    trust_domain_name: str | None = None
    description: str = Field(default="", max_length=255)
    duration: str | None = Field(default=None, pattern=r"^(FOREVER|ONEDAY|[1-9]\d{0,4})$")


@dataclass(frozen=True)
class AgencyPrincipal:
    """An agency as a caller; what it may is looked up at each call."""

    agencies: AgencyBackend
    agency: Agency
    project_id: str | None

    @property
    def id(self) -> str:
        """The agency's id."""
        return self.agency.id

    @property
    def name(self) -> str:
        """The agency's name."""
        return self.agency.name

    @property
    def roles(self) -> list[str]:
        """The names of the roles that work by now."""
        return [role.name for role in self.agencies.working_roles(self.agency, self.project_id)]

    def may(self, action: str) -> bool:
        """Whether the policies that work by now allow an action."""
        policies: list[Policy] = [one.policy for one in self.agencies.working_roles(self.agency, self.project_id)]
        return allowed(policies, action)


class AgencyBackend:
    """The rules of agencies and custom policies."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def state(self) -> IamState:
        """The tables."""
        return self._account.world.iam

    def named(self, name: str) -> Agency | None:
        """The agency of this name."""
        return next((one for one in self.state.agencies.values() if one.name == name), None)

    def get(self, agency_id: str) -> Agency:
        """An agency by its id.

        Raises:
            ApiError: 404.
        """
        agency = self.state.agencies.get(agency_id)
        if agency is None:
            raise not_found("agency", agency_id)
        return agency

    def role(self, role_id: str) -> Role:
        """A role by its id, of the account or of every account.

        Raises:
            ApiError: 404.
        """
        role = self.state.roles.get(role_id) or SYSTEM_ROLES.get(role_id)
        if role is None:
            raise not_found("role", role_id)
        return role

    def create(self, fields: NewAgency) -> Agency:
        """A new agency; names are unique.

        Raises:
            ApiError: 400, 403 for another account, 409.
        """
        self.check_domain(fields.domain_id)
        trusted = trusted_domain(fields.trust_domain_name, fields.trust_domain_id)
        if self.named(fields.name):
            raise refused(409, f"Conflict occurred attempting to store agency - the name {fields.name} exists.")
        given = {"name": fields.name, "description": fields.description, "duration": fields.duration, **trusted}
        return self._account.add(self.state.agencies, Agency, "iam", "", **given)

    def delete(self, agency: Agency) -> None:
        """Delete an agency with its grants; its tokens stop working."""
        del self.state.agencies[agency.id]

    def grant(self, agency: Agency, role: Role, scope: Scope, project_id: str | None = None) -> None:
        """Grant a role; a grant that is there stays as it is.

        Raises:
            ApiError: 403 for a role that agencies never get, or one of another level.
        """
        if role.name in NEVER_TO_AGENCIES or role.type not in _LEVELS[scope]:
            raise forbidden(f"grant {role.display_name} ({role.type}) to an agency for scope {scope}")
        if not self.granted(agency, role, scope, project_id):
            grant = Grant(role_id=role.id, scope=scope, project_id=project_id, since=self._account.now())
            agency.grants.append(grant)

    def revoke(self, agency: Agency, role: Role, scope: Scope, project_id: str | None = None) -> None:
        """Take a role back, at once.

        Raises:
            ApiError: 404, it was not granted.
        """
        grant = self.granted(agency, role, scope, project_id)
        if grant is None:
            raise not_found("role", role.id)
        agency.grants.remove(grant)

    def granted(self, agency: Agency, role: Role, scope: Scope, project_id: str | None = None) -> Grant | None:
        """The grant of a role in exactly this scope."""
        wanted = (role.id, scope, project_id)
        return next((one for one in agency.grants if (one.role_id, one.scope, one.project_id) == wanted), None)

    def works(self, agency: Agency, project_id: str | None) -> bool:
        """Whether the agency can be acted as: known for long enough, not expired, with a right that works."""
        now, expires_at = self._account.now(), agency.expires_at
        if self.state.agencies.get(agency.id) is not agency or (expires_at is not None and expires_at <= now):
            return False
        return now >= agency.created_at + self._delay and any(self.working_roles(agency, project_id))

    def working_roles(self, agency: Agency, project_id: str | None) -> Iterator[Role]:
        """The roles that were granted for long enough and count in a project."""
        if self.state.agencies.get(agency.id) is not agency:
            return
        for grant in agency.grants:
            if grant.counts_in(project_id) and self._account.now() >= grant.since + self._delay:
                yield self.role(grant.role_id)

    def check_domain(self, domain_id: str) -> None:
        """Refuse another account.

        Raises:
            ApiError: 403.
        """
        if domain_id != self.state.domain.id:
            raise forbidden("another account's domain")

    @property
    def _delay(self) -> float:
        return self._account.dials.agency_delay


def trusted_domain(name: str | None, domain_id: str | None) -> dict[str, str]:
    """Whom an agency trusts; the name wins over the id.

    Raises:
        ApiError: 400, neither is given.
    """
    if name:
        return {"trust_domain_name": name, "trust_domain_id": domain_id_of(name)}
    if not domain_id:
        raise refused(400, "One of trust_domain_name and trust_domain_id is required.")
    return {"trust_domain_name": "", "trust_domain_id": domain_id}


def domain_id_of(name: str) -> str:
    """The id of another account, which nobody here can look up: any name has one."""
    return HexId.make_id(f"domain/{name}")
