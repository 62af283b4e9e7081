"""From the record of an exposure, and from what is left of it, to the plan that makes it whole again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import ErrorCode, PermanentError
from shared.ids import exposure_id
from shared.otc.cloud import Cloud
from shared.planning.choose import refusal
from shared.planning.decide import draw_plan, target_of
from shared.planning.observe import observe_world
from shared.planning.plan import PlanResult
from shared.planning.safety import check_allow, check_instance, check_not_held, check_project
from shared.record import Record
from shared.request import ExposeRequest, RepairRequest, Risk
from shared.resources.load_balancer import loose_addresses
from shared.settings import Settings
from shared.verification.compare import compare
from shared.verification.observe import observe_project
from shared.verification.project import Parts, Project
from shared.verification.verdict import Difference, VerdictKind


class RepairResult(PlanResult):
    """What `plan_repair` returns; `differences` is what the exposure differed in."""

    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class _Found:
    """An exposure as it was found, and as it should be."""

    project: Project
    parts: Parts
    record: Record
    allow: tuple[str, ...]
    differences: tuple[Difference, ...]


def make_repair(cloud: Cloud, request: RepairRequest, run: str, settings: Settings, now: datetime) -> RepairResult:
    """Decide how to make an exposure what its record says; only reads.

    Raises:
        PermanentError: `ExposureNotFound`; `Held`; `RecordLost`; `AllowListLost`; `ReplaceRequired`; or one of
            the refusals of an exposure.
        TemporaryError: `NotYet` while the instance is not running.
    """
    check_project(request.project_id, cloud.project_id)
    found = _find(cloud, request, now)
    desired = _desired(request, found)
    observed = observe_world(cloud, desired, now)
    check_instance(desired, observed.instance)
    world = replace(observed, ip_groups=found.parts.ip_groups, load_balancers=found.parts.load_balancers)
    drawn = draw_plan(cloud, world, desired, run, settings, expires_at=found.record.expires_at)
    plan = drawn.model_copy(
        update={
            "seen": drawn.seen.model_copy(update={"address_id": _address(found)}),
            "replace": request.replace,
        }
    )
    return RepairResult(plan=plan, target=target_of(plan), differences=found.differences)


def _address(found: _Found) -> str | None:
    """The address that a new load balancer gets: the one that the exposure had."""
    loose = loose_addresses(found.project.public_ips, found.parts.name)
    return loose[0].id if loose and found.parts.load_balancer is None else None


def _find(cloud: Cloud, request: RepairRequest, now: datetime) -> _Found:
    exposure = exposure_id(cloud.project_id, request.instance_id, request.node)
    project = observe_project(cloud, slice=1, now=now, only=(exposure,))
    parts = project.parts(exposure)
    if exposure not in project.exposures:
        raise PermanentError(
            ErrorCode.EXPOSURE_NOT_FOUND,
            f"Instance {request.instance_id} is not exposed in project {cloud.project_id}.",
            field="node" if request.node else "instance_id",
            resource=request.instance_id,
            advice="List the exposures to see what there is, or expose the instance.",
        )
    check_not_held(exposure, (*parts.load_balancers, *parts.listeners))
    verdict = compare(exposure, project, now)
    record = parts.record
    if record is None:
        raise PermanentError(
            ErrorCode.RECORD_LOST,
            "The record of the exposure is damaged in both places, so nothing says what it should be.",
            resource=exposure,
            advice="Withdraw the exposure and expose the instance again.",
        )
    if verdict.kind is VerdictKind.EXPIRED:
        raise refusal(
            ErrorCode.INVALID_REQUEST,
            "The exposure has expired; nothing of it is repaired.",
            "instance_id",
            "Extend it first, or withdraw it.",
        )
    _check_replaced(request, project, parts)
    return _Found(project, parts, record, _allow(request, parts, record), verdict.differences)


def _check_replaced(request: RepairRequest, project: Project, parts: Parts) -> None:
    """A load balancer or an address that is gone comes back as another one, which somebody has to want."""
    lost = []
    if parts.load_balancer is None:
        lost.append("load balancer")
    bound = parts.load_balancer is not None and parts.load_balancer.public_ips
    if not bound and not loose_addresses(project.public_ips, parts.name):
        lost.append("public address")
    if lost and not request.replace:
        raise PermanentError(
            ErrorCode.REPLACE_REQUIRED,
            f"The exposure's {' and '.join(lost)} {'are' if len(lost) > 1 else 'is'} gone.",
            field="replace",
            resource=parts.exposure,
            advice="Repair it with --replace to get another one; clients may have to learn another address.",
        )


def _allow(request: RepairRequest, parts: Parts, record: Record) -> tuple[str, ...]:
    """The allow-list that fits the record, wherever it is left; what the request says counts last."""
    if (left := parts.allow(record)) is not None:
        return left
    if request.allow is None:
        raise refusal(
            ErrorCode.ALLOW_LIST_LOST,
            "No copy of the allow-list is left that fits the record.",
            "allow",
            "Give it again with --allow.",
        )
    check_allow(request.allow, request.accept)
    return request.allow


def _desired(request: RepairRequest, found: _Found) -> ExposeRequest:
    """The request that would come to this record today; its risks were acknowledged when it was made, or just now."""
    return ExposeRequest(
        action="expose",
        request_id=request.request_id,
        project_id=request.project_id,
        allow=found.allow,
        accept=(Risk.PRODUCTION, Risk.OPEN_WORLD, *request.accept),
        **found.record.asked,
    )
