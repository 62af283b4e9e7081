"""The dedicated load balancer with its public address (ELB v3: load balancers; EIP)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.eip import UNBOUND, PublicIp
from shared.otc.elb import InlineBandwidth, InlineEip, LoadBalancer, LoadBalancerCreate
from shared.planning.plan import Plan
from shared.record import Mark, read_mark
from shared.resources.age import older_than
from shared.resources.converge import child_of, create_once, delete, ensure_elected, telling, update, was_other
from shared.resources.holdings import find_load_balancers
from shared.resources.ownership import TAG
from shared.resources.takedown import find_addresses, release_alone
from shared.results import Did, Kind, Touched


def ensure_load_balancer(
    cloud: Cloud, plan: Plan, run: str, *, first: bool, now: float, settle: float, eip_type: str
) -> tuple[LoadBalancer, list[Touched]]:
    """One dedicated network load balancer with IP as a backend and an address of its own, ready for children.

    Raises:
        TemporaryError: `NotReady` until it is ACTIVE and has its address.
        PermanentError: `Conflict` when an adopted one has lost its public address.
    """
    election = ensure_elected(
        lambda: find_load_balancers(cloud, plan.exposure),
        lambda: cloud.elb.create_load_balancer(_desired(plan, run, eip_type)),
        absent=first and not plan.seen.load_balancer_ids,
        settle=settle,
    )
    balancer = election.winner
    did, reason = _did(plan, run, balancer, made=election.made)
    bound = did
    touched = _touched(balancer, did, reason, bound)
    lost: list[Touched] = []
    with telling(touched), telling(lost):
        for loser in election.losers:
            lost += discard_loser(cloud, loser, run=run, now=now, settle=settle)
        _check_ready(balancer)
        if not balancer.public_ips:
            balancer, bound = _bind_address(cloud, plan, balancer, eip_type=eip_type, settle=settle), Did.UPDATED
            touched[:] = _touched(balancer, did, reason, bound)
        if not election.made and (changed := _restore(cloud, plan, run, balancer)):
            touched[:] = _touched(balancer, Did.UPDATED, changed, bound)
    return balancer, [*touched, *lost]


def _touched(balancer: LoadBalancer, did: Did, reason: str, bound: Did) -> list[Touched]:
    return [
        Touched(kind=Kind.LOAD_BALANCER, id=balancer.id, did=did, reason=reason),
        *(
            Touched(kind=Kind.EIP, id=eip.id, did=bound, reason=f"{eip.address} is the load balancer's public address")
            for eip in balancer.public_ips[:1]
        ),
    ]


def _check_ready(balancer: LoadBalancer) -> None:
    if balancer.provisioning_status != "ACTIVE":
        raise TemporaryError(
            ErrorCode.NOT_READY,
            f"Load balancer {balancer.id} is {balancer.provisioning_status}.",
            resource=balancer.id,
            advice="It is waited for.",
        )


def _bind_address(cloud: Cloud, plan: Plan, balancer: LoadBalancer, *, eip_type: str, settle: float) -> LoadBalancer:
    """Bind the address that was made with the exposure again; a new one only where the plan may replace it."""
    eip = _loose(cloud, plan)
    if eip is None:
        if not plan.replace:
            raise PermanentError(
                ErrorCode.CONFLICT,
                f"Load balancer {balancer.id} has no public address any more.",
                resource=balancer.id,
                advice="Bind an EIP to it (a withdrawal leaves that one), or withdraw and expose the instance again.",
            )
        eip = create_once(
            lambda: _loose(cloud, plan),
            lambda: cloud.eip.create(eip_type, plan.name, plan.bandwidth_mbit),
            settle=settle,
        )
    if balancer.vip_port_id is not None:
        update("public address", eip.id, partial(cloud.eip.bind, eip.id, balancer.vip_port_id))
    fresh = child_of("load balancer", balancer.id, lambda: cloud.elb.load_balancer(balancer.id))
    if not fresh.public_ips:
        raise TemporaryError(
            ErrorCode.NOT_READY,
            f"Address {eip.address} is being bound to load balancer {balancer.id}.",
            resource=eip.id,
            advice="It is waited for.",
        )
    return fresh


def loose_addresses(eips: Iterable[PublicIp], name: str) -> list[PublicIp]:
    """The addresses that were made with a load balancer of ours and are bound to nothing, the oldest first."""
    loose = [eip for eip in eips if eip.bandwidth_name == name and eip.status in UNBOUND]
    return sorted(loose, key=lambda eip: (eip.create_time, eip.id))


def _loose(cloud: Cloud, plan: Plan) -> PublicIp | None:
    return next(iter(loose_addresses(cloud.eip.public_ips(), plan.name)), None)


def _restore(cloud: Cloud, plan: Plan, run: str, balancer: LoadBalancer) -> str:
    """Set the texts and tags that are not as we set them; what was done, in words."""
    changes = {} if balancer.name == plan.name else {"name": plan.name}
    mark = read_mark(balancer.description)
    if mark is None or balancer.description != mark.text():
        changes["description"] = (mark or Mark(plan.exposure, run)).text()
    tags = {key: value for key, value in _tags(plan).items() if balancer.tags.get(key) != value}
    if changes:
        update("load balancer", balancer.id, partial(cloud.elb.update_load_balancer, balancer.id, **changes))
    if tags:
        update("load balancer", balancer.id, partial(cloud.elb.tag_load_balancer, balancer.id, tags))
    return was_other([*changes, *(["tags"] if tags else [])]) if changes or tags else ""


def discard_loser(cloud: Cloud, loser: LoadBalancer, *, run: str, now: float, settle: float) -> list[Touched]:
    """Delete a load balancer that lost its election, with its address; another run's only when it lies idle."""
    mark = read_mark(loser.description)
    own = mark is not None and mark.run == run
    if not own and (loser.listener_ids or not older_than(loser.created_at, settle, now)):
        return []
    return release_alone(cloud, loser, "it lost the election")


