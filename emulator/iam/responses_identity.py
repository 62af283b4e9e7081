"""Users, domains, services and endpoints on the wire: what stock clients look up by themselves."""

from __future__ import annotations

from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, Request, ok
from emulator.core.resources import Strict
from emulator.iam.errors import not_found
from emulator.iam.models import Token, User
from emulator.iam.responses import catalog, project_view


class UserQuery(Strict):
    """Filters of the list of users."""

    domain_id: str | None = None
    enabled: bool | None = None
    name: str | None = None
    password_expires_at: str | None = None


class ServiceQuery(Strict):
    """Filters of the list of services."""

    type: str | None = None


class EndpointQuery(Strict):
    """Filters of the list of endpoints."""

    interface: str | None = None
    service_id: str | None = None


def show_project(account: Account, request: Request, target_id: str) -> Answer:
    """IAM API: querying information about a specified project."""
    project = account.iam.state.projects.get(target_id)
    if project is None:
        raise not_found("project", target_id)
    return ok({"project": project_view(account, request, project)})


def list_users(account: Account, request: Request, query: UserQuery) -> Answer:
    """IAM API: querying a user list.

    Assumed: no password expires, so that the filter by its time finds nobody.
    """
    found = [
        user
        for user in account.iam.state.users.values()
        if query.name in (None, user.name)
        and query.domain_id in (None, account.iam.state.domain.id)
        and query.enabled is not False
        and query.password_expires_at is None
    ]
    return _list("users", request, [_user(account, request, user) for user in found])


def show_user(account: Account, request: Request, user_id: str) -> Answer:
    """IAM API: querying user details."""
    user = account.iam.state.users.get(user_id)
    if user is None:
        raise not_found("user", user_id)
    return ok({"user": _user(account, request, user)})


def list_own_domains(account: Account, request: Request) -> Answer:
    """IAM API: querying the list of domains accessible to users."""
    domain = account.iam.state.domain
    shown = {"id": domain.id, "name": domain.name, "description": "", "enabled": True}
    return _list("domains", request, [{**shown, "links": {"self": f"{request.base}/v3/domains/{domain.id}"}}])


def list_services(account: Account, request: Request, token: Token, query: ServiceQuery) -> Answer:
    """IAM API: querying services.

    Assumed: they are those of the catalog.
    """
    services = _services(account, request, token)
    return _list("services", request, [one for one in services if query.type in (None, one["type"])])


def show_service(account: Account, request: Request, token: Token, service_id: str) -> Answer:
    """IAM API: querying service details."""
    return _one("service", service_id, _services(account, request, token))


def list_endpoints(account: Account, request: Request, token: Token, query: EndpointQuery) -> Answer:
    """IAM API: querying endpoints.

    Assumed: they are those of the catalog.
    """
    found = [
        one
        for one in _endpoints(account, request, token)
        if query.service_id in (None, one["service_id"]) and query.interface in (None, one["interface"])
    ]
    return _list("endpoints", request, found)


def show_endpoint(account: Account, request: Request, token: Token, endpoint_id: str) -> Answer:
    """IAM API: querying endpoint details."""
    return _one("endpoint", endpoint_id, _endpoints(account, request, token))


def _services(account: Account, request: Request, token: Token) -> list[dict[str, Any]]:
    return [
        {
            "id": one["id"],
            "name": one["name"],
            "type": one["type"],
            "enabled": True,
            "description": "",
            "links": {"self": f"{request.base}/v3/services/{one['id']}"},
        }
        for one in catalog(account, request.base, token.project)
    ]


def _endpoints(account: Account, request: Request, token: Token) -> list[dict[str, Any]]:
    return [
        {
            **endpoint,
            "service_id": service["id"],
            "enabled": True,
            "links": {"self": f"{request.base}/v3/endpoints/{endpoint['id']}"},
        }
        for service in catalog(account, request.base, token.project)
        for endpoint in service["endpoints"]
    ]


def _one(kind: str, item_id: str, items: list[dict[str, Any]]) -> Answer:
    for item in items:
        if item["id"] == item_id:
            return ok({kind: item})
    raise not_found(kind, item_id)


def _list(key: str, request: Request, items: list[dict[str, Any]]) -> Answer:
    return ok({key: items, "links": {"self": request.base + request.path, "next": None, "previous": None}})


def _user(account: Account, request: Request, user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "description": "",
        "domain_id": account.iam.state.domain.id,
        "enabled": True,
        "password_expires_at": None,
        "pwd_status": False,
        "last_project_id": "",
        "links": {"self": f"{request.base}/v3/users/{user.id}"},
    }
