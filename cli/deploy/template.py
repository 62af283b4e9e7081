"""Reading a template, and putting values for what it refers to; nothing here talks to the cloud."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from cli.deploy.model import Function, GetAtt, Parameter, Ref, Resource, Sub, Template
from shared.errors import ErrorCode, PermanentError
from shared.urns import function_urn, topic_urn

UNKNOWN = "(known after deploy)"
"""Stands for what the cloud gives only when the resource is made."""

NAMES = {
    "OTC::IAM::Policy": "display_name",
    "OTC::IAM::Agency": "name",
    "OTC::SMN::Topic": "name",
    "OTC::LTS::Group": "log_group_name",
    "OTC::LTS::Stream": "log_stream_name",
    "OTC::FunctionGraph::Function": "func_name",
}
"""The property that names a resource of a type."""

ATTRIBUTES = {
    "OTC::IAM::Policy": ("id",),
    "OTC::IAM::Agency": ("id",),
    "OTC::SMN::Topic": ("topic_urn",),
    "OTC::LTS::Group": ("log_group_id",),
    "OTC::LTS::Stream": ("log_stream_id",),
    "OTC::FunctionGraph::Function": ("func_urn",),
    "OTC::FunctionGraph::Trigger": (),
}
"""What `GetAtt` may ask of a resource of a type."""

_PLACE = re.compile(r"\$\{([^}]+)\}")
_FORMS = {"str", "int", "[key]", "Ref", "Sub", "GetAtt", *NAMES, "OTC::FunctionGraph::Trigger"}


Value = str | int | SecretStr
"""The value of a parameter; a secret one cannot be printed by accident."""


@dataclass(frozen=True)
class Surroundings:
    """Where a template is deployed: the values of `OTC::Region` and its kin, and of the parameters."""

    region: str
    project_id: str
    endpoint: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def value(self, name: str) -> Value | None:
        """A parameter, the template's own or one of the deployment."""
        own = {"OTC::Region": self.region, "OTC::ProjectId": self.project_id, "OTC::Endpoint": self.endpoint}
        return own.get(name, self.parameters.get(name))


SECRETS = "encrypted_user_data"
"""The property whose values nobody but the function gets to see."""

PSEUDO = ("OTC::Region", "OTC::ProjectId", "OTC::Endpoint")


def template_path() -> Path:
    """The project's own template: beside this module when installed, else at the root of the checkout."""
    installed = Path(__file__).with_name("template.yaml")
    return installed if installed.exists() else Path(__file__).parents[2] / "template.yaml"


def read_template(path: Path) -> Template:
    """Read a template and check that all it refers to is there.

    Raises:
        PermanentError: `InvalidRequest`, naming the field.
    """
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
        template = Template.model_validate(data)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"] if str(part) not in _FORMS)
        raise refused(where or path.name, first["msg"].removeprefix("Value error, ")) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise refused(str(path), " ".join(str(problem).split())) from None
    _check_references(template)
    return template


def refused(where: str, why: str) -> PermanentError:
    """The error for a template that cannot be used."""
    return PermanentError(
        ErrorCode.INVALID_REQUEST, f"The template's {where}: {why}.", field=where, advice="Correct the template."
    )


def parameters_of(
    template: Template, given: Mapping[str, str], environment: Callable[[str], str | None]
) -> dict[str, Value]:
    """The value of each parameter: as given, else the caller's variable, else the default; given empty, the default.

    Raises:
        PermanentError: `InvalidRequest`: there is no such parameter, or it is not a number.
    """
    for name in given:
        if name not in template.parameters:
            known = ", ".join(sorted(template.parameters))
            raise refused(f"Parameters.{name}", f"there is no such parameter; there are {known}")
    values: dict[str, Value] = {}
    for name, parameter in template.parameters.items():
        variable = environment(parameter.variable) if parameter.variable else None
        value = given.get(name, variable) or parameter.default
        values[name] = _typed(f"Parameters.{name}", parameter, str(value))
    return values


def _typed(where: str, parameter: Parameter, value: str) -> Value:
    if parameter.secret:
        return SecretStr(value)
    if parameter.type == "String":
        return value
    if not value.isdecimal():
        raise refused(where, f"{value} is not a number")
    return int(value)


def merged(template: Template, resource: Resource) -> dict[str, Any]:
    """The properties of a resource, with what its type's globals add."""
    own = _plain(resource.properties)
    if not isinstance(resource, Function):
        return own
    shared = _plain(template.globals.function)
    variables = {name: {**shared[name], **own[name]} for name in ("user_data", "encrypted_user_data")}
    return {**shared, **own, **variables}


