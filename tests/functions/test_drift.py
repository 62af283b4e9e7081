"""Everything that an exposure consists of is deleted or changed behind our back, and repaired."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.account import Account
from emulator.dcs.models import Whitelist, WhitelistGroup
from emulator.elb.models import IpEntry, IpGroup, Member
from shared.verification.compare import compare
from shared.verification.observe import observe_project
from shared.verification.verdict import Verdict, VerdictKind
from tests.chaos.scenes import holdings
from tests.support.product import Product
from tests.support.worlds import world

Damage = Callable[[Account], None]


@dataclass(frozen=True)
class Case:
    """A damage, what differs by it, and which calls a repair makes beyond writing its run into the record."""

    name: str
    damage: Damage
    differs: tuple[str, ...]
    calls: tuple[str, ...] = ()


def set_field(kind: str, **fields: Any) -> Damage:
    """Change fields of the only resource of an ELB kind."""

    def damage(account: Account) -> None:
        (item,) = getattr(account.world.elb, kind).values()
        for name, value in fields.items():
            setattr(item, name, value)

    return damage


def forget(*kinds: str) -> Damage:
    """Delete all resources of these ELB kinds, and what refers to them."""

    def damage(account: Account) -> None:
        elb = account.world.elb
        for kind in kinds:
            getattr(elb, kind).clear()
        for listener in elb.listeners.values():
            if listener.default_pool_id not in elb.pools:
                listener.default_pool_id = None
            if listener.ipgroup and listener.ipgroup.ipgroup_id not in elb.ipgroups:
                listener.ipgroup = None

    return damage


def bind(**fields: Any) -> Damage:
    """Change how the listener is bound to its IP group."""

    def damage(account: Account) -> None:
        (listener,) = account.world.elb.listeners.values()
        assert listener.ipgroup is not None
        listener.ipgroup = listener.ipgroup.model_copy(update=fields)

    return damage


def admit_others(account: Account) -> None:
    """Somebody makes the listener admit a group of their own."""
    elb = account.world.elb
    (listener,), (group,) = elb.listeners.values(), elb.ipgroups.values()
    fields = {"name": "theirs", "ip_list": [IpEntry(ip="198.51.100.0/24")]}
    other = account.add(elb.ipgroups, IpGroup, "elb", group.project_id, **fields)
    assert listener.ipgroup is not None
    listener.ipgroup = listener.ipgroup.model_copy(update={"ipgroup_id": other.id})


def add_member(account: Account) -> None:
    (member,) = account.world.elb.members.values()
    fields = {"pool_id": member.pool_id, "address": "192.168.0.66", "protocol_port": 6379, "name": "theirs"}
    account.add(account.world.elb.members, Member, "elb", member.project_id, **fields)


def unbind_address(account: Account) -> None:
    (eip,) = account.world.eip.publicips.values()
    account.eip.unbind(eip)


def routes(vpc: str, **fields: Any) -> Damage:
    """Change the routes of a VPC's table, or delete them."""

    def damage(account: Account) -> None:
        home = next(one for one in account.world.vpc.vpcs.values() if one.name == vpc)
        for table in account.world.vpc.route_tables.values():
            if table.vpc_id == home.id:
                table.routes = [route.model_copy(update=fields) for route in table.routes] if fields else []

    return damage


def unpeer(account: Account) -> None:
    (peering,) = account.world.vpc.peerings.values()
    account.world.vpc.peerings.clear()
    for table in account.world.vpc.route_tables.values():
        table.routes = [route for route in table.routes if route.nexthop != peering.id]


def rename_peering(account: Account) -> None:
    (peering,) = account.world.vpc.peerings.values()
    peering.name = "theirs"


def whitelist(*groups: tuple[str, str]) -> Damage:
    def damage(account: Account) -> None:
        (instance,) = account.world.dcs.instances.values()
        listed = [WhitelistGroup(group_name=name, ip_list=[entry]) for name, entry in groups]
        instance.whitelist = Whitelist(enable_whitelist=True, whitelist=listed)

    return damage


