"""What carries our marks and belongs to no exposure: found by reading only, removed only after another look."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.ids import exposure_named
from shared.otc.cloud import Cloud
from shared.otc.dcs import Whitelist
from shared.otc.eip import UNBOUND
from shared.otc.elb import LoadBalancer
from shared.otc.vpc import RouteTable
from shared.planning.safety import WHITELIST_GROUP, whitelist_closed
from shared.record import Mode, Record, exposure_in, read_mark
from shared.resources.age import older_than
from shared.resources.converge import delete, in_turn
from shared.resources.ownership import exposure_of, is_held, standing
from shared.resources.peering import release_peering
from shared.resources.routes import Through, release_routes, with_routes
from shared.resources.takedown import release_alone
from shared.resources.whitelist import entries_of_ours, release_whitelist, with_group
from shared.results import Did, Frozen, Kind, Touched
from shared.services import gather
from shared.verification.observe import observe_project, read_whitelists
from shared.verification.project import Project

_AT_WORK = "a run may be building what needs it: look again when it has ended"
_LOST = "an exposure's record is lost, so nobody knows what it needs: repair or withdraw that one first"


class Leak(Frozen):
    """A resource of ours that no exposure needs; `kept` says why it is not deleted all the same."""

    kind: Kind
    id: str
    exposure: str | None
    reason: str
    kept: str | None = None

    @property
    def remedy(self) -> str:
        """How to be rid of it."""
        return f"Kept: {self.kept}." if self.kept else "`dcs-access leaks --delete` removes it."


@dataclass(frozen=True)
class _Scene:
    """All that was read, and whom it serves."""

    project: Project
    tables: tuple[RouteTable, ...]
    whitelists: dict[str, Whitelist]
    now: float
    age: float

    @property
    def records(self) -> list[Record]:
        found = (self.project.parts(exposure).record for exposure in self.project.exposures)
        return [record for record in found if record is not None]

    @property
    def blind(self) -> str | None:
        """Why nothing can be said of what exposures share, if so."""
        if len(self.records) < len(self.project.exposures):
            return _LOST
        return _AT_WORK if self._at_work else None

    @property
    def _at_work(self) -> bool:
        """Whether something young was made for an exposure whose record is still to come."""
        made = (
            *((exposure_of(one), one.created_at) for one in self.project.load_balancers),
            *((exposure_in(one.description), one.created_at) for one in self.project.peerings),
        )
        begun = {exposure for exposure, created_at in made if exposure and not self.old(created_at)}
        return not begun.issubset(self.project.exposures)

    @property
    def pairs(self) -> set[frozenset[str]]:
        """The pairs of VPCs whose peering an exposure needs."""
        return {frozenset({each.vpc, each.peer_vpc}) for each in self.records if each.mode is not Mode.DIRECT}

    def needed(self, instance: str) -> frozenset[str]:
        """The ranges from which exposures reach an instance."""
        subnets = {record.subnet for record in self.records if record.instance == instance}
        return frozenset(subnet.cidr for subnet in self.project.subnets if subnet.id in subnets)

    def old(self, created_at: str) -> bool:
        """Whether something is too old to belong to a run whose record is still to be seen."""
        return older_than(created_at, self.age, self.now)


def find_leaks(cloud: Cloud, *, now: datetime, age: float) -> list[Leak]:
    """Every leak of the project, in the order in which they can be removed; none is younger than `age` (seconds)."""
    return list(_leaks(_look(cloud, now, age)))


def delete_leaks(cloud: Cloud, chosen: Collection[Leak], *, now: datetime, age: float) -> list[Touched]:
    """Look again, and delete those of the chosen that still are leaks; nothing else. A failure tells what is gone."""
    scene = _look(cloud, now, age)
    wanted = {(leak.kind, leak.id) for leak in chosen}
    leaks = [leak for leak in _leaks(scene) if (leak.kind, leak.id) in wanted and not leak.kept]
    return in_turn(touched for leak in leaks for touched in _DELETE[leak.kind](cloud, scene, leak))


def _look(cloud: Cloud, now: datetime, age: float) -> _Scene:
    project = observe_project(cloud, slice=0, now=now)
    running = [instance.id for instance in project.instances if instance.status == "RUNNING"]
    tables = gather(*(partial(with_routes, cloud, table) for table in project.route_tables))
    return _Scene(project, tuple(tables), read_whitelists(cloud, running), now.timestamp(), age)


def _leaks(scene: _Scene) -> Iterator[Leak]:
    yield from _load_balancers(scene)
    yield from _ip_groups(scene)
    yield from _addresses(scene)
    yield from _routes(scene)
    yield from _peerings(scene)
    yield from _whitelists(scene)


def _load_balancers(scene: _Scene) -> Iterator[Leak]:
    for balancer in standing(scene.project.load_balancers):
        exposure = exposure_of(balancer)
        if exposure is None or not scene.old(balancer.created_at):
            continue
        leak = partial(Leak, kind=Kind.LOAD_BALANCER, id=balancer.id, exposure=exposure, kept=_held(balancer))
        if exposure not in scene.project.exposures:
            yield leak(reason="it was made for an exposure that is not there")
        elif not balancer.listener_ids and balancer != scene.project.parts(exposure).load_balancer:
            yield leak(reason="its exposure is served by another one")


def _held(balancer: LoadBalancer) -> str | None:
    return "its owner has tagged it hands-off" if is_held([balancer]) else None


def _ip_groups(scene: _Scene) -> Iterator[Leak]:
    for exposure in scene.project.exposures:
        parts = scene.project.parts(exposure)
        for group in parts.ip_groups:
            if group != parts.ip_group and not group.listener_ids and scene.old(group.created_at):
                reason = "its exposure is anchored by another one"
                yield Leak(kind=Kind.IP_GROUP, id=group.id, exposure=exposure, reason=reason)


def _addresses(scene: _Scene) -> Iterator[Leak]:
    bound = {eip.id for balancer in scene.project.load_balancers for eip in balancer.public_ips}
    for address in scene.project.public_ips:
        exposure = exposure_named(address.bandwidth_name or "")
        if (
            exposure is None
            or address.id in bound
            or address.status not in UNBOUND
            or not scene.old(address.create_time)
        ):
            continue
        if exposure in scene.project.exposures:
            balancer = scene.project.parts(exposure).load_balancer
            # Without another address, a repair binds this one again.
            if balancer is None or not balancer.public_ips:
                continue
        reason = f"{address.address} was made with a load balancer that is not there"
        yield Leak(kind=Kind.EIP, id=address.id, exposure=exposure, reason=reason)


def _routes(scene: _Scene) -> Iterator[Leak]:
    joined = {peering.id: peering.vpc_ids for peering in scene.project.peerings}
    for table in scene.tables:
        for route in table.routes or ():
            mark = read_mark(route.description)
            if mark is not None and joined.get(route.nexthop) not in scene.pairs:
                yield Leak(
                    kind=Kind.ROUTE,
                    id=f"{table.id} {route.destination}",
                    exposure=mark.exposure,
                    reason="no exposure needs the way that it leads",
                    kept=scene.blind,
                )


def _peerings(scene: _Scene) -> Iterator[Leak]:
    for peering in scene.project.peerings:
        mark = read_mark(peering.description)
        if mark is None or peering.vpc_ids in scene.pairs or not scene.old(peering.created_at):
            continue
        foreign = _foreign_route(scene.tables, peering.id)
        yield Leak(
            kind=Kind.PEERING,
            id=peering.id,
            exposure=mark.exposure,
            reason="no exposure needs a way between its two VPCs",
            kept=scene.blind or (f"{foreign}, which is not ours, leads through it" if foreign else None),
        )


def _foreign_route(tables: Iterable[RouteTable], peering_id: str) -> str | None:
    through = (
        f"route {route.destination} of table {table.id}"
        for table in tables
        for route in table.routes or ()
        if route.nexthop == peering_id and read_mark(route.description) is None
    )
    return next(through, None)


def _whitelists(scene: _Scene) -> Iterator[Leak]:
    for instance, whitelist in scene.whitelists.items():
        needed = scene.needed(instance)
        entries = entries_of_ours(whitelist)
        spare = [entry for entry in entries if entry not in needed]
        if not spare:
            continue
        left = with_group(whitelist, tuple(entry for entry in entries if entry in needed))
        opens = whitelist_closed(whitelist) and not whitelist_closed(left)
        yield Leak(
            kind=Kind.WHITELIST,
            id=instance,
            exposure=None,
            reason=f"group {WHITELIST_GROUP} lets {', '.join(spare)} in, which no exposure needs",
            kept=scene.blind or ("empty, the whitelist would admit all" if opens else None),
        )


def _delete_load_balancer(cloud: Cloud, scene: _Scene, leak: Leak) -> list[Touched]:
    balancer = next(one for one in scene.project.load_balancers if one.id == leak.id)
    return release_alone(cloud, balancer, leak.reason)


def _delete_ip_group(cloud: Cloud, _scene: _Scene, leak: Leak) -> list[Touched]:
    delete(partial(cloud.elb.delete_ip_group, leak.id))
    return [_released(leak)]


def _delete_address(cloud: Cloud, _scene: _Scene, leak: Leak) -> list[Touched]:
    delete(partial(cloud.eip.delete, leak.id))
    return [_released(leak)]


def _delete_route(cloud: Cloud, scene: _Scene, leak: Leak) -> list[Touched]:
    table_id, destination = leak.id.split()
    routes = next(table.routes or () for table in scene.tables if table.id == table_id)
    ours = tuple(route for route in routes if route.destination == destination)
    return release_routes(cloud, [Through(table_id, ours=ours, foreign=())])


def _delete_peering(cloud: Cloud, _scene: _Scene, leak: Leak) -> list[Touched]:
    return [release_peering(cloud, leak.id, ours=True, foreign_routes=False)]


def _delete_whitelist(cloud: Cloud, scene: _Scene, leak: Leak) -> list[Touched]:
    touched, _ = release_whitelist(cloud, leak.id, lambda: scene.needed(leak.id))
    return touched


def _released(leak: Leak) -> Touched:
    return Touched(kind=leak.kind, id=leak.id, did=Did.RELEASED, reason=leak.reason)


_DELETE: dict[Kind, Callable[[Cloud, _Scene, Leak], list[Touched]]] = {
    Kind.LOAD_BALANCER: _delete_load_balancer,
    Kind.IP_GROUP: _delete_ip_group,
    Kind.EIP: _delete_address,
    Kind.ROUTE: _delete_route,
    Kind.PEERING: _delete_peering,
    Kind.WHITELIST: _delete_whitelist,
}
