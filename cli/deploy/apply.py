"""Doing what was decided, by the public APIs: each change is one resource, and can be done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event
from typing import Any

from cli.deploy.decide import Change, Verb
from cli.deploy.patience import PatientTransport
from cli.deploy.state import (
    AGENCY,
    EVERYWHERE,
    FUNCTION,
    GROUP,
    ON_DOMAIN,
    ORDER,
    POLICY,
    STRATEGY,
    STREAM,
    TAG,
    TOPIC,
    TRIGGER,
    Found,
    Wanted,
    account_mark,
    known_of,
    mark,
    with_digest,
)
from cli.deploy.template import SECRETS
from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.urns import function_urn

SIDE_BY_SIDE = 4
"""How many functions are under way at once: each sends its zip."""

OVERTAKEN = frozenset({ErrorCode.CONFLICT, ErrorCode.NOT_FOUND})
"""What a change comes to if another deployment has made, or deleted, the same thing meanwhile."""

Attributes = dict[str, Mapping[str, str]]
"""What the cloud gave to each resource, by its logical name."""

Made = tuple[str, Mapping[str, str]]
"""A resource's logical name, and what the cloud gave to it."""

# What the platform wants with every change of a function's configuration.
_ALWAYS = ("runtime", "timeout", "handler", "memory_size")
_OWN_CALLS = ("code", "async_invoke_config")
# A new function is as the platform has it, which is what is wanted.
_DEFAULTS = ("initializer_handler", STRATEGY)
_GRANTS = ("roles", ON_DOMAIN, EVERYWHERE)


@dataclass(frozen=True)
class Site:
    """Where a deployment acts: the account, the application's name and the zip of its functions."""

    transport: PatientTransport
    application: str
    domain_id: str
    code: bytes = b""

    @cached_property
    def cloud(self) -> Cloud:
        """The account."""
        return Cloud(self.transport)

    @property
    def account_mark(self) -> str:
        """The description of what is deployed to the account."""
        return account_mark(self.application, self.cloud.project_id)

    def urn(self, function: str) -> str:
        """The URN of a function of the application."""
        return function_urn(self.cloud.region, self.cloud.project_id, self.application, function)


def apply(
    site: Site,
    changes: Sequence[Change],
    wanted: Callable[[Attributes], Iterable[Wanted]],
    tell: Callable[[Change], None],
    ready: Callable[[], None],
) -> Attributes:
    """Make and change in order, then delete; `wanted` gives what is wanted once more attributes are known.

    `ready` returns when functions can work: it is called before anything triggers them.

    Returns:
        What the cloud gave to each resource.
    """
    attributes: Attributes = {
        change.wanted.logical: change.found.attributes for change in changes if change.wanted and change.found
    }
    for kind in ORDER:
        if kind == TRIGGER:
            ready()
        due = [one for one in changes if one.type == kind and one.verb not in {Verb.KEEP, Verb.DELETE}]
        if due:
            now = {one.key: one for one in wanted(attributes)}
            due = [replace(one, wanted=now[one.key]) for one in due]
            attributes |= dict(_side_by_side(due, lambda change: _made(site, change), tell))
    delete(site, changes, tell)
    return attributes


def delete(site: Site, changes: Iterable[Change], tell: Callable[[Change], None]) -> None:
    """Delete what is to be deleted, type by type from the last."""
    for kind in reversed(ORDER):
        due = [one for one in changes if one.type == kind and one.verb is Verb.DELETE]
        _side_by_side(due, lambda change: _gone(site, change), tell)


def _side_by_side(
    changes: Sequence[Change],
    act: Callable[[Change], Made],
    tell: Callable[[Change], None],
) -> list[Made]:
    """Do changes that do not need each other, and tell of each; after a failure none is begun.

    The failure is raised; of several, one that looking again would not help.
    """
    done: list[Made] = []
    failures: list[BaseException] = []
    over = Event()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        futures = {pool.submit(_unless, over, act, change): change for change in changes}
        try:
            for future in as_completed(futures):
                if failure := future.exception():
                    failures.append(failure)
                elif made := future.result():
                    done.append(made)
                    tell(futures[future])
        finally:
            over.set()
    if failures:
        raise min(failures, key=_overtaken)
    return done


