"""What a template must hold beyond its schema, so that what it deploys can be run and looked after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.deploy.actions import agency_actions, statements
from cli.deploy.forms import GetAtt
from cli.deploy.model import Agency, Function, Policy, SmnData, Template, Trigger
from cli.deploy.package import handlers
from cli.deploy.state import ORDER
from cli.deploy.template import (
    APPLICATION,
    COMPUTED,
    NAMES,
    SECRETS,
    Resolver,
    Surroundings,
    merged,
    parameters_of,
    references,
)
from cli.deploy.values import steps, value_faults
from shared.errors import PermanentError
from shared.settings import VARIABLE
from workflow.engines.functiongraph import refuse_long_waits
from workflow.machines import load_machines

_NEEDED = ("package", "runtime", "memory_size", "timeout", "xrole", "app_xrole", "log_config", "async_invoke_config")

_VARIABLES = tuple(VARIABLE + name for name in ("APPLICATION", "REGION", "ENDPOINT", "EVENT_TOPIC", "OWN_AGENCIES"))
"""Without these a function finds no cloud, tells nobody, or takes what it does itself for somebody else's doing."""


def lint(template: Template) -> list[str]:
    """What is wrong, each with the field; nothing if all is well. Parameters count by their defaults."""
    return structure_faults(template) or value_faults(Resolver(template, _somewhere(template)))


def structure_faults(template: Template) -> list[str]:
    """What is wrong whatever values the parameters have."""
    # A name that comes to itself has no end, and what an agency needs can only be said of functions that are there.
    return (
        [*_order(template)]
        or [*_functions(template)]
        or [*_policies(template), *_triggers(template), *_machines(template)]
    )


def _somewhere(template: Template) -> Surroundings:
    values = parameters_of(template, {}, lambda _: None)
    return Surroundings("eu-de", "project", "https://{service}.{region}.otc.t-systems.com", values)


def _order(template: Template) -> Iterator[str]:
    """What is referred to is there before it is needed: an attribute of the cloud's when its resource is made."""
    if APPLICATION not in template.parameters:
        yield f"Parameters.{APPLICATION}: is missing"
    for name, resource in template.resources.items():
        own = merged(template, resource)
        for where, (other, attribute) in references(own):
            target = template.resources.get(other)
            late = attribute is not None and attribute not in COMPUTED
            if target and late and ORDER.index(target.type) >= ORDER.index(resource.type):
                yield f"Resources.{name}.Properties{where}: {other} is made later, and may need {name} itself"
            elif target and late and where == f".{NAMES.get(resource.type)}":
                yield f"Resources.{name}.Properties{where}: a name must be known before {other} is made"
    needs = {name: set(_needs(template, name)) for name in template.resources}
    for name in needs:
        if way := _way(needs, name, name, frozenset()):
            yield f"Resources.{name}.Properties: it refers to itself: {' - '.join(way)}"


def _needs(template: Template, name: str) -> Iterator[str]:
    """The resources that are referred to, but for URNs: these are made of names, and nobody waits for them."""
    resource = template.resources[name]
    for where, (other, attribute) in references(merged(template, resource)):
        computed = attribute in COMPUTED and where != f".{NAMES.get(resource.type)}"
        if other in template.resources and other not in template.parameters and not computed:
            yield other


def _way(needs: Mapping[str, set[str]], name: str, end: str, seen: frozenset[str]) -> tuple[str, ...]:
    for other in sorted(needs[name] - seen):
        if other == end:
            return (name, end)
        if way := _way(needs, other, end, seen | {other}):
            return (name, *way)
    return ()


def _functions(template: Template) -> Iterator[str]:
    for name, resource in template.resources.items():
        if not isinstance(resource, Function):
            continue
        properties, where = merged(template, resource), f"Resources.{name}.Properties"
        yield from (f"{where}.{field}: is missing" for field in _NEEDED if not properties.get(field))
        variables = {**properties["user_data"], **properties[SECRETS]}
        yield from (f"{where}.user_data.{each}: is missing" for each in _VARIABLES if not variables.get(each))
        module = properties["handler"].partition(".")[0].removeprefix("functions/")
        if module not in handlers():
            yield f"{where}.handler: there is no {properties['handler']}"
        elif properties["func_name"] != module:
            yield f"{where}.func_name: a function is called like its handler's module, {module}"
        yield from _destination(template, name, properties)


def _destination(template: Template, name: str, properties: dict[str, Any]) -> Iterator[str]:
    """A function has a failure destination, but not the topic that calls it: its failures would come back."""
    where = f"Resources.{name}.Properties.async_invoke_config.destination_config"
    config = (properties.get("async_invoke_config") or {}).get("destination_config", {})
    heard = [
        trigger.properties.event_data.topic_urn
        for trigger in template.resources.values()
        if isinstance(trigger, Trigger)
        and trigger.properties.function_urn == GetAtt(get_att=(name, "func_urn"))
        and isinstance(trigger.properties.event_data, SmnData)
    ]
    told = [destination["param"].get("topic_urn") for destination in config.values()]
    if any(topic in heard for topic in told):
        yield f"{where}: it is the topic that calls the function"
    # Who is called by the topic of failures is the one that cannot have it.
    default = template.globals.function.async_invoke_config
    failure = default.destination_config.on_failure if default else None
    excused = failure is not None and failure.param.get("topic_urn") in heard
    if not config.get("on_failure") and not excused:
        yield f"{where}.on_failure: is missing"


def _policies(template: Template) -> Iterator[str]:
    """What an agency may do is what its functions need, and no more."""
    needed = agency_actions(template)
    for name, agency in template.resources.items():
        if not isinstance(agency, Agency):
            continue
        for role in agency.properties.roles:
            logical = role.get_att[0] if isinstance(role, GetAtt) else ""
            policy = template.resources.get(logical)
            if not isinstance(policy, Policy):
                yield f"Resources.{name}.Properties.roles: names no policy of the template"
                continue
            granted = [(each.effect, list(each.action)) for each in policy.properties.policy.statement]
            wanted = [(each["Effect"], each["Action"]) for each in statements(needed.get(name, ()))]
            if granted != wanted:
                yield f"Resources.{logical}.Properties.policy.Statement: {_difference(granted, wanted)}"


def _difference(granted: list[tuple[Any, list[str]]], wanted: list[tuple[Any, list[str]]]) -> str:
    had = {action for _, actions in granted for action in actions}
    needed = {action for _, actions in wanted for action in actions}
    missing, idle = sorted(needed - had), sorted(had - needed)
    parts = [f"lacks {', '.join(missing)}" if missing else "", f"needs no {', '.join(idle)}" if idle else ""]
    return "; ".join(filter(None, parts)) or "is in another order than `dcs-access template actions`"


def _triggers(template: Template) -> Iterator[str]:
    functions = {name for name, resource in template.resources.items() if isinstance(resource, Function)}
    for name, resource in template.resources.items():
        if isinstance(resource, Trigger):
            urn = resource.properties.function_urn
            if not (isinstance(urn, GetAtt) and urn.get_att[0] in functions):
                yield f"Resources.{name}.Properties.function_urn: names no function of the template"


def _machines(template: Template) -> Iterator[str]:
    """Every step that a machine names is there, and no machine waits for too long."""
    names = {one.properties.func_name for one in template.resources.values() if isinstance(one, Function)}
    for step in sorted(steps() - names):
        yield f"Resources: there is no function {step}, which a machine names"
    for name, machine in load_machines().items():
        try:
            refuse_long_waits(machine)
        except PermanentError as problem:
            yield f"machine {name}: {problem}"
