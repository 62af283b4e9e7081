"""What a withdrawal has to take down: observed once, and looked at again by every repeated step."""

from __future__ import annotations

from shared.errors import ErrorCode, PermanentError
from shared.ids import exposure_id, resource_name
from shared.otc.cloud import Cloud
from shared.otc.elb import IpGroup
from shared.planning.plan import Target
from shared.planning.safety import check_project
from shared.record import Record, read_record, run_in
from shared.request import WithdrawRequest
from shared.resources.converge import elect
from shared.resources.holdings import HeldBalancer, hold_all
from shared.resources.ownership import anchors_of, records_of
from shared.resources.users import whitelist_subnets
from shared.results import Finding, Frozen, StepResult
from shared.services import gather


class HeldAnchor(Frozen):
    """An IP group of the exposure, and the run that owned the exposure by it."""

    id: str
    run: str | None


class Holdings(Frozen):
    """What was found, and when (epoch seconds)."""

    at: float
    anchors: tuple[HeldAnchor, ...]
    balancers: tuple[HeldBalancer, ...]
    instance_shared: bool


class WithdrawalResult(StepResult):
    """What `plan_withdrawal` returns."""

    target: Target
    held: Holdings


def plan_withdrawal(cloud: Cloud, request: WithdrawRequest, now: float) -> WithdrawalResult:
    """Find the exposure.

    Raises:
        PermanentError: `ExposureNotFound` when nothing of it is left; `ForeignProject`.
    """
    check_project(request.project_id, cloud.project_id)
    exposure = exposure_id(cloud.project_id, request.instance_id, request.node)
    name = resource_name(exposure)
    groups, balancers = gather(cloud.elb.ip_groups, lambda: hold_all(cloud, exposure))
    listeners = [listener for balancer in balancers for listener in balancer.listener_ids]
    anchors = anchors_of(groups, exposure, listeners=listeners)
    if not anchors and not balancers and not _orphaned_address(cloud, name):
        raise _not_exposed(cloud, request)
    record = _record(cloud, elect(anchors), balancers)
    text = record.text() if record else None
    held = Holdings(
        at=now,
        anchors=tuple(held_anchor(group) for group in anchors),
        balancers=balancers,
        instance_shared=_shared(groups, exposure, request.instance_id),
    )
    target = Target(exposure=exposure, name=name, instance_id=request.instance_id, record=text)
    return WithdrawalResult(target=target, held=held, findings=_findings(record))


def _not_exposed(cloud: Cloud, request: WithdrawRequest) -> PermanentError:
    return PermanentError(
        ErrorCode.EXPOSURE_NOT_FOUND,
        f"Instance {request.instance_id} is not exposed in project {cloud.project_id}.",
        field="node" if request.node else "instance_id",
        resource=request.instance_id,
        advice="List the exposures to see what there is.",
    )


def _shared(groups: list[IpGroup], exposure: str, instance_id: str) -> bool:
    """Whether another exposure leads to the same instance."""
    return bool(whitelist_subnets(exposure, instance_id, [record for _, record in records_of(groups)]))


def held_anchor(group: IpGroup) -> HeldAnchor:
    """An anchor as it is now."""
    return HeldAnchor(id=group.id, run=run_in(group.description))


def _record(cloud: Cloud, anchor: IpGroup | None, balancers: tuple[HeldBalancer, ...]) -> Record | None:
    """The anchor's record, or the listener's copy of it."""
    if anchor is not None and (record := read_record(anchor.description)) is not None:
        return record
    for balancer in balancers:
        for listener in cloud.elb.listeners(load_balancer_id=balancer.id):
            if (record := read_record(listener.description)) is not None:
                return record
    return None


def _orphaned_address(cloud: Cloud, name: str) -> bool:
    return any(eip.bandwidth_name == name for eip in cloud.eip.public_ips())


def _findings(record: Record | None) -> tuple[Finding, ...]:
    if record is not None:
        return ()
    message = "The record is lost on both places; peering, routes and whitelist are not known and stay."
    return (Finding(code="RecordLost", message=message),)
