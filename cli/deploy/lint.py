"""What a template must hold beyond its schema, so that what it deploys can be run and looked after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.deploy.actions import agency_actions, statements
from cli.deploy.model import Agency, Function, GetAtt, Policy, SmnData, Template, Trigger
from cli.deploy.package import handlers
from cli.deploy.template import SECRETS, merged
from shared.errors import PermanentError
from shared.otc.functiongraph import GATEWAY_TIMEOUT
from shared.settings import VARIABLE
from shared.urns import function_name
from workflow.engines.functiongraph import refuse_long_waits
from workflow.language.definition import Task
from workflow.machines import load_machines

_NEEDED = ("runtime", "memory_size", "timeout", "xrole", "app_xrole", "log_config", "async_invoke_config")

_VARIABLES = tuple(VARIABLE + name for name in ("APPLICATION", "REGION", "ENDPOINT", "EVENT_TOPIC", "OWN_AGENCIES"))
"""Without these a function finds no cloud, tells nobody, or takes what it does itself for somebody else's doing."""


def lint(template: Template) -> list[str]:
    """What is wrong, each with the field; nothing if all is well."""
    # What an agency needs can only be said of functions that are there.
    return [*_functions(template)] or [*_policies(template), *_triggers(template), *_machines(template)]


def steps() -> frozenset[str]:
    """The handlers that the machines name."""
    flows = [flow for machine in load_machines().values() for flow in machine.flows.values()]
    states = [state for flow in flows for state in flow.states.values()]
    return frozenset(function_name(state.resource) for state in states if isinstance(state, Task))


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
    """Every step that a machine names is there and answers in time, and no machine waits for too long."""
    functions = [merged(template, one) for one in template.resources.values() if isinstance(one, Function)]
    timeouts = {properties["func_name"]: properties.get("timeout") for properties in functions}
    for step in sorted(steps()):
        if step not in timeouts:
            yield f"Resources: there is no function {step}, which a machine names"
        elif isinstance(seconds := timeouts[step], int) and seconds >= GATEWAY_TIMEOUT:
            limit = f"{GATEWAY_TIMEOUT:.0f} s"
            yield f"Resources: the time-out of {step} must be below {limit}, for it is called synchronously"
    for name, machine in load_machines().items():
        try:
            refuse_long_waits(machine)
        except PermanentError as problem:
            yield f"machine {name}: {problem}"