def move(**fields: Any) -> Damage:
    """The instance answers elsewhere now."""

    def damage(account: Account) -> None:
        (instance,) = account.world.dcs.instances.values()
        for name, value in fields.items():
            setattr(instance, name, value)

    return damage


OFFICE = ("office", "192.168.0.77")
EVERYBODY = [IpEntry(ip="203.0.113.0/24"), IpEntry(ip="198.51.100.0/24")]

CASES = [
    Case("IP group deleted", forget("ipgroups"), ("ip_group exists", "listener ipgroup_id"), ("POST ipgroups",)),
    Case("IP group renamed", set_field("ipgroups", name="theirs"), ("ip_group name",)),
    Case("record emptied", set_field("ipgroups", description=""), ("ip_group description",)),
    Case("record cut off", set_field("ipgroups", description="dcs-access/1 e="), ("ip_group description",)),
    Case("entry added", set_field("ipgroups", ip_list=EVERYBODY), ("ip_group ip_list",)),
    Case("entry replaced", set_field("ipgroups", ip_list=EVERYBODY[1:]), ("ip_group ip_list",)),
    Case("entries removed", set_field("ipgroups", ip_list=[]), ("ip_group ip_list",)),
    Case(
        "load balancer renamed",
        set_field("loadbalancers", name="theirs"),
        ("load_balancer name",),
        ("PUT loadbalancers",),
    ),
    Case(
        "load balancer's mark lost",
        set_field("loadbalancers", description="mine"),
        ("load_balancer description",),
        ("PUT loadbalancers",),
    ),
    Case("tags lost", set_field("loadbalancers", tags={}), ("load_balancer tags",), ("POST tags",)),
    Case("address unbound", unbind_address, ("eip bound_to",), ("PUT publicips",)),
    Case(
        "listener deleted",
        forget("listeners"),
        ("listener exists",),
        ("POST listeners", "PUT listeners"),
    ),
    Case("listener renamed", set_field("listeners", name="theirs"), ("listener name",)),
    Case("listener's copy emptied", set_field("listeners", description=""), ("listener description",)),
    Case("listener opened", set_field("listeners", ipgroup=None), ("listener ipgroup_id",)),
    Case("allow-list switched off", bind(enable_ipgroup=False), ("listener enable_ipgroup",)),
    Case("allow-list made a block-list", bind(type="black"), ("listener ipgroup_type",)),
    Case("another allow-list", admit_others, ("listener ipgroup_id",)),
    Case("pool detached", set_field("listeners", default_pool_id=None), ("pool listener",), ("PUT listeners",)),
    Case(
        "pool deleted",
        forget("pools", "members", "healthmonitors"),
        ("pool exists",),
        ("POST pools", "POST members", "POST healthmonitors"),
    ),
    Case("pool renamed", set_field("pools", name="theirs"), ("pool name",), ("PUT pools",)),
    Case("pool's description lost", set_field("pools", description=""), ("pool description",), ("PUT pools",)),
    Case(
        "pool's algorithm changed",
        set_field("pools", lb_algorithm="LEAST_CONNECTIONS"),
        ("pool lb_algorithm",),
        ("PUT pools",),
    ),
    Case("member deleted", forget("members"), ("member exists",), ("POST members",)),
    Case("member renamed", set_field("members", name="theirs"), ("member name",), ("PUT members",)),
    Case("member without weight", set_field("members", weight=0), ("member weight",), ("PUT members",)),
    Case("a stranger's member", add_member, ("member exists",), ("DELETE members",)),
    Case(
        "instance at another address", move(ip="192.168.0.99"), ("member address",), ("DELETE members", "POST members")
    ),
    Case("instance at another port", move(port=6380), ("member address",), ("DELETE members", "POST members")),
    Case("monitor deleted", forget("healthmonitors"), ("health_monitor exists",), ("POST healthmonitors",)),
    *(
        Case(
            f"monitor's {field} changed",
            set_field("healthmonitors", **{field: value}),
            (f"health_monitor {field}",),
            ("PUT healthmonitors",),
        )
        for field, value in {
            "name": "theirs",
            "delay": 50,
            "timeout": 1,
            "max_retries": 10,
            "monitor_port": 6379,
            "type": "HTTP",
        }.items()
    ),
    Case(
        "peering deleted",
        unpeer,
        ("vpc_peering exists",),
        ("POST peerings", "PUT routetables", "PUT routetables"),
    ),
    Case("peering renamed", rename_peering, ("vpc_peering name",), ("PUT peerings",)),
    Case("local route deleted", routes("vpc-elb"), ("route exists",), ("PUT routetables",)),
    Case("peer route deleted", routes("vpc-dcs"), ("route exists",), ("PUT routetables",)),
    Case("route led elsewhere", routes("vpc-elb", nexthop="elsewhere"), ("route nexthop",), ("PUT routetables",)),
    Case("whitelist group deleted", whitelist(OFFICE), ("whitelist dcs-access",), ("PUT whitelist",)),
    Case(
        "whitelist entry replaced",
        whitelist(OFFICE, ("dcs-access", "10.9.0.0/24")),
        ("whitelist dcs-access",),
        ("PUT whitelist",),
    ),
]


