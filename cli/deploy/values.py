"""What is wrong with a template once its parameters have values; a parameter that is to blame is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import SecretStr, ValidationError

from cli.deploy.forms import Ref, Sub
from cli.deploy.model import Agency, Function, LogGroup, LogStream, Policy, Resource, TimerTrigger, Topic, Trigger
from cli.deploy.runtime import RUNTIMES
from cli.deploy.template import APPLICATION, NAMES, SECRETS, Resolver, faults_of, in_words, merged, references
from shared.errors import PermanentError
from shared.intake.timers import timer_request
from shared.otc.functiongraph import GATEWAY_TIMEOUT
from shared.request import parse_request
from shared.settings import setting_faults
from shared.urns import function_name
from workflow.engines.functiongraph.hop import MARGIN
from workflow.language.definition import Task
from workflow.machines import load_machines

MOST_VARIABLES, LONGEST_VARIABLES = 20, 4096
"""What a function takes (FunctionGraph manual: configuring environment variables)."""
TOPICS = ("requests", "events")
"""What the application's topics are called, for `dcs-access submit` finds them by their names."""

Fault = tuple[tuple[str, ...], str]
"""A field of a resource's properties, and what is wrong with it."""


def value_faults(resolver: Resolver) -> list[str]:
    """What is wrong, each with the parameter or the field; nothing if all is well."""
    wrong: dict[str, str] = {}
    for name in resolver.template.resources:
        for path, why in _faults(resolver, name):
            wrong.setdefault(_place(resolver, name, path), why)
    return [*(f"{place}: {why}" for place, why in wrong.items()), *_topics(resolver)]


def steps() -> frozenset[str]:
    """The handlers that the machines name."""
    flows = [flow for machine in load_machines().values() for flow in machine.flows.values()]
    states = [state for flow in flows for state in flow.states.values()]
    return frozenset(function_name(state.resource) for state in states if isinstance(state, Task))


def _faults(resolver: Resolver, name: str) -> Iterator[Fault]:
    resource, properties = resolver.template.resources[name], _open(resolver.properties(name))
    if wrong := _fields(resource, properties):
        # The other rules are about values of the right types.
        yield from wrong
        return
    yield from _names(resource, properties, resolver)
    if isinstance(resource, Function):
        yield from chain(_variables(properties), _time_out(properties), _runtime(properties))
    if isinstance(resource, Trigger) and isinstance(resource.properties, TimerTrigger):
        yield from _request(properties["event_data"])


def _open(value: Any) -> Any:
    """The value with its secrets, which none of the faults quotes."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return {key: _open(each) for key, each in value.items()}
        case _:
            return value


def _fields(resource: Resource, properties: Mapping[str, Any]) -> list[Fault]:
    """The rules of the model, for what a reference has come to."""
    try:
        type(resource.properties).model_validate(properties)
    except ValidationError as problem:
        return faults_of(problem)
    return []


def _names(resource: Resource, properties: Mapping[str, Any], resolver: Resolver) -> Iterator[Fault]:
    """Two applications of one project are told apart by the names of what they have."""
    application = str(resolver.surroundings.parameters.get(APPLICATION, ""))
    if isinstance(resource, Function) and properties["package"] != application:
        yield ("package",), "must be the application"
    if isinstance(resource, Policy | Agency | Topic | LogGroup | LogStream):
        field = NAMES[resource.type]
        if properties[field] != application and not properties[field].startswith(f"{application}-"):
            yield (field,), "must be the application, or begin with it and -"


def _variables(properties: Mapping[str, Any]) -> Iterator[Fault]:
    """The functions could not read them."""
    places = {variable: place for place in ("user_data", SECRETS) for variable in properties[place]}
    variables = {name: str(properties[place][name]) for name, place in places.items()}
    for variable, why in setting_faults(variables.get):
        yield (places[variable], variable), in_words(why)
    given = {name: value for name, value in variables.items() if value}
    if len(given) > MOST_VARIABLES or len(json.dumps(given)) > LONGEST_VARIABLES:
        yield ("user_data",), f"more than {MOST_VARIABLES} variables, or more than {LONGEST_VARIABLES} characters"


def _time_out(properties: Mapping[str, Any]) -> Iterator[Fault]:
    seconds, name = properties["timeout"], properties["func_name"]
    if name in steps() and seconds >= GATEWAY_TIMEOUT:
        yield ("timeout",), f"must be below {GATEWAY_TIMEOUT:.0f} s, for the function is called synchronously"
    if name == "run_workflow" and seconds < MARGIN + GATEWAY_TIMEOUT:
        yield ("timeout",), f"must be at least {MARGIN + GATEWAY_TIMEOUT:.0f} s, or there is no time to call a step"


def _runtime(properties: Mapping[str, Any]) -> Iterator[Fault]:
    if properties["runtime"] not in RUNTIMES:
        yield ("runtime",), f"must be {' or '.join(RUNTIMES)}, on which the code runs"


def _request(event_data: Mapping[str, Any]) -> Iterator[Fault]:
    """The timer would ask for what is no request."""
    try:
        parse_request(timer_request(event_data.get("user_event"), "timer"))
    except PermanentError as problem:
        yield ("event_data", "user_event"), str(problem).rstrip(".")


def _topics(resolver: Resolver) -> Iterator[str]:
    application = resolver.surroundings.parameters.get(APPLICATION, "")
    topics = [name for name, one in resolver.template.resources.items() if isinstance(one, Topic)]
    names = {resolver.properties(name)["name"] for name in topics}
    yield from (
        f"Resources: there is no topic {application}-{each}, by which it is found"
        for each in TOPICS
        if f"{application}-{each}" not in names
    )


def _place(resolver: Resolver, name: str, path: tuple[str, ...]) -> str:
    """The parameter that a field's value comes from, else the field where it is written."""
    resource = resolver.template.resources[name]
    value: Any = merged(resolver.template, resource)
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    named = references(value) if isinstance(value, Ref | Sub) else ()
    for _, (parameter, attribute) in named:
        if attribute is None and parameter in resolver.template.parameters:
            return f"Parameters.{parameter}"
    own: Any = resource.properties.model_dump()
    for part in path if isinstance(resource, Function) else ():
        own = own.get(part) if isinstance(own, dict) else None
    where = ("Globals", "Function") if own is None and value is not None else ("Resources", name, "Properties")
    return ".".join((*where, *path))
