"""Each resource of an exposure against its record: pure, one function a resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.ids import allow_digest, resource_name
from shared.otc.dcs import Instance
from shared.otc.eip import PublicIp
from shared.otc.elb import Listener, LoadBalancer, Member, MonitorSettings, Pool, PoolCreate
from shared.otc.vpc import Peering, RouteTable, Subnet
from shared.planning.safety import WHITELIST_GROUP, admitting_group, whitelist_closed
from shared.planning.ways import Way, ways
from shared.record import Mark, Mode, Record, read_mark, read_record
from shared.resources.backend import WEIGHT, pool_description
from shared.resources.ownership import TAG, address_in, is_named, listener_name
from shared.resources.peering import peering_of
from shared.resources.whitelist import entries_of_ours
from shared.results import Kind
from shared.routing import RouteAction, covering, decide_route
from shared.verification.project import Parts, Project, plain
from shared.verification.verdict import EXISTS, Difference

LOST = "a list that is lost"
_NOTHING, _ELSEWHERE, _OUSTED = "nothing", "something else", "nothing, and another address took its place"
_LISTENER_PROTOCOL = "TCP"
# What a repair sets again; where anything else differs, somebody has to decide.
_RESTORED: Mapping[Kind, frozenset[str]] = {
    Kind.IP_GROUP: frozenset({EXISTS, "name", "description", "ip_list"}),
    Kind.LOAD_BALANCER: frozenset({"name", "description", "tags"}),
    Kind.EIP: frozenset({"bound_to"}),
    Kind.LISTENER: frozenset({EXISTS, "name", "description", "ipgroup_id", "enable_ipgroup", "ipgroup_type"}),
    Kind.POOL: frozenset({EXISTS, "name", "description", "lb_algorithm", "listener"}),
    Kind.MEMBER: frozenset({EXISTS, "address", "name", "weight"}),
    Kind.MONITOR: frozenset({EXISTS, "name", *MonitorSettings.model_fields}),
    Kind.PEERING: frozenset({EXISTS, "name"}),
    Kind.ROUTE: frozenset({EXISTS, "nexthop"}),
    Kind.WHITELIST: frozenset({WHITELIST_GROUP}),
}
# What a repair leaves as it is: it costs money or is only a name, and nothing stops working for it.
_LEFT: Mapping[Kind, frozenset[str]] = {Kind.EIP: frozenset({"bandwidth_size", "bandwidth_name"})}


@dataclass(frozen=True)
class Desired:
    """What an exposure should be: its record, its allow-list (None if lost), and where the instance answers."""

    record: Record
    allow: tuple[str, ...] | None
    instance: Instance
    address: str
    port: int

    @property
    def name(self) -> str:
        """The name that its resources have."""
        return resource_name(self.record.exposure)

    @property
    def target(self) -> str:
        """Address and port of the member."""
        return f"{self.address}:{self.port}"


def differences(parts: Parts, desired: Desired, project: Project) -> tuple[Difference, ...]:
    """All that is not as it should be, from the public side inwards; a missing parent stands for its children."""
    return (
        *_ip_group(parts, desired),
        *_public_side(parts, desired, project),
        *_private_side(desired, project),
        *_whitelist(desired, project),
    )


def repairable(found: Iterable[Difference]) -> bool:
    """Whether something matters of what differs, and a repair can restore it."""
    found = _mattering(found)
    return bool(found) and restorable(found)


def restorable(found: Iterable[Difference]) -> bool:
    """Whether a repair can restore all that matters, if anything, without replacing a load balancer or an address."""
    return all(_restored(each) for each in _mattering(found))


def _mattering(found: Iterable[Difference]) -> list[Difference]:
    return [each for each in found if each.field not in _LEFT.get(each.kind, ())]


def _restored(difference: Difference) -> bool:
    lost = difference.should == LOST or difference.is_ in {_ELSEWHERE, _OUSTED}
    return difference.field in _RESTORED[difference.kind] and not lost


def _ip_group(parts: Parts, desired: Desired) -> list[Difference]:
    group, record = parts.ip_group, desired.record
    if group is None:
        gone = _missing(Kind.IP_GROUP, desired.name)
        # Nothing to make it from.
        return [gone, *([_lost_list(desired.name)] if desired.allow is None else [])]
    found = _differing(
        Kind.IP_GROUP,
        group.id,
        {"name": (group.name, desired.name), "description": (group.description, record.text())},
    )
    if allow_digest(plain(group.entries)) != record.allow:
        allow = LOST if desired.allow is None else _text(sorted(desired.allow))
        found.append(_one(Kind.IP_GROUP, group.id, "ip_list", _text(sorted(group.entries)), allow))
    return found


def _lost_list(name: str) -> Difference:
    return _one(Kind.IP_GROUP, name, "ip_list", _NOTHING, LOST)


def _public_side(parts: Parts, desired: Desired, project: Project) -> list[Difference]:
    balancer, listener, pool = parts.load_balancer, parts.listener, parts.pool
    if balancer is None:
        return [_missing(Kind.LOAD_BALANCER, desired.name)]
    found = [*_load_balancer(balancer, desired, project), *_address(balancer, listener, desired, project)]
    if listener is None:
        found.append(_missing(Kind.LISTENER, desired.name))
    else:
        found += _listener(listener, parts, desired, project)
    if pool is not None:
        found += [*_pool(pool, listener, desired), *_members(pool, desired, project), *_monitor(pool, desired, project)]
    elif listener is not None:
        found.append(_missing(Kind.POOL, desired.name))
    return found


def _load_balancer(balancer: LoadBalancer, desired: Desired, project: Project) -> list[Difference]:
    record, mark = desired.record, read_mark(balancer.description)
    subnet = project.subnet_by_id.get(record.subnet)
    tags = {TAG: record.exposure, f"{TAG}-instance": record.instance}
    fields: dict[str, tuple[object, object]] = {
        "name": (balancer.name, desired.name),
        "description": (balancer.description, (mark or Mark(record.exposure, record.run)).text()),
        "tags": ({key: balancer.tags.get(key) for key in tags}, tags),
        "vpc_id": (balancer.vpc_id, record.vpc),
        "elb_virsubnet_ids": (balancer.elb_virsubnet_ids, (record.subnet,)),
        "vip_subnet_cidr_id": (balancer.vip_subnet_cidr_id, subnet.neutron_subnet_id if subnet else None),
        "ip_target_enable": (balancer.ip_target_enable, True),
        "l4_flavor": (balancer.l4_flavor_id is not None, True),
        "guaranteed": (balancer.guaranteed, True),
    }
    return _differing(Kind.LOAD_BALANCER, balancer.id, fields)


def _address(balancer: LoadBalancer, listener: Listener | None, desired: Desired, project: Project) -> list[Difference]:
    """The public address; another one that somebody has bound since will do, unless ours lies there unused."""
    own = _own_address(listener, desired, project)
    bound = {eip.id for eip in balancer.public_ips}
    if own is not None and own.id not in bound:
        lies = _OUSTED if bound else _NOTHING
        return [_one(Kind.EIP, own.id, "bound_to", lies if own.status == "DOWN" else _ELSEWHERE, balancer.id)]
    if own is None:
        return [] if bound else [_missing(Kind.EIP, desired.name)]
    size = desired.record.bandwidth
    fields = {
        "bandwidth_name": (own.bandwidth_name, desired.name),
        "bandwidth_size": (own.bandwidth_size, own.bandwidth_size if size is None else size),
    }
    return _differing(Kind.EIP, own.id, fields)


def _own_address(listener: Listener | None, desired: Desired, project: Project) -> PublicIp | None:
    """The address that was made with the load balancer: its bandwidth has our name, or our listener names it."""
    if named := project.public_ips_by_name.get(desired.name):
        return min(named, key=lambda eip: (eip.status == "DOWN", eip.create_time, eip.id))
    made = address_in(listener) if listener else ""
    return next((eip for eip in project.public_ips if made and eip.address == made), None)


def _listener(listener: Listener, parts: Parts, desired: Desired, project: Project) -> list[Difference]:
    record, group, bound = desired.record, parts.ip_group, listener.ipgroup
    copy = read_record(listener.description)
    text = replace(record, taken=copy is not None and copy.taken).text()
    fields: dict[str, tuple[object, object]] = {
        "name": (listener.name, _listener_name(listener, parts, desired, project)),
        "description": (listener.description, text),
        "protocol": (listener.protocol, _LISTENER_PROTOCOL),
        "protocol_port": (listener.protocol_port, record.port),
        "ipgroup_id": (bound.ipgroup_id if bound else None, group.id if group else desired.name),
    }
    if bound:
        fields |= {"enable_ipgroup": (bound.enable_ipgroup, True), "ipgroup_type": (bound.type, "white")}
    return _differing(Kind.LISTENER, listener.id, fields)


def _listener_name(listener: Listener, parts: Parts, desired: Desired, project: Project) -> str:
    """Our name and the address that was made with the load balancer; what is known of neither is left alone."""
    own = project.public_ips_by_name.get(desired.name)
    if not own and is_named(listener, desired.name):
        return listener.name
    bound = parts.load_balancer.public_ips if parts.load_balancer else ()
    address = own[0].address if own else next((eip.address for eip in bound), "")
    return listener_name(desired.name, address)


def _pool(pool: Pool, listener: Listener | None, desired: Desired) -> list[Difference]:
    mark = read_mark(pool.description)
    described = mark is not None and desired.allow is None
    wanted = pool_description(mark or Mark(desired.record.exposure, desired.record.run), desired.allow or ())
    algorithm = PoolCreate.model_fields["lb_algorithm"].default
    found = _differing(
        Kind.POOL,
        pool.id,
        {
            "name": (pool.name, desired.name),
            "description": (pool.description, pool.description if described else wanted),
            "lb_algorithm": (pool.lb_algorithm, algorithm),
        },
    )
    if listener is not None and listener.default_pool_id != pool.id:
        found.append(_one(Kind.POOL, pool.id, "listener", _text(listener.default_pool_id), listener.id))
    return found


def _members(pool: Pool, desired: Desired, project: Project) -> list[Difference]:
    members = [project.member_by_id[one] for one in pool.member_ids if one in project.member_by_id]
    right = next((one for one in members if at(one) == desired.target), None)
    others = [one for one in members if one is not right]
    if right is not None:
        fields = {"name": (right.name, desired.name), "weight": (right.weight, WEIGHT)}
        strangers = [_one(Kind.MEMBER, one.id, EXISTS, "yes", "no") for one in others]
        return [*_differing(Kind.MEMBER, right.id, fields), *strangers]
    if not others:
        return [_missing(Kind.MEMBER, desired.target)]
    return [_one(Kind.MEMBER, one.id, "address", at(one), desired.target) for one in others]


def at(member: Member) -> str:
    """Where a member is."""
    return f"{member.address}:{member.protocol_port}"


def _monitor(pool: Pool, desired: Desired, project: Project) -> list[Difference]:
    monitor = project.monitor_by_id.get(pool.healthmonitor_id or "")
    if monitor is None:
        return [_missing(Kind.MONITOR, desired.name)]
    wanted = {"name": desired.name, **MonitorSettings().model_dump(exclude={"max_retries_down"})}
    fields = {field: (getattr(monitor, field), value) for field, value in wanted.items()}
    return _differing(Kind.MONITOR, monitor.id, fields)


def _private_side(desired: Desired, project: Project) -> list[Difference]:
    record = desired.record
    if record.mode is Mode.DIRECT:
        return []
    peering = peering_of(project.peerings, record.vpc, record.peer_vpc)
    if peering is None:
        return [_missing(Kind.PEERING, desired.name)]
    if peering.status != "ACTIVE":
        return [_one(Kind.PEERING, peering.id, "status", peering.status, "ACTIVE")]
    mark = read_mark(peering.description)
    named = desired.name if mark and mark.exposure == record.exposure else peering.name
    renamed = _differing(Kind.PEERING, peering.id, {"name": (peering.name, named)})
    return [*renamed, *(each for way in _ways(desired, project) for each in _route(way, peering, record.exposure))]


def _ways(desired: Desired, project: Project) -> tuple[Way, ...]:
    record = desired.record
    backend = project.subnet_by_id.get(record.subnet)
    home = project.subnet_by_id.get(desired.instance.subnet_id)
    local, remote = project.vpc_by_id.get(record.vpc), project.vpc_by_id.get(record.peer_vpc)
    if backend is None or home is None or local is None or remote is None:
        return ()

    def table_of(subnet: Subnet) -> RouteTable:
        table = project.table_of(subnet)
        assert table is not None, "every VPC has a default route table"
        return table

    return ways(
        record.mode,
        backend=backend,
        home=home,
        address=desired.address,
        local=local,
        remote=remote,
        table_of=table_of,
    )


def _route(way: Way, peering: Peering, exposure: str) -> list[Difference]:
    table, destination, target = way
    routes, identifier = table.routes or (), f"{table.id} {destination}"
    decision = decide_route(routes, destination=destination, target=target, peering_id=peering.id, exposure=exposure)
    match decision.action:
        case RouteAction.ADD:
            return [_missing(Kind.ROUTE, identifier)]
        case RouteAction.CHANGE:
            taken = covering(routes, target)
            return [_one(Kind.ROUTE, identifier, "nexthop", _text(taken and taken.nexthop), peering.id)]
        case RouteAction.REFUSE:
            return [_one(Kind.ROUTE, identifier, "way", decision.reason, f"through {peering.id}")]
        case RouteAction.UNCHANGED | RouteAction.ADOPT:
            return []


def _whitelist(desired: Desired, project: Project) -> list[Difference]:
    whitelist = project.whitelists.get(desired.instance.id)
    subnet = project.subnet_by_id.get(desired.record.subnet)
    if whitelist is None or subnet is None or not whitelist_closed(whitelist):
        return []
    if admitting_group(whitelist, subnet.cidr):
        return []
    return [_one(Kind.WHITELIST, desired.instance.id, WHITELIST_GROUP, _text(entries_of_ours(whitelist)), subnet.cidr)]


def _missing(kind: Kind, identifier: str) -> Difference:
    return _one(kind, identifier, EXISTS, "no", "yes")


def _differing(kind: Kind, identifier: str, fields: Mapping[str, tuple[object, object]]) -> list[Difference]:
    return [
        _one(kind, identifier, field, _text(is_), _text(should))
        for field, (is_, should) in fields.items()
        if is_ != should
    ]


def _one(kind: Kind, identifier: str, field: str, is_: str, should: str) -> Difference:
    return Difference(kind=kind, id=identifier, field=field, is_=is_, should=should)


def _text(value: object) -> str:
    if value is None or value in ((), []):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items() if one is not None) or _NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