def exposed() -> Product:
    """An exposure that needs everything: across VPCs, with a whitelist."""
    groups = [{"group_name": OFFICE[0], "ip_list": [OFFICE[1]]}]
    guarded = {"whitelist": {"enable_whitelist": True, "whitelist": groups}}
    product = Product(world({"redis-demo": guarded}))
    assert product.expose()["outcome"] == "completed"
    return product


def verify(product: Product) -> Verdict:
    """The verdict on the demo's exposure."""
    project = observe_project(product.cloud, slice=1, now=product.services.now())
    return compare(product.exposure, project, product.services.now())


def repair(product: Product, **fields: Any) -> dict[str, Any]:
    """Repair it; what the run came to."""
    return product.run({"action": "repair", "instance_id": product.instance_id, **fields}).output


def account(product: Product) -> dict[str, Any]:
    """All the account holds, whichever run it says it belongs to."""
    text = json.dumps(product.account())
    return json.loads(re.sub(r" r=[\w~-]+| t=1", "", text))


def changes(product: Product) -> list[str]:
    """The mutating calls, each as its method and the kind of resource."""
    return sorted(f"{call.method} {kind_of(call.path)}" for call in product.emulator.calls.mutating())


def kind_of(path: str) -> str:
    words = [word for word in path.split("/") if re.fullmatch(r"[a-z]+", word)]
    return "tags" if "tags" in words else words[-1]


def named(verdict: Verdict) -> set[str]:
    return {f"{each.kind.value} {each.field}" for each in verdict.differences}


def written(calls: Iterable[str]) -> list[str]:
    """The calls of a repair: its own ones, and those that write its run into both copies of the record."""
    record = ["PUT ipgroups", "PUT listeners"]
    made = [call.replace("POST", "PUT") for call in calls if call.startswith("POST")]
    return sorted([*calls, *(call for call in record if call not in made)])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_changed_is_taken_down_nevertheless(case: Case) -> None:
    product = exposed()
    with product.emulator.change() as world_now:
        case.damage(world_now)
    assert product.withdraw()["outcome"] == "withdrawn"
    left = {kind: count for kind, count in holdings(product).items() if count}
    # A route that somebody has led elsewhere, and a group of their own, are theirs.
    theirs = {"route led elsewhere": {"routes": 1}, "another allow-list": {"elb.ipgroups": 1}}
    assert left == theirs.get(case.name, {})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_changed_is_named_restored_and_nothing_else_is_touched(case: Case) -> None:
    product = exposed()
    before = account(product)
    assert verify(product).kind is VerdictKind.HEALTHY
    with product.emulator.change() as world_now:
        case.damage(world_now)
    verdict = verify(product)
    assert verdict.kind is VerdictKind.DRIFTED
    assert named(verdict) == set(case.differs)
    product.emulator.calls.clear()
    output = repair(product)
    assert output["outcome"] == "repaired", output["event"]["data"]["error"]
    assert changes(product) == written(case.calls)
    after = verify(product)
    assert after.kind is VerdictKind.HEALTHY, after
    if not any(call.startswith("POST") for call in case.calls):
        same = case.name.startswith(("another allow-list", "instance", "whitelist entry"))
        assert same or account(product) == before
