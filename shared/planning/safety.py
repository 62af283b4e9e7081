"""The rules that refuse an unsafe or hopeless request before anything is created, and the warnings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import collapse_addresses

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.dcs import Instance, Whitelist
from shared.otc.elb import Listener, LoadBalancer
from shared.otc.models import QuotaUsage
from shared.otc.vpc import RouteTable, Subnet
from shared.planning.choose import overlap, refusal
from shared.request import ANYWHERE, ExposeRequest, ExtendRequest, Risk
from shared.resources.ownership import HOLD_TAG, is_held
from shared.results import Finding
from shared.routing import covers, net

WHITELIST_GROUP = "dcs-access"
WHITELIST_GROUPS, WHITELIST_ENTRIES = 4, 20
ROUTES_PER_TABLE = 200
_DOCUMENTED_VERSIONS = ("4.0", "5.0", "6.0")
# The largest block that anybody was ever given is a /8.
_MOST_ADMITTED = 2**24
_CLIENTS_FORBIDDEN = (
    (("172.16.0.0/12",), ("192.168.1.0/24", "192.168.2.0/24", "192.168.3.0/24")),
    (("192.168.0.0/16", "10.0.0.0/8"), ("172.31.1.0/24", "172.31.2.0/24", "172.31.3.0/24")),
)


def check_project(wanted: str | None, project_id: str) -> None:
    """Refuse a request for a project that the credentials are not for.

    Raises:
        PermanentError: `ForeignProject`.
    """
    if wanted not in {None, project_id}:
        raise refusal(
            ErrorCode.FOREIGN_PROJECT,
            f"The request is for project {wanted}, the credentials are for {project_id}.",
            "project_id",
            "Use that project's credentials.",
        )


def check_request(request: ExposeRequest, project_id: str, now: datetime) -> None:
    """Refuse what the request alone shows."""
    check_project(request.project_id, project_id)
    if not request.accepts(Risk.PRODUCTION):
        raise refusal(
            ErrorCode.PRODUCTION_UNACKNOWLEDGED,
            "Public access is not for production: poor public network performance is not covered by the SLA.",
            "accept",
            "Add production to accept to say that you know.",
        )
    check_expiry(request, now)
    check_allow(request.allow, request.accept)


def check_allow(allow: Iterable[str], accept: Collection[Risk]) -> None:
    """Refuse an allow-list that nobody's clients fill, unless the risk is acknowledged.

    Raises:
        PermanentError: `OpenWorld`.
    """
    admitted = sum(one.num_addresses for one in collapse_addresses(map(net, allow)))
    if admitted > _MOST_ADMITTED and Risk.OPEN_WORLD not in accept:
        raise refusal(
            ErrorCode.OPEN_WORLD,
            f"The ranges come to {admitted} addresses, which lets most of the internet try the password."
            if admitted < net(ANYWHERE).num_addresses
            else f"The ranges come to {ANYWHERE}, which lets everybody on the internet try the password.",
            "allow",
            "Name your clients' addresses, or add open_world to accept.",
        )


def check_not_held(exposure: str, tagged: Iterable[LoadBalancer | Listener]) -> None:
    """Refuse to change what its owner has tagged.

    Raises:
        PermanentError: `Held`.
    """
    if is_held(tagged):
        raise PermanentError(
            ErrorCode.HELD,
            f"The exposure is held: its owner has tagged it {HOLD_TAG}.",
            resource=exposure,
            advice="Its owner has to let go of it first.",
        )


def check_expiry(request: ExposeRequest | ExtendRequest, now: datetime) -> None:
    """Refuse an end that has passed."""
    if (expiry := request.expiry(now)) is not None and expiry <= now.timestamp():
        raise refusal(
            ErrorCode.INVALID_REQUEST,
            f"The exposure would have expired at {request.expires_at} already.",
            "expires_at",
            "Give a moment to come, or expires_after.",
        )


def check_instance(request: ExposeRequest, instance: Instance) -> None:
    """Refuse an instance that cannot or must not be exposed.

    Raises:
        TemporaryError: `NotYet` while the instance is being created, restarted, extended or restored.
    """
    if instance.engine.lower() != "redis":
        raise _about(instance, ErrorCode.NOT_REDIS, f"is {instance.engine}, not Redis", "Choose a Redis instance.")
    if instance.engine_version.startswith("3."):
        raise _about(
            instance,
            ErrorCode.VERSION_UNSUPPORTED,
            "runs Redis 3.0, which has another network model",
            "Use Redis 4.0 or later.",
        )
    if instance.failed:
        raise _about(
            instance,
            ErrorCode.INSTANCE_FAILED,
            f"is in status {instance.status}",
            "Repair or replace the instance.",
        )
    if instance.status != "RUNNING":
        raise TemporaryError(
            ErrorCode.NOT_YET,
            f"Instance {instance.id} is {instance.status}, not RUNNING yet.",
            resource=instance.id,
            advice="It is waited for.",
        )
    if instance.no_password_access and not request.accepts(Risk.NO_PASSWORD):
        raise PermanentError(
            ErrorCode.PASSWORD_FREE,
            f"Instance {instance.id} takes anybody without a password.",
            field="accept",
            resource=instance.id,
            advice="Set a password on the instance, or add no_password to accept.",
        )


def _about(instance: Instance, code: ErrorCode, fault: str, advice: str) -> PermanentError:
    return PermanentError(
        code, f"Instance {instance.id} {fault}.", field="instance_id", resource=instance.id, advice=advice
    )


def check_overlap(backend: Subnet, instance_subnet: Subnet, subnets: Iterable[Subnet]) -> None:
    """Refuse when packets could not find the other side: a subnet of one side overlaps the other's."""
    for subnet in subnets:
        facing = {backend.vpc_id: instance_subnet, instance_subnet.vpc_id: backend}.get(subnet.vpc_id)
        if facing is not None and overlap(subnet.cidr, facing.cidr):
            raise refusal(
                ErrorCode.SUBNETS_OVERLAP,
                f"Subnet {subnet.cidr} of VPC {subnet.vpc_id} overlaps {facing.cidr} of VPC {facing.vpc_id}.",
                "vpc_id",
                "Put the load balancer in a VPC whose subnets do not overlap the instance's.",
            )


