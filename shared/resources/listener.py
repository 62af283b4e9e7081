"""The TCP listener: the public port, open to the allow-list only (ELB v3: listeners)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.elb import IpGroup, Listener, ListenerCreate, ListenerIpGroup
from shared.planning.plan import Plan
from shared.record import Record, read_record, run_in
from shared.resources.converge import child_of, ensure_unique, telling, update, was_other
from shared.resources.ip_group import discard_unused_anchors
from shared.resources.ownership import exposure_of_part, is_named, listener_name
from shared.results import Did, Kind, Touched

_ROUNDS = 5
"""How often others may change the record meanwhile; as many rivals at once would be no accident."""


def ensure_listener(
    cloud: Cloud,
    plan: Plan,
    load_balancer_id: str,
    address: str,
    ip_group_id: str,
    *,
    record: str,
    anchored_at: str,
    first: bool,
) -> tuple[Listener, Touched]:
    """One listener at the plan's port that admits the IP group and holds a copy of its record as of `anchored_at`.

    Raises:
        PermanentError: `PortTaken` by a listener that is not ours; `ParentGone`.
    """

    def create() -> Listener:
        desired = ListenerCreate(
            loadbalancer_id=load_balancer_id,
            protocol_port=plan.listener_port,
            name=_name(cloud, plan, load_balancer_id, address, None),
            description=record,
            ipgroup=ListenerIpGroup(ipgroup_id=ip_group_id, enable_ipgroup=True, type="white"),
        )
        return child_of("load balancer", load_balancer_id, lambda: cloud.elb.create_listener(desired))

    listener, made = ensure_unique(lambda: _at_port(cloud, load_balancer_id, plan.listener_port), create, first=first)
    if made:
        return listener, _touched(listener, Did.CREATED, f"port {plan.listener_port} was not open")
    before = _check_ours(plan, listener)
    name = _name(cloud, plan, load_balancer_id, address, listener)
    renamed = listener.name != name
    if listener.description == record and admits(listener, ip_group_id) and not renamed:
        follow_anchor(cloud, listener.id, ip_group_id, record, anchored_at)
        own = plan.existing is None
        reason = "made by this run, in an earlier attempt" if own else "it is as it should be"
        return listener, _touched(listener, Did.CREATED if own else Did.UNCHANGED, reason)
    replaced = listener.ipgroup.ipgroup_id if listener.ipgroup else None
    call = partial(
        cloud.elb.update_listener,
        listener.id,
        description=record,
        name=name if renamed else None,
        ip_group_id=ip_group_id,
    )
    listener = update("listener", listener.id, call)
    touched = _updated(plan, listener, before, renamed=renamed)
    with telling([touched]):
        follow_anchor(cloud, listener.id, ip_group_id, record, anchored_at)
        if replaced not in {None, ip_group_id}:
            discard_unused_anchors(cloud, plan, keep=ip_group_id)
    return listener, touched


def _updated(plan: Plan, listener: Listener, before: Record | None, *, renamed: bool) -> Touched:
    if renamed or before is None:
        return _touched(listener, Did.UPDATED, was_other(["name" if renamed else "record"]))
    if before.run != run_in(plan.record):
        return _touched(listener, Did.ADOPTED, "it was made by another run of the exposure")
    return _touched(listener, Did.UPDATED, "its allow-list or record was another one")


def write_copies(
    cloud: Cloud, listeners: Iterable[Listener], anchor: IpGroup, record: Record, reason: str
) -> list[Touched]:
    """Give the exposure's listeners the record that its anchor was given just now."""
    touched: list[Touched] = []
    with telling(touched):
        for listener in listeners:
            if exposure_of_part(listener) != record.exposure:
                continue
            if listener.description != record.copy:
                call = partial(cloud.elb.update_listener, listener.id, description=record.copy)
                update("listener", listener.id, call)
                touched.append(_touched(listener, Did.UPDATED, reason))
            follow_anchor(cloud, listener.id, anchor.id, record.copy, anchor.updated_at)
    return touched


