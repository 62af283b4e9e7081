"""The backend: a pool, the instance's address as an IP member, and a TCP health monitor (ELB v3)."""

from __future__ import annotations

from functools import partial
from operator import itemgetter

from shared.errors import ErrorCode, PermanentError
from shared.otc.cloud import Cloud
from shared.otc.elb import Member, MemberCreate, Monitor, MonitorCreate, MonitorSettings, Pool, PoolCreate
from shared.planning.plan import Plan
from shared.record import LIMIT, Mark, read_mark
from shared.resources.converge import (
    child_of,
    delete,
    ensure_unique,
    gather_told,
    not_ready,
    telling,
    update,
    was_other,
)
from shared.resources.ownership import exposure_of_part
from shared.results import Did, Kind, Touched

WEIGHT = 1


def ensure_backend(
    cloud: Cloud, plan: Plan, run: str, load_balancer_id: str, listener_id: str, *, first: bool
) -> tuple[Pool, Member, Monitor, list[Touched]]:
    """The listener's pool, with the instance as its only member and a monitor that checks its port.

    Raises:
        PermanentError: `ParentGone`; `Conflict` when the listener has a pool that is not ours.
    """
    pool, pool_touched, made = ensure_pool(cloud, plan, run, load_balancer_id, listener_id, first=first)
    with telling([pool_touched]):
        (member, member_touched), (monitor, monitor_touched) = gather_told(
            itemgetter(1),
            lambda: ensure_member(cloud, plan, pool, run, first=made),
            lambda: ensure_monitor(cloud, plan, pool, run, first=made),
        )
    return pool, member, monitor, [pool_touched, *member_touched, *monitor_touched]


def ensure_pool(
    cloud: Cloud, plan: Plan, run: str, load_balancer_id: str, listener_id: str, *, first: bool
) -> tuple[Pool, Touched, bool]:
    """The listener's default pool; a listener has one at most."""
    description = pool_description(Mark(plan.exposure, run), plan.allow)
    desired = PoolCreate(listener_id=listener_id, name=plan.name, description=description)
    pool, made = ensure_unique(
        lambda: _pool_of(cloud, plan, load_balancer_id, listener_id),
        lambda: child_of("listener", listener_id, lambda: cloud.elb.create_pool(desired)),
        first=first,
    )
    if made:
        return pool, _touched(Kind.POOL, pool.id, Did.CREATED, "the listener had no pool"), True
    if exposure_of_part(pool) != plan.exposure:
        raise PermanentError(
            ErrorCode.CONFLICT,
            f"Listener {listener_id} has a pool {pool.id} that is not ours.",
            resource=pool.id,
            advice="Remove that pool, or withdraw the exposure.",
        )
    if listener_id not in pool.listener_ids:
        attach = partial(cloud.elb.update_listener, listener_id, default_pool_id=pool.id)
        update("listener", listener_id, attach)
        _restore_pool(cloud, plan, pool, desired)
        return pool, _touched(Kind.POOL, pool.id, Did.UPDATED, "the listener did not lead to it any more"), False
    if changed := _restore_pool(cloud, plan, pool, desired):
        return pool, _touched(Kind.POOL, pool.id, Did.UPDATED, changed), False
    own = _of_run(pool, run)
    reason = "made by this run, in an earlier attempt" if own else "it is the exposure's"
    return pool, _touched(Kind.POOL, pool.id, Did.CREATED if own else Did.UNCHANGED, reason), False


def _restore_pool(cloud: Cloud, plan: Plan, pool: Pool, desired: PoolCreate) -> str:
    """Set what is not as we set it; the pool keeps the mark of the run that made it. What was done, in words."""
    mark = read_mark(pool.description)
    description = pool_description(mark, plan.allow) if mark else desired.description
    wanted = {"name": desired.name, "description": description, "lb_algorithm": desired.lb_algorithm}
    changes = {field: value for field, value in wanted.items() if getattr(pool, field) != value}
    if not changes:
        return ""
    update("pool", pool.id, partial(cloud.elb.update_pool, pool.id, **changes))
    if changes.keys() == {"description"}:
        return "its copy of the allow-list was another one"
    return was_other(changes)


def pool_description(mark: Mark, allow: tuple[str, ...]) -> str:
    """Our mark, and a copy of the allow-list where it fits: a repair can then restore the IP group."""
    text = f"{mark.text()} l={','.join(allow)}"
    return text if len(text) <= LIMIT else mark.text()


