"""Which IAM actions a function needs: what the client calls declare that its handler can come to."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import Any

from cli.deploy.forms import Ref
from cli.deploy.model import Function, Template
from cli.deploy.template import merged
from shared.otc.client import ServiceClient
from shared.otc.cloud import Cloud

OWN = ("functions", "shared", "workflow")
# The clients are looked at call by call, and what puts the services together is not what uses them.
_NOT_FOLLOWED = ("shared.otc", "shared.platform")
# What a step calls through its services, and what stands behind that on the platform.
_BOUND = {"sinks": ("shared.sinks", "sinks_for")}
# What the platform itself does with a function's agency to tell a destination (FunctionGraph: asynchronous
# execution notification).
_DESTINATIONS = {
    "SMN": ("smn:topic:list", "smn:topic:publish"),
    "FunctionGraph": ("functiongraph:function:invokeAsync",),
}

Place = tuple[str, str]
"""A module, and a name at its top."""


class UnclearError(Exception):
    """The code is written so that the actions cannot be seen; a defect of the code, not of the template."""


def actions_of(handler: str) -> frozenset[str]:
    """The actions that a handler, such as `functions/plan_exposure.handler`, can come to."""
    module, _, name = handler.rpartition(".")
    seen: set[Place] = set()
    waiting: list[Place] = [(module.replace("/", "."), name)]
    actions: set[str] = set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        found = _looked_at(*place)
        actions |= found.actions
        waiting += found.names
    return frozenset(actions)


def agency_actions(template: Template) -> dict[str, tuple[str, ...]]:
    """For each agency of a template, by its logical name, what its functions need of it."""
    needed: dict[str, set[str]] = {}
    for resource in template.resources.values():
        if not isinstance(resource, Function):
            continue
        properties = merged(template, resource)
        acting, told = properties.get("app_xrole", properties.get("xrole")), properties.get("xrole")
        if isinstance(acting, Ref):
            needed.setdefault(acting.ref, set()).update(actions_of(properties["handler"]))
        if isinstance(told, Ref):
            needed.setdefault(told.ref, set()).update(_destination_actions(properties))
    return {agency: tuple(sorted(actions)) for agency, actions in sorted(needed.items())}


def statements(actions: Iterable[str]) -> list[dict[str, Any]]:
    """The statements of a policy that allows these actions: one a service, as people read them."""
    by_service: dict[str, list[str]] = {}
    for action in sorted(set(actions)):
        by_service.setdefault(action.partition(":")[0], []).append(action)
    return [{"Effect": "Allow", "Action": listed} for listed in by_service.values()]


def _destination_actions(properties: Mapping[str, Any]) -> Iterator[str]:
    config = (properties.get("async_invoke_config") or {}).get("destination_config", {})
    for destination in config.values():
        yield from _DESTINATIONS[destination["destination"]]


@dataclass(frozen=True)
class _Found:
    actions: frozenset[str]
    names: tuple[Place, ...]


@cache
def _looked_at(module: str, name: str) -> _Found:
    """What one definition does itself, and what else it names."""
    source = _source(module)
    if source is None:
        return _Found(frozenset(), ())
    if name not in source.definitions:
        onward = source.imports.get(name)
        return _Found(frozenset(), (onward,) if onward else ())
    actions: set[str] = set()
    names: list[Place] = []
    for definition in source.definitions[name]:
        nodes = list(ast.walk(definition))
        imports = {**source.imports, **dict(_imports(module, nodes))}
        aliases = _aliases(nodes)
        for node in nodes:
            if isinstance(node, ast.Name):
                names += _named(node.id, module, source, imports)
            elif isinstance(node, ast.Attribute):
                actions |= _called(node, aliases)
                names += [_BOUND[node.attr]] if node.attr in _BOUND else []
        _refuse_whole_clients(nodes, module)
    return _Found(frozenset(actions), tuple(names))


def _named(name: str, module: str, source: _Source, imports: Mapping[str, Place]) -> list[Place]:
    if name in imports:
        return [imports[name]]
    return [(module, name)] if name in source.definitions else []


def _aliases(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """The local names of clients: `elb = services.cloud.elb`."""
    assignments = [node for node in nodes if isinstance(node, ast.Assign)]
    return {
        node.targets[0].id: node.value.attr
        for node in assignments
        if _is_client(node.value) and isinstance(node.value, ast.Attribute) and isinstance(node.targets[0], ast.Name)
    }


def _is_client(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in _clients() and ast.unparse(node.value).endswith("cloud")


def _called(node: ast.Attribute, aliases: Mapping[str, str]) -> frozenset[str]:
    """The actions of `cloud.<client>.<method>`, or of a method of a client's local name."""
    match node.value:
        case ast.Attribute(attr=attribute):
            client = attribute
        case ast.Name(id=name):
            client = aliases.get(name, "")
        case _:
            client = ""
    if client not in _clients():
        return frozenset()
    kind = _clients()[client]
    if not callable(getattr(kind, node.attr, None)):
        raise UnclearError(f"{kind.__name__} has no method {node.attr}")
    return frozenset(_declared(kind, node.attr, {}))


