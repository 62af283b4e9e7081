"""Whether a run may be at work on an exposure: every run writes its mark into the anchor before all else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.ids import allow_digest
from shared.otc.elb import IpGroup
from shared.planning.safety import WHITELIST_GROUP
from shared.record import read_record
from shared.resources.age import older_than
from shared.verification.project import plain
from shared.verification.verdict import EXISTS, Difference

_STILL_TO_COME = frozenset({EXISTS, "description", WHITELIST_GROUP})


def may_be_at_work(anchor: IpGroup | None, now: datetime, seconds: float) -> bool:
    """Whether the anchor was written less than so long ago, and by a run.

    Who changes the list in the console leaves a list that contradicts the record; a run writes both at once.
    """
    if anchor is None or (record := read_record(anchor.description)) is None:
        return False
    written = anchor.updated_at or anchor.created_at
    young = bool(written) and not older_than(written, seconds, now.timestamp())
    return young and seconds > 0 and allow_digest(plain(anchor.entries)) == record.allow


def still_to_come(found: Iterable[Difference]) -> bool:
    """Whether a run at work would leave nothing of it: what is missing, and marks of the run before."""
    return all(each.field in _STILL_TO_COME for each in found)
