"""Whose a resource is: its mark says it, whatever it is called; our name counts where the mark is lost, below ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from shared.ids import exposure_named, resource_name
from shared.otc.elb import IpGroup, Listener, LoadBalancer
from shared.record import Record, exposure_in, read_record

TAG = "dcs-access"
HOLD_TAG = f"{TAG}-hold"
_GOING = "PENDING_DELETE"


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """Its name."""


class Described(Named, Protocol):
    """What has a description, too."""

    @property
    def description(self) -> str:
        """Its description."""


def anchors_of(
    groups: Iterable[IpGroup], exposure: str, *, listeners: Collection[str] = (), seen: Collection[str] = ()
) -> list[IpGroup]:
    """The IP groups of an exposure: one, or several after a race.

    Args:
        groups: where to look.
        exposure: whose they are.
        listeners: the exposure's own; a group without a mark is its anchor if it has our name and one of them uses it.
        seen: groups that are known to be its own.
    """
    name = resource_name(exposure)

    def is_anchor(group: IpGroup) -> bool:
        marked = exposure_in(group.description)
        used = group.name == name and not frozenset(listeners).isdisjoint(group.listener_ids)
        return group.id in seen or marked == exposure or (marked is None and used)

    return [group for group in groups if is_anchor(group)]


def is_held(tagged: Iterable[LoadBalancer | Listener]) -> bool:
    """Whether its owner has tagged something of an exposure as not to be touched."""
    return any(HOLD_TAG in one.tags for one in tagged)


def records_of(groups: Iterable[IpGroup]) -> list[tuple[IpGroup, Record]]:
    """The groups that anchor an exposure, each with its record."""
    return [(group, record) for group in groups if (record := read_record(group.description)) is not None]


def exposure_of(balancer: LoadBalancer) -> str | None:
    """Whose a load balancer is: its description says it, else its tag."""
    return exposure_in(balancer.description) or balancer.tags.get(TAG)


def exposure_of_part(part: Described) -> str | None:
    """Whose a listener or a pool below a load balancer of ours is: its description says it, else its name."""
    return exposure_in(part.description) or exposure_in_name(part.name)


def standing(balancers: Iterable[LoadBalancer]) -> list[LoadBalancer]:
    """Those that are not being deleted."""
    return [one for one in balancers if one.provisioning_status != _GOING]


def load_balancers_of(balancers: Iterable[LoadBalancer], exposure: str) -> list[LoadBalancer]:
    """The load balancers of an exposure: one, or several after a race."""
    return [one for one in standing(balancers) if exposure_of(one) == exposure]


def listener_name(name: str, address: str) -> str:
    """The name of our listener: it tells the address that was made with the load balancer from one bound later."""
    return f"{name}@{address}"


def is_named(listener: Named, name: str) -> bool:
    """Whether a listener bears our name, whatever address is in it."""
    return listener.name.partition("@")[0] == name


def address_in(listener: Named) -> str:
    """The address in the name of a listener of ours, which was made with the load balancer; empty if there is none."""
    return listener.name.partition("@")[2]


def exposure_in_name(name: str) -> str | None:
    """The exposure in the name of a resource of ours, listeners included."""
    return exposure_named(name.partition("@")[0])
