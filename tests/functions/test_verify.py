"""Verification through the whole product: one look at the project, a verdict on each exposure, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from re import sub
from typing import Any

import pytest

from emulator.account import Account
from emulator.elb.models import IpEntry, IpGroup, Listener, LoadBalancer
from emulator.faults import Fault
from shared.errors import ErrorCode, TemporaryError
from shared.ids import resource_name
from shared.otc.transport import CONNECT_TIMEOUT, READ_TIMEOUT
from shared.verification.observe import observe_project
from shared.verification.report import judge
from tests.chaos.scenes import SCENES
from tests.functions.verifying import VERIFY, age, change, many, verify
from tests.support.product import Product
from tests.support.worlds import world
from workflow.language.definition import Task
from workflow.machines import load_machine


def one() -> Product:
    """The demo's instance, exposed and looked at for a while."""
    product = Product()
    assert product.expose(expires_after="8h")["outcome"] == "completed"
    product.sink.events.clear()
    return age(product, 600)


def verdict(product: Product) -> dict[str, Any]:
    """The only verdict that is not healthy."""
    (found,) = verify(product)["verdicts"]
    return dict(found)


def elb(account: Account, table: str) -> Any:
    """The only resource in a table of ELB."""
    (found,) = getattr(account.world.elb, table).values()
    return found


def damage(*tables: str) -> Callable[[Account], None]:
    """Write something else into the description."""

    def how(account: Account) -> None:
        for table in tables:
            elb(account, table).description = "tidied up"

    return how


def another_group(account: Account) -> None:
    first = elb(account, "ipgroups")
    account.world.elb.ipgroups["another"] = IpGroup(**{**first.model_dump(), "id": "another"})


def another_port(account: Account) -> None:
    listener = elb(account, "listeners")
    listener.description = listener.description.replace(" p=80 ", " p=81 ")


def another_port_in_the_anchor(account: Account) -> None:
    anchor = elb(account, "ipgroups")
    anchor.description = anchor.description.replace(" p=80 ", " p=81 ")


def end(table: str) -> Callable[[Account], None]:
    """Move the end in one copy of the record into the past."""

    def how(account: Account) -> None:
        found = elb(account, table)
        found.description = sub(r" x=\d+", " x=1", found.description)

    return how


expire, expire_listener = end("ipgroups"), end("listeners")


def hold(account: Account) -> None:
    elb(account, "loadbalancers").tags["dcs-access-hold"] = "maintenance"


def lose_instance(account: Account) -> None:
    account.world.dcs.instances.clear()


def lose_monitor(account: Account) -> None:
    account.world.elb.healthmonitors.clear()


def test_a_healthy_exposure_is_told_as_such_by_one_event() -> None:
    product = one()
    result = verify(product)
    assert result["counts"] == {**dict.fromkeys(result["counts"], 0), "healthy": 1}
    assert (result["verdicts"], result["repairs"], result["findings"]) == ([], [], [])
    (event,) = product.sink.events
    assert event["type"].endswith(".verified")
    assert event["data"]["endpoint"]["port"] == 80


@pytest.mark.parametrize(
    ("how", "kind", "repairable"),
    [
        (hold, "held", False),
        (another_group, "conflicting", True),
        (another_port, "conflicting", True),
        (another_port_in_the_anchor, "conflicting", False),
        (damage("ipgroups", "listeners"), "conflicting", False),
        (lose_instance, "orphaned", False),
        (damage("ipgroups"), "drifted", True),
        (damage("listeners"), "drifted", True),
        (lose_monitor, "drifted", True),
    ],
)
def test_each_state_has_its_verdict_and_says_whether_a_repair_would_do(
    how: Callable[[Account], None], kind: str, repairable: bool
) -> None:
    product = one()
    about = product.exposure, product.instance_id
    change(product, how)
    found = verdict(product)
    assert (found["kind"], found["repairable"]) == (kind, repairable)
    assert found["reason"]
    assert (found["exposure"], found["instance_id"]) == about


