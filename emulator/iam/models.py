"""Users, projects and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from emulator.core.message import Request
from emulator.core.resources import HexId, Table, find
from emulator.core.state import State
from emulator.iam.agencies import Agency, AgencyBackend, AgencyPrincipal, domain_id_of
from emulator.iam.errors import no_such_scope, wrong_credentials
from emulator.iam.keys import AccessKey, KeyBackend, Keys, Principal
from emulator.iam.policies import SYSTEM_ROLES, Role

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.world import World

HOUR = 3600.0


class Domain(HexId):
    """The account."""

    kind: ClassVar[str] = "domain"


class Project(HexId):
    """A project of the account; the first one owns all that a world does not give to another."""

    kind: ClassVar[str] = "project"


class User(HexId):
    """A user; `permissions` are globs over IAM actions."""

    kind: ClassVar[str] = "user"

    password: str
    permissions: list[str] = ["*"]
    roles: list[str] = ["te_admin"]

    def may(self, action: str) -> bool:
        """Whether the user has the permission."""
        return any(fnmatchcase(action, pattern) for pattern in self.permissions)


def _domain() -> Domain:
    return Domain.model_validate({"name": "OTC-EU-DE-00000000001000000001"})


def _projects() -> dict[str, Project]:
    project = Project.model_validate({"name": "eu-de_demo"})
    return {project.id: project}


def _users() -> dict[str, User]:
    user = User.model_validate({"name": "demo", "password": "demo-password"})
    return {user.id: user}


class IamState(State):
    """What IAM knows; tokens are not part of it, they live as long as the emulator runs."""

    domain: Domain = Field(default_factory=_domain)
    projects: Table[Project] = Field(default_factory=_projects)
    users: Table[User] = Field(default_factory=_users)
    access_keys: Table[AccessKey] = {}
    roles: Table[Role] = {}
    agencies: Table[Agency] = {}

    def resolve(self, world: World) -> None:  # noqa: ARG002  # nothing outside is referred to
        """Check that there is somebody to be and somewhere to work; turn the names in grants into ids.

        Raises:
            ValueError: no project or no user, or a grant of what is not there.
        """
        if not self.projects:
            raise ValueError("iam.projects: at least one project is needed")
        if not self.users:
            raise ValueError("iam.users: at least one user is needed")
        for key in self.access_keys.values():
            key.user_id = find(self.users, key.user_id, f"iam.access_keys[{key.id}].user_id").id
        for agency in self.agencies.values():
            agency.trust_domain_id = agency.trust_domain_id or domain_id_of(agency.trust_domain_name)
            self._resolve_grants(agency)

    def _resolve_grants(self, agency: Agency) -> None:
        where = f"iam.agencies[{agency.name}].grants"
        for grant in agency.grants:
            grant.role_id = find({**SYSTEM_ROLES, **self.roles}, grant.role_id, f"{where}.role_id").id
            if (grant.scope == "project") != (grant.project_id is not None):
                raise ValueError(f"{where}.project_id: scope project, and no other, names one")
            if grant.project_id:
                grant.project_id = find(self.projects, grant.project_id, f"{where}.project_id").id


@dataclass(frozen=True)
class Token:
    """A token; without a project it is good for IAM only."""

    id: str
    user: Principal
    project: Project | None
    method: str
    issued_at: float
    expires_at: float


class IamBackend:
    """Issues tokens and knows who calls."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.agencies, self.keys = AgencyBackend(account), KeyBackend(account)
        self._tokens: dict[str, Token] = {}
        self._agency_tokens: dict[tuple[str, str | None], Token] = {}
        self._agency_keys: dict[str, Keys] = {}
        self._issued = 0

    @property
    def state(self) -> IamState:
        """Users, projects and the domain."""
        return self._account.world.iam

    def token(self, token_id: str | None) -> Token | None:
        """A token that is known and has not expired."""
        token = self._tokens.get(token_id or "")
        return token if token and token.expires_at > self._account.now() else None

    def caller(self, request: Request, project_id: str | None) -> Token | None:
        """Who calls, by a token or a signature; None without either.

        A signed call is about the project that X-Project-Id names, else the one in the path, else the region's
        own; with X-Domain-Id it is about the account.

        Raises:
            ApiError: 401 for a signature that is not good.
        """
        if "authorization" not in request.headers or "x-auth-token" in request.headers:
            return self.token(request.headers.get("x-auth-token"))
        keys = self.keys.signer(request)
        project = keys.project
        if project is None and "x-domain-id" not in request.headers:
            wanted = request.headers.get("x-project-id") or project_id or next(iter(self.state.projects))
            project = self.state.projects.get(wanted)
        return Token("", keys.user, project, "hw_ak_sk", self._account.now(), keys.expires_at)

    def revoke(self, token: Token) -> None:
        """Let a token be invalid from now on."""
        del self._tokens[token.id]

    def expire_tokens(self) -> None:
        """Let every token be invalid from now on, as after a change of password."""
        self._tokens.clear()
        self._agency_tokens.clear()

    def by_password(self, user: str, password: str) -> User:
        """The user of this name or id.

        Raises:
            ApiError: 401.
        """
        for known in self.state.users.values():
            if user in (known.id, known.name) and password == known.password:
                return known
        raise wrong_credentials()

    def project(self, reference: str) -> Project:
        """The project of this name or id.

        Raises:
            ApiError: 401, as nobody may learn which projects exist.
        """
        try:
            return find(self.state.projects, reference, "scope")
        except ValueError:
            raise no_such_scope(f"project: {reference}") from None

    def issue(self, user: Principal, project: Project | None, method: str, until: float | None = None) -> Token:
        """A new token; one got from a token does not outlive it (`until`)."""
        now = self._account.now()
        self._forget_expired()
        expires_at = until or now + self._account.dials.token_hours * HOUR
        token = Token(self.secret("token") * 4, user, project, method, now, expires_at)
        self._tokens[token.id] = token
        return token

    def _forget_expired(self) -> None:
        now = self._account.now()
        self._tokens = {token_id: token for token_id, token in self._tokens.items() if token.expires_at > now}
        self._agency_keys = {token_id: keys for token_id, keys in self._agency_keys.items() if token_id in self._tokens}

    def agency(self, name: str) -> Agency | None:
        """The agency of this name."""
        return self.agencies.named(name)

    def agency_token(self, agency: Agency, project_id: str | None) -> Token | None:
        """A token of an agency, the same one until half its time is over; None while the agency does not work."""
        if not self.agencies.works(agency, project_id):
            return None
        kept, now = self._agency_tokens.get((agency.id, project_id)), self._account.now()
        if kept and kept.id in self._tokens and now < (kept.issued_at + kept.expires_at) / 2:
            return kept
        project = self.state.projects[project_id] if project_id else None
        token = self.issue(AgencyPrincipal(self.agencies, agency, project_id), project, "assume_role")
        self._agency_tokens[agency.id, project_id] = token
        return token

    def temporary_keys(self, agency: Agency, project_id: str | None) -> tuple[str, str, str] | None:
        """Access key, secret and security token, good for as long as the agency's token; None while it has none."""
        token = self.agency_token(agency, project_id)
        if token is None:
            return None
        keys = self._agency_keys.get(token.id)
        if keys is None:
            keys = self.keys.temporary(token.user, token.project, token.expires_at)
            self._agency_keys[token.id] = keys
        return keys.access_key, keys.secret_key, keys.security_token

    def secret(self, purpose: str) -> str:
        """Something that nobody could guess, different each time."""
        self._issued += 1
        return User.make_id(f"{purpose}/{self._account.world.seed}/{self._issued}/{self._account.now()}")
