from __future__ import annotations

import pytest

from emulator import Emulator, ManualClock, World
from tests.emulator.functiongraph.inline import Inline


@pytest.fixture
def runner() -> Inline:
    return Inline()


@pytest.fixture
def cloud(clock: ManualClock, runner: Inline) -> Emulator:
    return Emulator(World.small(), clock=clock, runner=runner)