def _overtaken(failure: BaseException) -> bool:
    return isinstance(failure, PermanentError) and failure.code in OVERTAKEN


def _unless(over: Event, act: Callable[[Change], Made], change: Change) -> Made | None:
    if over.is_set():
        return None
    try:
        return act(change)
    except BaseException:
        over.set()
        raise


def _made(site: Site, change: Change) -> Made:
    wanted = change.wanted
    assert wanted is not None
    if change.verb is Verb.UPDATE:
        assert change.found is not None
        _UPDATES[wanted.type](site, wanted, change.found, change.fields)
        return wanted.logical, change.found.attributes
    if change.verb is Verb.REPLACE:
        _gone(site, change)
    return wanted.logical, _CREATIONS[wanted.type](site, wanted)


def _gone(site: Site, change: Change) -> Made:
    assert change.found is not None
    try:
        _DELETIONS[change.type](site, change.found)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
    return change.name, {}


def _create_policy(site: Site, wanted: Wanted) -> dict[str, str]:
    return {"id": site.cloud.iam.create_policy(_policy(site, wanted)).id}


def _update_policy(site: Site, wanted: Wanted, found: Found, _: tuple[str, ...]) -> None:
    site.cloud.iam.update_policy(found.id, _policy(site, wanted))


def _policy(site: Site, wanted: Wanted) -> dict[str, Any]:
    return {"display_name": wanted.name, "description": site.account_mark, **wanted.properties}


def _create_agency(site: Site, wanted: Wanted) -> dict[str, str]:
    fields = {name: value for name, value in wanted.properties.items() if name not in _GRANTS}
    desired = {"name": wanted.name, "domain_id": site.domain_id, "description": site.account_mark, **fields}
    agency = site.cloud.iam.create_agency(desired)
    for role in wanted.properties["roles"]:
        site.cloud.iam.grant(agency.id, role)
    return {"id": agency.id}


def _update_agency(site: Site, wanted: Wanted, found: Found, fields: tuple[str, ...]) -> None:
    changes = {name: wanted.properties[name] for name in fields if name not in _GRANTS}
    if changes:
        site.cloud.iam.update_agency(found.id, changes)
    roles, had = set(wanted.properties["roles"]), set(found.properties["roles"])
    for role in sorted(roles - had):
        site.cloud.iam.grant(found.id, role)
    for role in sorted(had - roles):
        site.cloud.iam.revoke(found.id, role)
    for role in found.properties[ON_DOMAIN]:
        site.cloud.iam.revoke_on_domain(site.domain_id, found.id, role)
    for role in found.properties[EVERYWHERE]:
        site.cloud.iam.revoke_everywhere(site.domain_id, found.id, role)


def _create_topic(site: Site, wanted: Wanted) -> dict[str, str]:
    return {"topic_urn": site.cloud.smn.create_topic(wanted.name, mark(site.application))}


def _create_group(site: Site, wanted: Wanted) -> dict[str, str]:
    days = wanted.properties["ttl_in_days"]
    return {"log_group_id": site.cloud.lts.create_group(wanted.name, days, {TAG: site.application})}


def _update_group(site: Site, wanted: Wanted, found: Found, _: tuple[str, ...]) -> None:
    site.cloud.lts.update_group(found.id, wanted.properties["ttl_in_days"])


def _create_stream(site: Site, wanted: Wanted) -> dict[str, str]:
    group = wanted.parent
    return {"log_stream_id": site.cloud.lts.create_stream(group, wanted.name, {TAG: site.application})}


def _create_function(site: Site, wanted: Wanted) -> dict[str, str]:
    named = {"func_name": wanted.name, "package": site.application, "type": "v2"}
    configuration = {name: value for name, value in _configuration(wanted).items() if name not in _DEFAULTS}
    if not wanted.properties[SECRETS]:
        del configuration[SECRETS]
    site.cloud.functiongraph.create_function({**named, **configuration}, site.code)
    _set_async_config(site, wanted)
    return {}


