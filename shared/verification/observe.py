"""Read a whole project side by side: as many list calls for one exposure as for thousands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from shared.errors import AccessError, ErrorCode
from shared.otc.cloud import Cloud
from shared.otc.dcs import Whitelist
from shared.otc.vpc import RouteTable, Subnet
from shared.record import Mode, Record
from shared.routing import candidate_tables
from shared.services import gather
from shared.verification.project import Parts, Project

T = TypeVar("T")

_SETTLED = "ONLINE"
_GOLDEN = (math.sqrt(5) - 1) / 2


def observe_project(cloud: Cloud, *, slice: int, now: datetime, only: Iterable[str] = ()) -> Project:  # noqa: A002
    """Read everything that verdicts are compared with.

    Args:
        cloud: the project.
        slice: for how many exposures beyond those that are OFFLINE the whitelist is read.
        now: decides which ones, so that regular looks come to all of them in turn.
        only: the exposures (their ids or their instances') that matter; none means all.
    """
    project = _lists(cloud)
    parts = [each for each in map(project.parts, project.exposures) if not only or concerns(each, only)]
    records = [(each, record) for each in parts if (record := each.record) is not None]
    tables, nodes, whitelists = gather(
        lambda: _tables(cloud, project, [record for _, record in records]),
        lambda: cloud.dcs.all_nodes() if any(record.node for _, record in records) else {},
        lambda: read_whitelists(cloud, _asked(project, records, slice, now)),
    )
    return replace(project, route_tables=tables, nodes=nodes, whitelists=whitelists)


def concerns(parts: Parts, only: Iterable[str]) -> bool:
    """Whether an exposure is meant by its own id or by its instance's."""
    record = parts.record
    return parts.exposure in only or (record is not None and record.instance in only)


def _lists(cloud: Cloud) -> Project:
    reads: dict[str, Callable[[], Iterable[Any]]] = {
        "ip_groups": cloud.elb.ip_groups,
        "load_balancers": cloud.elb.load_balancers,
        "listeners": cloud.elb.listeners,
        "pools": cloud.elb.pools,
        "members": cloud.elb.all_members,
        "monitors": cloud.elb.monitors,
        "public_ips": cloud.eip.public_ips,
        "peerings": cloud.vpc.peerings,
        "route_tables": cloud.vpc.route_tables,
        "subnets": cloud.vpc.subnets,
        "vpcs": cloud.vpc.vpcs,
        "instances": cloud.dcs.instances,
    }
    found: dict[str, Any] = dict(zip(reads, map(tuple, gather(*reads.values())), strict=True))
    return Project(**found)


def _tables(cloud: Cloud, project: Project, records: Iterable[Record]) -> tuple[RouteTable, ...]:
    """The tables with their routes, which lists leave out, where an exposure's way may lead through them."""
    used = {subnet.id: subnet for record in records for subnet in _way(project, record)}
    concerned = {
        table.id
        for subnet in used.values()
        for table in candidate_tables(project.route_tables, subnet)
        if table.routes is None
    }
    read = {table.id: table for table in gather(*(partial(cloud.vpc.route_table, one) for one in sorted(concerned)))}
    return tuple(read.get(table.id, table) for table in project.route_tables)


def _way(project: Project, record: Record) -> list[Subnet]:
    """The subnets whose tables lead from the load balancer to the instance and back."""
    instance = project.instance_by_id.get(record.instance)
    sides = [] if record.mode is Mode.DIRECT else [record.subnet]
    if record.mode is Mode.CROSS_VPC and instance is not None:
        sides.append(instance.subnet_id)
    return [subnet for side in sides if (subnet := project.subnet_by_id.get(side)) is not None]


def _asked(project: Project, records: list[tuple[Parts, Record]], size: int, now: datetime) -> list[str]:
    """The instances whose whitelist is read: those that are not reached, and those whose turn it is."""
    unreached = [pair for pair in records if _unreached(project, pair[0])]
    wanted = {record.instance for _, record in (*turn(records, size, now), *unreached)}
    running = (project.instance_by_id[one] for one in wanted if one in project.instance_by_id)
    return sorted(instance.id for instance in running if instance.status == "RUNNING")


def turn(items: Sequence[T], size: int, now: datetime) -> list[T]:
    """Whose turn it is: a stretch whose beginning moves by the golden ratio a minute.

    That comes to all of them whatever the interval, and nobody has to remember who was last.
    """
    begin = int(now.timestamp() / 60 * _GOLDEN % 1 * len(items))
    return [*items[begin:], *items[:begin]][:size]


def _unreached(project: Project, parts: Parts) -> bool:
    members = parts.pool.member_ids if parts.pool else ()
    known = [project.member_by_id[member] for member in members if member in project.member_by_id]
    return any(member.operating_status != _SETTLED for member in known)


def read_whitelists(cloud: Cloud, instances: list[str]) -> dict[str, Whitelist]:
    """The whitelists of these instances, as far as they tell them now."""
    found = gather(*(partial(_whitelist, cloud, instance) for instance in instances))
    return {instance: whitelist for instance, whitelist in zip(instances, found, strict=True) if whitelist is not None}


def _whitelist(cloud: Cloud, instance_id: str) -> Whitelist | None:
    """The whitelist, or None where an instance does not tell it now: the next look asks again."""
    try:
        return cloud.dcs.whitelist(instance_id)
    except AccessError as problem:
        if problem.code not in {ErrorCode.NOT_FOUND, ErrorCode.REFUSED, ErrorCode.BUSY}:
            raise
        return None
