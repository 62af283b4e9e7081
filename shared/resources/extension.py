"""Move the end of an exposure: only its record changes, on both places where it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from shared.errors import ErrorCode, PermanentError
from shared.ids import exposure_id
from shared.otc.cloud import Cloud
from shared.otc.elb import IpGroup
from shared.planning.safety import check_expiry, check_not_held, check_project, end_findings
from shared.record import Record, read_record
from shared.request import ExtendRequest
from shared.resources.converge import elect, telling, update
from shared.resources.holdings import find_load_balancers
from shared.resources.ip_group import find_anchors
from shared.resources.listener import write_copies
from shared.resources.ownership import exposure_of_part
from shared.results import Did, Frozen, Kind, StepResult, Touched
from shared.services import gather

_REASON = "the record says when the exposure ends"


class Standing(Frozen):
    """An exposure as it stands."""

    exposure: str
    listener_port: int
    expires_at: int | None


class Extended(StepResult):
    """What `extend_exposure` returns."""

    standing: Standing


def extend(cloud: Cloud, request: ExtendRequest, now: datetime, expirer: str | None) -> Extended:
    """Write the new end into the record; who owns the exposure stays.

    Raises:
        PermanentError: `ExposureNotFound`; `Held`; `Conflict` where record or public address are lost; `InvalidRequest`
            for an end that has passed; `ForeignProject`.
    """
    check_project(request.project_id, cloud.project_id)
    check_expiry(request, now)
    exposure = exposure_id(cloud.project_id, request.instance_id, request.node)
    groups, balancers = gather(lambda: find_anchors(cloud, exposure), lambda: find_load_balancers(cloud, exposure))
    anchor, balancer = elect(groups), elect(balancers)
    if anchor is None:
        raise PermanentError(
            ErrorCode.EXPOSURE_NOT_FOUND,
            f"Instance {request.instance_id} is not exposed in project {cloud.project_id}.",
            field="node" if request.node else "instance_id",
            resource=request.instance_id,
            advice="List the exposures to see what there is.",
        )
    record = read_record(anchor.description)
    if record is None or balancer is None or not balancer.public_ips:
        raise _broken(exposure)
    listeners = cloud.elb.listeners(load_balancer_id=balancer.id)
    check_not_held(exposure, (*balancers, *(one for one in listeners if exposure_of_part(one) == exposure)))
    extended = replace(record, expires_at=request.expiry(now))
    anchor, written = _write(cloud, anchor, extended)
    with telling([written]):
        copies = write_copies(cloud, listeners, anchor, extended, _REASON)
    eip = balancer.public_ips[0]
    return Extended(
        touched=(written, *copies),
        findings=end_findings(extended.expires_at, expirer),
        facts={"public_address": eip.address},
        standing=Standing(exposure=exposure, listener_port=record.port, expires_at=extended.expires_at),
    )


def _write(cloud: Cloud, anchor: IpGroup, record: Record) -> tuple[IpGroup, Touched]:
    if anchor.description == record.text():
        return anchor, Touched(kind=Kind.IP_GROUP, id=anchor.id, did=Did.UNCHANGED, reason=_REASON)
    anchor = update("IP group", anchor.id, partial(cloud.elb.update_ip_group, anchor.id, description=record.text()))
    return anchor, Touched(kind=Kind.IP_GROUP, id=anchor.id, did=Did.UPDATED, reason=_REASON)


def _broken(exposure: str) -> PermanentError:
    return PermanentError(
        ErrorCode.CONFLICT,
        f"Exposure {exposure} has lost its record or its public address.",
        resource=exposure,
        advice="Repair it first: `dcs-access verify --repair`.",
    )