def lose_balancer(account: Account) -> None:
    for table in ("loadbalancers", "listeners", "pools", "members", "healthmonitors"):
        getattr(account.world.elb, table).clear()
    (eip,) = account.world.eip.publicips.values()
    account.eip.unbind(eip)


def lose_address(account: Account) -> None:
    account.world.eip.publicips.clear()
    account.world.eip.bandwidths.clear()


def take_address(account: Account) -> None:
    (eip,) = account.world.eip.publicips.values()
    eip.bound_to, eip.instance_id = "PORT", "theirs"


def widen(account: Account) -> None:
    (bandwidth,) = account.world.eip.bandwidths.values()
    bandwidth.size = 300


def ask_for_acceptance(account: Account) -> None:
    (peering,) = account.world.vpc.peerings.values()
    peering.status = "PENDING_ACCEPTANCE"


def divert(account: Account) -> None:
    table = next(table for table in account.world.vpc.route_tables.values() if table.routes)
    table.routes[0].nexthop, table.routes[0].description = "theirs", ""


def lose_list(account: Account) -> None:
    elb(account, "ipgroups").ip_list = []
    pool = elb(account, "pools")
    pool.description = pool.description.partition(" l=")[0]


@pytest.mark.parametrize(
    ("how", "differs"),
    [
        (lose_balancer, ("load_balancer", "exists", "no", "yes")),
        (lose_address, ("eip", "exists", "no", "yes")),
        (take_address, ("eip", "bound_to", "something else", None)),
        (widen, ("eip", "bandwidth_size", "300", "5")),
        (ask_for_acceptance, ("vpc_peering", "status", "PENDING_ACCEPTANCE", "ACTIVE")),
        (divert, ("route", "way", None, None)),
        (lose_list, ("ip_group", "ip_list", "nothing", "a list that is lost")),
    ],
)
def test_what_only_a_person_can_decide_is_named_and_not_repaired(
    how: Callable[[Account], None], differs: tuple[str | None, ...]
) -> None:
    product = one()
    change(product, how)
    result = verify(product, repair=True)
    (found,) = result["verdicts"]
    (difference,) = found["differences"]
    told = (difference["kind"], difference["field"], difference["is"], difference["should"])
    assert all(wanted in (None, is_) for is_, wanted in zip(told, differs, strict=True)), told
    assert (found["kind"], found["repairable"], result["repairs"]) == ("drifted", False, [])


@pytest.mark.parametrize("scene", SCENES)
def test_every_way_of_exposing_is_healthy_as_it_was_made(scene: str) -> None:
    product, request = SCENES[scene]()
    product.run(request)
    assert verify(product)["counts"]["healthy"] == 1


def test_everything_in_place_and_yet_unreached_is_unhealthy_with_the_clouds_own_code() -> None:
    product = Product()
    product.expose(vpc_id=product.vpc_id("vpc-dcs"), same_vpc="direct")
    product.emulator.set_dials({"same_vpc_targets": "not_routable"})
    age(product)
    found = verdict(product)
    assert (found["kind"], found["reason_code"], found["differences"]) == ("unhealthy", "CONNECT_TIMEOUT", [])


def test_a_drift_that_keeps_clients_away_carries_the_clouds_code() -> None:
    product = one()
    change(product, divert)
    assert verdict(product)["reason_code"] == "CONNECT_TIMEOUT"


def test_a_node_of_a_cluster_is_an_exposure_of_its_own_and_orphaned_with_its_node() -> None:
    product = Product(world(change={"redis-demo": {"cache_mode": "cluster", "ip": "", "shards": 2}}))
    nodes = [f"{node.ip}:{node.port}" for node in product.cloud.dcs.nodes(product.instance_id)][:2]
    for node in nodes:
        assert product.expose(node=node)["outcome"] == "completed"
    assert verify(product)["counts"]["healthy"] == 2

    def replace_node(account: Account) -> None:
        (instance,) = account.world.dcs.instances.values()
        (node,) = [one for one in instance.nodes if one.ip == nodes[0].partition(":")[0]]
        node.ip = "192.168.0.250"

    change(product, replace_node)
    found = verdict(product)
    assert (found["kind"], found["node"]) == ("orphaned", nodes[0])
    assert verify(product)["counts"]["healthy"] == 1