def ensure_member(cloud: Cloud, plan: Plan, pool: Pool, run: str, *, first: bool) -> tuple[Member, list[Touched]]:
    """The instance's address and port as the only member; another address is removed first.

    A stranger's Redis may have got an address that was the instance's.
    """
    touched = []
    if not first:
        for other in cloud.elb.members(pool.id):
            if (other.address, other.protocol_port) != (plan.address, plan.port):
                delete(partial(cloud.elb.delete_member, pool.id, other.id))
                reason = f"{other.address}:{other.protocol_port} is not the instance's address any more"
                touched.append(_touched(Kind.MEMBER, other.id, Did.RELEASED, reason))
    desired = MemberCreate(address=plan.address, protocol_port=plan.port, name=plan.name)
    with telling(touched):
        member, made = ensure_unique(
            lambda: _member_at(cloud, pool.id, plan),
            lambda: child_of("pool", pool.id, lambda: cloud.elb.create_member(pool.id, desired)),
            first=first,
        )
    if not made and (member.name, member.weight) != (plan.name, WEIGHT):
        restore = partial(cloud.elb.update_member, pool.id, member.id, name=plan.name, weight=WEIGHT)
        update("member", member.id, restore)
        return member, [*touched, _touched(Kind.MEMBER, member.id, Did.UPDATED, "its name or weight was another one")]
    did = Did.CREATED if made or _of_run(pool, run) else Did.UNCHANGED
    reason = f"the instance answers at {plan.address}:{plan.port}"
    return member, [*touched, _touched(Kind.MEMBER, member.id, did, reason)]


def ensure_monitor(cloud: Cloud, plan: Plan, pool: Pool, run: str, *, first: bool) -> tuple[Monitor, list[Touched]]:
    """A TCP monitor without a port of its own, so that it checks the member's; a pool has one at most."""
    desired = MonitorCreate(pool_id=pool.id, name=plan.name)
    monitor, made = ensure_unique(
        lambda: _monitor_of(cloud, pool.id),
        lambda: child_of("pool", pool.id, lambda: cloud.elb.create_monitor(desired)),
        first=first,
    )
    if not made and not _as_desired(monitor, desired):
        restore = partial(cloud.elb.update_monitor, monitor.id, MonitorSettings(), name=plan.name)
        update("health monitor", monitor.id, restore)
        return monitor, [_touched(Kind.MONITOR, monitor.id, Did.UPDATED, "it checked in another way")]
    did = Did.CREATED if made or _of_run(pool, run) else Did.UNCHANGED
    return monitor, [_touched(Kind.MONITOR, monitor.id, did, "it checks the member's service port")]


def _as_desired(monitor: Monitor, desired: MonitorCreate) -> bool:
    fields = ("name", "type", "delay", "timeout", "max_retries", "monitor_port")
    return all(getattr(monitor, field) == getattr(desired, field) for field in fields)


def _of_run(pool: Pool, run: str) -> bool:
    """Whether this run made the pool, and so what is in it."""
    mark = read_mark(pool.description)
    return mark is not None and mark.run == run


def _pool_of(cloud: Cloud, plan: Plan, load_balancer_id: str, listener_id: str) -> Pool | None:
    """The listener's pool, else one of ours that no listener leads to."""
    pools = cloud.elb.pools(load_balancer_id=load_balancer_id)
    attached = [pool for pool in pools if listener_id in pool.listener_ids]
    loose = [pool for pool in pools if not pool.listener_ids and exposure_of_part(pool) == plan.exposure]
    return next(iter(attached or loose), None)


def _member_at(cloud: Cloud, pool_id: str, plan: Plan) -> Member | None:
    members = cloud.elb.members(pool_id)
    return next((one for one in members if (one.address, one.protocol_port) == (plan.address, plan.port)), None)


def _monitor_of(cloud: Cloud, pool_id: str) -> Monitor | None:
    pool = child_of("pool", pool_id, lambda: cloud.elb.pool(pool_id))
    if pool.healthmonitor_id is None:
        return None
    try:
        return cloud.elb.monitor(pool.healthmonitor_id)
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            raise not_ready(problem) from None
        raise


def _touched(kind: Kind, identifier: str, did: Did, reason: str) -> Touched:
    return Touched(kind=kind, id=identifier, did=did, reason=reason)