def _plain(model: BaseModel) -> dict[str, Any]:
    """The fields, with references still in them."""
    return {name: _keep(getattr(model, name)) for name in type(model).model_fields if getattr(model, name) is not None}


def _keep(value: Any) -> Any:
    match value:
        case Ref() | Sub() | GetAtt():
            return value
        case BaseModel():
            named = type(value).model_fields
            found = {(info.alias or name): getattr(value, name) for name, info in named.items()}
            return {name: _keep(each) for name, each in found.items() if each is not None}
        case dict():
            return {name: _keep(each) for name, each in value.items()}
        case tuple():
            return [_keep(each) for each in value]
        case _:
            return value


@dataclass(frozen=True)
class Resolver:
    """Puts values for references; `attributes` has what the cloud gave to each resource so far."""

    template: Template
    surroundings: Surroundings
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def properties(self, name: str) -> dict[str, Any]:
        """The properties of a resource, with values for all references."""
        found: dict[str, Any] = self._resolved(merged(self.template, self.template.resources[name]))
        return found

    def outputs(self) -> dict[str, str]:
        """What a deployment tells its user."""
        return {name: self._resolved(output.value) for name, output in self.template.outputs.items()}

    def _resolved(self, value: Any) -> Any:
        match value:
            case Ref():
                return self._named(value.ref)
            case GetAtt():
                return self._attribute(*value.get_att)
            case Sub():
                return self._filled(value.sub)
            case dict():
                return {key: self._resolved(each) for key, each in value.items()}
            case list():
                return [self._resolved(each) for each in value]
            case _:
                return value

    def _filled(self, text: str) -> str | SecretStr:
        values = {place: self._place(place) for place in _PLACE.findall(text)}
        if UNKNOWN in values.values():
            return UNKNOWN
        # A text with a secret in it is one.
        secrets = {place: each.get_secret_value() for place, each in values.items() if isinstance(each, SecretStr)}
        filled = _PLACE.sub(lambda found: str({**values, **secrets}[found[1]]), text)
        return SecretStr(filled) if secrets else filled

    def _place(self, place: str) -> Any:
        resource, dot, attribute = place.partition(".")
        return self._attribute(resource, attribute) if dot else self._named(place)

    def _named(self, name: str) -> Any:
        value = self.surroundings.value(name)
        return self._name_of(name) if value is None else value

    def _name_of(self, name: str) -> Any:
        resource = self.template.resources[name]
        return self._resolved(merged(self.template, resource)[NAMES[resource.type]])

    def _attribute(self, name: str, attribute: str) -> str:
        known = self.attributes.get(name, {}).get(attribute)
        if known is not None:
            return known
        region, project_id = self.surroundings.region, self.surroundings.project_id
        match attribute:
            case "topic_urn":
                return topic_urn(region, project_id, self._name_of(name))
            case "func_urn":
                package = self._resolved(merged(self.template, self.template.resources[name])["package"])
                return function_urn(region, project_id, package, self._name_of(name))
            case _:
                return UNKNOWN


def _check_references(template: Template) -> None:
    for name, resource in template.resources.items():
        for where, reference in _references(merged(template, resource)):
            _check_reference(template, f"Resources.{name}.Properties{where}", reference)
    for name, output in template.outputs.items():
        for where, reference in _references(_keep(output.value)):
            _check_reference(template, f"Outputs.{name}.Value{where}", reference)


def _references(value: Any, where: str = "") -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Each name referred to, with the attribute asked of it, and the field that does so."""
    match value:
        case Ref():
            yield where, (value.ref, None)
        case GetAtt():
            yield where, value.get_att
        case Sub():
            for place in _PLACE.findall(value.sub):
                name, _, attribute = place.partition(".") if "::" not in place else (place, "", "")
                yield where, (name, attribute or None)
        case dict():
            for key, each in value.items():
                yield from _references(each, f"{where}.{key}")
        case list():
            for number, each in enumerate(value):
                yield from _references(each, f"{where}.{number}")


def _check_reference(template: Template, where: str, reference: tuple[str, str | None]) -> None:
    name, attribute = reference
    if attribute is None and name in PSEUDO:
        return
    if attribute is None and name in template.parameters:
        if template.parameters[name].secret and f".{SECRETS}." not in where:
            raise refused(where, f"{name} is secret and may stand in {SECRETS} only")
        return
    resource = template.resources.get(name)
    if resource is None:
        raise refused(where, f"there is no {name}")
    if attribute is not None and attribute not in ATTRIBUTES[resource.type]:
        raise refused(where, f"{name} has no attribute {attribute}")
    if attribute is None and resource.type not in NAMES:
        raise refused(where, f"{name} has no name")
