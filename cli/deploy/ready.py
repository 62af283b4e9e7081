"""Waiting until new agencies work: the platform takes minutes to give their credentials to functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cli.deploy.apply import Site
from cli.deploy.forms import Ref
from cli.deploy.model import Function, Template
from cli.deploy.template import merged
from shared.errors import AccessError, ErrorCode, TemporaryError
from shared.services import gather

DEADLINE = 900.0
"""Seconds: a changed agency is said to take ten minutes to reach functions."""
_EVERY = 5.0

# What starts and changes nothing: a step without its order, an intake without records.
_EMPTY: dict[str, Any] = {}
_NO_RECORDS: dict[str, Any] = {"record": []}


@dataclass(frozen=True)
class Probe:
    """A function whose answer shows whether its agency works."""

    agency: str
    function: str
    step: bool

    def works(self, site: Site) -> bool:
        """Ask once.

        Raises:
            AccessError: the function itself is at fault.
        """
        try:
            answer = site.cloud.functiongraph.invoke(site.urn(self.function), _EMPTY if self.step else _NO_RECORDS)
        except TemporaryError:
            return False
        except AccessError as problem:
            # An intake cannot say that it has no token but by failing.
            if problem.code is ErrorCode.INTERNAL and not self.step:
                return False
            raise
        error = answer.get("error") if isinstance(answer, Mapping) else None
        return not isinstance(error, Mapping) or error.get("code") not in {ErrorCode.NOT_READY, ErrorCode.UNAUTHORIZED}


def probes(template: Template, steps: frozenset[str]) -> list[Probe]:
    """One function for each agency that functions act as, those of steps first; `steps` are the machines' handlers."""
    found: dict[str, Probe] = {}
    for resource in template.resources.values():
        if isinstance(resource, Function):
            properties = merged(template, resource)
            acting, module = properties.get("app_xrole"), properties["handler"].partition(".")[0].rpartition("/")[2]
            probe = Probe(acting.ref if isinstance(acting, Ref) else "", str(properties["func_name"]), module in steps)
            if probe.agency and (probe.step or module == "on_message"):
                found.setdefault(probe.agency, probe)
    return sorted(found.values(), key=lambda probe: (not probe.step, probe.agency))


def wait_until_ready(site: Site, due: list[Probe], sleep: Callable[[float], None], tell: Callable[[str], None]) -> None:
    """Ask until every agency works, those of steps first.

    Raises:
        TemporaryError: `NotReady`, one still does not after the deadline.
        AccessError: a function is at fault.
    """
    waited = 0.0
    for step in (True, False):
        waiting = [probe for probe in due if probe.step is step]
        while waiting := _failing(site, waiting):
            if waited >= DEADLINE:
                raise _given_up(waiting[0])
            if not waited:
                tell("Waiting until the new agencies work; that may take ten minutes.")
            sleep(_EVERY)
            waited += _EVERY


def _failing(site: Site, waiting: list[Probe]) -> list[Probe]:
    works = gather(*(partial(probe.works, site) for probe in waiting))
    return [probe for probe, well in zip(waiting, works, strict=True) if not well]


def _given_up(probe: Probe) -> TemporaryError:
    return TemporaryError(
        ErrorCode.NOT_READY,
        f"{probe.agency} does not work after {DEADLINE / 60:.0f} minutes: {probe.function} gets no token.",
        resource=probe.agency,
        advice="Deploy again later; look into the log of the function.",
    )
