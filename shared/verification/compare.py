"""The verdict on one exposure: pure, from what one look found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from shared.expiry import is_expired
from shared.record import Record
from shared.resources.ownership import HOLD_TAG, TAG, is_held
from shared.results import Kind
from shared.verification.changing import may_be_at_work, still_to_come
from shared.verification.differences import Desired, at, differences, repairable, restorable
from shared.verification.project import Parts, Project
from shared.verification.verdict import Difference, Verdict, VerdictKind

_BEGUN = "A run has just begun to change it; so far:"
_ALONE = frozenset({Kind.IP_GROUP, Kind.LOAD_BALANCER, Kind.LISTENER})
_UNFINISHED = frozenset({VerdictKind.CONFLICTING, VerdictKind.DRIFTED, VerdictKind.UNHEALTHY})


def compare(exposure: str, project: Project, now: datetime, *, at_work: float = 0.0) -> Verdict:
    """Judge an exposure; the first verdict in the order of `VerdictKind` that applies.

    Args:
        exposure: its id.
        project: what one look found.
        now: what counts as expired.
        at_work: for how many seconds after a run has begun what is not there may still come.
    """
    parts = project.parts(exposure)
    verdict = _judge(parts, project, now)
    unfinished = verdict.kind in _UNFINISHED and still_to_come(verdict.differences)
    if unfinished and may_be_at_work(parts.ip_group, now, at_work):
        return verdict.model_copy(update={"kind": VerdictKind.CHANGING, "reason": f"{_BEGUN} {verdict.reason}"})
    return verdict


def _judge(parts: Parts, project: Project, now: datetime) -> Verdict:
    record = parts.record
    blank = _blank(parts, record)
    if is_held((*parts.load_balancers, *parts.listeners)):
        return _judged(blank, VerdictKind.HELD, f"Its owner has marked it {HOLD_TAG}.")
    if record is None:
        return _judged(blank, VerdictKind.CONFLICTING, "The record is damaged or gone in both places.")
    # An end is kept whatever else is wrong: what is broken and open must not stay open for that.
    if is_expired(record.expires_at, now.timestamp()):
        end = datetime.fromtimestamp(record.expires_at or 0, UTC).isoformat(timespec="minutes")
        return _judged(blank, VerdictKind.EXPIRED, f"It has expired at {end}.")
    return _against_record(parts, record, blank, project)


def _against_record(parts: Parts, record: Record, blank: Verdict, project: Project) -> Verdict:
    desired = locate(parts, record, project)
    found = differences(parts, desired, project) if desired else ()
    if conflict := _conflict(parts):
        heals = desired is not None and _losers_idle(parts) and restorable(found)
        return _judged(blank, VerdictKind.CONFLICTING, conflict, repairable=heals)
    if desired is None:
        what = f"Node {record.node} of instance" if record.node else "Instance"
        return _judged(blank, VerdictKind.ORPHANED, f"{what} {record.instance} is gone.")
    ill, code = _illness(parts, desired, project)
    if found:
        return _judged(blank, VerdictKind.DRIFTED, _drift(found), code, found, repairable=repairable(found))
    if ill:
        return _judged(blank, VerdictKind.UNHEALTHY, ill, code)
    return _judged(blank, VerdictKind.HEALTHY, "It is as its record says, and the instance is reached.")


def locate(parts: Parts, record: Record, project: Project) -> Desired | None:
    """What the exposure should be, with the address that the instance (or node) has now; None if that is gone."""
    instance = project.instance_by_id.get(record.instance)
    if instance is None:
        return None
    address, port = instance.ip, instance.port
    if record.node is not None:
        nodes = project.nodes.get(instance.id)
        if nodes is not None and record.node not in {f"{node.ip}:{node.port}" for node in nodes}:
            return None
        address, _, text = record.node.rpartition(":")
        port = int(text)
    return Desired(record=record, allow=parts.allow(record), instance=instance, address=address, port=port)


def _blank(parts: Parts, record: Record | None) -> Verdict:
    """All of a verdict but the judgement."""
    balancer, group = parts.load_balancer, parts.ip_group
    address = balancer.public_ips[0].address if balancer and balancer.public_ips else None
    tagged = balancer.tags.get(f"{TAG}-instance") if balancer else None
    return Verdict(
        exposure=parts.exposure,
        instance_id=record.instance if record else tagged,
        node=record.node if record else None,
        kind=VerdictKind.HEALTHY,
        reason="",
        endpoint=f"{address}:{record.port}" if address and record else None,
        since=_moment(group.created_at) if group else None,
        expires_at=record.expires_at if record else None,
        repair=record is not None and record.repair,
        ours=_ids(parts),
    )


def _judged(
    blank: Verdict,
    kind: VerdictKind,
    reason: str,
    code: str | None = None,
    found: tuple[Difference, ...] = (),
    *,
    repairable: bool = False,
) -> Verdict:
    judgement = {"kind": kind, "reason": reason, "reason_code": code, "differences": found, "repairable": repairable}
    return blank.model_copy(update=judgement)


def _ids(parts: Parts) -> dict[Kind, tuple[str, ...]]:
    pool = parts.pool
    found = {
        Kind.IP_GROUP: tuple(one.id for one in parts.ip_groups),
        Kind.LOAD_BALANCER: tuple(one.id for one in parts.load_balancers),
        Kind.EIP: tuple(eip.id for one in parts.load_balancers for eip in one.public_ips),
        Kind.LISTENER: tuple(one.id for one in parts.listeners),
        Kind.POOL: tuple(one.id for one in parts.pools),
        Kind.MEMBER: pool.member_ids if pool else (),
        Kind.MONITOR: (pool.healthmonitor_id,) if pool and pool.healthmonitor_id else (),
    }
    return {kind: ids for kind, ids in found.items() if ids}


def _conflict(parts: Parts) -> str:
    for kind, ids in _ids(parts).items():
        if kind in _ALONE and len(ids) > 1:
            return f"It has {len(ids)} resources of kind {kind.value}: {', '.join(ids)}."
    return "" if _agree(parts) else "The records of its IP group and of its listener say different things."


def _agree(parts: Parts) -> bool:
    """Whether both copies of the record say the same, but for the run, which is written to one after the other."""
    copies = [replace(copy, run="", taken=False) for copy in parts.records if copy is not None]
    return all(copy == copies[0] for copy in copies)


def _losers_idle(parts: Parts) -> bool:
    groups = [one.listener_ids for one in parts.ip_groups if one is not parts.ip_group]
    balancers = [one.listener_ids for one in parts.load_balancers if one is not parts.load_balancer]
    return len(parts.listeners) <= 1 and not any((*groups, *balancers))


def _drift(found: tuple[Difference, ...]) -> str:
    first = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{first.kind.value} {first.id}: {first.field} is {first.is_}, should be {first.should}{more}."


def _illness(parts: Parts, desired: Desired, project: Project) -> tuple[str, str | None]:
    """What keeps clients from the instance though everything is in place, with the cloud's own code for it."""
    instance, balancer = desired.instance, parts.load_balancer
    if instance.status != "RUNNING":
        return f"Instance {instance.id} is {instance.status}.", instance.status
    if balancer is not None and balancer.operating_status == "FROZEN":
        return f"Load balancer {balancer.id} is FROZEN.", "FROZEN"
    for identifier in parts.pool.member_ids if parts.pool else ():
        member = project.member_by_id.get(identifier)
        if member is not None and member.operating_status != "ONLINE":
            code = member.reason_code or member.operating_status
            return f"Member {at(member)} is {member.operating_status}: {code}.", code
    return "", None


def _moment(text: str) -> int | None:
    """The cloud's time stamp (with or without zone, UTC) in epoch seconds, or None if it is none."""
    try:
        made = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp())