def _refuse_whole_clients(nodes: Iterable[ast.AST], module: str) -> None:
    """A client that is passed on as a whole would hide which of its calls are made."""
    followed = {id(node.value) for node in nodes if isinstance(node, ast.Attribute | ast.Assign)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and _is_client(node) and id(node) not in followed:
            raise UnclearError(f"{module}:{node.lineno} passes on {ast.unparse(node)} as a whole")


@dataclass(frozen=True)
class _Source:
    imports: Mapping[str, Place]
    definitions: Mapping[str, list[ast.stmt]]


@cache
def _source(module: str) -> _Source | None:
    """A module of ours that is followed, or None."""
    own = module.split(".", maxsplit=1)[0] in OWN
    if not own or any(module == name or module.startswith(f"{name}.") for name in _NOT_FOLLOWED):
        return None
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise UnclearError(f"there is no module {module}")
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    definitions: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        for name in _defined(statement):
            definitions.setdefault(name, []).append(statement)
    return _Source(dict(_imports(module, ast.walk(tree))), definitions)


def _defined(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            return [
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            ]
        case _:
            return []


def _imports(module: str, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, Place]]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OWN:
            yield from (((alias.asname or alias.name), (node.module, alias.name)) for alias in node.names)
        elif isinstance(node, ast.Import) and any(alias.name.split(".")[0] in OWN for alias in node.names):
            raise UnclearError(f"{module}:{node.lineno} imports a module of ours as a whole")


@cache
def _clients() -> dict[str, type[ServiceClient]]:
    """The client behind each property of `Cloud`."""
    cloud = Cloud(None)  # type: ignore[arg-type]  # nothing is sent
    return {
        name: type(getattr(cloud, name)) for name, value in vars(Cloud).items() if isinstance(value, cached_property)
    }


def _declared(client: type[ServiceClient], method: str, values: Mapping[str, str | None]) -> Iterator[str]:
    """The actions of the calls that a client's method makes, by its own helpers too."""
    function = _definition(getattr(client, method))
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not _on_self(node.func):
            continue
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr
        if name == "_call":
            action = _text(node.args[1], values)
            if action is None:
                raise UnclearError(f"{client.__name__}.{method} does not say its action in words")
            yield action
        elif name not in vars(ServiceClient) and callable(getattr(client, name, None)):
            yield from _declared(client, name, _bound(client, name, node, values))


def _bound(
    client: type[ServiceClient], method: str, call: ast.Call, values: Mapping[str, str | None]
) -> dict[str, str | None]:
    names = [argument.arg for argument in _definition(getattr(client, method)).args.args][1:]
    bound = {name: _text(value, values) for name, value in zip(names, call.args, strict=False)}
    return bound | {keyword.arg: _text(keyword.value, values) for keyword in call.keywords if keyword.arg}


def _text(node: ast.expr, values: Mapping[str, str | None]) -> str | None:
    """The text an expression stands for, as far as it can be told."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return values.get(name)
        case ast.JoinedStr(values=parts):
            texts = [_text(part.value if isinstance(part, ast.FormattedValue) else part, values) for part in parts]
            return None if None in texts else "".join(text for text in texts if text)
        case _:
            return None


def _on_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


@cache
def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    (definition,) = ast.parse(dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    return definition
