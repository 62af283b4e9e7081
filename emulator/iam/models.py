"""Users, projects and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from emulator.core.resources import HexId, Table, find
from emulator.core.state import State
from emulator.iam.errors import no_such_scope, wrong_credentials

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

    def resolve(self, world: World) -> None:  # noqa: ARG002  # nothing outside is referred to
        """Check that there is somebody to be and somewhere to work.

        Raises:
            ValueError: no project or no user.
        """
        if not self.projects:
            raise ValueError("iam.projects: at least one project is needed")
        if not self.users:
            raise ValueError("iam.users: at least one user is needed")


@dataclass(frozen=True)
class Token:
    """A token; without a project it is good for IAM only."""

    id: str
    user: User
    project: Project | None
    method: str
    issued_at: float
    expires_at: float


class IamBackend:
    """Issues tokens and knows who calls."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._tokens: dict[str, Token] = {}
        self._issued = 0

    @property
    def state(self) -> IamState:
        """Users, projects and the domain."""
        return self._account.world.iam

    def token(self, token_id: str | None) -> Token | None:
        """A token that is known and has not expired."""
        token = self._tokens.get(token_id or "")
        return token if token and token.expires_at > self._account.now() else None

    def expire_tokens(self) -> None:
        """Let every token be invalid from now on, as after a change of password."""
        self._tokens.clear()

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

    def issue(self, user: User, project: Project | None, method: str, until: float | None = None) -> Token:
        """A new token; one got from a token does not outlive it (`until`)."""
        self._issued += 1
        now = self._account.now()
        expires_at = until or now + self._account.dials.token_hours * HOUR
        token_id = User.make_id(f"token/{self._account.world.seed}/{self._issued}/{now}") * 4
        token = Token(token_id, user, project, method, now, expires_at)
        self._tokens[token.id] = token
        return token
