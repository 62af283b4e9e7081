"""Whose a resource is: its mark says it, whatever it is called; our name counts where the mark is lost, below ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from shared.ids import resource_name
from shared.otc.elb import IpGroup, LoadBalancer
from shared.record import Record, read_mark, read_record

TAG = "dcs-access"
_GOING = "PENDING_DELETE"


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """Its name."""


def owns(exposure: str, description: str, *, named: bool) -> bool:
    """Whether a resource is the exposure's, by its description; without a mark it is if it is `named` as ours."""
    mark = read_mark(description)
    return named if mark is None else mark.exposure == exposure


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
        used = group.name == name and not frozenset(listeners).isdisjoint(group.listener_ids)
        return group.id in seen or owns(exposure, group.description, named=used)

    return [group for group in groups if is_anchor(group)]


def records_of(groups: Iterable[IpGroup]) -> list[tuple[IpGroup, Record]]:
    """The groups that anchor an exposure, each with its record."""
    return [(group, record) for group in groups if (record := read_record(group.description)) is not None]


def exposure_of(balancer: LoadBalancer) -> str | None:
    """Whose a load balancer is: its description says it, else its tag."""
    mark = read_mark(balancer.description)
    return mark.exposure if mark else balancer.tags.get(TAG)


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
