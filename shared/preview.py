"""What a request to expose would do, from read-only calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.otc.cloud import Cloud
from shared.planning.plan import Plan
from shared.record import Mode, Record, read_record
from shared.resources.peering import active_peering
from shared.results import Did, Frozen, Kind
from shared.routing import RouteAction, decide_route, same_ranges
from shared.services import gather
from shared.verification.compare import compare
from shared.verification.observe import observe_project
from shared.verification.project import Parts, Project
from shared.verification.verdict import Verdict

_ROUTES = {RouteAction.ADD: Did.CREATED, RouteAction.ADOPT: Did.ADOPTED, RouteAction.UNCHANGED: Did.UNCHANGED}
_CHANGES = frozenset({Did.CREATED, Did.UPDATED})


class Foreseen(Frozen):
    """A resource, and what would be done to it; without an id it is not there yet."""

    kind: Kind
    did: Did
    id: str | None
    reason: str


class Preview(Frozen):
    """All that would be done, and the calls that change something; an address comes with its load balancer."""

    resources: tuple[Foreseen, ...]
    calls: int

    @property
    def changes(self) -> bool:
        """Whether anything would be made or changed."""
        return any(each.did in _CHANGES for each in self.resources)


def preview(cloud: Cloud, plan: Plan, now: datetime) -> Preview:
    """Compare a plan with what there is; only reads."""
    project = observe_project(cloud, slice=0, now=now, only=(plan.exposure,))
    parts = project.parts(plan.exposure)
    exists = plan.exposure in project.exposures
    scene = _Scene(plan, parts, project, compare(plan.exposure, project, now) if exists else None)
    peering, routes = _way(cloud, plan, project)
    resources = (*scene.public_side(), *peering, *routes, *_whitelist(plan))
    made = [each for each in resources if each.did in _CHANGES]
    inline = any(each.kind is Kind.LOAD_BALANCER and each.did is Did.CREATED for each in made)
    return Preview(resources=resources, calls=sum(not (inline and each.kind is Kind.EIP) for each in made))


@dataclass(frozen=True)
class _Scene:
    """The public side as it is, and as it is to be."""

    plan: Plan
    parts: Parts
    project: Project
    verdict: Verdict | None

    def public_side(self) -> tuple[Foreseen, ...]:
        parts = self.parts
        address = (
            parts.load_balancer.public_ips[0].id if parts.load_balancer and parts.load_balancer.public_ips else None
        )
        pool = parts.pool
        found = {
            Kind.IP_GROUP: parts.ip_group.id if parts.ip_group else None,
            Kind.LOAD_BALANCER: parts.load_balancer.id if parts.load_balancer else None,
            Kind.EIP: address,
            Kind.LISTENER: parts.listener.id if parts.listener else None,
            Kind.POOL: pool.id if pool else None,
            Kind.MEMBER: next(iter(pool.member_ids), None) if pool else None,
            Kind.MONITOR: pool.healthmonitor_id if pool else None,
        }
        return tuple(self._foresee(kind, identifier) for kind, identifier in found.items())

    def _foresee(self, kind: Kind, identifier: str | None) -> Foreseen:
        if identifier is None:
            return Foreseen(kind=kind, did=Did.CREATED, id=None, reason="there is none")
        if why := [*self._wanted(kind), *self._damaged(kind)]:
            return Foreseen(kind=kind, did=Did.UPDATED, id=identifier, reason="; ".join(why))
        return Foreseen(kind=kind, did=Did.UNCHANGED, id=identifier, reason="it is as it should be")

    def _wanted(self, kind: Kind) -> Iterable[str]:
        """What the request asks for beyond the record."""
        group = self.parts.ip_group
        lists = group is not None and not same_ranges(group.entries, self.plan.allow)
        if lists and kind in {Kind.IP_GROUP, Kind.POOL}:
            yield "the allow-list is another one"
        if kind in {Kind.IP_GROUP, Kind.LISTENER} and _essence(self.parts.record) != _essence(self._record()):
            yield "the record is another one"

    def _damaged(self, kind: Kind) -> Iterable[str]:
        """What differs from the record."""
        differences = self.verdict.differences if self.verdict else ()
        return [f"{each.field} is {each.is_}, not {each.should}" for each in differences if each.kind is kind]

    def _record(self) -> Record | None:
        return read_record(self.plan.record)


def _essence(record: Record | None) -> Record | None:
    """A record without what only says who wrote it."""
    return replace(record, run="", taken=False) if record else None


def _way(cloud: Cloud, plan: Plan, project: Project) -> tuple[list[Foreseen], list[Foreseen]]:
    if plan.mode is Mode.DIRECT:
        return [], []
    peering = active_peering(project.peerings, plan.vpc_id, plan.peer_vpc_id)
    if peering is None:
        made = [Foreseen(kind=Kind.PEERING, did=Did.CREATED, id=None, reason="the two VPCs are not peered")]
    else:
        reason = "the VPCs are peered already"
        made = [Foreseen(kind=Kind.PEERING, did=Did.ADOPTED, id=peering.id, reason=reason)]
    tables = gather(*(lambda table=order.table_id: cloud.vpc.route_table(table) for order in plan.routes))
    routes = []
    for order, table in zip(plan.routes, tables, strict=True):
        decision = decide_route(
            table.routes or (),
            destination=order.destination,
            target=order.target,
            peering_id=peering.id if peering else None,
        )
        # The plan has refused what is in the way, so what is left to do is to change one of our own.
        did = _ROUTES.get(decision.action, Did.UPDATED)
        identifier = f"{order.table_id} {order.destination}"
        routes.append(Foreseen(kind=Kind.ROUTE, did=did, id=identifier, reason=decision.reason))
    return made, routes


def _whitelist(plan: Plan) -> list[Foreseen]:
    if plan.whitelist is None:
        return []
    did = Did.UPDATED if plan.whitelist_changes else Did.UNCHANGED
    reason = f"{plan.whitelist} is {'not ' if plan.whitelist_changes else ''}let in"
    return [Foreseen(kind=Kind.WHITELIST, did=did, id=plan.instance_id, reason=reason)]
