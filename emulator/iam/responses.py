"""Tokens, catalog and projects on the wire."""

from __future__ import annotations

import re
from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, Request, no_content, ok
from emulator.core.resources import Strict
from emulator.core.times import with_micros
from emulator.iam.errors import IamErrors, no_such_scope, not_found
from emulator.iam.keys import Principal
from emulator.iam.models import Project, Token

ERRORS = IamErrors()
MANAGE_TOKENS = "iam:tokens:manage"
HOSTED = re.compile(r"(?P<scheme>https?)://iam\.(?P<domain>.+)")
# How each catalog type writes its URL; clients build the rest by appending and replacing text.
CATALOG: dict[str, tuple[str, str]] = {
    "network": ("vpc", ""),
    "vpc": ("vpc", "/v1/{project}"),
    "elb": ("elb", "/v2.0"),
    "elbv3": ("elb", "/v3/{project}"),
    "dcsv1": ("dcs", "/v1.0/{project}"),
    "dcs": ("dcs", "/v1.0/{project}"),
    "functiongraph": ("functiongraph", "/v2/{project}"),
    "smn": ("smn", "/v2/{project}"),
    "smnv2": ("smn", "/v2/{project}"),
    "cts": ("cts", "/v1.0/{project}"),
    "ctsv2": ("cts", "/v2.0/{project}"),
    "ctsv3": ("cts", "/v3/{project}"),
    "lts": ("lts", "/v2/{project}"),
    "ltsv2": ("lts", "/v2/{project}"),
    # Block storage is not served; the Go clients make the hosts of newer services out of its URL.
    "volumev2": ("evs", "/v2/{project}"),
    "identity": ("iam", "/v3"),
}


class Named(Strict):
    """A domain, by id or name."""

    id: str | None = None
    name: str | None = None


class ProjectScope(Named):
    """A project, by id or name; Keystone's clients name its domain as well."""

    domain: Named | None = None


class Scope(Strict):
    """What the token is to be good for."""

    project: ProjectScope | None = None
    domain: Named | None = None


class PasswordUser(Named):
    """Who wants a token."""

    password: str
    domain: Named | None = None


class PasswordMethod(Strict):
    """Authentication by password."""

    user: PasswordUser


class TokenMethod(Strict):
    """Authentication by a token that is still good."""

    id: str


class Identity(Strict):
    """How the caller proves who it is."""

    methods: list[str]
    password: PasswordMethod | None = None
    token: TokenMethod | None = None


class Auth(Strict):
    """Identity and scope."""

    identity: Identity
    scope: Scope | None = None


class TokenBody(Strict):
    """The body of a request for a token."""

    auth: Auth


class TokenQuery(Strict):
    """`nocatalog`, with any value, leaves the catalog out."""

    nocatalog: str | None = None


class ProjectQuery(Strict):
    """Filters of the list of projects; page and per_page only count together."""

    name: str | None = None
    domain_id: str | None = None
    parent_id: str | None = None
    enabled: bool | None = None
    page: int | None = None
    per_page: int | None = None


def create_token(account: Account, request: Request, body: TokenBody, query: TokenQuery) -> Answer:
    """IAM API: obtaining a user token through password authentication; or from another token.

    Assumed: the wording of refusals.
    """
    user, method, until = _prove(account, body.auth.identity)
    project = _scope(account, body.auth.scope)
    return _token_answer(account, request, query, account.iam.issue(user, project, method, until), status=201)


def show_token(account: Account, request: Request, query: TokenQuery) -> Answer:
    """IAM API: verifying a token and returning a valid token; one's own, or any with the right to manage tokens.

    Assumed: the name of that right, `iam:tokens:manage`; an expired token is unknown (404).
    """
    return _token_answer(account, request, query, _subject(account, request), status=200)


def check_token(account: Account, request: Request, query: TokenQuery) -> Answer:  # noqa: ARG001  # accepted, and no matter
    """IAM API: verifying a token; as it is shown, without a body."""
    return Answer(200, headers={"X-Subject-Token": _subject(account, request).id})


def delete_token(account: Account, request: Request) -> Answer:
    """IAM API: deleting a user token; as it may be shown.

    Assumed: tokens that were got from it stay.
    """
    account.iam.revoke(_subject(account, request))
    return no_content()


def show_catalog(account: Account, request: Request, token: Token) -> Answer:
    """IAM API: querying the service catalog."""
    if token.project is None:
        raise ERRORS.forbidden("the catalog needs a token of a project")
    return ok(
        {
            "catalog": catalog(account, request.base, token.project),
            "links": {"self": f"{request.base}/v3/auth/catalog", "next": None, "previous": None},
        }
    )


def list_projects(account: Account, request: Request, query: ProjectQuery) -> Answer:
    """IAM API: querying project information based on the specified criteria."""
    found = [
        project
        for project in account.iam.state.projects.values()
        if query.name in (None, project.name)
        and {query.domain_id, query.parent_id} <= {None, account.iam.state.domain.id}
        and query.enabled is not False
    ]
    if (query.page is None) != (query.per_page is None):
        raise ERRORS.invalid("page", "page and per_page must be given together")
    if query.page is not None and query.per_page is not None:
        if not 1 <= query.per_page <= 5000 or query.page < 1:
            raise ERRORS.invalid("per_page", "must be 1 to 5000")
        found = found[(query.page - 1) * query.per_page : query.page * query.per_page]
    return _projects(account, request, found)


