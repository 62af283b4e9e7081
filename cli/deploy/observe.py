"""What of an application is in the account already, and what stands under the names it wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from typing import Any, TypeVar

from cli.deploy.state import (
    AGENCY,
    EVERYWHERE,
    FUNCTION,
    GROUP,
    ON_DOMAIN,
    POLICY,
    STRATEGY,
    STREAM,
    TAG,
    TOPIC,
    TRIGGER,
    Found,
    account_mark,
    marked,
    split_digest,
    trigger_name,
)
from cli.deploy.template import SECRETS
from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.functiongraph import Trigger
from shared.otc.iam import Agency, Policy
from shared.otc.lts import LogGroup
from shared.services import gather
from shared.urns import function_name

T = TypeVar("T")


def observe(cloud: Cloud, application: str, domain_id: str) -> list[Found]:
    """Everything that could be ours or in our way; only reads."""
    own = account_mark(application, cloud.project_id)
    looks: tuple[Callable[[], Iterable[Found]], ...] = (
        lambda: [_policy(policy, own) for policy in cloud.iam.policies()],
        lambda: _agencies(cloud, own, domain_id),
        lambda: _topics(cloud, application),
        lambda: _logs(cloud, application),
        lambda: _functions(cloud, application),
    )
    return list(chain.from_iterable(gather(*looks)))


def _policy(policy: Policy, own: str) -> Found:
    statements = [_statement(one) for one in policy.policy.get("Statement", ())]
    properties = {"type": policy.type, "policy": {**policy.policy, "Statement": statements}}
    return Found(POLICY, policy.display_name, policy.id, policy.description == own, properties, {"id": policy.id})


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    # IAM shows the conditions and resources of a statement that has none as empty ones.
    kept = {name: value for name, value in statement.items() if value not in (None, {}, [])}
    return {**kept, "Action": sorted(statement.get("Action", ()))}


def _agencies(cloud: Cloud, own: str, domain_id: str) -> list[Found]:
    found = cloud.iam.agencies(domain_id)
    ours = [agency for agency in found if agency.description == own]
    others = [Found(AGENCY, agency.name, agency.id, ours=False) for agency in found if agency not in ours]
    return [*others, *_each(lambda agency: [_agency(cloud, agency, domain_id)], ours)]


def _agency(cloud: Cloud, agency: Agency, domain_id: str) -> Found:
    properties = {
        "trust_domain_name": agency.trust_domain_name,
        "duration": agency.duration or "FOREVER",
        "roles": sorted(cloud.iam.agency_roles(agency.id)),
        ON_DOMAIN: cloud.iam.agency_roles_on_domain(domain_id, agency.id),
        EVERYWHERE: cloud.iam.agency_roles_everywhere(domain_id, agency.id),
    }
    return Found(AGENCY, agency.name, agency.id, True, properties, {"id": agency.id})


def _each(look: Callable[[T], list[Found]], listed: Iterable[T]) -> list[Found]:
    """Look at each of a list; what has gone since it was listed is not found."""
    return list(chain.from_iterable(gather(*(partial(_unless_gone, look, one) for one in listed))))


def _unless_gone(look: Callable[[T], list[Found]], one: T) -> list[Found]:
    try:
        return look(one)
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            return []
        raise


def _topics(cloud: Cloud, application: str) -> list[Found]:
    return [
        Found(TOPIC, topic.name, topic.topic_urn, marked(topic.display_name, application))
        for topic in cloud.smn.topics()
    ]


def _logs(cloud: Cloud, application: str) -> list[Found]:
    groups = cloud.lts.groups()
    own = [group for group in groups if group.tags.get(TAG) == application]
    streams = _each(partial(_streams, cloud, application), own)
    return [*(_group(group, application) for group in groups), *streams]


def _group(group: LogGroup, application: str) -> Found:
    ours = group.tags.get(TAG) == application
    return Found(GROUP, group.name, group.id, ours, {"ttl_in_days": group.ttl_in_days}, {"log_group_id": group.id})


def _streams(cloud: Cloud, application: str, group: LogGroup) -> list[Found]:
    return [
        Found(
            STREAM,
            stream.name,
            stream.id,
            stream.tags.get(TAG) == application,
            attributes={"log_stream_id": stream.id},
            parent=group.id,
        )
        for stream in cloud.lts.streams(group.id)
    ]


def _functions(cloud: Cloud, application: str) -> list[Found]:
    listed = cloud.functiongraph.functions(application)
    own = [one for one in listed if marked(one.description, application)]
    others = [Found(FUNCTION, one.func_name, one.func_urn, ours=False) for one in listed if one not in own]
    return [*others, *_each(lambda one: _function(cloud, application, one.func_urn), own)]


def _function(cloud: Cloud, application: str, urn: str) -> list[Found]:
    """A function of ours with its triggers."""
    seen = cloud.functiongraph.function(urn)
    config = cloud.functiongraph.async_config(urn)
    description, digest = split_digest(seen.description)
    properties = {
        "runtime": seen.runtime,
        "handler": seen.handler,
        "memory_size": seen.memory_size,
        "timeout": seen.timeout,
        "xrole": seen.xrole,
        "app_xrole": seen.app_xrole,
        "description": description,
        "user_data": seen.user_data,
        SECRETS: (sorted(seen.encrypted_user_data), digest),
        "log_config": {"group_id": seen.log_group_id, "stream_id": seen.log_stream_id},
        "code": seen.digest,
        "initializer_handler": seen.initializer_handler,
        STRATEGY: seen.strategy_config,
        "async_invoke_config": None if config is None else _async_config(config),
    }
    triggers = cloud.functiongraph.triggers(urn)
    return [
        Found(FUNCTION, seen.func_name, urn, True, properties),
        *(_trigger(trigger, urn, application) for trigger in triggers),
    ]


def _async_config(config: dict[str, Any]) -> dict[str, Any]:
    destinations = {
        name: {"destination": destination["destination"], "param": json.loads(destination["param"])}
        for name, destination in (config.get("destination_config") or {}).items()
        if destination and destination.get("destination")
    }
    named = ("max_async_event_age_in_seconds", "max_async_retry_attempts")
    return {**{name: config.get(name) for name in named}, "destination_config": destinations}


def _trigger(trigger: Trigger, urn: str, application: str) -> Found:
    name = trigger_name(function_name(urn), trigger.trigger_type_code, trigger.event_data)
    properties = {"trigger_status": trigger.trigger_status, "event_data": trigger.event_data}
    # A trigger has no room for a mark, and its name may come from a parameter: what hangs on our function is ours, but
    # what a topic of others sends it.
    topic = name.rpartition("/")[2]
    ours = trigger.trigger_type_code != "SMN" or topic.startswith(f"{application}-")
    return Found(TRIGGER, name, trigger.trigger_id, ours, properties, parent=urn)
