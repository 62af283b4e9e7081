"""Reading a template, and putting values for what it refers to; nothing here talks to the cloud."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from cli.deploy.forms import GetAtt, Ref, Sub
from cli.deploy.model import Function, Resource, Template
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

COMPUTED = ("topic_urn", "func_urn")
"""The attributes that are made of names; the others are known when their resource is made."""

_PLACE = re.compile(r"\$\{([^}]+)\}")
_MAPPING = "must be a mapping of names to values"
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "there is no such field",
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": "must be a list",
    "string_type": "must be a text",
    "int_type": "must be a number",
}
_FORMS = {"plain", "[key]", "Ref", "Sub", "GetAtt", "SMN", "TIMER", "CTS", "Rate", "Cron"}
_FORMS |= {*NAMES, "OTC::FunctionGraph::Trigger"}
_SECTIONS = ("Parameters", "Resources", "Outputs")


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

APPLICATION = "Application"
"""The parameter with the name that everything deployed begins with."""

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
        template = Template.model_validate(yaml.load(path.read_text("utf-8"), _Loader))  # noqa: S506  # a safe one
    except ValidationError as problem:
        where, why = faults_of(problem)[0]
        raise refused(".".join(where) or path.name, why) from None
    except yaml.MarkedYAMLError as problem:
        line = f", line {problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise refused(f"{path}{line}", problem.problem or "is no YAML") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise refused(str(path), " ".join(str(problem).split())) from None
    _check_references(template)
    return template


def faults_of(problem: ValidationError) -> list[tuple[tuple[str, ...], str]]:
    """What does not fit a model: where, and why; quotes no value, since one may be a secret."""
    return [
        (_path([str(part) for part in error["loc"]]), _why(error))
        for error in problem.errors(include_url=False, include_input=False)
    ]


def _path(parts: list[str]) -> tuple[str, ...]:
    # Of what a section holds the template gives the names, and one may be that of a form.
    named = 2 if parts and parts[0] in _SECTIONS else 0
    return (*parts[:named], *(part for part in parts[named:] if part not in _FORMS))


def _why(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "union_tag_invalid":
        return f"must be one of {error['ctx']['expected_tags']}"
    if kind == "union_tag_not_found":
        return f"{re.findall('[a-zA-Z_]+', error['ctx']['discriminator'])[-1]} is missing"
    return in_words(error["msg"].removeprefix("Value error, "))


def in_words(why: str) -> str:
    """What pydantic says, as it follows the name of a field."""
    return re.sub(r"\b(Input|String|List|Tuple) should\b", "must", why)


class _Loader(yaml.SafeLoader):
    """Of a name that is given twice YAML keeps the last value only, and what the first one said is lost."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping as it is written: a merge puts others' names into it later, which it may then give itself.

        Raises:
            ComposerError: a name is given twice.
        """
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                problem = f"{key.value} is given twice"
                raise yaml.composer.ComposerError(problem=problem, problem_mark=key.start_mark)
            seen |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
        return node


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
        PermanentError: `InvalidRequest`: there is no such parameter, it is not a number, or the application is empty.
    """
    for name in given:
        if name not in template.parameters:
            known = ", ".join(sorted(template.parameters))
            raise wrong_parameter(template, name, f"there is no such parameter; there are {known}", given, environment)
    if given.get(APPLICATION) == "":
        # Whoever names an application, and be it by an empty variable of a script, does not mean another one.
        raise wrong_parameter(template, APPLICATION, "must not be empty", given, environment)
    values: dict[str, Value] = {}
    for name, parameter in template.parameters.items():
        variable = environment(parameter.variable) if parameter.variable else None
        value = str(given.get(name, variable) or parameter.default)
        if parameter.type == "Number" and not value.isdecimal():
            raise wrong_parameter(template, name, "must be a number", given, environment)
        values[name] = SecretStr(value) if parameter.secret else int(value) if parameter.type == "Number" else value
    return values


def wrong_parameter(
    template: Template, name: str, why: str, given: Mapping[str, str], environment: Callable[[str], str | None]
) -> PermanentError:
    """The error for a value of a parameter, which says where the value comes from."""
    variable = parameter.variable if (parameter := template.parameters.get(name)) else None
    if given.get(name) or (name in given and (parameter is None or name == APPLICATION)):
        source, advice = "by --parameter", f"Correct --parameter {name}=..."
    elif variable and name not in given and environment(variable):
        source, advice = f"by the variable {variable}", f"Correct {variable}, or unset it."
    else:
        source, advice = "by its default", f"Correct the template, or give --parameter {name}=..."
    message = f"Parameter {name}, given {source}: {why}."
    return PermanentError(ErrorCode.INVALID_REQUEST, message, field=f"Parameters.{name}", advice=advice)


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
        for where, reference in references(merged(template, resource)):
            _check_reference(template, f"Resources.{name}.Properties{where}", reference)
    for name, output in template.outputs.items():
        for where, reference in references(_keep(output.value)):
            _check_reference(template, f"Outputs.{name}.Value{where}", reference)


def references(value: Any, where: str = "") -> Iterator[tuple[str, tuple[str, str | None]]]:
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
                yield from references(each, f"{where}.{key}")
        case list():
            for number, each in enumerate(value):
                yield from references(each, f"{where}.{number}")


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
