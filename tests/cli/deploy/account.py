"""An emulated account to deploy to, and the product's template to deploy."""

# ruff: noqa: N802  # the context's methods have the platform's names

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cli.deploy.decide import Change, Verb
from cli.deploy.model import Template
from cli.deploy.package import zipped
from cli.deploy.run import Deployment, plan_removal, site_of, take_away
from cli.deploy.template import Surroundings, parameters_of, read_template, template_path
from emulator import Emulator, World
from emulator.clock import ManualClock
from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation, KernelCode, RunResult
from shared.otc.transport import Answer, Call
from tests.support.cloud import EmulatorTransport

CODE = zipped({"functions/__init__.py": b""})


class KilledError(BaseException):
    """The process of the deployment is gone; no `except` may see it."""


class Mortal:
    """A transport whose process dies after so many calls that change something."""

    def __init__(self, transport: EmulatorTransport, lives: int) -> None:
        self._transport, self.lives = transport, lives
        self.project_id, self.region = transport.project_id, transport.region

    def send(self, call: Call) -> Answer:
        if self.lives <= 0:
            raise KilledError
        answer = self._transport.send(call)
        if call.method != "GET" and not call.path.endswith("/invocations"):
            self.lives -= 1
            if self.lives <= 0:
                raise KilledError
        return answer


@dataclass(frozen=True)
class Context:
    """The platform's context, as far as a handler without an order needs it."""

    spec: FunctionSpec
    invocation: Invocation

    def getToken(self) -> str:
        return self.invocation.token

    def getProjectID(self) -> str:
        return self.spec.project_id

    def getUserData(self, key: str) -> str | None:
        return self.spec.user_data.get(key)

    def getLogger(self) -> logging.Logger:
        return logging.getLogger("function")

    def getRequestID(self) -> str:
        return self.invocation.request_id

    def getRemainingTimeInMilliSeconds(self) -> float:
        return self.spec.timeout * 1000

    def getFunctionName(self) -> str:
        return self.spec.name


class HandlerRunner:
    """Runs our handlers in this process with what the emulated platform gives them."""

    def run(self, spec: FunctionSpec, invocation: Invocation) -> RunResult:
        module, _, name = spec.handler.replace("/", ".").rpartition(".")
        try:
            handler = getattr(import_module(module), name)
            result = handler(json.loads(invocation.event), Context(spec, invocation))
        except Exception as error:  # noqa: BLE001  # the border of a function
            return RunResult(KernelCode.HANDLER_RAISED, str(error).encode(), "", 1.0, 1.0)
        return RunResult(KernelCode.FINE, json.dumps(result).encode(), "", 1.0, 1.0)

    def forget(self, urn: str) -> None:
        """There are no instances."""

    def cancel(self, request_id: str) -> bool:
        return False

    def close(self) -> None:
        """There are no instances."""


class Deployed:
    """An account, and whoever deploys to it."""

    def __init__(self, world: World | None = None) -> None:
        self.clock = ManualClock()
        self.emulator = Emulator(world or World.small(), clock=self.clock, runner=HandlerRunner())
        self.transport = EmulatorTransport(self.emulator)
        self.told: list[str] = []

    def enter(self, project_name: str) -> None:
        """Go on in another project."""
        self.transport = EmulatorTransport(self.emulator, project_name)

    def deployment(
        self, *, template: Template | None = None, code: bytes = CODE, lives: int = 10_000, **parameters: str
    ) -> Deployment:
        """A deployment of a template, by a process that may have to die."""
        template = template or read_template(template_path())
        values = parameters_of(template, parameters, lambda _: None)
        transport = Mortal(self.transport, lives)
        surroundings = Surroundings(transport.region, transport.project_id, "https://emulator.test", values)
        site = site_of(transport, str(values["Application"]), self.clock.sleep, code)
        return Deployment(template, surroundings, site)

    def deploy(self, **given: Any) -> list[Change]:
        """Deploy; what was to be done."""
        deployment = self.deployment(**given)
        changes = deployment.plan()
        deployment.carry_out(changes, self.told.append, self.clock.sleep)
        return to_do(changes)

    def undeploy(self, application: str = "dcs-access", lives: int = 10_000) -> None:
        """Take everything away."""
        site = site_of(Mortal(self.transport, lives), application, self.clock.sleep)
        take_away(site, plan_removal(site), self.told.append)

    def holds(self) -> dict[str, Any]:
        """All the account holds, but what it writes down of itself."""
        held = self.emulator.snapshot()
        held["functiongraph"].pop("invocations", None)
        held.pop("cts", None)
        return held

    def mutations(self) -> list[str]:
        """The changing calls since the last time, as `METHOD last-words-of-the-route`."""
        found = [f"{call.method} {call.route.rpartition('/')[2]}" for call in self.emulator.calls.mutating()]
        self.emulator.calls.clear()
        return found


def to_do(changes: list[Change]) -> list[Change]:
    """The changes that are some."""
    return [change for change in changes if change.verb is not Verb.KEEP]


def without(template: Template, *names: str) -> Template:
    """A template without some resources."""
    kept = {name: resource for name, resource in template.resources.items() if name not in names}
    return template.model_copy(update={"resources": kept})


def with_properties(template: Template, name: str, **properties: Any) -> Template:
    """A template with other properties of one resource."""
    resource = template.resources[name]
    other = resource.model_copy(update={"properties": resource.properties.model_copy(update=properties)})
    return template.model_copy(update={"resources": {**template.resources, name: other}})
