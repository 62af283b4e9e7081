"""What somebody does in the console is followed by rules: a trace is a hint, the cloud is the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator import Dials
from functions.on_trace import handler
from shared.errors import TemporaryError
from shared.intake.changes import RECENT
from shared.settings import Settings
from tests.functions.incoming import TRACE_ID, WRAPPINGS, Wrapping, cts, smn, taken, timer, told
from tests.support.console import Watched

LISTS = {"office": ("203.0.113.0/24",), "home": ("198.51.100.7/32",)}
TAG = {"dcs-access-allow": "office"}


def deployed(**fields: Any) -> Watched:
    RECENT.clear()
    return Watched(settings=Settings(allow_lists=LISTS, **fields))


@pytest.fixture
def product() -> Watched:
    return deployed()


@pytest.fixture
def exposed() -> Watched:
    """The demo's instance, exposed since long, and nothing told yet."""
    product = deployed()
    product.expose()
    product.clock.advance_to(product.clock.now() + 3600)
    product.settle()
    product.sink.events.clear()
    product.started.clear()
    RECENT.clear()
    return product


def at(product: Watched, event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A trace of now."""
    now = int(product.clock.now() * 1000)
    return {"cts": {"project_id": product.cloud.project_id, "time": now, "record_time": now, **event["cts"], **fields}}


def kinds(product: Watched) -> list[str]:
    return [kind for kind, _, _ in told(product)]


def test_an_instance_with_the_opt_in_tag_is_exposed_by_its_trace_alone_and_withdrawn_by_its_deletion(
    product: Watched,
) -> None:
    before = product.account()
    instance = product.create_instance(TAG)
    product.settle()
    assert product.exposed() == {instance}
    (event,) = product.sink.events
    assert event["type"].endswith(".completed")
    assert event["data"]["request"]["allow"] == list(LISTS["office"])
    product.delete_instance(instance)
    product.settle()
    assert product.exposed() == set()
    assert kinds(product) == ["completed", "withdrawn"]
    assert product.account()["elb"] == before["elb"]


def test_the_port_of_an_exposure_by_tag_is_the_documents_or_as_the_deployment_says() -> None:
    for fields, port in (({}, 80), ({"opt_in_port": 8080}, 8080)):
        product = deployed(**fields)
        product.create_instance(TAG)
        product.settle()
        (event,) = product.sink.events
        assert event["data"]["endpoint"]["port"] == port


def test_one_exposure_causes_no_verification_of_itself(product: Watched) -> None:
    product.create_instance(TAG)
    product.settle()
    assert {machine: len(runs) for machine, runs in product.started.items()} == {"expose": 1}
    # Whichever of its traces the trigger asks for.
    for trace in product.emulator.world().cts.traces:
        for outcome in taken(handler, product, {"cts": trace}):
            assert outcome["fate"] == "ignored", (trace, outcome)


def test_a_tag_that_comes_later_exposes_and_another_value_changes_the_list_and_nothing_else(product: Watched) -> None:
    instance = product.create_instance({})
    product.settle()
    assert product.exposed() == set()
    product.tag(instance, "dcs-access-allow", "office")
    product.settle()
    (group,) = product.emulator.world().elb.ipgroups.values()
    assert [entry.ip for entry in group.ip_list] == list(LISTS["office"])
    product.clock.advance_to(product.clock.now() + 600)
    product.tag(instance, "dcs-access-allow", "home")
    product.settle()
    (changed,) = product.emulator.world().elb.ipgroups.values()
    assert [entry.ip for entry in changed.ip_list] == list(LISTS["home"])
    assert kinds(product) == ["completed", "completed"]


def test_a_change_of_the_list_by_tag_keeps_what_the_exposure_was_asked_for(product: Watched) -> None:
    product.expose(port=8080, bandwidth_mbit=10, expires_after="8h", same_vpc="direct", repair=True)
    (before,) = product.emulator.world().elb.ipgroups.values()
    product.tag(product.instance_id, "dcs-access-allow", "home")
    product.settle()
    (after,) = product.emulator.world().elb.ipgroups.values()

    def words(text: str) -> set[str]:
        return {word for word in text.split() if word[:2] not in {"r=", "a=", "t="}}

    assert words(after.description) == words(before.description)
    assert [entry.ip for entry in after.ip_list] == list(LISTS["home"])


def test_a_tag_that_names_no_list_is_told(product: Watched) -> None:
    instance = product.create_instance({"dcs-access-allow": "nowhere"})
    product.settle()
    assert told(product) == [("rejected", "InvalidRequest", "dcs-access-allow")]
    (event,) = product.sink.events
    assert event["data"]["instance"]["id"] == instance
    assert "home, office" in event["data"]["error"]["advice"]


def test_an_instance_that_does_not_ask_is_left_alone(product: Watched) -> None:
    instance = product.create_instance({"stage": "office"})
    product.settle()
    (outcome,) = taken(handler, product, at(product, cts("createDCSInstance", instance)))
    assert (outcome["fate"], outcome["reason"]) == ("ignored", "It is of no exposure.")
    assert not product.started


def test_an_instance_that_is_still_being_created_is_waited_for() -> None:
    dials = Dials.model_validate({"dcs_create": {"seconds": 120}})
    product = Watched(settings=Settings(allow_lists=LISTS), dials=dials)
    instance = product.create_instance(TAG)
    taken(handler, product, at(product, cts("createDCSInstance", instance)))
    product.settle()
    assert product.exposed() == {instance}
    assert kinds(product)[0] == "completed"


def test_what_the_cloud_does_not_show_yet_is_looked_into_again_and_later_no_more(product: Watched) -> None:
    event = at(product, cts("createDCSInstance", "not-there-yet"))
    with pytest.raises(TemporaryError, match="not-there-yet"):
        taken(handler, product, event)
    product.clock.advance_to(product.clock.now() + 301)
    (outcome,) = taken(handler, product, event)
    assert outcome["fate"] == "ignored"


def test_a_deletion_that_the_cloud_does_not_show_withdraws_nothing(exposed: Watched) -> None:
    event = at(exposed, cts("deleteDCSInstance", exposed.instance_id))
    with pytest.raises(TemporaryError, match="still there"):
        taken(handler, exposed, event)
    exposed.clock.advance_to(exposed.clock.now() + 301)
    (outcome,) = taken(handler, exposed, event)
    assert (outcome["fate"], exposed.exposed()) == ("ignored", {exposed.instance_id})


@pytest.mark.parametrize("as_text", [False, True])
def test_a_batch_of_deletions_names_its_instances_in_its_body(exposed: Watched, *, as_text: bool) -> None:
    gone = exposed.instance_id
    body: Any = {"instances": ["another", gone]}
    answer: Any = {"instances": [{"instance": gone, "result": "success"}]}
    with exposed.emulator.change() as account:
        account.world.dcs.instances.clear()
    trace = cts("batchDeleteDCSInstance", "", request=body, response=answer)
    if as_text:
        trace["cts"] |= {"request": json.dumps(body), "response": ""}
    fates = {outcome["fate"] for outcome in taken(handler, exposed, at(exposed, trace))}
    exposed.settle()
    assert (fates - {"ignored"}, exposed.exposed()) == ({"started"}, set())


def test_each_instance_of_a_batch_is_seen_to_and_one_that_asks_wrongly_loses_no_other(product: Watched) -> None:
    tags = TAG, {"dcs-access-allow": "nowhere"}, {}, {"dcs-access-allow": "home"}, {"dcs-access-allow": "lost"}
    office, nowhere, _, home, lost = made = [product.create_instance(each) for each in tags]
    product.started.clear()
    response = {"instances": [{"instance_id": each} for each in made]}
    outcomes = taken(handler, product, at(product, cts("createDCSInstance", "", response=response)))
    assert [outcome["fate"] for outcome in outcomes] == ["started", "rejected", "ignored", "started", "rejected"]
    product.settle()
    assert product.exposed() == {office, home}
    rejected = [event for event in product.sink.events if event["type"].endswith(".rejected")]
    assert {event["data"]["instance"]["id"] for event in rejected} == {nowhere, lost}
    assert len({event["id"] for event in rejected}) == len(rejected)


def test_an_instance_of_a_batch_that_does_not_show_yet_delays_no_other(product: Watched) -> None:
    there = product.create_instance(TAG)
    product.settle()
    product.withdraw(instance_id=there)
    response = {"instances": [{"instance_id": each} for each in ("not-there-yet", there)]}
    event = at(product, cts("createDCSInstance", "", response=response))
    with pytest.raises(TemporaryError, match="not-there-yet"):
        taken(handler, product, event)
    product.settle()
    assert product.exposed() == {there}


def parts(product: Watched, table: str) -> tuple[str, str]:
    (found,) = getattr(product.emulator.world().elb, table).values()
    return found.id, found.name


def address(product: Watched) -> Any:
    (found,) = product.emulator.world().eip.publicips.values()
    return found


CHANGED: dict[str, Callable[[Watched], dict[str, Any]]] = {
    "instance": lambda product: cts("restartDCSInstance", product.instance_id),
    "its whitelist": lambda product: cts("modifyWhiteList", product.instance_id, resource_type="Instance"),
    "listener by its name": lambda product: elb("listener", "listeners", product),
    "load balancer by its id": lambda product: elb("loadbalancer", "loadbalancers", product, resource_name=""),
    "pool by its id": lambda product: elb("pool", "pools", product, resource_name="renamed"),
    "address by its id": lambda product: eip(address(product).id, ""),
    "address by itself": lambda product: eip("", address(product).address),
}


def elb(kind: str, table: str, product: Watched, **fields: Any) -> dict[str, Any]:
    identifier, name = parts(product, table)
    whole = {"service_type": "ELB", "resource_type": kind, "resource_name": name, **fields}
    return cts(f"update{kind.capitalize()}", identifier, **whole)


def eip(identifier: str, name: str) -> dict[str, Any]:
    return cts("unbindEip", identifier, service_type="VPC", resource_type="eip", resource_name=name)


@pytest.mark.parametrize("what", CHANGED.values(), ids=CHANGED)
def test_a_change_behind_our_back_has_that_exposure_verified_once_in_a_while(
    exposed: Watched, what: Callable[[Watched], dict[str, Any]]
) -> None:
    event = at(exposed, what(exposed))
    fates = [taken(handler, exposed, event)[0]["fate"] for _ in range(3)]
    assert fates == ["started", "ignored", "ignored"]
    exposed.settle(within=60)
    assert kinds(exposed) == ["verified"]
    exposed.clock.advance_to(exposed.clock.now() + 300)
    assert taken(handler, exposed, event)[0]["fate"] == "started"


@pytest.mark.parametrize(
    ("kind", "table"), [("loadbalancer", "loadbalancers"), ("listener", "listeners"), ("pool", "pools")]
)
def test_what_was_renamed_behind_our_back_has_its_exposure_verified_by_its_mark(
    exposed: Watched, kind: str, table: str
) -> None:
    with exposed.emulator.change() as account:
        (found,) = getattr(account.world.elb, table).values()
        found.name = "theirs"
    assert taken(handler, exposed, at(exposed, elb(kind, table, exposed)))[0]["fate"] == "started"
    exposed.settle(within=60)
    assert kinds(exposed) == ["drifted"]


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_trace_is_understood_however_it_is_wrapped(exposed: Watched, wrapping: Wrapping) -> None:
    event = wrapping(at(exposed, cts("restartDCSInstance", exposed.instance_id)))
    assert taken(handler, exposed, event)[0]["fate"] == "started"


def test_an_address_that_was_deleted_is_found_by_the_name_of_the_listener(exposed: Watched) -> None:
    gone = address(exposed)
    with exposed.emulator.change() as account:
        account.world.eip.publicips.clear()
    assert taken(handler, exposed, at(exposed, eip(gone.id, gone.address)))[0]["fate"] == "started"
    exposed.settle(within=60)
    assert kinds(exposed) == ["drifted"]


IGNORED: dict[str, dict[str, Any]] = {
    "It is our own doing.": {"user": {"name": "op_svc_cff/dcs-access-change"}},
    "It changed nothing.": {"code": "403"},
    "It is of another project.": {"project_id": "another"},
    "Its result has a trace of its own.": {"trace_name": "submitRestartDCSInstanceRequest"},
    "No exposure depends on it.": {"service_type": "ECS"},
    "It is of no exposure.": {"resource_id": "another-instance"},
    "It names no instance.": {"resource_id": ""},
}


@pytest.mark.parametrize("reason", IGNORED)
def test_what_needs_no_look_is_ignored_and_says_why(reason: str) -> None:
    product = deployed(own_agencies=("dcs-access-change",))
    product.expose()
    event = at(product, cts("restartDCSInstance", product.instance_id), **IGNORED[reason])
    assert taken(handler, product, event) == [{"record": TRACE_ID, "fate": "ignored", "reason": reason}]


@pytest.mark.parametrize(
    "fields",
    [
        {"trace_rating": "warning"},
        {"trace_status": "incident"},
        {"code": 500},
        {"read_only": True},
        {"read_only": "true"},
    ],
    ids=str,
)
def test_what_failed_or_only_read_changed_nothing(exposed: Watched, fields: dict[str, Any]) -> None:
    event = at(exposed, cts("restartDCSInstance", exposed.instance_id), **fields)
    assert taken(handler, exposed, event)[0]["reason"] == "It changed nothing."


@pytest.mark.parametrize(
    "fields",
    [
        {"code": "200"},
        {"code": 204, "time": 1765788999, "record_time": 1765788999},
        {"time": "2025-12-15T08:56:39Z"},
        {"time": "12/15/2025 08:56:39 GMT+00:00", "record_time": None},
        {"user": None, "source_ip": None},
        {"user": '{"name": "somebody"}'},
        {"request": "", "response": None},
        {"request": "no JSON", "response": "[1]"},
        {"trace_id": None},
        {"code": None, "trace_rating": None},
        {"code": "9" * 5000},
    ],
    ids=lambda fields: str(fields)[:60],
)
def test_what_the_platform_spells_otherwise_is_understood(exposed: Watched, fields: dict[str, Any]) -> None:
    event = at(exposed, cts("restartDCSInstance", exposed.instance_id), **fields)
    assert taken(handler, exposed, event)[0]["fate"] == "started"


@pytest.mark.parametrize("event", [smn("{}"), timer(), {"cts": "no trace"}, {"cts": None}, [], "", None, 7], ids=repr)
def test_what_is_no_trace_is_told(product: Watched, event: Any) -> None:
    assert taken(handler, product, event)[0]["fate"] == "rejected"
    assert kinds(product) == ["rejected"]


def traces_of_a_life() -> tuple[Watched, str, list[dict[str, Any]]]:
    """The traces of an instance that was created with the tag and deleted, none of them delivered."""
    product = deployed()
    with product.emulator.change() as account:
        account.functiongraph.state.triggers.clear()
    instance = product.create_instance(TAG)
    product.delete_instance(instance)
    events = [{"cts": trace} for trace in product.emulator.world().cts.traces if trace["resource_id"] == instance]
    assert len(events) >= 3
    return product, instance, events


@settings(max_examples=15)
@given(st.lists(st.integers(0, 2), max_size=8), st.integers(0, 4000))
@example([2, 1, 0, 1, 2, 0], 0)
def test_traces_that_come_twice_late_or_in_another_order_change_nothing(order: list[int], later: int) -> None:
    product, _, events = traces_of_a_life()
    before = product.account()
    product.clock.advance_to(product.clock.now() + later)
    for number in order:
        try:
            taken(handler, product, events[number % len(events)])
        except TemporaryError:
            product.clock.advance_to(product.clock.now() + 301)
    product.settle()
    after = product.account()
    assert {name: after[name] for name in ("elb", "eip", "vpc", "dcs")} == {
        name: before[name] for name in ("elb", "eip", "vpc", "dcs")
    }
    assert "completed" not in kinds(product)


@settings(max_examples=12)
@given(st.lists(st.sampled_from(["create", "tag", "delete"]), max_size=8))
def test_an_instance_that_stands_is_exposed_once_whatever_its_traces_claim(order: list[str]) -> None:
    product = deployed()
    product.tag(product.instance_id, "dcs-access-allow", "office")
    product.settle()
    account = product.account()["elb"]
    names = {"create": "createDCSInstance", "tag": "updateInstanceTag", "delete": "deleteDCSInstance"}
    for name in order:
        try:
            taken(handler, product, at(product, cts(names[name], product.instance_id)))
        except TemporaryError:
            assert name == "delete"
    product.settle()
    assert product.account()["elb"] == account
    assert kinds(product) == ["completed"]


def test_a_late_trace_does_not_expose_again_what_was_withdrawn_since(product: Watched) -> None:
    product.tag(product.instance_id, "dcs-access-allow", "office")
    event = at(product, cts("updateInstanceTag", product.instance_id))
    product.settle()
    product.withdraw()
    product.clock.advance_to(product.clock.now() + 3601)
    (outcome,) = taken(handler, product, event)
    assert (outcome["fate"], outcome["code"], product.exposed()) == ("rejected", "Stale", set())


def test_a_verification_for_a_trace_repairs_nothing_since_a_withdrawal_may_have_begun() -> None:
    product = deployed()
    product.expose(repair=True)
    product.clock.advance_to(product.clock.now() + 3600)
    product.settle()
    product.started.clear()
    with product.emulator.change() as account:
        account.world.elb.healthmonitors.clear()
    taken(handler, product, at(product, elb("pool", "pools", product)))
    product.settle(within=60)
    assert (kinds(product)[-1], set(product.started)) == ("drifted", {"verify"})
    product.every("1h")
    product.settle(within=3700)
    assert (kinds(product)[-1], "repair" in product.started) == ("repaired", True)
