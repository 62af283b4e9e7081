"""From a request to a plan: read, choose, refuse, and put down what the steps need."""

from __future__ import annotations

from datetime import datetime

from shared.ids import allow_digest, resource_name
from shared.otc.cloud import Cloud
from shared.planning.observe import World, observe_world
from shared.planning.plan import BackendSubnet, Before, Existing, Observation, Plan, PlanResult, Target
from shared.planning.safety import check_instance, check_not_held, check_request, warnings
from shared.planning.site import Choice, Site
from shared.record import Record
from shared.request import ExposeRequest
from shared.resources.holdings import HeldBalancer
from shared.resources.ownership import exposure_of_part
from shared.results import Finding
from shared.settings import Settings


def make_plan(cloud: Cloud, request: ExposeRequest, run: str, settings: Settings, now: datetime) -> PlanResult:
    """Decide the plan of an exposure; only reads.

    Raises:
        PermanentError: one of the refusals, naming the field.
        TemporaryError: `NotYet` while the instance is not running.
    """
    check_request(request, cloud.project_id, now)
    world = observe_world(cloud, request, now)
    check_instance(request, world.instance)
    expires_at = request.expiry(now, settings.default_expires_after)
    plan = draw_plan(cloud, world, request, run, settings, expires_at=expires_at)
    findings = warnings(
        request,
        world.instance,
        whitelist_changes=plan.whitelist_changes,
        expires_at=expires_at,
        expirer=settings.expirer,
    )
    return PlanResult(plan=plan, target=target_of(plan), findings=(*findings, *_adoptions(plan.existing)))


def draw_plan(
    cloud: Cloud, world: World, request: ExposeRequest, run: str, settings: Settings, *, expires_at: int | None
) -> Plan:
    """The plan of a request that may be carried out, from what was observed; looks around once more.

    Raises:
        PermanentError: one of the refusals, naming the field.
    """
    site = Site(world, request, settings)
    around = site.look_around(cloud)
    ours = (one for one in around.listeners if exposure_of_part(one) == world.exposure)
    check_not_held(world.exposure, (*world.load_balancers, *ours))
    choice = site.choose(around)
    record = _record(site, choice, run, expires_at)
    return _plan(site, choice, record, _existing(site, around.held))


def target_of(plan: Plan) -> Target:
    """What would have to be taken down of a plan."""
    return Target(exposure=plan.exposure, name=plan.name, instance_id=plan.instance_id, record=plan.record)


def _record(site: Site, choice: Choice, run: str, expires_at: int | None) -> Record:
    request = site.request
    return Record(
        exposure=site.world.exposure,
        run=run,
        instance=site.world.instance.id,
        node=request.node,
        port=request.port,
        vpc=site.vpc,
        subnet=choice.backend.id,
        peer_vpc=choice.peer_vpc,
        mode=site.mode,
        allow=allow_digest(request.allow),
        expires_at=expires_at,
        bandwidth=request.bandwidth_mbit,
        repair=request.repair,
    )


def _plan(site: Site, choice: Choice, record: Record, existing: Existing | None) -> Plan:
    backend = choice.backend
    return Plan(
        exposure=record.exposure,
        name=resource_name(record.exposure),
        instance_id=record.instance,
        instance_name=site.world.instance.name,
        node=record.node,
        address=choice.address,
        port=choice.port,
        listener_port=record.port,
        mode=record.mode,
        vpc_id=record.vpc,
        peer_vpc_id=record.peer_vpc,
        subnet=BackendSubnet(network_id=backend.id, neutron_id=backend.neutron_subnet_id, cidr=backend.cidr),
        zones=choice.zones,
        flavor_id=choice.flavor_id,
        bandwidth_mbit=site.request.bandwidth_mbit,
        allow=site.request.allow,
        record=record.text(),
        routes=choice.routes,
        whitelist=choice.whitelist,
        whitelist_changes=choice.whitelist_changes,
        expires_at=record.expires_at,
        seen=_seen(site.world, choice.peering_id),
        existing=existing,
    )


def _seen(world: World, peering_id: str | None) -> Observation:
    return Observation(
        at=world.at.timestamp(),
        ip_group_ids=tuple(group.id for group in world.ip_groups),
        load_balancer_ids=tuple(balancer.id for balancer in world.load_balancers),
        peering_id=peering_id,
    )


def _existing(site: Site, held: HeldBalancer | None) -> Existing | None:
    group = site.group
    if group is None and site.balancer is None:
        return None
    complete = held is not None and held.complete
    if group is None:
        return Existing(before=None, complete=complete)
    before = Before(ip_group_id=group.id, record=group.description, allow=group.entries)
    return Existing(before=before, complete=complete)


def _adoptions(existing: Existing | None) -> tuple[Finding, ...]:
    if existing is None:
        return ()
    return (Finding(code="AlreadyExposed", message="The exposure exists already; it is brought up to date."),)