def test_an_earlier_verdict_hides_a_later_one() -> None:
    product = one()
    order = [
        (lose_monitor, "drifted"),
        (lose_instance, "orphaned"),
        (another_port, "conflicting"),
        (expire, "expired"),
        (hold, "held"),
    ]
    for how, kind in order:
        change(product, how)
        assert verdict(product)["kind"] == kind


@pytest.mark.parametrize("how", [another_group, another_port, lose_instance, lose_monitor])
def test_an_end_is_kept_whatever_else_is_wrong(how: Callable[[Account], None]) -> None:
    product = one()
    exposure = product.exposure
    change(product, how)
    age(product, timedelta(hours=9).total_seconds())
    result = verify(product, repair=True)
    assert [due["exposure"] for due in result["expired"]] == [exposure]
    assert result["repairs"] == []


def test_the_end_in_the_anchor_decides_and_a_hold_lasts_beyond_it() -> None:
    product = one()
    change(product, expire_listener)
    assert verify(product)["expired"] == []
    change(product, expire)
    assert verify(product)["expired"]
    change(product, hold)
    assert verify(product)["expired"] == []


def test_an_unreached_member_is_unhealthy_with_the_clouds_own_code() -> None:
    product = one()

    def close_port(account: Account) -> None:
        (instance,) = account.world.dcs.instances.values()
        instance.status = "ERROR"

    change(product, close_port)
    found = verdict(product)
    assert (found["kind"], found["reason_code"]) == ("unhealthy", "ERROR")
    assert not found["repairable"]


def test_a_verdict_says_what_differs_how_it_is_and_how_it_should_be() -> None:
    product = one()

    def weigh(account: Account) -> None:
        elb(account, "members").weight = 7

    change(product, weigh)
    (difference,) = verdict(product)["differences"]
    (member,) = product.cloud.elb.all_members()
    assert difference == {"kind": "member", "id": member.id, "field": "weight", "is": "7", "should": "1"}
    assert product.sink.events[-1]["data"]["differences"] == [difference]


def test_the_end_is_announced_an_hour_before_and_told_when_it_has_come() -> None:
    product = one()
    assert verify(product)["expiring"] == []
    product.clock.advance_to(product.clock.now() + timedelta(hours=7, minutes=30).total_seconds())
    assert [due["exposure"] for due in verify(product)["expiring"]] == [product.exposure]
    kinds = [event["type"].rpartition(".")[2] for event in product.sink.events]
    assert kinds == ["verified", "verified", "expiring"]
    product.clock.advance_to(product.clock.now() + timedelta(hours=1).total_seconds())
    result = verify(product)
    assert result["expiring"] == []
    assert [due["instance_id"] for due in result["expired"]] == [product.instance_id]
    assert product.sink.events[-1]["type"].endswith(".expired")


def test_a_repair_is_due_where_the_record_or_the_request_says_so() -> None:
    product = one()
    change(product, lose_monitor)
    assert verify(product)["repairs"] == []
    (due,) = verify(product, repair=True)["repairs"]
    assert (due["exposure"], due["instance_id"]) == (product.exposure, product.instance_id)

    def policy(account: Account) -> None:
        for table in ("ipgroups", "listeners"):
            elb(account, table).description += " f=repair"

    change(product, policy)
    (due,) = verify(product)["repairs"]
    assert due["exposure"] == product.exposure


def test_look_alikes_without_our_marks_never_count() -> None:
    product = one()
    before = verify(product)

    def imitate(account: Account) -> None:
        state, name = account.world.elb, resource_name(product.exposure)
        balancer, listener = elb(account, "loadbalancers"), elb(account, "listeners")
        strip = {"description": "", "tags": {}}
        state.loadbalancers["theirs"] = LoadBalancer(**{**balancer.model_dump(), "id": "theirs", **strip})
        theirs = {"id": "door", "loadbalancer_id": "theirs", "default_pool_id": None, "ipgroup": None, **strip}
        state.listeners["door"] = Listener(**{**listener.model_dump(), **theirs})
        state.ipgroups["list"] = IpGroup(id="list", name=name, ip_list=[IpEntry(ip="0.0.0.0/0")])
        state.ipgroups["older"] = IpGroup(id="older", name=f"dcs-access-{'0' * 20}", created_at=0)

    change(product, imitate)
    assert {**verify(product), "step": None} == {**before, "step": None}


