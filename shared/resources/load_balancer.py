"""The dedicated load balancer with its public address (ELB v3: load balancers; EIP)."""

from __future__ import annotations

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.elb import InlineBandwidth, InlineEip, LoadBalancer, LoadBalancerCreate
from shared.planning.plan import Plan
from shared.record import Mark, read_mark
from shared.resources.age import older_than
from shared.resources.converge import ensure_elected
from shared.resources.holdings import find_load_balancers, hold
from shared.resources.takedown import release_listeners, release_load_balancer, release_pools
from shared.results import Did, Kind, Touched

TAG = "dcs-access"


def ensure_load_balancer(
    cloud: Cloud, plan: Plan, run: str, *, first: bool, now: float, settle: float, eip_type: str
) -> tuple[LoadBalancer, list[Touched]]:
    """One dedicated network load balancer with IP as a backend and an address of its own, ready for children.

    Raises:
        TemporaryError: `NotReady` until it is ACTIVE.
        PermanentError: `Conflict` when an adopted one has lost its public address.
    """
    election = ensure_elected(
        lambda: find_load_balancers(cloud, plan.name, plan.exposure),
        lambda: cloud.elb.create_load_balancer(_desired(plan, run, eip_type)),
        absent=first and not plan.seen.load_balancer_ids,
        settle=settle,
    )
    for loser in election.losers:
        discard_loser(cloud, loser, run=run, now=now, settle=settle)
    balancer = election.winner
    if balancer.provisioning_status != "ACTIVE":
        raise TemporaryError(
            ErrorCode.NOT_READY,
            f"Load balancer {balancer.id} is {balancer.provisioning_status}.",
            resource=balancer.id,
            advice="It is waited for.",
        )
    if not balancer.public_ips:
        raise PermanentError(
            ErrorCode.CONFLICT,
            f"Load balancer {balancer.id} has no public address any more.",
            resource=balancer.id,
            advice="Bind an EIP to it, or withdraw the exposure and expose the instance again.",
        )
    did, reason = _did(plan, run, balancer, made=election.made)
    eip = balancer.public_ips[0]
    return balancer, [
        Touched(kind=Kind.LOAD_BALANCER, id=balancer.id, did=did, reason=reason),
        Touched(kind=Kind.EIP, id=eip.id, did=did, reason=f"{eip.address} is the load balancer's public address"),
    ]


def discard_loser(cloud: Cloud, loser: LoadBalancer, *, run: str, now: float, settle: float) -> bool:
    """Delete a load balancer that lost its election, with its address; another run's only when it lies idle."""
    mark = read_mark(loser.description)
    own = mark is not None and mark.run == run
    if not own and (loser.listener_ids or not older_than(loser.created_at, settle, now)):
        return False
    held = (hold(cloud, loser),)
    release_pools(cloud, held)
    release_listeners(cloud, held)
    release_load_balancer(cloud, held[0])
    return True


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
        publicip=InlineEip(bandwidth=bandwidth, network_type=eip_type),
        tags={TAG: plan.exposure, f"{TAG}-instance": plan.instance_id},
    )


def _did(plan: Plan, run: str, balancer: LoadBalancer, *, made: bool) -> tuple[Did, str]:
    mark = read_mark(balancer.description)
    if made or (mark is not None and mark.run == run):
        return Did.CREATED, "the exposure had no load balancer"
    if balancer.id in plan.seen.load_balancer_ids:
        return Did.UNCHANGED, "it is the exposure's"
    return Did.ADOPTED, "another run of the exposure made it"
