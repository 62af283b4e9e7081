"""What exposures share, a whitelist or a peering, stays until its last user goes; what is others' always stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from emulator.core.resources import Pending
from emulator.dcs.models import Whitelist, WhitelistGroup
from emulator.world import World
from tests.functions.test_changes import did
from tests.functions.test_ways import ways
from tests.support.product import Product
from tests.support.worlds import world

OURS = "dcs-access"
OFFICE = {"group_name": "office", "ip_list": ["192.168.0.77"]}
CLUSTER: Mapping[str, Any] = {"cache_mode": "cluster", "ip": "", "shards": 2}
SECOND_INSTANCE = {
    "name": "redis-two",
    "engine_version": "5.0",
    "cache_mode": "single",
    "subnet_id": "subnet-dcs",
    "ip": "192.168.0.20",
    "password": "Demo-Redis-2",
}
SECOND_SUBNET = {"name": "second", "vpc_id": "vpc-elb", "cidr": "10.0.1.0/24"}


def guarded(*groups: Mapping[str, Any], enabled: bool = True, **more: Any) -> World:
    """The small world with a whitelist on its instance."""
    whitelist = {"enable_whitelist": enabled, "whitelist": list(groups)}
    return world({"redis-demo": {**more, "whitelist": whitelist}}, vpc={"subnets": [SECOND_SUBNET]})


def admitted(product: Product) -> dict[str, tuple[str, ...]]:
    """The whitelist's groups."""
    return {group.name: group.ips for group in product.cloud.dcs.whitelist(product.instance_id).groups}


def whitelist_writes(product: Product) -> int:
    return sum("whitelist" in call.path for call in product.emulator.calls.mutating())


@pytest.mark.parametrize(
    "groups",
    [
        (OFFICE,),
        tuple({**OFFICE, "group_name": f"group-{n}"} for n in range(3)),
        ({"group_name": "many", "ip_list": [f"192.168.1.{n}" for n in range(19)]},),
    ],
    ids=["one group", "three groups", "nineteen entries"],
)
def test_with_room_the_whitelist_gets_the_backend_subnet_in_our_group(groups: tuple[Mapping[str, Any], ...]) -> None:
    product = Product(guarded(*groups))
    before = product.account()
    foreign = admitted(product)
    output = product.expose(subnet_id=subnet(product, "subnet-elb"))
    assert output["outcome"] == "completed"
    assert did(output)["whitelist"] == "updated"
    assert "10.0.0.0/24" in admitted(product)[OURS]
    assert {name: ips for name, ips in admitted(product).items() if name != OURS} == foreign
    gone = product.withdraw()
    assert did(gone)["whitelist"] == "released"
    assert product.account() == before


@pytest.mark.parametrize(
    ("groups", "left"),
    [((OFFICE,), "10.0.0.0/24"), (({"group_name": OURS, "ip_list": ["192.168.0.55"]},), "192.168.0.55")],
    ids=["the others were removed", "the others are in our group"],
)
def test_a_withdrawal_never_empties_a_whitelist_since_an_empty_one_admits_all(
    groups: tuple[Mapping[str, Any], ...], left: str
) -> None:
    product = Product(guarded(*groups))
    product.expose(subnet_id=subnet(product, "subnet-elb"))
    with product.emulator.change() as account:
        (instance,) = account.world.dcs.instances.values()
        instance.whitelist.whitelist = [group for group in instance.whitelist.whitelist if group.group_name == OURS]
    for _ in range(2):
        gone = product.withdraw()
        assert gone["outcome"] == "withdrawn"
        assert did(gone)["whitelist"] == "kept"
        assert [finding["code"] for finding in gone["event"]["data"]["findings"]] == ["WhitelistKept"]
        assert admitted(product) == {OURS: (left,)}
        product.expose(subnet_id=subnet(product, "subnet-elb"))


def test_a_whitelist_that_is_off_is_left_without_a_trace() -> None:
    product = Product(guarded(OFFICE))
    product.expose(subnet_id=subnet(product, "subnet-elb"))
    with product.emulator.change() as account:
        (instance,) = account.world.dcs.instances.values()
        ours = [group for group in instance.whitelist.whitelist if group.group_name == OURS]
        instance.whitelist = Whitelist(enable_whitelist=False, whitelist=ours)
    assert did(product.withdraw())["whitelist"] == "released"
    assert admitted(product) == {}


