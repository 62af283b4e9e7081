"""Routes: which handler serves a path, and what the framework reads for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from emulator.core.message import Answer, Later, Request
from emulator.core.problems import ApiError, ErrorForm, api_not_found

Handler = Callable[..., Answer | Later]
MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Service:
    """One API family: the name its throttle and faults go by, and how it refuses."""

    name: str
    errors: ErrorForm
    request_id_in_body: bool = False


@dataclass(frozen=True)
class Route:
    """One call of an API: `action` is the IAM permission; without one the call needs no token."""

    service: Service
    method: str
    path: str
    handler: Handler
    action: str | None
    _hints: Mapping[str, Any] = field(init=False, repr=False)
    _parameters: frozenset[str] = field(init=False, repr=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", self.path)
        )
        object.__setattr__(self, "_hints", get_type_hints(self.handler))
        object.__setattr__(self, "_parameters", frozenset(signature(self.handler).parameters))
        object.__setattr__(self, "_pattern", re.compile(pattern))

    @property
    def mutating(self) -> bool:
        """Whether the call changes the account; asking for a token does not."""
        return self.method in MUTATING and self.action is not None

    def match(self, path: str) -> dict[str, str] | None:
        """The path's parameters, or None."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None

    def call(self, request: Request, offered: Mapping[str, Any]) -> Answer | Later:
        """Give the handler what its signature names: `body` and `query` as their models, the rest as offered.

        A number or boolean of a body that came as text is refused, as is a body that nobody reads of a POST, PUT or
        PATCH.

        Raises:
            ApiError: an unknown or wrong field, in the service's own words.
        """
        arguments: dict[str, Any] = {name: offered[name] for name in self._parameters & offered.keys()}
        arguments |= self._read_query(request) | self._read_body(request)
        return self.handler(**arguments)

    def _read_query(self, request: Request) -> dict[str, Any]:
        model = self._hints.get("query")
        if model is None:
            if request.query:
                raise self.service.errors.invalid(request.query[0][0], "is not a parameter of this call")
            return {}
        return {"query": self._validated(model, _query_values(model, request.query))}

    def _read_body(self, request: Request) -> dict[str, Any]:
        model = self._hints.get("body")
        if model is None:
            self._refuse_body(request)
            return {}
        try:
            data = json.loads(request.body)
        except ValueError:
            raise self.service.errors.invalid("body", "is not JSON") from None
        # JSON has types of its own; a query is all text.
        return {"body": self._validated(model, data, strict=True)}

    def _refuse_body(self, request: Request) -> None:
        if self.method in ("POST", "PUT", "PATCH") and "content" not in self._parameters and not _empty(request.body):
            raise self.service.errors.invalid("body", "is not a part of this call")

    def _validated(self, model: type[BaseModel], data: Any, *, strict: bool = False) -> BaseModel:
        try:
            return model.model_validate(data, strict=strict)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "body"
            raise self.service.errors.invalid(where, first["msg"]) from None


def _empty(body: bytes) -> bool:
    # Some clients send an empty object where nothing is asked for.
    try:
        return not body.strip() or json.loads(body) in ({}, None)
    except ValueError:
        return False


def _query_values(model: type[BaseModel], query: Iterable[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in query:
        if _is_list(model, key):
            values.setdefault(key, []).append(value)
        else:
            values[key] = value
    return values


def _is_list(model: type[BaseModel], key: str) -> bool:
    names = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    annotation: Any = names.get(key)
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not NoneType)
    return get_origin(annotation) in (list, tuple)


class Router:
    """Finds the route of a request by path alone: all services share one root, hosts are ignored."""

    def __init__(self, routes: Iterable[Route]) -> None:
        # A literal segment wins over a parameter: .../instances/status over .../instances/{instance_id}.
        self._routes = sorted(routes, key=lambda route: [part.startswith("{") for part in route.path.split("/")])
        # A parameter is one segment, so that a path can only be that of a route with as many.
        self._by_shape: dict[tuple[str, int], list[Route]] = {}
        for route in self._routes:
            self._by_shape.setdefault((route.method, route.path.count("/")), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and the path's parameters.

        Raises:
            ApiError: the gateway knows no such API.
        """
        for route in self._by_shape.get((method, path.count("/")), ()):
            if (parameters := route.match(path)) is not None:
                return route, parameters
        raise api_not_found()

    def __iter__(self) -> Any:
        return iter(self._routes)


__all__ = ["ApiError", "Handler", "Route", "Router", "Service"]
