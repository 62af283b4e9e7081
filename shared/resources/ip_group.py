"""The anchor of an exposure: its IP group holds the allow-list and the record (ELB: IP address groups)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial

from shared.errors import AccessError, ErrorCode, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.elb import IpGroup
from shared.planning.plan import Before, Plan
from shared.record import Record, read_mark, read_record, run_in
from shared.resources.converge import delete, ensure_elected, in_turn, update, was_other
from shared.resources.ownership import anchors_of, records_of
from shared.results import Did, Kind, Touched
from shared.routing import same_ranges


@dataclass(frozen=True)
class Taken:
    """The anchor once it is this run's: what was done, how an adopted one was before, and what it is now."""

    group: IpGroup
    touched: Touched
    before: Before | None
    record: Record


def find_anchors(cloud: Cloud, exposure: str, *, seen: Collection[str] = ()) -> list[IpGroup]:
    """The IP groups of an exposure, whatever they are called; those `seen` to be its own, too."""
    return anchors_of(cloud.elb.ip_groups(), exposure, seen=seen)


def find_records(cloud: Cloud) -> list[tuple[IpGroup, Record]]:
    """Every exposure of the project, by one list call."""
    return records_of(cloud.elb.ip_groups())


def ensure_anchor(cloud: Cloud, plan: Plan, *, first: bool, settle: float) -> tuple[IpGroup, list[Touched], bool]:
    """One IP group for the exposure, as it is; what this run did to it so far, and whether this call made it."""
    election = ensure_elected(
        lambda: find_anchors(cloud, plan.exposure, seen=plan.seen.ip_group_ids),
        lambda: cloud.elb.create_ip_group(plan.name, plan.record, plan.allow),
        absent=first and not plan.seen.ip_group_ids,
        settle=settle,
    )
    group = election.winner
    if election.made and election.losers:
        # Whoever made the losers may serve already: a roll back of ours has to look before it releases.
        group = _update(cloud, group, description=_adopted(plan).text())
    for loser in election.losers:
        discard_anchor(cloud, loser)
    own = election.made or run_in(group.description) == run_in(plan.record)
    touched = [_touched(group, Did.CREATED, "the exposure had no IP group")] if own else []
    return group, touched, election.made


def take_anchor(cloud: Cloud, plan: Plan, group: IpGroup, *, made: bool) -> Taken:
    """Give the anchor the plan's allow-list and record, which makes this run the exposure's owner."""
    if made:
        touched = _touched(group, Did.CREATED, "the exposure had no IP group")
        return Taken(group, touched, None, read_record(group.description) or _planned(plan))
    own = run_in(group.description) == run_in(plan.record)
    record = _kept(plan, group) if own else _adopted(plan)
    same_list = same_ranges(group.entries, plan.allow)
    same_name = group.name == plan.name
    if same_list and same_name and group.description == record.text():
        touched = _touched(group, Did.CREATED, "made or adopted by this run, in an earlier attempt")
        return Taken(group, touched, None, record)
    before = None if own else Before(ip_group_id=group.id, record=group.description, allow=group.entries)
    taken = _update(cloud, group, description=record.text(), entries=plan.allow, name=None if same_name else plan.name)
    if not same_name:
        touched = _touched(group, Did.UPDATED, was_other(["name"]))
    elif same_list:
        touched = _touched(group, Did.ADOPTED, "it was there; this run owns the exposure now")
    else:
        touched = _touched(group, Did.UPDATED, "the allow-list was another one")
    return Taken(taken, touched, before, record)


def _adopted(plan: Plan) -> Record:
    """The record of an exposure that was there before its owner."""
    return replace(_planned(plan), taken=True)


def _kept(plan: Plan, group: IpGroup) -> Record:
    """The record that this run wrote: another delivery of it may have worked out another end."""
    written = read_record(group.description)
    return _adopted(plan) if written is None else replace(written, allow=_planned(plan).allow)


def _planned(plan: Plan) -> Record:
    record = read_record(plan.record)
    assert record is not None, "a plan's record is our own"
    return record


def restore_ip_group(cloud: Cloud, before: Before) -> tuple[IpGroup, Touched]:
    """Give the anchor back the record and allow-list it had before this run."""
    call = partial(cloud.elb.update_ip_group, before.ip_group_id, description=before.record, entries=before.allow)
    group = update("IP group", before.ip_group_id, call)
    reason = "record and allow-list are as they were before the failed run"
    return group, _touched(group, Did.UPDATED, reason)


def release_anchors(cloud: Cloud, identifiers: Iterable[str]) -> list[Touched]:
    """Delete these anchors; one that a foreign listener uses is kept, and reported."""
    return in_turn(_release_anchor(cloud, identifier) for identifier in identifiers)


def _release_anchor(cloud: Cloud, identifier: str) -> Touched:
    try:
        delete(partial(cloud.elb.delete_ip_group, identifier))
    except TemporaryError as problem:
        foreign = _foreign_listener(cloud, identifier) if problem.code is ErrorCode.NOT_READY else None
        if foreign is None:
            raise
        # Without the record it is no exposure any more, and nobody counts it as a user of anything.
        update("IP group", identifier, partial(cloud.elb.update_ip_group, identifier, description=""))
        reason = f"listener {foreign}, which is not ours, uses it"
        return Touched(kind=Kind.IP_GROUP, id=identifier, did=Did.KEPT, reason=reason)
    return Touched(kind=Kind.IP_GROUP, id=identifier, did=Did.RELEASED, reason="the exposure is gone")


def _foreign_listener(cloud: Cloud, identifier: str) -> str | None:
    users = [one for one in cloud.elb.listeners() if one.ipgroup and one.ipgroup.ipgroup_id == identifier]
    return next((one.id for one in users if read_mark(one.description) is None), None)


def _update(
    cloud: Cloud,
    group: IpGroup,
    *,
    description: str | None = None,
    entries: Iterable[str] | None = None,
    name: str | None = None,
) -> IpGroup:
    call = partial(cloud.elb.update_ip_group, group.id, name=name, description=description, entries=entries)
    return update("IP group", group.id, call)


def discard_anchor(cloud: Cloud, loser: IpGroup) -> None:
    """Delete a group that lost its election; while a listener uses it, it is left to whoever moves the listener."""
    try:
        cloud.elb.delete_ip_group(loser.id)
    except AccessError as problem:
        if problem.code not in {ErrorCode.NOT_FOUND, ErrorCode.CONFLICT}:
            raise


def discard_unused_anchors(cloud: Cloud, plan: Plan, *, keep: str) -> None:
    """After a race, delete the exposure's other anchors that no listener uses any more."""
    for group in find_anchors(cloud, plan.exposure):
        if group.id != keep and not group.listener_ids:
            discard_anchor(cloud, group)


def _touched(group: IpGroup, did: Did, reason: str) -> Touched:
    return Touched(kind=Kind.IP_GROUP, id=group.id, did=did, reason=reason)
