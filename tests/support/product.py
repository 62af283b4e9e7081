"""The whole product on an emulator, on one virtual clock: machines, handlers, clients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from emulator import Dials, Emulator, World
from emulator.clock import EPOCH
from emulator.dataplane import DataPlane
from emulator.functiongraph.runtime.spec import Runner
from shared.ids import exposure_id, run_id
from shared.otc.cloud import Cloud
from shared.probe import ProbeAnswer
from shared.request import normalised
from shared.services import LocalContext, Services, Sink
from shared.settings import Settings
from tests.support.cloud import cloud_on
from workflow.engines.virtual import Result, VirtualClock, VirtualEngine, VirtualRun
from workflow.machines import load_machine


class SteppedClock:
    """The emulator's clock, moved by the engine."""

    def __init__(self, engine: VirtualClock) -> None:
        self._engine = engine

    def now(self) -> float:
        return self._engine.now()

    def sleep(self, seconds: float) -> None:
        self._engine.advance_to(self._engine.now() + seconds)


class MemorySink:
    """Keeps the events."""

    name = "memory"

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def deliver(self, event: dict[str, Any]) -> None:
        self.events.append(event)


class Product:
    """An emulator with one or more machines' worth of product on it."""

    def __init__(
        self,
        world: World | None = None,
        *,
        dials: Dials | None = None,
        data_plane: DataPlane | None = None,
        settings: Settings | None = None,
        probe: Callable[[str, int], ProbeAnswer] = lambda _host, _port: ProbeAnswer.LOCKED,
        emulator: Emulator | None = None,
        clock: VirtualClock | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.clock = clock or VirtualClock(EPOCH)
        self.emulator = emulator or Emulator(
            world or World.small(), dials=dials, data_plane=data_plane, clock=SteppedClock(self.clock), runner=runner
        )
        self.cloud: Cloud = cloud_on(self.emulator)
        self.sink = MemorySink()
        self.services = Services(
            cloud=self.cloud,
            settings=settings or Settings(),
            now=lambda: datetime.fromtimestamp(self.clock.now(), UTC),
            probe=probe,
            sinks=self._sinks,
        )
        self.engine = VirtualEngine(self.resolve, clock=self.clock)
        self._requests = 0

    def resolve(self, resource: str) -> Callable[[Any], Any]:
        """The handler a Resource names."""
        handler = import_module(f"functions.{resource.rpartition(':')[2]}").handler
        return lambda event: handler(event, LocalContext(self.services))

    def another(self) -> Product:
        """The product on another machine, with a store of its own, against the same cloud."""
        return Product(
            emulator=self.emulator, clock=self.clock, settings=self.services.settings, probe=self.services.probe
        )

    def begin(self, request: dict[str, Any]) -> VirtualRun:
        """Start a run of a request."""
        self._requests += 1
        whole = normalised({"request_id": f"request-{id(self)}-{self._requests}", **request})
        run = run_id(self.cloud.project_id, whole["request_id"])
        return self.engine.begin(load_machine(whole["action"]), {"request": whole}, execution_id=run)

    def run(self, request: dict[str, Any]) -> Result:
        """Run a request to its end."""
        return self.begin(request).to_end()

    def expose(self, **fields: Any) -> dict[str, Any]:
        """Expose the demo's instance; the run's output."""
        return self.run(self.request(**fields)).output

    def withdraw(self, **fields: Any) -> dict[str, Any]:
        """Withdraw it again; the run's output."""
        return self.run({"action": "withdraw", "instance_id": self.instance_id, **fields}).output

    def request(self, **fields: Any) -> dict[str, Any]:
        """A valid request to expose the demo's instance across VPCs."""
        return {
            "action": "expose",
            "instance_id": self.instance_id,
            "allow": ["203.0.113.0/24"],
            "accept": ["production"],
            "vpc_id": self.vpc_id("vpc-elb"),
            **fields,
        }

    @property
    def instance_id(self) -> str:
        """The first instance of the world."""
        return next(iter(self.emulator.world().dcs.instances.values())).id

    @property
    def exposure(self) -> str:
        """The id of the exposure of that instance."""
        return exposure_id(self.cloud.project_id, self.instance_id)

    def vpc_id(self, name: str) -> str:
        """A VPC by its name."""
        return next(vpc.id for vpc in self.cloud.vpc.vpcs() if vpc.name == name)

    def account(self) -> dict[str, Any]:
        """All the account holds."""
        return self.emulator.snapshot()

    def _sinks(self, _notify: tuple[str, ...]) -> list[Sink]:
        return [self.sink]
