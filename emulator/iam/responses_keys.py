"""Access keys on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, Request, created, no_content, ok
from emulator.core.resources import Strict
from emulator.core.times import with_micros
from emulator.iam.errors import IamErrors
from emulator.iam.keys import AccessKey
from emulator.iam.models import Token

ERRORS = IamErrors()


class NewKey(Strict):
    """Whose key."""

    user_id: str
    description: str = Field(default="", max_length=255)


class NewKeyBody(Strict):
    """The body of creating a permanent access key."""

    credential: NewKey


class KeyChange(Strict):
    """What may change of a key."""

    status: Literal["active", "inactive"] | None = None
    description: str | None = Field(default=None, max_length=255)


class KeyChangeBody(Strict):
    """The body of modifying a permanent access key."""

    credential: KeyChange


class KeyQuery(Strict):
    """Whose keys; one's own without a user."""

    user_id: str | None = None


class TokenReference(Strict):
    """The token that temporary keys are wanted for, and for how long in seconds."""

    id: str | None = None
    duration_seconds: int = Field(default=900, ge=900, le=86_400)


class TokenIdentity(Strict):
    """How the caller proves who it is: an agency of another account cannot be assumed, there is only one account."""

    methods: list[Literal["token"]] = Field(min_length=1, max_length=1)
    token: TokenReference = TokenReference()


class TokenAuth(Strict):
    """The identity."""

    identity: TokenIdentity


class TemporaryBody(Strict):
    """The body of obtaining a temporary access key."""

    auth: TokenAuth


def create_key(account: Account, body: NewKeyBody) -> Answer:
    """IAM API: creating a permanent access key; the secret is shown this once.

    Assumed: one's own key takes the permission, too.
    """
    key = account.iam.keys.create(body.credential.user_id, body.credential.description)
    return created({"credential": {**_view(key), "secret": key.secret}})


def list_keys(account: Account, token: Token, query: KeyQuery) -> Answer:
    """IAM API: listing permanent access keys."""
    user_id = query.user_id or token.user.id
    return ok({"credentials": [_view(key) for key in account.iam.keys.of(user_id)]})


def show_key(account: Account, access_key: str) -> Answer:
    """IAM API: querying a permanent access key."""
    key = account.iam.keys.get(access_key)
    return ok({"credential": _view(key)})


def update_key(account: Account, access_key: str, body: KeyChangeBody) -> Answer:
    """IAM API: modifying a permanent access key."""
    key = account.iam.keys.get(access_key)
    for name, value in body.credential.model_dump(exclude_none=True).items():
        setattr(key, name, value)
    return ok({"credential": _view(key)})


def delete_key(account: Account, access_key: str) -> Answer:
    """IAM API: deleting a permanent access key."""
    key = account.iam.keys.get(access_key)
    del account.iam.state.access_keys[key.id]
    return no_content()


def create_temporary(account: Account, request: Request, body: TemporaryBody) -> Answer:
    """IAM API: obtaining a temporary AK/SK; the token is in the header or in the body.

    Assumed: method `assume_role` is not served: there is only one account.
    """
    wanted = body.auth.identity.token
    token = account.iam.token(request.headers.get("x-auth-token") or wanted.id)
    if token is None:
        raise ERRORS.unauthorized()
    until = min(account.now() + wanted.duration_seconds, token.expires_at)
    keys = account.iam.keys.temporary(token.user, token.project, until)
    credential = {
        "access": keys.access_key,
        "secret": keys.secret_key,
        "securitytoken": keys.security_token,
        "expires_at": with_micros(until),
    }
    return created({"credential": credential})


def _view(key: AccessKey) -> dict[str, Any]:
    return {
        "access": key.id,
        "user_id": key.user_id,
        "status": key.status,
        "description": key.description,
        "create_time": with_micros(key.created_at),
    }