def test_only_the_named_exposures_are_looked_at_by_their_own_or_their_instances_id() -> None:
    product = many(3)
    first, second, _ = observe_project(product.cloud, slice=0, now=product.services.now()).exposures
    instance = judge(observe_project(product.cloud, slice=0, now=product.services.now()), product.services.now())[1]
    assert instance.instance_id is not None
    assert sum(verify(product, exposures=[first, instance.instance_id])["counts"].values()) == 2
    rejected = product.run({**VERIFY, "exposures": [second, "nobody"]}).output
    assert rejected["outcome"] == "rejected"
    assert rejected["event"]["data"]["error"]["resource"] == "nobody"


def test_a_sink_that_fails_is_left_alone_and_reported() -> None:
    product = many(3)
    tried = []

    class Deaf:
        name = "webhook"

        def deliver(self, event: dict[str, Any]) -> None:
            tried.append(event)
            raise TemporaryError(ErrorCode.EVENT_UNDELIVERED, "The webhook gave no answer.", resource="webhook")

    product.services = type(product.services)(**{**vars(product.services), "sinks": lambda _: [Deaf(), product.sink]})
    (finding,) = verify(product)["findings"]
    assert finding["message"] == "The webhook gave no answer. It got 0 of 3 events."
    assert len(tried) == 1
    assert len(product.sink.events) == 3


def test_telling_ends_before_the_step_times_out_however_long_the_look_took() -> None:
    product = many(5)
    begun = product.clock.now()
    told: list[float] = []

    class Slow:
        name = "topic"

        def deliver(self, _event: dict[str, Any]) -> None:
            told.append(product.clock.now())
            product.clock.advance_to(product.clock.now() + 10)

    product.emulator.faults.add(Fault(method="GET", path="*/whitelist", delay=12))
    product.services = type(product.services)(**{**vars(product.services), "sinks": lambda _: [Slow()]})
    (finding,) = verify(product)["findings"]
    assert finding["message"] == "There was no more time for the topic. It got 2 of 5 events."
    (step,) = [flow.states["VerifyExposures"] for flow in load_machine("verify").flows.values()]
    assert isinstance(step, Task)
    assert step.timeout_seconds is not None
    assert told[-1] + CONNECT_TIMEOUT + READ_TIMEOUT < begun + step.timeout_seconds


@pytest.mark.parametrize("scene", SCENES)
def test_an_exposure_that_another_store_is_building_is_never_called_drifted(scene: str) -> None:
    product, request = SCENES[scene]()
    run, seen = product.begin(request), set[str]()
    while run.step():
        seen.update(found["kind"] for found in verify(product.another())["verdicts"])
    assert seen - {"healthy"} == {"changing"}


def test_what_is_missing_of_a_changed_exposure_is_drift_once_no_run_can_be_at_work() -> None:
    product = Product()
    product.expose()
    change(product, lose_monitor)
    assert verdict(product)["kind"] == "changing"
    assert verify(product)["repairs"] == []
    age(product, product.services.settings.debounce_seconds)
    assert verdict(product)["kind"] == "drifted"


def widen(account: Account) -> None:
    elb(account, "ipgroups").ip_list.append(IpEntry(ip="198.51.100.0/24"))


def open_up(account: Account) -> None:
    elb(account, "listeners").ipgroup.enable_ipgroup = False


@pytest.mark.parametrize("how", [widen, open_up])
def test_what_no_run_would_leave_is_drift_however_fresh_the_exposure(how: Callable[[Account], None]) -> None:
    product = Product()
    product.expose()
    change(product, how)
    assert verdict(product)["kind"] == "drifted"