@pytest.mark.parametrize(("groups", "enabled"), [((OFFICE,), False), ((), True), ((), False)])
def test_a_whitelist_that_is_off_or_empty_is_left_alone(
    groups: tuple[Mapping[str, Any], ...], *, enabled: bool
) -> None:
    product = Product(guarded(*groups, enabled=enabled))
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "completed"
    assert product.withdraw()["outcome"] == "withdrawn"
    assert whitelist_writes(product) == 0
    assert product.account() == before


@pytest.mark.parametrize("entry", ["10.0.0.0/24", "10.0.0.0/8", "10.0.0.0-10.0.1.255"])
def test_a_whitelist_that_admits_the_subnet_already_is_left_alone(entry: str) -> None:
    product = Product(guarded({"group_name": "office", "ip_list": [entry]}))
    output = product.expose(subnet_id=subnet(product, "subnet-elb"))
    assert output["outcome"] == "completed"
    assert did(output)["whitelist"] == "adopted"
    product.withdraw()
    assert whitelist_writes(product) == 0


def test_a_full_whitelist_that_admits_the_subnet_is_no_obstacle() -> None:
    groups = [{**OFFICE, "group_name": f"group-{n}"} for n in range(3)]
    product = Product(guarded(*groups, {"group_name": "all", "ip_list": ["10.0.0.0/8"]}))
    assert product.expose()["outcome"] == "completed"


def test_a_foreign_group_that_a_rival_writer_dropped_is_put_back_and_told() -> None:
    product = Product(guarded(OFFICE))

    def lose(request: Any) -> None:
        if request.method == "PUT" and request.path.endswith("/whitelist") and not lost:
            lost.append(True)
            with product.emulator.change() as account:
                (instance,) = account.world.dcs.instances.values()
                ours = WhitelistGroup(group_name=OURS, ip_list=["10.0.0.0/24", "10.0.1.0/24"])
                instance.whitelist = Whitelist(enable_whitelist=True, whitelist=[ours])

    lost: list[bool] = []
    product.emulator.after_call.append(lose)
    output = product.expose()
    assert output["outcome"] == "completed"
    assert set(admitted(product)) == {"office", OURS}
    assert "WhitelistRestored" in {finding["code"] for finding in output["event"]["data"]["findings"]}


def test_the_whitelist_closes_after_the_listener() -> None:
    product = Product(guarded(OFFICE))
    product.expose()
    product.emulator.calls.clear()
    product.withdraw()
    paths = [call.path for call in product.emulator.calls.mutating()]
    listener = next(n for n, path in enumerate(paths) if "/listeners/" in path)
    assert listener < next(n for n, path in enumerate(paths) if path.endswith("/whitelist"))


def test_an_instance_that_is_gone_does_not_hold_up_a_withdrawal() -> None:
    product = Product(guarded(OFFICE))
    product.expose()
    instance = product.instance_id
    with product.emulator.change() as account:
        account.dcs.delete(account.world.dcs.instances[instance])
    output = product.run({"action": "withdraw", "instance_id": instance}).output
    assert output["outcome"] == "withdrawn"
    account_now = product.account()
    assert account_now["elb"]["loadbalancers"] == account_now["elb"]["ipgroups"] == []
    assert account_now["eip"]["publicips"] == account_now["vpc"]["peerings"] == []


def test_an_instance_that_has_failed_does_not_hold_up_a_withdrawal_and_what_stays_is_told() -> None:
    product = Product(guarded(OFFICE))
    product.expose()
    with product.emulator.change() as account:
        account.world.dcs.instances[product.instance_id].status = "ERROR"
    begun = product.clock.now()
    output = product.withdraw()
    assert (output["outcome"], product.clock.now()) == ("withdrawn", begun)
    told = output["event"]["data"]
    assert did(output)["whitelist"] == "kept"
    (finding,) = (each for each in told["findings"] if each["code"] == "WhitelistKept")
    assert "ERROR" in finding["message"]
    assert product.account()["elb"]["ipgroups"] == []


