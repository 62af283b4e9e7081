"""Ask at the public address, without any password, who answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.planning.plan import Plan
from shared.platform import Context
from shared.probe import ProbeAnswer
from shared.request import Risk
from shared.resources.converge import gone
from shared.results import Finding, StepResult
from shared.services import Services
from shared.step import Order, run_step


class _Order(Order):
    plan: Plan
    load_balancer_id: str
    seen: AwareDatetime
    public_address: str
    ip_group_id: str
    accept: tuple[Risk, ...] = ()
    require_probe: bool = False


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """FunctionGraph entry point."""
    return run_step(_Order, _probe, event, context)


def _probe(order: _Order, services: Services) -> StepResult:
    if services.now() - order.seen > timedelta(seconds=services.settings.fresh_seconds):
        _check_parent(services.cloud, order.load_balancer_id)
    place = f"{order.public_address}:{order.plan.listener_port}"
    answer = services.probe(order.public_address, order.plan.listener_port)
    if answer is ProbeAnswer.OPEN and Risk.NO_PASSWORD not in order.accept:
        closed = _close(services.cloud, order.ip_group_id)
        raise PermanentError(
            ErrorCode.OPEN_TO_ALL,
            f"Redis at {place} answers without a password; "
            + ("nobody is admitted any more." if closed else "it may still be open to the allow-list."),
            resource=place,
            advice="Set a password on the instance, then expose it again.",
        )
    if order.require_probe and answer in {ProbeAnswer.UNSEEN, ProbeAnswer.NOT_REDIS}:
        raise TemporaryError(
            ErrorCode.PROBE_FAILED,
            f"The probe of {place} was answered {answer}, and the request requires that Redis is seen.",
            resource=place,
            advice="Run it from an address in the allow-list, or leave require_probe out.",
        )
    return StepResult(facts={"answer": answer}, findings=_findings(place, answer))


def _check_parent(cloud: Cloud, load_balancer_id: str) -> None:
    """What was healthy a while ago may have been taken down since, by another delivery of the same run too."""
    try:
        cloud.elb.load_balancer(load_balancer_id)
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            raise gone("load balancer", load_balancer_id) from None
        raise


def _close(cloud: Cloud, ip_group_id: str) -> bool:
    """Admit nobody: one call closes the door; if it fails, the backend is taken away next, with patience."""
    try:
        cloud.elb.update_ip_group(ip_group_id, entries=())
    except AccessError:
        return False
    return True


def _findings(place: str, answer: ProbeAnswer) -> tuple[Finding, ...]:
    messages = {
        ProbeAnswer.OPEN: f"Redis at {place} answers without a password, as the request accepts.",
        ProbeAnswer.UNSEEN: f"{place} was not reached from here; the allow-list may not hold this address.",
        ProbeAnswer.NOT_REDIS: f"What answers at {place} does not speak plain Redis; it may speak TLS.",
    }
    return (
        (Finding(code=f"Probe{answer.title().replace('_', '')}", message=messages[answer]),)
        if answer in messages
        else ()
    )
