"""The events that tell verdicts."""

from __future__ import annotations

from datetime import datetime

from shared.events import VERDICT_EVENTS, EventKind, VerdictEvent, about, envelope, moment
from shared.expiry import expired_id, expiring_id
from shared.masking import mask
from shared.verification.verdict import Verdict, VerdictKind


def event_of_verdict(verdict: Verdict) -> EventKind:
    """The kind of event that tells a verdict."""
    return {VerdictKind.DRIFTED: EventKind.DRIFTED, VerdictKind.EXPIRED: EventKind.EXPIRED}.get(
        verdict.kind, EventKind.VERIFIED
    )


def build_verdict_event(
    kind: EventKind, *, run: str, verdict: Verdict, region: str, project_id: str, time: datetime
) -> VerdictEvent:
    """What was found of an exposure; `kind` is `event_of_verdict`, or `expiring` where that is due as well."""
    address, _, port = (verdict.endpoint or "").rpartition(":")
    facts = mask(
        {
            **verdict.model_dump(include={"exposure", "reason", "reason_code"}),
            "run_id": run,
            "instance": {"id": verdict.instance_id, "node": verdict.node} if verdict.instance_id else None,
            "endpoint": {"address": address, "port": int(port)} if address else None,
            "verdict": verdict.kind,
            "differences": [each.model_dump(by_alias=True) for each in verdict.differences],
            "expires_at": moment(verdict.expires_at),
        }
    )
    return VERDICT_EVENTS[kind].model_validate(
        {"id": _verdict_id(kind, run, verdict), **envelope(kind, region, project_id, time), **about(facts)}
    )


def _verdict_id(kind: EventKind, run: str, verdict: Verdict) -> str:
    ending = {EventKind.EXPIRED: expired_id, EventKind.EXPIRING: expiring_id}.get(kind)
    if ending is None or verdict.expires_at is None:
        return f"{run}.{verdict.exposure}.{kind}"
    return ending(verdict.exposure, verdict.expires_at)