def test_an_instance_that_is_only_busy_is_waited_for_by_a_withdrawal() -> None:
    product = Product(guarded(OFFICE))
    before = admitted(product)
    product.expose()
    with product.emulator.change() as account:
        instance = account.world.dcs.instances[product.instance_id]
        instance.pending = Pending(shows="RESTARTING", until=product.clock.now() + 300)
    begun = product.clock.now()
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.clock.now() - begun >= 300
    assert admitted(product) == before


def test_two_nodes_of_a_cluster_are_two_exposures_that_share_whitelist_and_way() -> None:
    product = Product(guarded(OFFICE, **CLUSTER))
    before = product.account()
    one, other = nodes(product)[:2]
    where = {"subnet_id": subnet(product, "subnet-elb")}
    first, second = product.expose(node=one, **where), product.expose(node=other, **where)
    assert first["event"]["subject"] != second["event"]["subject"]
    assert first["event"]["data"]["endpoint"]["address"] != second["event"]["data"]["endpoint"]["address"]
    assert admitted(product)[OURS] == ("10.0.0.0/24",)
    assert did(product.withdraw(node=one))["whitelist"] == "kept"
    assert admitted(product)[OURS] == ("10.0.0.0/24",)
    assert ways(product) == {"vpc-elb": {"192.168.0.0/16"}, "vpc-dcs": {"10.0.0.0/16"}}
    assert did(product.withdraw(node=other))["whitelist"] == "released"
    assert product.account() == before


def test_two_nodes_behind_different_subnets_each_keep_their_own_entry() -> None:
    product = Product(guarded(OFFICE, **CLUSTER))
    before = product.account()
    one, other = nodes(product)[:2]
    product.expose(node=one, subnet_id=subnet(product, "subnet-elb"))
    product.expose(node=other, subnet_id=subnet(product, "second"))
    assert set(admitted(product)[OURS]) == {"10.0.0.0/24", "10.0.1.0/24"}
    product.withdraw(node=one)
    assert admitted(product)[OURS] == ("10.0.1.0/24",)
    product.withdraw(node=other)
    assert product.account() == before


@pytest.mark.parametrize("first", [0, 1])
def test_two_exposures_share_a_peering_until_the_last_is_withdrawn(first: int) -> None:
    product = Product(world(dcs={"instances": [SECOND_INSTANCE]}))
    before = product.account()
    instances = list(product.emulator.world().dcs.instances)
    for instance in instances:
        assert product.expose(instance_id=instance)["outcome"] == "completed"
    assert len(product.cloud.vpc.peerings()) == 1
    gone = product.withdraw(instance_id=instances[first])
    assert did(gone)["vpc_peering"] == "kept"
    assert ways(product) == {"vpc-elb": {"192.168.0.0/16"}, "vpc-dcs": {"10.0.0.0/16"}}
    last = product.withdraw(instance_id=instances[1 - first])
    assert did(last)["vpc_peering"] == "released"
    assert product.account() == before


def test_an_exposure_by_a_helper_vpc_and_one_across_the_same_pair_share_the_peering() -> None:
    product = Product(world(dcs={"instances": [SECOND_INSTANCE]}))
    before = product.account()
    one, other = product.emulator.world().dcs.instances
    product.expose(instance_id=one)
    product.expose(instance_id=other, vpc_id=product.vpc_id("vpc-dcs"))
    assert did(product.withdraw(instance_id=one))["vpc_peering"] == "kept"
    assert did(product.withdraw(instance_id=other))["vpc_peering"] == "released"
    assert product.account() == before


def test_a_failed_exposure_leaves_alone_what_another_one_uses() -> None:
    product = Product(world(dcs={"instances": [SECOND_INSTANCE]}))
    one, other = product.emulator.world().dcs.instances
    product.expose(instance_id=one)
    before = product.account()
    with product.emulator.change() as account:
        account.data_plane.instance_stopped(other)
    output = product.expose(instance_id=other)
    assert output["event"]["data"]["error"]["code"] == "Unhealthy"
    assert product.account() == before


def nodes(product: Product) -> list[str]:
    """The masters, then the replicas, as requests name them."""
    found = sorted(product.cloud.dcs.nodes(product.instance_id), key=lambda node: (node.role != "master", node.ip))
    return [f"{node.ip}:{node.port}" for node in found]


def subnet(product: Product, name: str) -> str:
    """A subnet's network id by its name."""
    return next(one.id for one in product.cloud.vpc.subnets() if one.name == name)
