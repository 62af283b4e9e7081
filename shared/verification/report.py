"""From verdicts to what a run passes on: small, whatever the number of exposures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.errors import ErrorCode, PermanentError
from shared.expiry import is_expiring
from shared.results import Finding
from shared.verification.compare import compare
from shared.verification.observe import concerns
from shared.verification.project import Project
from shared.verification.verdict import Due, Verdict, VerdictKind, VerifyResult

MOST = 100
# A function passes 256 KB on; the rest is for what is due and for what the machine adds.
_MOST_CHARACTERS = 120_000
_ENDED = frozenset({VerdictKind.EXPIRED, VerdictKind.ORPHANED, VerdictKind.HELD})
_ORDER = list(VerdictKind)


def judge(
    project: Project,
    now: datetime,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    *,
    at_work: float = 0.0,
) -> tuple[Verdict, ...]:
    """A verdict on each exposure, or on those meant by their own or their instance's id; the worst first.

    Args:
        project: what one look found.
        now: what counts as expired.
        only: the exposures or instances that are meant; none means all.
        skip: those that are left out.
        at_work: for how many seconds after a run has begun what is not there may still come.

    Raises:
        PermanentError: `ExposureNotFound`, naming those that are not there.
    """
    parts = [each for each in map(project.parts, project.exposures) if not only or concerns(each, only)]
    absent = [one for one in only if not any(concerns(each, (one,)) for each in parts)]
    if absent:
        raise PermanentError(
            ErrorCode.EXPOSURE_NOT_FOUND,
            f"There is no exposure {', '.join(absent)}, nor of an instance of that id.",
            field="exposures",
            resource=absent[0],
            advice="List the exposures to see what there is.",
        )
    verdicts = [compare(each.exposure, project, now, at_work=at_work) for each in parts if not concerns(each, skip)]
    return tuple(sorted(verdicts, key=lambda one: (_ORDER.index(one.kind), one.exposure)))


def ends_soon(verdict: Verdict, now: datetime) -> bool:
    """Whether its end is near enough to be announced."""
    return verdict.kind not in _ENDED and is_expiring(verdict.since, verdict.expires_at, now.timestamp())


def report(
    verdicts: Sequence[Verdict], now: datetime, *, repair: bool, findings: tuple[Finding, ...] = ()
) -> VerifyResult:
    """Counts of all, the worst verdicts, and what is due; the next look goes on with what did not fit.

    Args:
        verdicts: the worst first.
        now: what counts as near an end.
        repair: whatever the records say about repairs, all are due.
        findings: what else to say.
    """
    counted = Counter(verdict.kind for verdict in verdicts)
    # What a run is at work on is left to it.
    still = (one for one in verdicts if one.repairable and one.kind is not VerdictKind.CHANGING)
    return VerifyResult(
        findings=findings,
        counts={kind: counted[kind] for kind in VerdictKind},
        verdicts=tuple(_worst(verdicts)),
        repairs=_due(one for one in still if repair or one.repair),
        expired=_due(one for one in verdicts if one.kind is VerdictKind.EXPIRED),
        expiring=_due(one for one in verdicts if ends_soon(one, now)),
    )


def _worst(verdicts: Iterable[Verdict]) -> list[Verdict]:
    kept: list[Verdict] = []
    room = _MOST_CHARACTERS
    for verdict in verdicts:
        # The ids of what is as it should be are told by the event.
        short = verdict.model_copy(update={"ours": {}})
        room -= len(short.model_dump_json())
        if verdict.kind is VerdictKind.HEALTHY or len(kept) == MOST or room < 0:
            break
        kept.append(short)
    return kept


def _due(verdicts: Iterable[Verdict]) -> tuple[Due, ...]:
    due = [
        Due(exposure=one.exposure, instance_id=one.instance_id, node=one.node, expires_at=one.expires_at)
        for one in verdicts
        if one.instance_id is not None
    ]
    return tuple(due[:MOST])