def check_client_range(backend: Subnet, address: str) -> None:
    """Refuse the client ranges that DCS forbids (DCS FAQ: cross-VPC access); the load balancer is the client."""
    for homes, forbidden in _CLIENTS_FORBIDDEN:
        if any(overlap(address, home) for home in homes):
            hit = next((cidr for cidr in forbidden if overlap(cidr, backend.cidr)), None)
            if hit is not None:
                raise refusal(
                    ErrorCode.CLIENT_RANGE_FORBIDDEN,
                    f"An instance at {address} cannot be reached from {hit}, which is in subnet {backend.cidr}.",
                    "subnet_id",
                    "Choose another subnet for the load balancer.",
                )


def check_free_addresses(backend: Subnet, free: int, minimum: int) -> None:
    """Refuse a subnet without room for a load balancer with IP as a backend."""
    if free < minimum:
        raise refusal(
            ErrorCode.TOO_FEW_ADDRESSES,
            f"Subnet {backend.id} has {free} free addresses; a load balancer with IP backends needs {minimum}.",
            "subnet_id",
            "Choose another subnet or free some addresses.",
        )


def check_quotas(needed: Mapping[str, bool], quotas: Mapping[str, QuotaUsage]) -> None:
    """Refuse when a quota that the exposure needs is used up."""
    for name, wanted in needed.items():
        usage = quotas.get(name)
        if wanted and usage is not None and usage.full:
            raise PermanentError(
                ErrorCode.QUOTA_EXCEEDED,
                f"The quota {name} is used up: {usage.used} of {usage.limit}.",
                resource=name,
                advice="Raise the quota or delete what is not needed.",
            )


def check_table(table: RouteTable) -> None:
    """Refuse a route table that takes no more routes."""
    if len(table.routes or ()) >= ROUTES_PER_TABLE:
        raise PermanentError(
            ErrorCode.QUOTA_EXCEEDED,
            f"Route table {table.id} is full: {ROUTES_PER_TABLE} routes.",
            resource=table.id,
            field="vpc_id",
            advice="Remove a route or choose another VPC or subnet.",
        )


def admitting_group(whitelist: Whitelist, cidr: str) -> str | None:
    """The whitelist group that already lets all of a range in."""
    for group in whitelist.groups:
        if any(covers(entry, cidr) for entry in group.ips):
            return group.name
    return None


def whitelist_closed(whitelist: Whitelist | None) -> bool:
    """Whether the whitelist keeps anybody out; off or empty it admits all (DCS: managing IP whitelists)."""
    return whitelist is not None and whitelist.enabled and any(group.ips for group in whitelist.groups)


def check_whitelist(whitelist: Whitelist, cidr: str) -> bool:
    """Whether the whitelist must be changed to let the range in.

    Raises:
        PermanentError: `WhitelistFull`.
    """
    if admitting_group(whitelist, cidr):
        return False
    entries = sum(len(group.ips) for group in whitelist.groups)
    ours = any(group.name == WHITELIST_GROUP for group in whitelist.groups)
    if entries >= WHITELIST_ENTRIES or (not ours and len(whitelist.groups) >= WHITELIST_GROUPS):
        raise refusal(
            ErrorCode.WHITELIST_FULL,
            f"The instance's whitelist is full ({len(whitelist.groups)} groups, {entries} entries); "
            f"it must hold {cidr}.",
            "instance_id",
            f"Leave room for a group: {WHITELIST_GROUPS} groups and {WHITELIST_ENTRIES} entries at most.",
        )
    return True


def warnings(
    request: ExposeRequest,
    instance: Instance,
    *,
    whitelist_changes: bool,
    expires_at: int | None,
    expirer: str | None,
) -> tuple[Finding, ...]:
    """What is allowed but should be known."""
    rules: Sequence[tuple[bool, str, str]] = (
        (not instance.enable_ssl, "NoTls", "Passwords and data cross the internet in clear text."),
        (request.port == 6379, "WellKnownPort", "Port 6379 is the first that scanners try."),
        (
            not instance.engine_version.startswith(_DOCUMENTED_VERSIONS),
            "VersionNotDocumented",
            f"The document names Redis 4.0, 5.0 and 6.0, not {instance.engine_version}.",
        ),
        (whitelist_changes, "WhitelistChanges", f"The instance's whitelist gets a group {WHITELIST_GROUP}."),
        (
            request.node is not None,
            "SingleNode",
            "Other nodes' keys answer MOVED with a private address; after a failover the node may be a replica.",
        ),
        (
            request.accepts(Risk.NO_PASSWORD) and instance.no_password_access,
            "NoPassword",
            "No password is asked.",
        ),
    )
    found = tuple(Finding(code=code, message=message) for applies, code, message in rules if applies)
    return (*found, *end_findings(expires_at, expirer))


def end_findings(expires_at: int | None, expirer: str | None) -> tuple[Finding, ...]:
    """Who ends an exposure, or that nobody does."""
    if expires_at is None:
        return (Finding(code="NeverExpires", message="The exposure stays until it is withdrawn."),)
    if expirer is None:
        message = "No schedule is known that withdraws it when it expires."
        return (Finding(code="NobodyExpires", message=message),)
    return (Finding(code="Expires", message=f"It is withdrawn when it expires, by {expirer}."),)