def _update_function(site: Site, wanted: Wanted, found: Found, fields: tuple[str, ...]) -> None:
    changed = set(fields).difference(_OWN_CALLS)
    if SECRETS in changed:
        # Their digest goes with them, in the same call.
        changed.add("description")
    if changed:
        configuration = _configuration(wanted)
        if limit := found.properties[STRATEGY].concurrency:
            # How many instances there may be is the operator's; but some.
            configuration[STRATEGY]["concurrency"] = limit
        kept = {name: value for name, value in configuration.items() if name in changed or name in _ALWAYS}
        site.cloud.functiongraph.update_function(found.id, {"func_name": wanted.name, **kept})
    if "code" in fields:
        site.cloud.functiongraph.update_code(found.id, site.code)
    if "async_invoke_config" in fields:
        _set_async_config(site, wanted)


def _configuration(wanted: Wanted) -> dict[str, Any]:
    fields = {name: value for name, value in wanted.properties.items() if name not in _OWN_CALLS}
    secrets = {name: value.get_secret_value() for name, value in fields[SECRETS].items()}
    return {
        **fields,
        "user_data": json.dumps(fields["user_data"], sort_keys=True),
        SECRETS: json.dumps(secrets, sort_keys=True),
        STRATEGY: fields[STRATEGY].model_dump(),
        "description": with_digest(fields["description"], known_of(fields[SECRETS])[1]),
    }


def _set_async_config(site: Site, wanted: Wanted) -> None:
    config = wanted.properties.get("async_invoke_config")
    if config is None:
        return
    destinations = {
        name: {**destination, "param": json.dumps(destination["param"])}
        for name, destination in config["destination_config"].items()
    }
    site.cloud.functiongraph.set_async_config(site.urn(wanted.name), {**config, "destination_config": destinations})


def _create_trigger(site: Site, wanted: Wanted) -> dict[str, str]:
    function, kind, _ = wanted.name.split("/", 2)
    status, data = wanted.properties["trigger_status"], wanted.properties["event_data"]
    site.cloud.functiongraph.create_trigger(site.urn(function), kind, status, data)
    return {}


def _update_trigger(site: Site, wanted: Wanted, found: Found, _: tuple[str, ...]) -> None:
    kind = wanted.name.split("/", 2)[1]
    site.cloud.functiongraph.update_trigger(found.parent, kind, found.id, wanted.properties["trigger_status"])


def _delete_trigger(site: Site, found: Found) -> None:
    site.cloud.functiongraph.delete_trigger(found.parent, found.name.split("/", 2)[1], found.id)


_CREATIONS: Mapping[str, Callable[[Site, Wanted], Mapping[str, str]]] = {
    POLICY: _create_policy,
    AGENCY: _create_agency,
    TOPIC: _create_topic,
    GROUP: _create_group,
    STREAM: _create_stream,
    FUNCTION: _create_function,
    TRIGGER: _create_trigger,
}
_UPDATES: Mapping[str, Callable[[Site, Wanted, Found, tuple[str, ...]], None]] = {
    POLICY: _update_policy,
    AGENCY: _update_agency,
    GROUP: _update_group,
    FUNCTION: _update_function,
    TRIGGER: _update_trigger,
}
_DELETIONS: Mapping[str, Callable[[Site, Found], None]] = {
    POLICY: lambda site, found: site.cloud.iam.delete_policy(found.id),
    AGENCY: lambda site, found: site.cloud.iam.delete_agency(found.id),
    TOPIC: lambda site, found: site.cloud.smn.delete_topic(found.id),
    GROUP: lambda site, found: site.cloud.lts.delete_group(found.id),
    STREAM: lambda site, found: site.cloud.lts.delete_stream(found.parent, found.id),
    FUNCTION: lambda site, found: site.cloud.functiongraph.delete_function(found.id),
    TRIGGER: _delete_trigger,
}
