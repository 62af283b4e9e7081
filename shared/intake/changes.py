"""What a change makes of exposures, decided from what the cloud says of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from shared.errors import AccessError, ErrorCode, PermanentError, TemporaryError
from shared.ids import allow_digest, exposure_named
from shared.intake.messages import check_age
from shared.intake.record import read_time, request_id
from shared.intake.taking import Fate, Outcome, Taker
from shared.intake.traces import Trace
from shared.otc.dcs import Instance
from shared.otc.elb import IpGroup
from shared.record import Record
from shared.resources.ip_group import find_records
from shared.resources.ownership import address_in, exposure_in_name, exposure_of, exposure_of_part
from shared.services import Services, gather
from shared.settings import VARIABLE, Settings
from shared.verification.changing import may_be_at_work

_ASKS = frozenset({"createdcsinstance", "updateinstancetag"})
_DELETES = frozenset({"deletedcsinstance", "batchdeletedcsinstance"})
_SHOWS_UP = timedelta(minutes=5)
"""How long after a trace the cloud may still show what was before it."""

RECENT: deque[str] = deque(maxlen=1000)
"""The verifications that were started, as long as this instance lives; another one starts the same again at most."""
Exposures = list[tuple[IpGroup, Record]]


def instance_changed(taker: Taker, trace: Trace) -> Iterator[Outcome]:
    """Expose an instance that asks for it, withdraw what has lost its instance, verify what has changed.

    What is wrong with one instance of a batch is told of it, and loses no other.
    """
    named = trace.instance_ids
    if not named:
        yield taker.ignore("It names no instance.")
        return
    standing = find_records(taker.services.cloud)
    for instance_id in named:
        identifier = request_id(taker.record.id, instance_id) if len(named) > 1 else taker.record.id
        own = [pair for pair in standing if pair[1].instance == instance_id]
        try:
            yield from _one_changed(taker, trace.name.lower(), instance_id, identifier, own)
        except AccessError as problem:
            yield taker.turn_down(problem, {"request_id": identifier, "instance_id": instance_id})


def _one_changed(taker: Taker, name: str, instance_id: str, identifier: str, standing: Exposures) -> Iterator[Outcome]:
    """See to one instance; what a run is started for it by is called `identifier`.

    Raises:
        PermanentError: `InvalidRequest`, the instance asks for a list that there is not; `Stale`.
        TemporaryError: `NotYet`, the cloud does not show yet what the trace tells.
    """
    if name in _DELETES:
        yield from _withdraw(taker, standing)
    elif name in _ASKS and (asked := _asked(taker, instance_id)):
        yield from _expose(taker, *asked, identifier, standing)
    else:
        yield from _verify(taker, standing)


def _asked(taker: Taker, instance_id: str) -> tuple[Instance, str] | None:
    """The instance, and the list that its tag asks for; None if it does not."""
    try:
        instance = taker.services.cloud.dcs.instance(instance_id)
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        _wait(taker, f"Instance {instance_id} is not there.")
        return None
    tag = instance.tags.get(taker.services.settings.opt_in_tag)
    return None if tag is None else (instance, tag)


def _wait(taker: Taker, seen: str) -> None:
    """Have a young trace seen to again where the cloud does not show what it tells.

    Raises:
        TemporaryError: `NotYet`.
    """
    now = taker.services.now()
    if now - (taker.record.time or now) < _SHOWS_UP:
        raise TemporaryError(ErrorCode.NOT_YET, seen, advice="The trace is looked into again.")


def _expose(taker: Taker, instance: Instance, tag: str, identifier: str, standing: Exposures) -> Iterator[Outcome]:
    settings = taker.services.settings
    allow = settings.allow_lists.get(tag)
    if allow is None:
        raise _no_such_list(instance, tag, settings)
    differing = [record for _, record in standing if record.allow != allow_digest(allow)]
    if standing and not differing:
        yield taker.ignore("The instance is exposed to this list already.")
        return
    check_age(taker.record.time, settings, taker.services.now())
    accept = [risk.value for risk in settings.message_accepts]
    asked: dict[str, Any] = {"action": "expose", "allow": list(allow), "accept": accept}
    if not standing:
        asked |= {"instance_id": instance.id, "port": settings.opt_in_port}
        yield taker.start({**asked, "request_id": identifier})
    for record in differing:
        # All but the list stays as it is.
        own = {**record.asked, **_end(record), "request_id": request_id(taker.record.id, record.exposure)}
        yield taker.start({**asked, **own})


def _no_such_list(instance: Instance, tag: str, settings: Settings) -> PermanentError:
    known = ", ".join(sorted(settings.allow_lists)) or "none"
    return PermanentError(
        ErrorCode.INVALID_REQUEST,
        f"The tag {settings.opt_in_tag} of instance {instance.id} names the allow-list {tag!r}, which there is not.",
        field=settings.opt_in_tag,
        resource=instance.id,
        advice=f"Let the tag name a list that there is ({known}), or add it to {VARIABLE}ALLOW_LISTS.",
    )


def _end(record: Record) -> dict[str, str]:
    end = read_time(record.expires_at)
    return {"expires_after": "never"} if end is None else {"expires_at": end.isoformat()}


def _withdraw(taker: Taker, standing: Exposures) -> Iterator[Outcome]:
    if not standing:
        yield taker.ignore("No exposure stands.")
    for group, record in standing:
        if _is_there(taker.services, record.instance):
            _wait(taker, f"Instance {record.instance} is still there.")
            yield taker.ignore(f"Instance {record.instance} is there.")
            continue
        # A deletion may leave two traces, and an instance is deleted once: its exposure's end has one name.
        request = {"action": "withdraw", "request_id": request_id("deleted", record.exposure, group.id)}
        node = {"node": record.node} if record.node else {}
        yield taker.start({**request, "instance_id": record.instance, **node})


def _is_there(services: Services, instance_id: str) -> bool:
    try:
        return services.cloud.dcs.instance(instance_id).status != "DELETING"
    except PermanentError as problem:
        if problem.code is not ErrorCode.NOT_FOUND:
            raise
        return False


def public_side_changed(taker: Taker, trace: Trace) -> Iterator[Outcome]:
    """Verify the exposure that a load balancer, a part of one or an address belongs to."""
    return _verify(taker, _exposures_of(taker.services, trace))


def _exposures_of(services: Services, trace: Trace) -> Exposures:
    """The exposures that a changed load balancer, part of one, or address belongs to: by its name, else by its id."""
    standing = find_records(services.cloud)
    if not standing:
        return []
    found = [pair for pair in standing if pair[1].exposure == exposure_in_name(trace.resource_name)]
    return found or _by_id(services, {trace.resource_id, trace.resource_name} - {""}, standing)


def _by_id(services: Services, hints: set[str], standing: Exposures) -> Exposures:
    elb = services.cloud.elb
    balancers, listeners, pools, addresses = gather(
        elb.load_balancers, elb.listeners, elb.pools, services.cloud.eip.public_ips
    )
    known: list[tuple[str | None, set[str | None]]] = [
        *((exposure_of(one), {one.id}) for one in balancers),
        *((exposure_of(one), {ip.id, ip.address}) for one in balancers for ip in one.public_ips),
        # A listener's name keeps the address, which may be gone.
        *((exposure_of_part(one), {one.id, address_in(one)}) for one in listeners),
        *((exposure_of_part(one), {one.id, *one.member_ids, one.healthmonitor_id}) for one in pools),
        *((exposure_named(one.bandwidth_name or ""), {one.id, one.address, one.bandwidth_id}) for one in addresses),
    ]
    hit = {exposure for exposure, identifiers in known if hints & identifiers}
    return [(group, record) for group, record in standing if record.exposure in hit or group.id in hints]


def _verify(taker: Taker, standing: Exposures) -> Iterator[Outcome]:
    """Have exposures verified, each once in a while, and none that a run has just begun to change."""
    if not standing:
        yield taker.ignore("It is of no exposure.")
    pause, now = taker.services.settings.debounce_seconds, taker.services.now()
    for group, record in standing:
        if may_be_at_work(group, now, pause):
            yield taker.ignore(f"Exposure {record.exposure} has just been changed by a run.")
            continue
        slot = f"{now.timestamp() // pause:.0f}" if pause else taker.record.id
        yield _start_once(taker, record.exposure, request_id("verify", record.exposure, slot))


def _start_once(taker: Taker, exposure: str, identifier: str) -> Outcome:
    """One verification a slot, as far as this instance of the function remembers."""
    if identifier in RECENT:
        return taker.ignore(f"Exposure {exposure} is being verified already.")
    # The change may be the beginning of a withdrawal, which a repair must not undo.
    request = {"action": "verify", "exposures": [exposure], "report_only": True}
    outcome = taker.start({**request, "request_id": identifier})
    if outcome.fate is Fate.STARTED:
        RECENT.append(identifier)
    return outcome
