"""Give an exposure back what a failed change took: record and allow-list, and the copies of both."""

from __future__ import annotations

from functools import partial

from shared.otc.cloud import Cloud
from shared.otc.elb import Pool
from shared.planning.plan import Before
from shared.record import read_mark, read_record
from shared.resources.backend import pool_description
from shared.resources.converge import telling, update
from shared.resources.holdings import find_load_balancers
from shared.resources.ip_group import restore_ip_group
from shared.resources.listener import write_copies
from shared.results import Did, Kind, Touched

_AS_BEFORE = "its record is as it was before the failed run"


def restore(cloud: Cloud, exposure: str, before: Before) -> list[Touched]:
    """The anchor first, for it counts; the listener's and the pool's copies would else mislead a repair."""
    anchor, restored = restore_ip_group(cloud, before)
    touched = [restored]
    record = read_record(before.record)
    if record is None:
        return touched
    with telling(touched):
        for balancer in find_load_balancers(cloud, exposure):
            listeners = cloud.elb.listeners(load_balancer_id=balancer.id)
            touched += write_copies(cloud, listeners, anchor, record, _AS_BEFORE)
            for pool in cloud.elb.pools(load_balancer_id=balancer.id):
                touched += _restore_pool(cloud, pool, record.exposure, before.allow)
    return touched


def _restore_pool(cloud: Cloud, pool: Pool, exposure: str, allow: tuple[str, ...]) -> list[Touched]:
    mark = read_mark(pool.description)
    if mark is None or mark.exposure != exposure:
        return []
    text = pool_description(mark, allow)
    if pool.description == text:
        return []
    update("pool", pool.id, partial(cloud.elb.update_pool, pool.id, description=text))
    reason = "its copy of the allow-list is as it was before the failed run"
    return [Touched(kind=Kind.POOL, id=pool.id, did=Did.UPDATED, reason=reason)]
