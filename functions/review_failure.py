"""Decide what becomes of the resources of a failed run."""

from __future__ import annotations

from typing import Any, Literal

from shared.errors import ErrorCode, TemporaryError
from shared.planning.plan import Plan, Target
from shared.platform import Context
from shared.record import read_record, run_in
from shared.request import OnFailure
from shared.resources.converge import elect
from shared.resources.health import reached
from shared.resources.ip_group import find_anchors
from shared.resources.release import DECIDED, discard_own_losers
from shared.results import StepResult
from shared.services import Services
from shared.step import Order, run_step

Decision = Literal["complete", "release", "restore", "leave"]

PATIENCE = 8
"""Looks that another run is given to complete what this one took from it; by the machine's Retry about a minute."""


class _Order(Order):
    plan: Plan
    target: Target
    error: str
    on_failure: OnFailure = OnFailure.ROLLBACK


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _review, event, context)


def _review(order: _Order, services: Services) -> StepResult:
    anchor = elect(find_anchors(services.cloud, order.target.exposure))
    record = read_record(anchor.description) if anchor else None
    existing = order.plan.existing
    existed = existing is not None or (record is not None and record.taken)
    complete = existing is not None and existing.complete
    before = existing.before if existing else None
    own = before is not None and run_in(before.record) == order.run
    owner = record.run if record else None
    # A refusal to let us look must neither keep what this run made nor take what was there before.
    serves = (own or not complete) and reached(services.cloud, order.target.exposure, unseen=existed)
    if record is not None and record.taken and owner == order.run and not complete and not serves:
        _wait_for_rival(order)
    # What an earlier delivery of this run has completed is gone over once more, too, and kept if that fails.
    first_look = own and serves and not order.passes
    decision, reason = decide_failure(
        run=order.run,
        owner=owner,
        error=order.error,
        on_failure=order.on_failure,
        stood=not first_look and (complete or (existed and serves)),
        serves=serves and not order.passes,
    )
    taken_over = owner not in {None, order.run}
    lost = discard_own_losers(order.target, order.run, services) if taken_over else ()
    return StepResult(touched=lost, facts={"decision": decision, "reason": reason})


def _wait_for_rival(order: _Order) -> None:
    """Whoever made the anchor that this run has taken may be at work, and sees no more whose it is now."""
    if order.error in DECIDED or order.on_failure is OnFailure.KEEP or order.state.retries >= PATIENCE:
        return
    raise TemporaryError(
        ErrorCode.NOT_READY,
        "Another run of the exposure may be about to complete it.",
        resource=order.target.exposure,
        advice="It is looked at again before anything is taken down.",
    )


def decide_failure(
    *, run: str, owner: str | None, error: str, on_failure: OnFailure, stood: bool, serves: bool
) -> tuple[Decision, str]:
    """What to do, and why.

    `stood` says that a whole exposure was there before the run, not a half-built one; `serves` that this run's is
    reached now, and has not been gone over once more: another delivery of the run may have built it meanwhile.
    """
    if owner not in {None, run}:
        return "leave", f"run {owner} has adopted the exposure"
    if serves and not stood and owner == run and error not in DECIDED:
        return "complete", "the instance is reached after all"
    if on_failure is OnFailure.KEEP:
        return "leave", "the request asks to keep what was made"
    if stood and error != ErrorCode.OPEN_TO_ALL:
        return "restore", "the exposure was there before this run"
    return "release", "nothing of a failed exposure is left behind"
