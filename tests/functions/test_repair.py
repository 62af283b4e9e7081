"""What a repair may do, what it must be told to do, and what it tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.eip.models import BandwidthSpec
from emulator.elb.models import IpEntry, LoadBalancer
from shared.otc.eip import PublicIp
from shared.probe import ProbeAnswer
from shared.record import read_record
from shared.request import Risk
from shared.resources.ownership import listener_name
from shared.verification.verdict import VerdictKind
from tests.chaos.scenes import ONE_SET, holdings
from tests.functions.test_changes import did
from tests.functions.test_drift import (
    Damage,
    account,
    exposed,
    forget,
    move,
    repair,
    routes,
    set_field,
    unbind_address,
    verify,
)
from tests.functions.test_sharing import CLUSTER, nodes
from tests.support.product import Product
from tests.support.worlds import world


def delete_balancer(account: Any) -> None:
    """The load balancer goes with all below it; its address stays, as the cloud has it."""
    unbind_address(account)
    forget("loadbalancers", "listeners", "pools", "members", "healthmonitors")(account)


def delete_address(account: Any) -> None:
    unbind_address(account)
    (eip,) = account.world.eip.publicips.values()
    account.eip.release(eip)


def delete_both(account: Any) -> None:
    delete_balancer(account)
    (eip,) = account.world.eip.publicips.values()
    account.eip.release(eip)


def break_records(account: Any) -> None:
    set_field("ipgroups", description="")(account)
    set_field("listeners", description="")(account)


def lose_list(account: Any) -> None:
    set_field("ipgroups", ip_list=[IpEntry(ip="198.51.100.0/24")])(account)
    set_field("pools", description="")(account)


def hold(account: Any) -> None:
    (balancer,) = account.world.elb.loadbalancers.values()
    balancer.tags = {**balancer.tags, "dcs-access-hold": "maintenance"}


def damaged(damage: Damage, product: Product | None = None) -> Product:
    """An exposure with a damage, and no calls on record yet."""
    product = product or exposed()
    with product.emulator.change() as world_now:
        damage(world_now)
    product.emulator.calls.clear()
    return product


def address(product: Product) -> PublicIp:
    (eip,) = product.cloud.eip.public_ips()
    return eip


def error(output: dict[str, Any]) -> tuple[str, str]:
    """The outcome and the code."""
    return output["outcome"], output["event"]["data"]["error"]["code"]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (delete_balancer, "ReplaceRequired"),
        (delete_address, "ReplaceRequired"),
        (delete_both, "ReplaceRequired"),
        (break_records, "RecordLost"),
        (lose_list, "AllowListLost"),
        (hold, "Held"),
        (move(password=None), "PasswordFree"),
        (move(status="ERROR"), "InstanceFailed"),
    ],
)
def test_what_a_repair_must_not_do_by_itself_is_refused_before_anything_is_changed(damage: Damage, code: str) -> None:
    product = damaged(damage)
    before = product.account()
    assert error(repair(product)) == ("rejected", code)
    assert product.emulator.calls.mutating() == []
    assert product.account() == before


def test_what_is_not_exposed_or_gone_cannot_be_repaired() -> None:
    product = Product()
    assert error(repair(product)) == ("rejected", "ExposureNotFound")
    product.expose()
    instance = product.instance_id
    with product.emulator.change() as account_now:
        account_now.dcs.delete(account_now.world.dcs.instances[instance])
    gone = product.run({"action": "repair", "instance_id": instance}).output
    assert error(gone) == ("rejected", "InstanceNotFound")


def test_an_exposure_that_has_expired_is_not_repaired() -> None:
    product = Product()
    product.expose(expires_after="1h")
    product.clock.advance_to(product.clock.now() + 3601)
    assert error(repair(product)) == ("rejected", "InvalidRequest")


@pytest.mark.parametrize("damage", [delete_balancer, delete_address, delete_both])
def test_with_replace_what_is_gone_is_made_anew_and_an_address_that_is_left_is_kept(damage: Damage) -> None:
    product = exposed()
    before = address(product)
    damaged(damage, product)
    output = repair(product, replace=True)
    assert output["outcome"] == "repaired"
    assert verify(product).kind is VerdictKind.HEALTHY
    assert holdings(product) == ONE_SET
    kept = damage is delete_balancer
    assert (address(product).id == before.id) is kept
    (listener,) = product.cloud.elb.listeners()
    assert listener.name == listener_name(f"dcs-access-{product.exposure}", address(product).address)
    assert output["event"]["data"]["endpoint"]["address"] == address(product).address
    empty = product.withdraw()
    assert empty["outcome"] == "withdrawn"
    assert product.cloud.eip.public_ips() == []


def test_a_lost_allow_list_is_taken_from_the_request_and_one_that_is_left_is_not() -> None:
    product = damaged(lose_list)
    assert repair(product, allow=["198.51.100.7"])["outcome"] == "repaired"
    (group,) = product.cloud.elb.ip_groups()
    assert group.entries == ("198.51.100.7/32",)
    assert verify(product).kind is VerdictKind.HEALTHY
    repair(product, allow=["0.0.0.0/0"])
    (group,) = product.cloud.elb.ip_groups()
    assert group.entries == ("198.51.100.7/32",)


def test_a_repair_admits_the_world_only_if_the_request_accepts_that() -> None:
    product = damaged(lose_list)
    assert error(repair(product, allow=["0.0.0.0/0"])) == ("rejected", "OpenWorld")
    assert product.emulator.calls.mutating() == []
    assert repair(product, allow=["0.0.0.0/0"], accept=["open_world"])["outcome"] == "repaired"


def test_the_event_names_what_differed_before_and_after() -> None:
    product = damaged(set_field("members", weight=0))
    output = repair(product)
    event = output["event"]
    assert event["type"] == "dcs-public-access.exposure.repaired"
    (member,) = product.cloud.elb.all_members()
    assert event["data"]["repaired"] == [
        {"kind": "member", "id": member.id, "field": "weight", "before": "0", "after": "1"}
    ]
    assert event["data"]["endpoint"] == {"address": address(product).address, "port": 80}
    assert did(output)["member"] == "updated"


def test_the_repairing_run_owns_the_exposure_which_was_there_before_it() -> None:
    product = damaged(set_field("listeners", description=""))
    output = repair(product)
    (group,), (listener,) = product.cloud.elb.ip_groups(), product.cloud.elb.listeners()
    anchors, copied = read_record(group.description), read_record(listener.description)
    assert anchors is not None
    assert copied is not None
    assert anchors.run == copied.run == output["event"]["data"]["run_id"]
    assert anchors.taken


def test_a_member_at_an_old_address_goes_before_the_new_one_comes() -> None:
    product = damaged(move(ip="192.168.0.99"))
    assert repair(product)["outcome"] == "repaired"
    calls = [call.method for call in product.emulator.calls.mutating() if "/members" in call.path]
    assert calls == ["DELETE", "POST"]
    (member,) = product.cloud.elb.all_members()
    assert (member.address, member.operating_status) == ("192.168.0.99", "ONLINE")


def test_a_repair_that_fails_takes_nothing_back() -> None:
    product = damaged(set_field("pools", name="theirs"))
    with product.emulator.change() as account_now:
        account_now.data_plane.instance_stopped(product.instance_id)
    product.clock.advance_to(product.clock.now() + 60)
    assert error(repair(product)) == ("failed", "Unhealthy")
    assert holdings(product) == ONE_SET
    assert [pool.name for pool in product.cloud.elb.pools()] == [f"dcs-access-{product.exposure}"]


def test_a_redis_found_open_by_a_repair_is_closed_at_once() -> None:
    product = Product(probe=lambda _host, _port: ProbeAnswer.OPEN)
    product.expose(accept=["production", "no_password"])
    assert error(repair(product)) == ("failed", "OpenToAll")
    (group,) = product.cloud.elb.ip_groups()
    assert group.entries == ()
    assert product.cloud.elb.listeners() == []


def test_a_repair_takes_the_risks_it_is_told_to_take() -> None:
    product = damaged(move(password=None))
    output = repair(product, accept=[Risk.NO_PASSWORD.value])
    assert output["outcome"] == "repaired"


@pytest.mark.parametrize("how", ["documented", "direct", "node"])
def test_an_exposure_of_every_kind_is_repaired_to_the_same_kind(how: str) -> None:
    product = Product(world({"redis-demo": CLUSTER}) if how == "node" else None)
    node = nodes(product)[0] if how == "node" else None
    fields = {"node": node} if node else {"vpc_id": product.vpc_id("vpc-dcs"), "same_vpc": how}
    assert product.expose(**fields, port=8080, bandwidth_mbit=7, expires_after="8h")["outcome"] == "completed"
    before = account(product)
    for damage in (set_field("ipgroups", description=""), set_field("pools", name="theirs"), routes("vpc-elb")):
        damaged(damage, product)
    output = repair(product, **({"node": node} if node else {}))
    assert output["outcome"] == "repaired", output["event"]["data"]["error"]
    assert account(product) == before


def bind_theirs(account: Any) -> str:
    """Somebody binds an address of their own."""
    (balancer,) = account.world.elb.loadbalancers.values()
    theirs = BandwidthSpec(name="theirs", size=5, share_type="PER", charge_mode="traffic")
    made = account.eip.create(balancer.project_id, "5_bgp", theirs)
    account.eip.bind(made, "ELB", balancer.id)
    return str(made.id)


def test_an_address_that_somebody_bound_is_used_and_never_claimed() -> None:
    product = damaged(delete_address)
    with product.emulator.change() as account_now:
        theirs = bind_theirs(account_now)
        forget("listeners")(account_now)
    output = repair(product)
    assert output["outcome"] == "repaired"
    assert output["event"]["data"]["endpoint"]["address"] == address(product).address
    product.withdraw()
    assert [eip.id for eip in product.cloud.eip.public_ips()] == [theirs]


def test_an_address_that_another_one_has_ousted_is_told_and_left_to_a_person() -> None:
    product = damaged(unbind_address)
    with product.emulator.change() as account_now:
        bind_theirs(account_now)
    verdict = verify(product)
    assert [each.field for each in verdict.differences] == ["bound_to"]
    assert not verdict.repairable
    assert repair(product)["outcome"] == "repaired"
    assert verify(product).differences == verdict.differences


def test_what_lost_an_election_and_lies_idle_is_deleted() -> None:
    product = exposed()
    (group,), (balancer,) = product.cloud.elb.ip_groups(), product.cloud.elb.load_balancers()
    product.cloud.elb.create_ip_group(group.name, group.description, group.entries)
    with product.emulator.change() as account_now:
        table = account_now.world.elb.loadbalancers
        table["loser"] = table[balancer.id].model_copy(update={"id": "loser", "created_at": product.clock.now()})
    assert (verify(product).kind, verify(product).repairable) == (VerdictKind.CONFLICTING, True)
    product.clock.advance_to(product.clock.now() + 60)
    assert repair(product)["outcome"] == "repaired"
    assert holdings(product) == ONE_SET
    assert verify(product).kind is VerdictKind.HEALTHY


def test_of_two_records_that_disagree_the_anchors_counts() -> None:
    product = exposed()
    (listener,) = product.cloud.elb.listeners()
    record = read_record(listener.description)
    assert record is not None
    other = replace(record, allow="000000000000", repair=True)
    product.cloud.elb.update_listener(listener.id, description=other.text())
    assert (verify(product).kind, verify(product).repairable) == (VerdictKind.CONFLICTING, True)
    assert repair(product)["outcome"] == "repaired"
    (group,) = product.cloud.elb.ip_groups()
    restored = read_record(group.description)
    assert restored is not None
    assert (restored.allow, restored.repair) == (record.allow, False)
    assert verify(product).kind is VerdictKind.HEALTHY


def test_the_policy_to_repair_is_part_of_the_record_and_stays() -> None:
    product = Product()
    product.expose(repair=True)
    assert verify(product).repair
    damaged(set_field("members", weight=0), product)
    repair(product)
    assert verify(product).repair


def test_what_only_looks_like_ours_is_left_alone() -> None:
    product = exposed()
    name = f"dcs-access-{product.exposure}"
    theirs = product.cloud.elb.create_ip_group(name, "mine", ["198.51.100.0/24"])
    with product.emulator.change() as account_now:
        (balancer,) = account_now.world.elb.loadbalancers.values()
        fields = balancer.model_dump(include={"project_id", "vpc_id", "elb_virsubnet_ids", "availability_zone_list"})
        twin = LoadBalancer(**fields, id="twin", name=name, description="mine")
        account_now.world.elb.loadbalancers[twin.id] = twin
        set_field("healthmonitors", delay=50)(account_now)
        routes("vpc-dcs")(account_now)
    product.emulator.calls.clear()
    assert repair(product)["outcome"] == "repaired"
    assert not [call for call in product.emulator.calls.mutating() if theirs.id in call.path or "twin" in call.path]
    assert verify(product).kind is VerdictKind.HEALTHY
    product.withdraw()
    assert [group.id for group in product.cloud.elb.ip_groups()] == [theirs.id]
    assert [one.id for one in product.cloud.elb.load_balancers()] == ["twin"]
