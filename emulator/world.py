"""A world: everything an account holds, as a file that people write and as the state that calls change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError, model_validator

from emulator.core.resources import Strict
from emulator.cts.models import CtsState
from emulator.dcs.models import DcsState
from emulator.eip.models import EipState
from emulator.elb.state import ElbState
from emulator.functiongraph.models import FunctionGraphState
from emulator.iam.models import IamState
from emulator.lts.models import LtsState
from emulator.smn.models import SmnState
from emulator.vpc.models import VpcState

# The code of a function is megabytes of text, which the library takes a tenth of a second for, and Python five.
LOADER, DUMPER = (yaml.CSafeLoader, yaml.CSafeDumper) if yaml.__with_libyaml__ else (yaml.SafeLoader, yaml.SafeDumper)
SMALL = """
vpc:
  vpcs:
    - {name: vpc-elb, cidr: 10.0.0.0/16}
    - {name: vpc-dcs, cidr: 192.168.0.0/16}
  subnets:
    - {name: subnet-elb, vpc_id: vpc-elb, cidr: 10.0.0.0/24}
    - {name: subnet-dcs, vpc_id: vpc-dcs, cidr: 192.168.0.0/24}
dcs:
  instances:
    - {name: redis-demo, engine_version: "6.0", cache_mode: ha, subnet_id: subnet-dcs, ip: 192.168.0.10,
       password: Demo-Redis-1}
"""


class WorldError(ValueError):
    """A world that cannot exist; the message names the field."""


class World(Strict):
    """One account in one region. A reference may be an id or a name, ids may be left out.

    `seed` and `ids_issued` decide the ids that the account gives next.
    """

    seed: int = 0
    ids_issued: int = 0
    region: str = "eu-de"
    iam: IamState = IamState()
    vpc: VpcState = VpcState()
    eip: EipState = EipState()
    dcs: DcsState = DcsState()
    elb: ElbState = ElbState()
    functiongraph: FunctionGraphState = FunctionGraphState()
    smn: SmnState = SmnState()
    cts: CtsState = CtsState()
    lts: LtsState = LtsState()

    @model_validator(mode="after")
    def _resolve(self) -> World:
        self.iam.resolve(self)
        for state in (self.vpc, self.eip, self.dcs, self.elb, self.functiongraph, self.smn, self.cts, self.lts):
            for item in state.resources():
                item.project_id = self._project(item.project_id)
            state.resolve(self)
        return self

    def _project(self, reference: str) -> str:
        if not reference:
            return next(iter(self.iam.projects))
        named = {project.name: project.id for project in self.iam.projects.values()}
        known = reference if reference in self.iam.projects else named.get(reference)
        if known is None:
            raise ValueError(f"project_id: no project is called {reference!r}")
        return known

    @property
    def zones(self) -> tuple[str, str, str]:
        """The availability zones of the region."""
        return f"{self.region}-01", f"{self.region}-02", f"{self.region}-03"

    @classmethod
    def small(cls) -> World:
        """Two VPCs that do not overlap, and a password-protected Redis in one of them."""
        return cls.loads(SMALL)

    @classmethod
    def load(cls, path: str | Path) -> World:
        """Read a world file.

        Raises:
            WorldError: it is no YAML, or describes what cannot exist.
        """
        return cls.loads(Path(path).read_text())

    @classmethod
    def loads(cls, text: str) -> World:
        """Read a world from YAML.

        Raises:
            WorldError: it is no YAML, or describes what cannot exist.
        """
        try:
            data: Any = yaml.load(text, LOADER)  # noqa: S506  # both are safe
        except yaml.YAMLError as error:
            raise WorldError(f"The world is not YAML: {error}") from None
        try:
            return cls.model_validate({} if data is None else data)
        except ValidationError as error:
            lines = [".".join(map(str, one["loc"])) + ": " + one["msg"] for one in error.errors()]
            raise WorldError("The world cannot exist: " + "; ".join(lines)) from None

    def dump(self) -> str:
        """The world as YAML that loads to the same world."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        return yaml.dump(data, Dumper=DUMPER, sort_keys=False)
