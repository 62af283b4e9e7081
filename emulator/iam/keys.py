"""Access keys: permanent ones of users, temporary ones of whoever has a token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol
from uuid import uuid5

from emulator.core.message import Request
from emulator.core.problems import gateway_error
from emulator.core.resources import NAMESPACE, HexId
from emulator.iam.errors import not_found, refused
from emulator.iam.signing import fits, read_signature

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.iam.models import IamState, Project

MAX_KEYS = 2
# How far a signature's time may be off, in seconds.
SKEW = 900.0


class Principal(Protocol):
    """Who calls: a user, or an agency."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def roles(self) -> list[str]:
        """The names of its roles."""

    def may(self, action: str) -> bool:
        """Whether it has the permission."""


class AccessKey(HexId):
    """A user's permanent key; its id is the access key."""

    kind: ClassVar[str] = "access key"

    secret: str
    user_id: str
    status: Literal["active", "inactive"] = "active"
    description: str = ""

    @classmethod
    def make_id(cls, seed: str) -> str:
        """Twenty capital letters and digits."""
        return uuid5(NAMESPACE, seed).hex[:20].upper()


@dataclass(frozen=True)
class Keys:
    """A temporary pair with its security token; `project_id` is the only project it is good for, if any."""

    access_key: str
    secret_key: str
    security_token: str
    user: Principal
    project: Project | None
    expires_at: float


class KeyBackend:
    """Gives out keys and knows whose signature a request carries."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._temporary: dict[str, Keys] = {}

    @property
    def state(self) -> IamState:
        """The tables."""
        return self._account.world.iam

    def of(self, user_id: str) -> list[AccessKey]:
        """The permanent keys of a user."""
        return [key for key in self.state.access_keys.values() if key.user_id == user_id]

    def get(self, access_key: str) -> AccessKey:
        """A permanent key.

        Raises:
            ApiError: 404.
        """
        key = self.state.access_keys.get(access_key)
        if key is None:
            raise not_found("credential", access_key)
        return key

    def create(self, user_id: str, description: str) -> AccessKey:
        """A new permanent key.

        Raises:
            ApiError: 400 for the third, 404 without such a user.
        """
        if user_id not in self.state.users:
            raise not_found("user", user_id)
        if len(self.of(user_id)) >= MAX_KEYS:
            raise refused(400, "akSkNumExceed")
        secret = self._secret("secret")
        return self._account.add(
            self.state.access_keys, AccessKey, "iam", "", secret=secret, user_id=user_id, description=description
        )

    def temporary(self, user: Principal, project: Project | None, until: float) -> Keys:
        """A new temporary pair, good until a time in seconds since 1970."""
        access = AccessKey.make_id(self._secret("access"))
        keys = Keys(access, self._secret("secret"), self._secret("security") * 4, user, project, until)
        now = self._account.now()
        self._temporary = {known: one for known, one in self._temporary.items() if one.expires_at > now}
        self._temporary[access] = keys
        return keys

    def signer(self, request: Request) -> Keys:
        """Whose signature a request carries.

        Raises:
            ApiError: 401 of the gateway.
        """
        signed = read_signature(request.headers.get("authorization", ""))
        if signed is None:
            raise _refused("authorization header is malformed")
        keys = self._known(signed.access_key)
        if keys is None or keys.security_token != request.headers.get("x-security-token", ""):
            raise _refused(f"access key {signed.access_key} or its security token is unknown, inactive or expired")
        if abs(_time(request.headers.get("x-sdk-date", "")) - self._account.now()) > SKEW:
            raise _refused("x-sdk-date is not within 15 minutes of now")
        if not fits(request, signed, keys.secret_key):
            raise _refused("verify signature fail")
        return keys

    def _known(self, access_key: str) -> Keys | None:
        temporary = self._temporary.get(access_key)
        if temporary:
            return temporary if temporary.expires_at > self._account.now() else None
        key = self.state.access_keys.get(access_key)
        if key is None or key.status != "active":
            return None
        return Keys(key.id, key.secret, "", self.state.users[key.user_id], None, float("inf"))

    def _secret(self, purpose: str) -> str:
        return self._account.iam.secret(purpose)


def _time(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return float("-inf")


def _refused(why: str) -> Exception:
    return gateway_error(401, "APIGW.0301", f"Incorrect IAM authentication information: {why}")