def list_own_projects(account: Account, request: Request) -> Answer:
    """IAM API: querying the list of projects accessible to users."""
    return _projects(account, request, list(account.iam.state.projects.values()))


def list_versions(request: Request) -> Answer:
    """IAM API: querying Keystone API version information; status 300.

    Assumed: the document; on a server that has one root for all services, it is that of IAM.
    """
    return Answer(300, {"versions": {"values": [_version(request.base)]}})


def show_version(request: Request) -> Answer:
    """IAM API: querying information about Keystone API version 3.0; it is what discovery reads first."""
    return ok({"version": _version(request.base)})


def _prove(account: Account, identity: Identity) -> tuple[Principal, str, float | None]:
    if identity.methods == ["password"] and identity.password:
        user = identity.password.user
        if user.domain:
            _check_domain(account, user.domain)
        return account.iam.by_password(user.id or user.name or "", user.password), "password", None
    if identity.methods == ["token"] and identity.token:
        token = account.iam.token(identity.token.id)
        if token is None:
            raise ERRORS.unauthorized()
        return token.user, "token", token.expires_at
    raise ERRORS.invalid("auth.identity.methods", "one of password or token, with its data")


def _subject(account: Account, request: Request) -> Token:
    caller = account.iam.caller(request, None)
    if caller is None:
        raise ERRORS.unauthorized()
    token = account.iam.token(request.headers.get("x-subject-token"))
    if token is None:
        raise not_found("token", "X-Subject-Token")
    if token.user.id != caller.user.id and not caller.user.may(MANAGE_TOKENS):
        raise ERRORS.forbidden(MANAGE_TOKENS)
    return token


def _token_answer(account: Account, request: Request, query: TokenQuery, token: Token, status: int) -> Answer:
    shown = _token(account, token)
    if query.nocatalog is None:
        # What belongs to a project is of no use to a token of the account.
        whole = catalog(account, request.base, token.project)
        shown["catalog"] = whole if token.project else [one for one in whole if one["type"] == "identity"]
    return Answer(status, {"token": shown}, {"X-Subject-Token": token.id})


def _scope(account: Account, scope: Scope | None) -> Project | None:
    if scope is None:
        return None
    if scope.project:
        if scope.project.domain:
            _check_domain(account, scope.project.domain)
        return account.iam.project(scope.project.id or scope.project.name or "")
    _check_domain(account, scope.domain or Named())
    return None


def _check_domain(account: Account, wanted: Named) -> None:
    own, named = account.iam.state.domain, wanted.id or wanted.name
    if named not in (own.id, own.name):
        raise no_such_scope(f"domain: {named}")


def _token(account: Account, token: Token) -> dict[str, Any]:
    domain = {"id": account.iam.state.domain.id, "name": account.iam.state.domain.name}
    shown: dict[str, Any] = {
        "methods": [token.method],
        "issued_at": with_micros(token.issued_at),
        "expires_at": with_micros(token.expires_at),
        "user": {"id": token.user.id, "name": token.user.name, "domain": domain, "password_expires_at": ""},
        "roles": [{"id": str(number), "name": name} for number, name in enumerate(token.user.roles)],
    }
    if token.project:
        shown["project"] = {"id": token.project.id, "name": token.project.name, "domain": domain}
    else:
        shown["domain"] = domain
    return shown


def catalog(account: Account, base: str, project: Project | None) -> list[dict[str, Any]]:
    """The endpoints of all services, by type; without a project its id is a placeholder."""
    region = account.world.region
    entries = []
    for kind in account.dials.catalog_types or CATALOG:
        host, suffix = CATALOG[kind]
        url = _root(base, host) + suffix.format(project=project.id if project else "$(tenant_id)s")
        endpoint = {"interface": "public", "region": region, "region_id": region, "url": url}
        entry_id, endpoint_id = (
            Project.make_id(f"service/{kind}"),
            Project.make_id(f"endpoint/{kind}/{region}"),
        )
        endpoints = [{"id": endpoint_id, **endpoint}]
        entries.append({"id": entry_id, "name": kind, "type": kind, "endpoints": endpoints})
    return entries


def _root(base: str, host: str) -> str:
    """Where a service is: next to the IAM host under its own name, or at the one root of a local server."""
    found = HOSTED.fullmatch(base)
    return f"{found['scheme']}://{host}.{found['domain']}" if found else base


def project_view(account: Account, request: Request, project: Project) -> dict[str, Any]:
    """A project on the wire."""
    domain_id = account.iam.state.domain.id
    return {
        "id": project.id,
        "name": project.name,
        "description": "",
        "domain_id": domain_id,
        "parent_id": domain_id,
        "is_domain": False,
        "enabled": True,
        "links": {"self": f"{request.base}/v3/projects/{project.id}"},
    }


def _projects(account: Account, request: Request, projects: list[Project]) -> Answer:
    shown = [project_view(account, request, project) for project in projects]
    return ok({"projects": shown, "links": {"self": request.base + request.path, "next": None, "previous": None}})


def _version(base: str) -> dict[str, Any]:
    return {
        "id": "v3.6",
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
