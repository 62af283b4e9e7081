"""A deployment from template to account, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from cli.deploy.apply import OVERTAKEN, Attributes, Site, apply, delete
from cli.deploy.decide import Change, Verb, decide, removal
from cli.deploy.lint import structure_faults
from cli.deploy.model import Template
from cli.deploy.observe import observe
from cli.deploy.package import build_package, digest
from cli.deploy.patience import PatientTransport
from cli.deploy.ready import probes, wait_until_ready
from cli.deploy.runtime import runtime_of
from cli.deploy.state import AGENCY, FUNCTION, ORDER, POLICY, TRIGGER, Key, Wanted, wanted_of
from cli.deploy.target import Target
from cli.deploy.template import (
    APPLICATION,
    Resolver,
    Surroundings,
    Value,
    parameters_of,
    read_template,
    refused,
    wrong_parameter,
)
from cli.deploy.values import steps, value_faults
from cli.options import state_path
from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.transport import Service, Transport


@dataclass(frozen=True)
class Deployment:
    """A template with its values, for one project."""

    template: Template
    surroundings: Surroundings
    site: Site

    @property
    def application(self) -> str:
        """The name that everything deployed begins with."""
        return self.site.application

    def wanted(self, attributes: Attributes | None = None) -> list[Wanted]:
        """What the template wants, as far as the attributes are known."""
        resolver = Resolver(self.template, self.surroundings, attributes or {})
        return wanted_of(resolver, self.application, digest(self.site.code))

    def plan(self) -> list[Change]:
        """What there is to do; only reads.

        Raises:
            PermanentError: `Conflict`, something else stands under a name of ours.
        """
        found = observe(self.site.cloud, self.application, self.site.domain_id)
        known: Attributes = {
            one.logical: each.attributes for one in self.wanted() for each in found if each.key == one.key
        }
        return decide(self.wanted(known), found)

    def carry_out(
        self,
        changes: list[Change],
        tell: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> dict[str, str]:
        """Do it, and what is left of it where another deployment has been quicker; gives the template's outputs.

        Raises:
            AccessError: a change failed; those that were done have been told.
        """
        done: set[Key] = set()

        def told(change: Change) -> None:
            done.add(change.key)
            tell(sentence(change))

        for _ in ORDER:
            try:
                return self._carried_out(changes, told, tell, sleep)
            except PermanentError as problem:
                if problem.code not in OVERTAKEN:
                    raise
                left = {(change.verb, change.key) for change in changes if change.key not in done}
                changes = self.plan()
                # Nobody has done any of it, so looking again would not help.
                if left <= {(change.verb, change.key) for change in changes}:
                    raise
                tell("Something else has changed what was to be changed; looking again.")
        return self._carried_out(changes, told, tell, sleep)

    def _carried_out(
        self,
        changes: list[Change],
        told: Callable[[Change], None],
        tell: Callable[[str], None],
        sleep: Callable[[float], None],
    ) -> dict[str, str]:
        def ready() -> None:
            if any(_may_have_to_wait(change) for change in changes):
                wait_until_ready(self.site, probes(self.template, steps()), sleep, tell)

        attributes = apply(self.site, changes, self.wanted, told, ready)
        return Resolver(self.template, self.surroundings, attributes).outputs()


def prepare(
    transport: Transport,
    endpoints: Mapping[Service, str],
    template_file: Path,
    *,
    given: Mapping[str, str],
    environment: Callable[[str], str | None],
    cache: Path,
    sleep: Callable[[float], None] = time.sleep,
) -> Deployment:
    """Read the template, build the zip, and find out where they go.

    Raises:
        PermanentError: `InvalidRequest`, naming what is wrong with the template, a parameter or the zip.
    """
    template = read_template(template_file)
    for fault in structure_faults(template):
        raise _refused(fault)
    parameters = parameters_of(template, given, environment)
    endpoint = endpoint_of(endpoints, transport.region)
    surroundings = Surroundings(transport.region, transport.project_id, endpoint, parameters)
    resolver = Resolver(template, surroundings)
    for fault in value_faults(resolver):
        place, _, why = fault.partition(": ")
        kind, _, name = place.partition(".")
        if kind == "Parameters":
            raise wrong_parameter(template, name, why, given, environment)
        raise _refused(fault)
    code = build_package(target_of(endpoint), runtime_of(resolver), cache)
    site = site_of(transport, application_of(template, parameters), sleep, code)
    return Deployment(template, surroundings, site)


def _refused(fault: str) -> PermanentError:
    place, _, why = fault.partition(": ")
    return refused(place, why)


def site_of(
    transport: Transport, application: str, sleep: Callable[[float], None] = time.sleep, code: bytes = b""
) -> Site:
    """Where an application is deployed."""
    patient = PatientTransport(transport, sleep)
    return Site(patient, application, Cloud(patient).iam.domain_id(), code)


def application_of(template: Template, parameters: Mapping[str, Value]) -> str:
    """The name that everything deployed begins with.

    Raises:
        PermanentError: `InvalidRequest`, the template has no such parameter.
    """
    if APPLICATION not in template.parameters:
        raise refused(f"Parameters.{APPLICATION}", "is missing")
    return str(parameters[APPLICATION])


def _may_have_to_wait(change: Change) -> bool:
    """Whether functions may not work yet; triggers come last, so a missing one may tell of a wait that was killed."""
    if change.type == TRIGGER:
        return change.verb is Verb.CREATE
    return change.type in {POLICY, AGENCY, FUNCTION} and change.verb is not Verb.KEEP


def take_away(site: Site, confirmed: list[Change], tell: Callable[[str], None]) -> list[Change]:
    """Delete what was confirmed and is still to be deleted; gives what is left, with the reason."""
    keys = {change.key for change in confirmed if change.verb is Verb.DELETE}
    now = plan_removal(site)
    due = [change for change in now if change.verb is Verb.DELETE and change.key in keys]
    delete(site, due, lambda change: tell(sentence(change)))
    late = "its deletion was not confirmed"
    return [replace(one, reason=late) if one.verb is Verb.DELETE else one for one in now if one not in due]


def plan_removal(site: Site) -> list[Change]:
    """What would be deleted; a function's triggers go with it, whoever made them."""
    found = observe(site.cloud, site.application, site.domain_id)
    return removal(found, "it was deployed")


def endpoint_of(endpoints: Mapping[Service, str], region: str) -> str:
    """The pattern that gives each service's address: one root for all, or one in which its name stands.

    Raises:
        PermanentError: `InvalidRequest`, one service is somewhere else.
    """
    if len(set(endpoints.values())) == 1:
        return endpoints[Service.ELB]
    url = urlsplit(endpoints[Service.ELB])
    pattern = f"{url.scheme}://" + url.netloc.replace(Service.ELB.value, "{service}", 1).replace(region, "{region}")
    for service, address in endpoints.items():
        if pattern.replace("{service}", service.value).replace("{region}", region) != address:
            raise PermanentError(
                ErrorCode.INVALID_REQUEST,
                f"The address of {service}, {address}, is not like those of its neighbours, {pattern}.",
                field=f"{service}_endpoint_override",
                advice="Functions know their services by one pattern; take the override away.",
            )
    return pattern


def cache_path() -> Path:
    """Where downloaded wheels are kept."""
    return state_path() / "wheels"


def target_of(endpoint: str) -> Target:
    """Whose interpreter runs the functions: one root for all services is an emulator."""
    return Target.OTC if "{service}" in endpoint else Target.EMULATOR


def sentence(change: Change) -> str:
    """What was done."""
    return f"{change.verb.value:8} {change.kind} {change.name}"
