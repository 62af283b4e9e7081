from __future__ import annotations

import pytest

from emulator import Emulator, ManualClock, World
from tests.emulator.client import Caller


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def cloud(clock: ManualClock) -> Emulator:
    return Emulator(World.small(), clock=clock)


@pytest.fixture
def api(cloud: Emulator) -> Caller:
    return Caller(cloud)


@pytest.fixture
def vpcs(api: Caller) -> dict[str, str]:
    """The ids of the small world's VPCs by name."""
    return {vpc["name"]: vpc["id"] for vpc in api.get("/v1/{pid}/vpcs")["vpcs"]}


@pytest.fixture
def subnets(api: Caller) -> dict[str, dict[str, str]]:
    """The small world's subnets by name."""
    return {subnet["name"]: subnet for subnet in api.get("/v1/{pid}/subnets")["subnets"]}


@pytest.fixture
def redis(api: Caller) -> str:
    """The id of the small world's instance."""
    instance_id: str = api.get("/v2/{pid}/instances")["instances"][0]["instance_id"]
    return instance_id
