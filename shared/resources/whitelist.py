"""The instance's IP whitelist: it sees the load balancer's subnet, not the clients (DCS v2: IP whitelists)."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import AccessError, ErrorCode, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.dcs import Instance, Whitelist, WhitelistGroup
from shared.planning.safety import WHITELIST_GROUP, admitting_group, check_whitelist, whitelist_closed
from shared.results import Did, Finding, Kind, Touched


def ensure_whitelist(
    cloud: Cloud, instance_id: str, cidr: str | None, *, planned: bool
) -> tuple[Touched | None, list[Finding]]:
    """Let a range in through a group of our own; off or empty, the whitelist admits all and is left alone.

    Args:
        cloud: where the instance is.
        instance_id: whose whitelist.
        cidr: the range, or None where the plan found nobody kept out.
        planned: the plan found the range kept out, so that it is this run that has let it in.

    Raises:
        TemporaryError: `NotYet` until the change is seen.
        PermanentError: `WhitelistFull`.
    """
    if cidr is None:
        return None, []
    before = cloud.dcs.whitelist(instance_id)
    if not whitelist_closed(before):
        return None, []
    if not check_whitelist(before, cidr):
        group = admitting_group(before, cidr)
        ours = Did.UPDATED if planned else Did.UNCHANGED
        did = ours if group == WHITELIST_GROUP else Did.ADOPTED
        return _touched(instance_id, did, f"group {group} lets {cidr} in"), []
    wanted = with_entry(before, cidr)
    cloud.dcs.put_whitelist(instance_id, wanted)
    after = cloud.dcs.whitelist(instance_id)
    if admitting_group(after, cidr) is None:
        raise _unseen(instance_id, f"{cidr} is not let in yet")
    return _touched(instance_id, Did.UPDATED, f"group {WHITELIST_GROUP} lets {cidr} in"), _put_back(
        cloud, instance_id, before, after
    )


def release_whitelist(
    cloud: Cloud, instance_id: str, kept: Callable[[], frozenset[str]]
) -> tuple[list[Touched], list[Finding]]:
    """Leave in our own group only the ranges that other exposures need, asked for just before the change.

    The group goes with its last range, unless the whitelist would admit all without it; nothing else is touched,
    and nothing at all on an instance that has failed, whose whitelist cannot be changed any more.

    Raises:
        TemporaryError: `NotYet` until the change is seen; `Busy` while the instance admits none.
    """
    try:
        return _release(cloud, instance_id, kept)
    except AccessError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            return [], []
        if problem.code is not ErrorCode.BUSY or not (instance := cloud.dcs.instance(instance_id)).failed:
            raise
    reason = f"the instance is {instance.status} and admits no change"
    return [_touched(instance_id, Did.KEPT, reason)], [_kept_failed(instance)]


def _release(cloud: Cloud, instance_id: str, kept: Callable[[], frozenset[str]]) -> tuple[list[Touched], list[Finding]]:
    before = cloud.dcs.whitelist(instance_id)
    ours = entries_of_ours(before)
    if not ours:
        return [], []
    needed = kept()
    left = tuple(entry for entry in ours if entry in needed)
    if left == ours:
        return [_touched(instance_id, Did.KEPT, f"other exposures need group {WHITELIST_GROUP}")], []
    opens = whitelist_closed(before) and not whitelist_closed(with_group(before, left))
    if opens:
        # The oldest entry may be one that somebody has put there; ours are added at the end.
        left = ours[:1]
    _narrow(cloud, instance_id, before, left)
    if opens:
        reason = f"without {left[0]} in group {WHITELIST_GROUP} the whitelist would be empty and admit all"
        return [_touched(instance_id, Did.KEPT, reason)], [_kept_closed(instance_id, left[0])]
    return [_touched(instance_id, Did.RELEASED, f"ranges that nobody needs are out of group {WHITELIST_GROUP}")], []


def _narrow(cloud: Cloud, instance_id: str, before: Whitelist, left: tuple[str, ...]) -> None:
    if left == entries_of_ours(before):
        return
    cloud.dcs.put_whitelist(instance_id, with_group(before, left))
    if entries_of_ours(cloud.dcs.whitelist(instance_id)) != left:
        raise _unseen(instance_id, f"group {WHITELIST_GROUP} still lets a range in that is not needed")


def _kept_closed(instance_id: str, entry: str) -> Finding:
    message = (
        f"The whitelist of {instance_id} keeps {entry}: empty it would admit all. "
        f"Add what has to reach the instance and remove group {WHITELIST_GROUP}, or switch the whitelist off."
    )
    return Finding(code="WhitelistKept", message=message)


def _kept_failed(instance: Instance) -> Finding:
    message = (
        f"The whitelist of {instance.id} is as it was, since the instance is {instance.status}. "
        f"Should it run again, `dcs-access leaks` finds what group {WHITELIST_GROUP} lets in and nobody needs."
    )
    return Finding(code="WhitelistKept", message=message)


def with_entry(whitelist: Whitelist, cidr: str) -> Whitelist:
    """The whitelist with a range more in our group."""
    return with_group(whitelist, (*entries_of_ours(whitelist), cidr))


def with_group(whitelist: Whitelist, entries: tuple[str, ...]) -> Whitelist:
    """The whitelist with these ranges in our group, which goes with its last one."""
    others = tuple(group for group in whitelist.groups if group.name != WHITELIST_GROUP)
    mine = (WhitelistGroup(name=WHITELIST_GROUP, ips=entries),) if entries else ()
    return Whitelist(enabled=whitelist.enabled, groups=(*others, *mine))


def entries_of_ours(whitelist: Whitelist) -> tuple[str, ...]:
    """What our own group lets in."""
    return next((group.ips for group in whitelist.groups if group.name == WHITELIST_GROUP), ())


def _put_back(cloud: Cloud, instance_id: str, before: Whitelist, after: Whitelist) -> list[Finding]:
    """A write replaces the whole list, so two writers may lose each other's groups: put back what is lost."""
    names = {group.name for group in after.groups}
    lost = tuple(group for group in before.groups if group.name not in names)
    if not lost:
        return []
    cloud.dcs.put_whitelist(instance_id, Whitelist(enabled=after.enabled, groups=(*after.groups, *lost)))
    message = f"Whitelist groups were lost to another writer and put back: {', '.join(group.name for group in lost)}."
    return [Finding(code="WhitelistRestored", message=message)]


def _unseen(instance_id: str, what: str) -> TemporaryError:
    return TemporaryError(
        ErrorCode.NOT_YET,
        f"The whitelist of {instance_id} was changed, but {what}.",
        resource=instance_id,
        advice="It is looked at again.",
    )


def _touched(instance_id: str, did: Did, reason: str) -> Touched:
    return Touched(kind=Kind.WHITELIST, id=instance_id, did=did, reason=reason)
