"""The account: its world and the backends that change it."""

from __future__ import annotations

from threading import RLock
from typing import Any, TypeVar

from emulator.clock import Clock
from emulator.core.resources import Lag, Pending, Resource
from emulator.cts.backend import CtsBackend
from emulator.dataplane import DataPlane
from emulator.dcs.backend import DcsBackend
from emulator.dials import Dials
from emulator.eip.models import EipBackend
from emulator.elb.backend import ElbBackend
from emulator.functiongraph.backend import FunctionGraphBackend
from emulator.functiongraph.runtime.spec import Runner
from emulator.iam.models import IamBackend
from emulator.lts.models import LtsBackend
from emulator.outbox import Outbox
from emulator.smn.backend import SmnBackend
from emulator.vpc.backend import VpcBackend
from emulator.world import World

R = TypeVar("R", bound=Resource)


class Account:
    """What handlers work on; whoever calls holds `lock`. Work of the outbox takes it itself."""

    def __init__(
        self, world: World, clock: Clock, dials: Dials, data_plane: DataPlane, runner: Runner | None = None
    ) -> None:
        self.world, self.clock, self.dials, self.data_plane = world, clock, dials, data_plane
        self.lock = RLock()
        self.outbox = Outbox(clock, lambda: dials.function_concurrency)
        # Work that a world left over may be due before everything is in place.
        with self.lock:
            self.iam = IamBackend(self)
            self.vpc = VpcBackend(self)
            self.eip = EipBackend(self)
            self.dcs = DcsBackend(self)
            self.elb = ElbBackend(self)
            # Before anything else is started that would have to be stopped if this cannot be.
            self.dcs.reconcile()
            self.elb.start()
            self.lts = LtsBackend(self)
            self.functiongraph = FunctionGraphBackend(self, runner)
            self.smn = SmnBackend(self)
            self.cts = CtsBackend(self)

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now()

    def new_id(self, kind: type[Resource]) -> str:
        """The next id; which one follows from the world's seed."""
        self.world.ids_issued += 1
        return kind.make_id(f"{self.world.seed}/{self.world.ids_issued}")

    def add(self, table: dict[str, R], kind: type[R], service: str, project_id: str, **fields: Any) -> R:
        """Make a resource and put it into its table, with its id and time stamps."""
        now = self.now()
        item = kind(
            id=self.new_id(kind),
            project_id=project_id,
            created_at=now,
            updated_at=now,
            hidden_reads=self.dials.hidden_reads.get(service, 0),
            **fields,
        )
        table[item.id] = item
        return item

    def lag(self, item: Resource, shows: str, lag: Lag) -> None:
        """Let a resource show a passing status for as long as the dial says."""
        pending = Pending(shows=shows, reads=lag.reads, until=self.now() + lag.seconds)
        item.pending = None if pending.over(self.now()) else pending

    def touch(self, item: Resource) -> None:
        """Mark a resource as changed now."""
        item.updated_at = self.now()

    def tick(self) -> None:
        """Let everything happen that was due by now."""
        self.dcs.tick()
        self.dcs.reconcile()
        self.elb.tick()
        self.cts.tick()

    def reconcile(self) -> None:
        """Let the data plane be what the world says."""
        self.dcs.reconcile()
        self.elb.reconcile()
