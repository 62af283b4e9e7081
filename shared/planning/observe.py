"""Read everything a plan is decided from, in two rounds of side-by-side calls; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from shared.errors import ErrorCode, PermanentError
from shared.ids import exposure_id
from shared.otc.cloud import Cloud
from shared.otc.dcs import Instance, Node, Whitelist
from shared.otc.elb import AvailabilityZone, Flavor, IpGroup, Listener, LoadBalancer
from shared.otc.models import QuotaUsage
from shared.otc.vpc import Peering, RouteTable, Subnet, Vpc
from shared.request import ExposeRequest
from shared.resources.converge import elect
from shared.resources.holdings import HeldBalancer, hold
from shared.resources.ownership import anchors_of, load_balancers_of
from shared.resources.routes import with_routes
from shared.routing import candidate_tables, table_of
from shared.services import gather


@dataclass(frozen=True)
class World:
    """The first round: the instance and what the project holds, by few list calls."""

    at: datetime
    exposure: str
    instance: Instance
    zones: list[list[AvailabilityZone]]
    flavors: list[Flavor]
    elb_quotas: dict[str, QuotaUsage]
    vpc_quotas: dict[str, QuotaUsage]
    vpcs: dict[str, Vpc]
    subnets: list[Subnet]
    tables: list[RouteTable]
    ip_groups: tuple[IpGroup, ...]
    load_balancers: tuple[LoadBalancer, ...]


@dataclass(frozen=True)
class Surroundings:
    """The second round: what depends on where the load balancer will stand."""

    free_addresses: dict[str, int]
    tables: dict[str, RouteTable]
    whitelist: Whitelist | None
    nodes: list[Node]
    peerings: list[Peering] | None
    listeners: list[Listener]
    held: HeldBalancer | None


def observe_world(cloud: Cloud, request: ExposeRequest, now: datetime) -> World:
    """Read the first round.

    Raises:
        PermanentError: `InstanceNotFound`, or what the cloud refuses.
    """
    exposure = exposure_id(cloud.project_id, request.instance_id, request.node)
    instance, zones, flavors, elb_quotas, vpc_quotas, vpcs, subnets, tables, groups, found = gather(
        lambda: _instance(cloud, request.instance_id),
        cloud.elb.availability_zones,
        cloud.elb.flavors,
        cloud.elb.quotas,
        cloud.vpc.quotas,
        cloud.vpc.vpcs,
        cloud.vpc.subnets,
        cloud.vpc.route_tables,
        cloud.elb.ip_groups,
        cloud.elb.load_balancers,
    )
    balancers = load_balancers_of(found, exposure)
    listeners = [listener for balancer in balancers for listener in balancer.listener_ids]
    return World(
        at=now,
        exposure=exposure,
        instance=instance,
        zones=zones,
        flavors=flavors,
        elb_quotas=elb_quotas,
        vpc_quotas=vpc_quotas,
        vpcs={vpc.id: vpc for vpc in vpcs},
        subnets=subnets,
        tables=tables,
        ip_groups=tuple(anchors_of(groups, exposure, listeners=listeners)),
        load_balancers=tuple(balancers),
    )


def observe_surroundings(
    cloud: Cloud,
    world: World,
    *,
    backend_subnets: tuple[str, ...],
    table_subnets: tuple[Subnet, ...],
    peerings: bool,
) -> Surroundings:
    """Read the second round; peerings only where a decision hangs on them."""
    instance = world.instance
    wanted: dict[str, Callable[[], Any]] = {
        **{f"free {network}": partial(cloud.vpc.free_addresses, network) for network in backend_subnets},
        **{f"table {subnet.id}": partial(_table_of, cloud, world, subnet) for subnet in table_subnets},
        "whitelist": lambda: cloud.dcs.whitelist(instance.id),
    }
    if instance.cache_mode == "cluster":
        wanted["nodes"] = lambda: cloud.dcs.nodes(instance.id)
    if peerings:
        wanted["peerings"] = cloud.vpc.peerings
    if world.load_balancers:
        balancer = elect(world.load_balancers)
        assert balancer is not None
        wanted["listeners"] = lambda: cloud.elb.listeners(load_balancer_id=balancer.id)
        wanted["held"] = lambda: hold(cloud, balancer)
    found = dict(zip(wanted, gather(*wanted.values()), strict=True))
    surroundings = Surroundings(
        free_addresses={network: found[f"free {network}"] for network in backend_subnets},
        tables={subnet.id: found[f"table {subnet.id}"] for subnet in table_subnets},
        whitelist=found["whitelist"],
        nodes=found.get("nodes", []),
        peerings=found.get("peerings"),
        listeners=found.get("listeners", []),
        held=found.get("held"),
    )
    if surroundings.peerings is None and _peered(surroundings):
        return replace(surroundings, peerings=cloud.vpc.peerings())
    return surroundings


def _peered(surroundings: Surroundings) -> bool:
    routes = [route for table in surroundings.tables.values() for route in table.routes or ()]
    return any(route.type == "peering" for route in routes)


def _instance(cloud: Cloud, instance_id: str) -> Instance:
    try:
        return cloud.dcs.instance(instance_id)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        raise PermanentError(
            ErrorCode.INSTANCE_NOT_FOUND,
            f"There is no DCS instance {instance_id} in project {cloud.project_id}.",
            field="instance_id",
            resource=instance_id,
            advice="Check the instance's id, and the project and region of the credentials.",
        ) from None


def _table_of(cloud: Cloud, world: World, subnet: Subnet) -> RouteTable:
    table = table_of([with_routes(cloud, one) for one in candidate_tables(world.tables, subnet)], subnet)
    assert table is not None, "every VPC has a default route table"
    return table