def sweep_addresses(cloud: Cloud, plan: Plan, balancer: LoadBalancer, *, now: float, settle: float) -> None:
    """Delete addresses that were made with a load balancer that lost its election and is gone already.

    Raises:
        TemporaryError: `NotReady` while one is so young that its load balancer may still show up.
    """
    bound = {eip.id for eip in balancer.public_ips}
    stray = [eip for eip in find_addresses(cloud, plan.name) if eip.id not in bound and eip.status == "DOWN"]
    for eip in stray:
        if not older_than(eip.create_time, settle, now):
            raise TemporaryError(
                ErrorCode.NOT_READY,
                f"Address {eip.address} was made with a load balancer that is not there.",
                resource=eip.id,
                advice="It is deleted once it is clear that nobody is at it.",
            )
        delete(partial(cloud.eip.delete, eip.id))


def _desired(plan: Plan, run: str, eip_type: str) -> LoadBalancerCreate:
    bandwidth = InlineBandwidth(name=plan.name, size=plan.bandwidth_mbit)
    return LoadBalancerCreate(
        name=plan.name,
        description=Mark(plan.exposure, run).text(),
        vpc_id=plan.vpc_id,
        vip_subnet_cidr_id=plan.subnet.neutron_id,
        elb_virsubnet_ids=(plan.subnet.network_id,),
        availability_zone_list=plan.zones,
        l4_flavor_id=plan.flavor_id,
        ip_target_enable=True,
        publicip=InlineEip(bandwidth=bandwidth, network_type=eip_type) if plan.seen.address_id is None else None,
        tags=_tags(plan),
    )


def _tags(plan: Plan) -> dict[str, str]:
    return {TAG: plan.exposure, f"{TAG}-instance": plan.instance_id}


def _did(plan: Plan, run: str, balancer: LoadBalancer, *, made: bool) -> tuple[Did, str]:
    mark = read_mark(balancer.description)
    if made or (mark is not None and mark.run == run):
        return Did.CREATED, "the exposure had no load balancer"
    if balancer.id in plan.seen.load_balancer_ids:
        return Did.UNCHANGED, "it is the exposure's"
    return Did.ADOPTED, "another run of the exposure made it"
