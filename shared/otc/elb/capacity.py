"""What a load balancer can be made of: zones, sizes, quotas."""

from __future__ import annotations

from shared.otc.elb.common import ElbService
from shared.otc.models import QuotaUsage, Seen, Text


class AvailabilityZone(Seen):
    """One zone of a set whose zones may be combined."""

    code: str
    state: str
    protocol: tuple[str, ...] = ()
    public_border_group: str = "center"
    category: int = 0

    @property
    def network_capable(self) -> bool:
        """Whether a network (TCP) load balancer can stand here."""
        return self.state == "ACTIVE" and "L4" in self.protocol and self.public_border_group == "center"


class _ZoneSets(Seen):
    availability_zones: list[list[AvailabilityZone]]


class FlavorInfo(Seen):
    """The size of a flavor; bandwidth in Mbit/s."""

    connection: int = 0
    cps: int = 0
    bandwidth: int = 0


class Flavor(Seen):
    """A load balancer's size."""

    id: str
    name: Text = ""
    type: str
    shared: bool = True
    flavor_sold_out: bool = False
    info: FlavorInfo = FlavorInfo()


class Capacity(ElbService):
    """Zones, sizes and quotas."""

    def availability_zones(self) -> list[list[AvailabilityZone]]:
        """The sets of zones; zones of one set may be combined (ELB API: querying AZs)."""
        call = self._on("GET", "availability-zones:list", "availability-zones")
        return self._one(call, _ZoneSets).availability_zones

    def flavors(self) -> list[Flavor]:
        """The sizes of network load balancers, sold out ones too."""
        # The action really is spelled "create" for this list.
        query = (("type", "L4"), ("shared", "true"))
        return self._all(self._on("GET", "flavors:create", "flavors", query=query), Flavor, "flavors")

    def quotas(self) -> dict[str, QuotaUsage]:
        """Limit and use of each quota, by ELB's names (`loadbalancer`, `listener`, ...)."""
        call = self._on("GET", "quotas:list", "quotas", "details")
        return self._usages(call, "quotas", name="quota_key")
