"""The plan: what an exposure needs, decided once from what was observed."""

from __future__ import annotations

from shared.record import Mode
from shared.results import Frozen, StepResult


class BackendSubnet(Frozen):
    """The subnet the load balancer stands in and reaches the instance from."""

    network_id: str
    neutron_id: str
    cidr: str


class RouteOrder(Frozen):
    """A route that must lead from a table to a target (CIDR), by `destination` if it has to be added."""

    table_id: str
    destination: str
    target: str


class Before(Frozen):
    """An anchor as it was found: what a failed change restores."""

    ip_group_id: str
    record: str
    allow: tuple[str, ...]


class Existing(Frozen):
    """The exposure as it was found; `complete` from listener to health monitor, or left half-built."""

    before: Before | None
    complete: bool


class Observation(Frozen):
    """What was observed, and when (epoch seconds): a first attempt need not look again.

    `address_id` is an address of the exposure whose load balancer is gone: the next one gets it.
    """

    at: float
    ip_group_ids: tuple[str, ...] = ()
    load_balancer_ids: tuple[str, ...] = ()
    peering_id: str | None = None
    address_id: str | None = None


class Plan(Frozen):
    """All that later steps need to know.

    `whitelist` is the range that the instance's whitelist must hold if it keeps anybody out, and
    `whitelist_changes` says that it did not hold it.
    """

    exposure: str
    name: str
    instance_id: str
    instance_name: str
    node: str | None
    address: str
    port: int
    listener_port: int
    mode: Mode
    vpc_id: str
    peer_vpc_id: str
    subnet: BackendSubnet
    zones: tuple[str, ...]
    flavor_id: str
    bandwidth_mbit: int
    allow: tuple[str, ...]
    record: str
    routes: tuple[RouteOrder, ...]
    whitelist: str | None
    whitelist_changes: bool = False
    expires_at: int | None
    seen: Observation
    existing: Existing | None
    replace: bool = False


class Target(Frozen):
    """What a release has to take down; without a record only the public side is known."""

    exposure: str
    name: str
    instance_id: str
    record: str | None


class PlanResult(StepResult):
    """What `plan_exposure` returns."""

    plan: Plan
    target: Target
