"""Choices a request leaves open; each is a pure function with the field to name when nothing fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from shared.errors import ErrorCode, PermanentError
from shared.otc.dcs import Instance, Node
from shared.otc.elb import AvailabilityZone, Flavor
from shared.otc.vpc import Peering, Subnet, Vpc
from shared.routing import covers, networks


def refusal(code: ErrorCode, message: str, field: str, advice: str) -> PermanentError:
    """A refusal before anything was created."""
    return PermanentError(code, message, field=field, advice=advice)


def choose_vpc(wanted: Iterable[tuple[str, str | None]], vpcs: Mapping[str, Vpc], fallback: str) -> str:
    """The load balancer's VPC: the first that is given, else the instance's own."""
    field, chosen = next(((field, vpc) for field, vpc in wanted if vpc), ("vpc_id", fallback))
    if chosen not in vpcs:
        raise refusal(
            ErrorCode.NETWORK_NOT_FOUND,
            f"There is no VPC {chosen} in the project.",
            field,
            "Give the id of a VPC.",
        )
    return chosen


def candidate_subnets(given: str | None, vpc: str, subnets: Iterable[Subnet]) -> tuple[Subnet, ...]:
    """The subnets the load balancer may stand in."""
    mine = tuple(subnet for subnet in subnets if subnet.vpc_id == vpc and given in {None, subnet.id})
    if not mine:
        what = f"subnet {given}" if given else "subnet"
        raise refusal(
            ErrorCode.NETWORK_NOT_FOUND,
            f"There is no {what} in VPC {vpc}.",
            "subnet_id",
            "Give the network id of a subnet of the load balancer's VPC.",
        )
    return mine


def roomiest(candidates: Sequence[Subnet], free: Mapping[str, int]) -> Subnet:
    """The subnet with the most free addresses."""
    return max(candidates, key=lambda subnet: (free[subnet.id], subnet.id))


def choose_zones(
    given: Sequence[str] | None, sets: Sequence[Sequence[AvailabilityZone]], instance: Instance
) -> tuple[str, ...]:
    """One zone, the instance's if it can take a network load balancer; or the given ones, all of one set."""
    usable = [[zone.code for zone in zones if zone.network_capable] for zones in sets]
    if given:
        if any(set(given) <= set(zones) for zones in usable):
            return tuple(given)
        raise refusal(
            ErrorCode.NO_CAPACITY,
            f"The zones {', '.join(given)} cannot be combined for a network load balancer.",
            "availability_zones",
            f"Choose from one of: {'; '.join(', '.join(zones) for zones in usable)}.",
        )
    codes = [code for zones in usable for code in zones]
    if not codes:
        raise refusal(
            ErrorCode.NO_CAPACITY,
            "No availability zone takes a network load balancer now.",
            "availability_zones",
            "Try again later.",
        )
    return (next((code for code in instance.az_codes if code in codes), codes[0]),)


def choose_flavor(given: str | None, flavors: Iterable[Flavor]) -> str:
    """The smallest L4 flavor that is not sold out, or the given one."""
    fixed = [flavor for flavor in flavors if flavor.type == "L4"]
    offered = [flavor for flavor in fixed if not flavor.flavor_sold_out and given in {None, flavor.id, flavor.name}]
    if not offered:
        raise refusal(
            ErrorCode.NO_CAPACITY,
            f"The L4 flavor {given} does not exist or is sold out." if given else "All L4 flavors are sold out.",
            "flavor",
            f"Choose from: {', '.join(flavor.name for flavor in fixed if not flavor.flavor_sold_out) or 'none'}.",
        )
    return min(offered, key=lambda flavor: (flavor.info.connection, flavor.name)).id


def choose_node(given: str | None, instance: Instance, nodes: Iterable[Node]) -> tuple[str, int]:
    """The address and port behind the listener: the instance's, or the node's of a Redis Cluster."""
    if instance.cache_mode != "cluster":
        if given:
            raise refusal(
                ErrorCode.NODE_REFUSED,
                f"Instance {instance.id} is no Redis Cluster; it has one address.",
                "node",
                "Leave node out.",
            )
        return instance.ip, instance.port
    known = [f"{node.ip}:{node.port}" for node in nodes if node.role in {"master", "slave"}]
    if given is None or given not in known:
        code = ErrorCode.NODE_NOT_FOUND if given else ErrorCode.NODE_REQUIRED
        message = (
            f"The Redis Cluster has no node {given}."
            if given
            else "A Redis Cluster cannot be accessed as a whole, only a node of it."
        )
        raise refusal(code, message, "node", f"Choose one of: {', '.join(sorted(known))}.")
    address, _, port = given.rpartition(":")
    return address, int(port)


def choose_helper(
    given: str | None,
    vpc: str,
    vpcs: Mapping[str, Vpc],
    subnets: Iterable[Subnet],
    peerings: Iterable[Peering],
) -> str:
    """The other VPC that a same-VPC exposure is peered with; never created by us."""
    mine = [subnet.cidr for subnet in subnets if subnet.vpc_id == vpc]
    fitting = [
        other.id
        for other in vpcs.values()
        if other.id != vpc and not any(overlap(one, theirs) for one in mine for theirs in other.cidrs)
    ]
    if given:
        if given in fitting:
            return given
        raise refusal(
            ErrorCode.HELPER_VPC_REQUIRED,
            f"VPC {given} cannot be the helper: it is not there, is the same VPC, or overlaps its subnets.",
            "helper_vpc_id",
            f"Choose one of: {', '.join(fitting) or 'none'}.",
        )
    peered = [
        other
        for peering in peerings
        if vpc in peering.vpc_ids and peering.status == "ACTIVE"
        for other in peering.vpc_ids - {vpc}
        if other in fitting
    ]
    if peered:
        return min(peered)
    if len(fitting) == 1:
        return fitting[0]
    raise refusal(
        ErrorCode.HELPER_VPC_REQUIRED,
        "Load balancer and instance share a VPC; the document asks for a peering with another VPC, "
        f"and {'several' if fitting else 'none'} would do.",
        "helper_vpc_id",
        "Name the other VPC in helper_vpc_id, or set same_vpc to direct to do without a peering.",
    )


def destination(target: str, target_subnet: str, target_vpc: Vpc, source_vpc: Vpc) -> str:
    """The destination of a route: the VPC's range that holds the target.

    It is the target's subnet where the two VPCs' ranges overlap, or where the primary range does not hold it.
    """
    apart = not any(overlap(a, b) for a in target_vpc.cidrs for b in source_vpc.cidrs)
    if apart and covers(target_vpc.cidr, target):
        return target_vpc.cidr
    return target_subnet


def overlap(one: str, other: str) -> bool:
    """Whether two ranges share an address."""
    return any(mine.overlaps(theirs) for mine in networks(one) for theirs in networks(other))
