"""What a load balancer can be made of: zones, sizes and quotas."""

from __future__ import annotations

from typing import ClassVar, Literal

from emulator.core.resources import Resource, Strict

FlavorType = Literal["L4", "L7"]

# ELB manual: quotas and constraints; -1 is unlimited.
QUOTAS = {
    "loadbalancer": 50,
    "listener": 100,
    "pool": 500,
    "member": 500,
    "members_per_pool": 500,
    "healthmonitor": -1,
    "certificate": 120,
    "l7policy": 500,
    "ipgroup": 50,
    "ipgroup_bindings": 50,
    "ipgroup_max_length": 300,
    "listeners_per_pool": 50,
    "listeners_per_loadbalancer": 50,
    "security_policy": 50,
    "condition_per_policy": 10,
}

# ELB manual: specifications of dedicated load balancers (connections, new ones a second, Mbit/s, LCU).
SIZES: dict[str, tuple[int, int, int, int]] = {
    "s1.small": (500_000, 10_000, 50, 10),
    "s1.medium": (1_000_000, 20_000, 100, 20),
    "s1.large": (2_000_000, 40_000, 200, 40),
    "s2.small": (4_000_000, 80_000, 400, 80),
    "s2.medium": (10_000_000, 200_000, 1_000, 200),
    "s2.large": (20_000_000, 400_000, 2_000, 400),
}
L7_SHARE = 10


class Zone(Strict):
    """An availability zone of a set."""

    code: str
    state: Literal["ACTIVE", "INACTIVE"] = "ACTIVE"
    protocol: list[FlavorType] = ["L4", "L7"]
    public_border_group: str = "center"
    category: int = 0


class Flavor(Resource):
    """A size of load balancer."""

    kind: ClassVar[str] = "flavor"

    type: FlavorType = "L4"
    shared: bool = True
    sold_out: bool = False
    connection: int = 500_000
    cps: int = 10_000
    qps: int | None = None
    bandwidth: int = 50
    lcu: int = 10


def default_flavors() -> dict[str, Flavor]:
    """All sizes of both types."""
    flavors = [_flavor(type_, size) for type_ in ("L4", "L7") for size in SIZES]
    return {flavor.id: flavor for flavor in flavors}


def _flavor(type_: str, size: str) -> Flavor:
    connection, cps, bandwidth, lcu = SIZES[size]
    share = L7_SHARE if type_ == "L7" else 1
    return Flavor.model_validate(
        {
            "name": f"{type_}_flavor.elb.{size}",
            "type": type_,
            "connection": connection // share,
            "cps": cps // share,
            "qps": cps // share * 2 if type_ == "L7" else None,
            "bandwidth": bandwidth,
            "lcu": lcu,
        }
    )
