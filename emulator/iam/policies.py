"""Roles and policies: which actions they allow, and what a policy may look like."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from re import fullmatch
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from emulator.core.resources import HexId, Strict

# IAM API: error codes IAM.1021, IAM.1028, IAM.1033, IAM.1037, IAM.1042.
MAX_POLICY_LENGTH = 6144
MAX_STATEMENTS = 8
MAX_ACTIONS = 100
SERVED = frozenset({"*", "cts", "dcs", "elb", "functiongraph", "iam", "lts", "smn", "vpc"})
ActionPattern = Annotated[str, Field(pattern=r"^([a-z0-9_-]+|\*)(:[\w*-]+){1,2}$|^\*$")]
ResourcePattern = Annotated[str, Field(pattern=r"^\*$|^[\w-]+(:[^:]*){3}:.+$", max_length=1500)]


class AgencyResource(Strict):
    """The form that a policy about assuming agencies names them in."""

    uri: list[Annotated[str, Field(max_length=128, pattern=r"^/iam/agencies/.+$")]]


class PolicyStatement(Strict):
    """One statement; actions are globs."""

    Effect: Literal["Allow", "Deny"]
    Action: list[ActionPattern] = Field(min_length=1, max_length=MAX_ACTIONS)
    Resource: Annotated[list[ResourcePattern], Field(min_length=1, max_length=20)] | AgencyResource | None = None
    Condition: dict[str, dict[str, list[str]]] | None = None

    def names(self, action: str) -> bool:
        """Whether the statement is about an action; case does not count."""
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.Action)

    @property
    def limit(self) -> str | None:
        """The field that narrows the statement down where it is about a service that is served, None without one."""
        if not any(pattern.partition(":")[0] in SERVED for pattern in self.Action):
            return None
        if isinstance(self.Resource, AgencyResource):
            # Nothing that is served can assume an agency.
            return None if self.Action == ["iam:agencies:assume"] else "Resource"
        if not all(fullmatch(r"\*|[\w-]+:\*:\*:[\w*-]+:\*", one) for one in self.Resource or ()):
            return "Resource"
        return "Condition" if self.Condition else None


class Policy(Strict):
    """The content of a role."""

    Version: Literal["1.1"]
    Statement: list[PolicyStatement] = Field(min_length=1, max_length=MAX_STATEMENTS)


class Role(HexId):
    """A permission: a custom policy of the account, or one that every account has."""

    kind: ClassVar[str] = "role"

    display_name: str = Field(min_length=1, max_length=64)
    type: Literal["XA", "AX", "AA"]
    description: str = ""
    description_cn: str | None = None
    policy: Policy


def allowed(policies: Iterable[Policy], action: str) -> bool:
    """Whether policies allow an action: some statement does, and none denies it."""
    effects = {one.Effect for policy in policies for one in policy.Statement if one.names(action)}
    return effects == {"Allow"}


def _system(name: str, display_name: str, kind: str, *statements: tuple[str, list[str]]) -> Role:
    policy: dict[str, Any] = {"Version": "1.1", "Statement": [{"Effect": e, "Action": a} for e, a in statements]}
    return Role.model_validate({"name": name, "display_name": display_name, "type": kind, "policy": policy})


SYSTEM_ROLES = {
    role.id: role
    for role in (
        _system("te_admin", "Tenant Administrator", "AA", ("Allow", ["*"]), ("Deny", ["iam:*"])),
        _system("readonly", "Tenant Guest", "AA", ("Allow", ["*:*:get*", "*:*:list*"]), ("Deny", ["iam:*"])),
        _system("secu_admin", "Security Administrator", "AX", ("Allow", ["iam:*"])),
        _system("te_agency", "Agent Operator", "AX", ("Allow", ["iam:agencies:assume", "iam:tokens:assume"])),
    )
}
# An agency that held one of these could give itself every right (IAM API: granting permissions to an agency).
NEVER_TO_AGENCIES = frozenset({"secu_admin", "te_agency"})
