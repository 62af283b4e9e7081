"""The way of the packets between a load balancer and its instance: which routes have to be in which tables."""

from __future__ import annotations

from collections.abc import Callable

from shared.otc.vpc import RouteTable, Subnet, Vpc
from shared.planning.choose import destination
from shared.record import Mode

Way = tuple[RouteTable, str, str]
"""A table, the destination of the route it should have, and the target (CIDR) that the route has to cover."""


def ways(
    mode: Mode,
    *,
    backend: Subnet,
    home: Subnet,
    address: str,
    local: Vpc,
    remote: Vpc,
    table_of: Callable[[Subnet], RouteTable],
) -> tuple[Way, ...]:
    """The local route and, across VPCs, the one back to the load balancer's subnet; none where both share a VPC.

    `remote` is the VPC at the other end of the peering: the instance's, or the helper where the document's way
    is gone inside one VPC.
    """
    if mode is Mode.DIRECT:
        return ()
    if mode is Mode.DOCUMENTED:
        return ((table_of(backend), remote.cidr, remote.cidr),)
    return (
        (table_of(backend), destination(address, home.cidr, remote, local), address),
        (table_of(home), destination(backend.cidr, backend.cidr, local, remote), backend.cidr),
    )