def follow_anchor(cloud: Cloud, listener_id: str, ip_group_id: str, written: str, since: str) -> None:
    """Once a copy of the record is written: write it again while the anchor says something else.

    Everybody writes the anchor first and the copy after, so the last to write a copy sees what counts. A read that
    shows the anchor as it was before `since`, the cloud's time of the version that was copied, says nothing.

    Raises:
        TemporaryError: `NotReady`, while others change it without a pause.
    """
    for _ in range(_ROUNDS):
        group = _anchor_now(cloud, ip_group_id)
        record = read_record(group.description) if group and group.updated_at >= since else None
        if group is None or record is None or record.copy == written:
            return
        written, since = record.copy, group.updated_at
        update("listener", listener_id, partial(cloud.elb.update_listener, listener_id, description=written))
    raise TemporaryError(
        ErrorCode.NOT_READY,
        f"The record of IP group {ip_group_id} changes all the time.",
        resource=ip_group_id,
        advice="It is looked at again.",
    )


def _anchor_now(cloud: Cloud, ip_group_id: str) -> IpGroup | None:
    """The anchor; None while a new one is not shown yet."""
    try:
        return cloud.elb.ip_group(ip_group_id)
    except PermanentError as problem:
        if problem.code is ErrorCode.NOT_FOUND:
            return None
        raise


def guarded(listener: Listener) -> bool:
    """Whether the listener admits an allow-list and nobody else."""
    group = listener.ipgroup
    return group is not None and group.enable_ipgroup and group.type == "white"


def admits(listener: Listener, ip_group_id: str) -> bool:
    """Whether the listener admits this IP group and nobody else."""
    return guarded(listener) and listener.ipgroup is not None and listener.ipgroup.ipgroup_id == ip_group_id


def _at_port(cloud: Cloud, load_balancer_id: str, port: int) -> Listener | None:
    listeners = cloud.elb.listeners(load_balancer_id=load_balancer_id)
    return next((one for one in listeners if one.protocol_port == port and one.protocol != "UDP"), None)


def _name(cloud: Cloud, plan: Plan, load_balancer_id: str, address: str, listener: Listener | None) -> str:
    """The listener's name; an address that somebody bound later must not be told as made with the load balancer."""
    name = listener_name(plan.name, address)
    if plan.existing is None or (listener is not None and listener.name == name):
        return name
    eips = cloud.eip.public_ips()
    if not any(eip.address == address for eip in eips):
        # A withdrawal takes both, and then the address is never listed again.
        child_of("load balancer", load_balancer_id, lambda: cloud.elb.load_balancer(load_balancer_id))
        raise TemporaryError(
            ErrorCode.NOT_READY,
            f"Address {address} is not listed yet, so it is not known with what it was made.",
            resource=address,
            advice="It is looked at again.",
        )
    made = [eip.address for eip in eips if eip.bandwidth_name == plan.name]
    if address in made:
        return name
    if listener is not None and is_named(listener, plan.name):
        return listener.name
    return listener_name(plan.name, next(iter(made), ""))


def port_taken(listener: Listener) -> PermanentError:
    """The refusal of a port that a listener of somebody else holds."""
    return PermanentError(
        ErrorCode.PORT_TAKEN,
        f"Port {listener.protocol_port} of the load balancer is taken by listener {listener.id}, which is not ours.",
        field="port",
        resource=listener.id,
        advice="Choose another port or remove that listener.",
    )


def _check_ours(plan: Plan, listener: Listener) -> Record | None:
    """Its record, if it can be read; without any mark our name counts, since the load balancer is marked."""
    if exposure_of_part(listener) != plan.exposure:
        raise port_taken(listener)
    return read_record(listener.description)


def _touched(listener: Listener, did: Did, reason: str) -> Touched:
    return Touched(kind=Kind.LISTENER, id=listener.id, did=did, reason=reason)
