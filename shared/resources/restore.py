"""Give an exposure back what a failed change took: record and allow-list, and the copies of both."""

from __future__ import annotations

from dataclasses import replace

from shared.otc.cloud import Cloud
from shared.otc.elb import Listener, Pool
from shared.planning.plan import Before
from shared.record import Record, read_mark, read_record
from shared.resources.backend import pool_description
from shared.resources.holdings import find_load_balancers
from shared.resources.ip_group import restore_ip_group
from shared.results import Did, Kind, Touched


def restore(cloud: Cloud, exposure: str, before: Before) -> list[Touched]:
    """The anchor first, for it counts; the listener's and the pool's copies would else mislead a repair."""
    touched = [restore_ip_group(cloud, before)]
    record = read_record(before.record)
    if record is None:
        return touched
    for balancer in find_load_balancers(cloud, exposure):
        for listener in cloud.elb.listeners(load_balancer_id=balancer.id):
            touched += _restore_listener(cloud, listener, record)
        for pool in cloud.elb.pools(load_balancer_id=balancer.id):
            touched += _restore_pool(cloud, pool, record.exposure, before.allow)
    return touched


def _restore_listener(cloud: Cloud, listener: Listener, record: Record) -> list[Touched]:
    # Only the anchor says whether the exposure was taken over.
    text = replace(record, taken=False).text()
    mark = read_mark(listener.description)
    if mark is None or mark.exposure != record.exposure or listener.description == text:
        return []
    cloud.elb.update_listener(listener.id, description=text)
    return [_touched(Kind.LISTENER, listener.id, "its record is as it was before the failed run")]


def _restore_pool(cloud: Cloud, pool: Pool, exposure: str, allow: tuple[str, ...]) -> list[Touched]:
    mark = read_mark(pool.description)
    if mark is None or mark.exposure != exposure:
        return []
    text = pool_description(mark, allow)
    if pool.description == text:
        return []
    cloud.elb.update_pool(pool.id, description=text)
    return [_touched(Kind.POOL, pool.id, "its copy of the allow-list is as it was before the failed run")]


def _touched(kind: Kind, identifier: str, reason: str) -> Touched:
    return Touched(kind=kind, id=identifier, did=Did.UPDATED, reason=reason)
