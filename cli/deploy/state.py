"""What a deployment wants, what it finds, and the mark by which it knows its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from cli.deploy.template import NAMES, SECRETS, Resolver
from shared.otc.functiongraph.functions import Strategy

POLICY, AGENCY, TOPIC = "OTC::IAM::Policy", "OTC::IAM::Agency", "OTC::SMN::Topic"
GROUP, STREAM = "OTC::LTS::Group", "OTC::LTS::Stream"
FUNCTION, TRIGGER = "OTC::FunctionGraph::Function", "OTC::FunctionGraph::Trigger"
ORDER = (POLICY, AGENCY, TOPIC, GROUP, STREAM, FUNCTION, TRIGGER)
"""In which resources are made, for each type may refer to those before it; they are deleted the other way round."""

TAG = "dcs-access"
"""The tag that marks what has tags but no description; its value is the application."""

ON_DOMAIN, EVERYWHERE = "roles on the domain", "roles in all projects"
"""What an agency of ours never has, for its roles are granted in the project only."""
STRATEGY = "strategy_config"
"""The property that says how many instances a function may have."""

_DIGEST, _DIGITS = "; secrets ", 16

Key = tuple[str, str]
"""A type, and a name that is unique in it."""


@dataclass(frozen=True)
class Wanted:
    """A resource as it should be; `properties` are what is compared, in the template's own words.

    `parent` is the id it hangs on.
    """

    logical: str
    type: str
    name: str
    properties: Mapping[str, Any]
    parent: str = ""

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.type, self.name


@dataclass(frozen=True)
class Found:
    """A resource as it is; `attributes` are what `GetAtt` may ask, `parent` is the id it hangs on."""

    type: str
    name: str
    id: str
    ours: bool
    properties: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.type, self.name


def mark(application: str, about: str = "") -> str:
    """The description of what an application deploys."""
    return f"Deployed by dcs-access as {application}" + (f": {about}" if about else "")


def account_mark(application: str, project_id: str) -> str:
    """The description of what is not in the project but in the account, which other projects share."""
    return mark(application, f"for project {project_id}")


def marked(description: str, application: str) -> bool:
    """Whether a description says that this application deployed it."""
    own = mark(application)
    return description == own or description.startswith(f"{own}: ")


def known_of(secrets: Mapping[str, SecretStr]) -> tuple[list[str], str]:
    """What can be compared of secrets, whose values the platform gives back to nobody: their names, and a digest."""
    names = sorted(secrets)
    text = json.dumps([[name, secrets[name].get_secret_value()] for name in names])
    return names, sha256(text.encode()).hexdigest()[:_DIGITS] if names else ""


def with_digest(description: str, digest: str) -> str:
    """The description of a function that keeps the digest of its secrets, for its variables are few."""
    return f"{description}{_DIGEST}{digest}" if digest else description


def split_digest(description: str) -> tuple[str, str]:
    """A description, and the digest in it."""
    text, _, digest = description.partition(_DIGEST)
    return text, digest


def trigger_name(function: str, kind: str, event_data: Mapping[str, Any]) -> str:
    """What a trigger is known by: no two triggers of a function have the same topic, or the same name."""
    key = str(event_data.get("topic_urn", "")).rpartition(":")[2] or event_data.get("name", "")
    return f"{function}/{kind}/{key}"


def wanted_of(resolver: Resolver, application: str, digest: str) -> list[Wanted]:
    """What a template wants, in the order in which it is made; `digest` is that of the zip."""
    resources = resolver.template.resources
    found = [_wanted(name, resources[name].type, resolver, application, digest) for name in resources]
    return sorted(found, key=lambda one: ORDER.index(one.type))


def _wanted(logical: str, kind: str, resolver: Resolver, application: str, digest: str) -> Wanted:
    properties = resolver.properties(logical)
    if kind == TRIGGER:
        function = properties["function_urn"].rpartition(":")[2]
        code, data = properties["trigger_type_code"], properties["event_data"]
        compared = {"trigger_status": properties["trigger_status"], "event_data": data}
        return Wanted(logical, kind, trigger_name(function, code, data), compared)
    name = str(properties.pop(NAMES[kind]))
    if kind == FUNCTION:
        properties = _function(properties, application, digest)
    if kind == AGENCY:
        properties |= {"roles": sorted(properties["roles"]), ON_DOMAIN: [], EVERYWHERE: []}
    parent = properties.pop("log_group_id") if kind == STREAM else ""
    return Wanted(logical, kind, name, properties, parent)


def _function(properties: dict[str, Any], application: str, digest: str) -> dict[str, Any]:
    variables = {name: str(value) for name, value in properties["user_data"].items() if value not in ("", None)}
    secrets = {
        name: value if isinstance(value, SecretStr) else SecretStr(value) for name, value in properties[SECRETS].items()
    }
    kept = {name: value for name, value in properties.items() if name not in {"code_uri", "package"}}
    return {
        **kept,
        "user_data": variables,
        SECRETS: {name: value for name, value in secrets.items() if value},
        "description": mark(application, properties["description"]),
        "code": digest,
        "initializer_handler": "",
        STRATEGY: Strategy(),
    }
