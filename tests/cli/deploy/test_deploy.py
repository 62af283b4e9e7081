from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Barrier
from typing import Any, NoReturn

import pytest

from cli.deploy.apply import SIDE_BY_SIDE, _side_by_side
from cli.deploy.decide import Change, Verb
from cli.deploy.model import AsyncInvokeConfig, Destinations
from cli.deploy.package import digest, zipped
from cli.deploy.run import plan_removal, take_away
from cli.deploy.state import EVERYWHERE, FUNCTION, GROUP, ON_DOMAIN
from cli.deploy.template import read_template, template_path
from emulator.account import Account
from emulator.faults import Fault
from emulator.iam.agencies import Scope
from emulator.iam.policies import SYSTEM_ROLES
from shared.errors import ErrorCode, PermanentError, TemporaryError
from tests.cli.deploy.account import CODE, Deployed, KilledError, to_do, with_properties, without
from tests.support.worlds import world

SECRET, OTHER_SECRET = (f"whsec_{b64encode(bytes([each] * 24)).decode()}" for each in (1, 2))
OTHER = zipped({"functions/__init__.py": b"changed"})
TEMPLATE = read_template(template_path())
CHANGING = TEMPLATE.resources["ChangeAgency"].properties


@pytest.fixture
def account() -> Iterator[Deployed]:
    opened = Deployed()
    yield opened
    opened.emulator.close()


def counted(account: Deployed) -> Counter[str]:
    world = account.emulator.world()
    tables = {
        "policies": world.iam.roles,
        "agencies": world.iam.agencies,
        "topics": world.smn.topics,
        "groups": world.lts.groups,
        "streams": world.lts.streams,
        "functions": world.functiongraph.functions,
        "triggers": world.functiongraph.triggers,
        "subscriptions": world.smn.subscriptions,
    }
    return Counter({name: len(table) for name, table in tables.items()})


WHOLE = {
    "policies": 4,
    "agencies": 4,
    "topics": 3,
    "groups": 1,
    "streams": 1,
    "functions": 28,
    "triggers": 4,
    "subscriptions": 2,
}


def test_everything_of_the_template_is_made_and_a_second_time_nothing_changes(account: Deployed):
    changes = account.deploy()
    assert {change.verb for change in changes} == {Verb.CREATE}
    assert counted(account) == WHOLE
    held = account.holds()
    account.mutations()
    assert account.deploy() == []
    assert account.mutations() == []
    assert account.holds() == held


def test_undeploying_leaves_nothing_of_ours_and_everything_else_untouched(account: Deployed):
    stranger = strangers(account)
    before = account.holds()
    account.deploy()
    account.undeploy()
    assert account.holds() == before
    assert stranger <= counted(account)


def test_a_log_group_with_a_strangers_stream_stays(account: Deployed):
    account.deploy()
    site = account.deployment().site
    (group,) = site.cloud.lts.groups()
    site.cloud.lts.create_stream(group.id, "auditors", {})
    account.undeploy()
    assert [stream.name for stream in site.cloud.lts.streams(group.id)] == ["auditors"]
    assert counted(account)["functions"] == 0
    assert {change.type for change in account.deploy()}.isdisjoint({GROUP})
    assert account.deploy() == []


def strangers(account: Deployed) -> Counter[str]:
    """Somebody else's things: names like ours, but not ours; and a function in our package without our mark."""
    cloud = account.deployment().site.cloud
    cloud.smn.create_topic("dcs-access-audit", "of the auditors")
    cloud.lts.create_group("others", 7, {})
    cloud.iam.create_agency(
        {"name": "dcs-access-backup", "domain_id": cloud.iam.domain_id(), "trust_domain_name": "op_svc_cff"}
    )
    cloud.functiongraph.create_function(
        {
            "func_name": "theirs",
            "package": "dcs-access",
            "runtime": "Python3.12",
            "handler": "index.handler",
            "timeout": 3,
            "memory_size": 128,
        },
        CODE,
    )
    return counted(account)


def test_changed_code_updates_code_and_nothing_else(account: Deployed):
    account.deploy()
    account.mutations()
    changes = account.deploy(code=OTHER)
    assert {(change.verb, change.fields) for change in changes} == {(Verb.UPDATE, ("code",))}
    assert {change.reason for change in changes} == {"the zip that all functions share differs"}
    assert set(account.mutations()) - {"POST invocations"} == {"PUT code"}
    functions = account.emulator.world().functiongraph.functions.values()
    assert {function.latest.digest for function in functions} == {digest(OTHER)}


def test_a_changed_variable_updates_configurations_and_nothing_else(account: Deployed):
    account.deploy()
    account.mutations()
    changes = account.deploy(OptInTag="expose-me")
    assert {(change.verb, change.fields) for change in changes} == {(Verb.UPDATE, ("user_data",))}
    assert set(account.mutations()) - {"POST invocations"} == {"PUT config"}
    assert account.deploy(OptInTag="expose-me") == []


def keys(account: Deployed) -> set[str | None]:
    functions = account.emulator.world().functiongraph.functions.values()
    return {function.latest.variables.get("DCS_ACCESS_EVENT_WEBHOOK_SECRET") for function in functions}


def test_a_secret_reaches_the_functions_and_is_updated_if_it_is_another_one_though_nobody_can_read_it(
    account: Deployed,
):
    account.deploy(EventWebhookSecret=SECRET)
    assert keys(account) == {SECRET}
    account.mutations()
    assert account.deploy(EventWebhookSecret=SECRET) == []
    assert account.mutations() == []
    for given, held in ({"EventWebhookSecret": OTHER_SECRET}, OTHER_SECRET), ({}, None):
        changes = account.deploy(**given)
        assert {(change.verb, change.fields) for change in changes} == {(Verb.UPDATE, ("encrypted_user_data",))}
        assert set(account.mutations()) - {"POST invocations"} == {"PUT config"}
        assert keys(account) == {held}
        assert account.deploy(**given) == []


def test_a_secret_stays_when_something_else_changes_and_nothing_readable_holds_it(account: Deployed):
    account.deploy(EventWebhookSecret=SECRET)
    changes = account.deploy(EventWebhookSecret=SECRET, OptInTag="expose-me", code=OTHER)
    assert {change.fields for change in changes} == {("code", "user_data")}
    assert keys(account) == {SECRET}
    site = account.deployment().site
    readable = [site.cloud.functiongraph.function(site.urn(name)) for name in ("run_workflow", "emit_event")]
    deployment = account.deployment(EventWebhookSecret=SECRET)
    traces = account.emulator.world().cts.traces
    for shown in (readable, deployment, deployment.wanted(), deployment.plan(), changes, account.told, traces):
        assert SECRET not in repr(shown)
        assert SECRET.removeprefix("whsec_") not in repr(shown)


@pytest.mark.parametrize(
    ("name", "properties", "calls"),
    [
        (
            "ReadAgency",
            {"roles": TEMPLATE.resources["ChangeAgency"].properties.roles},
            {"PUT {role_id}", "DELETE {role_id}"},
        ),
        ("LogGroup", {"ttl_in_days": 7}, {"POST {log_group_id}"}),
        ("ReadPolicy", {"policy": TEMPLATE.resources["InvokePolicy"].properties.policy}, {"PATCH {role_id}"}),
        ("OnTimer", {"timeout": 10}, {"PUT config"}),
        (
            "OnTimer",
            {
                "async_invoke_config": AsyncInvokeConfig(
                    max_async_event_age_in_seconds=60, max_async_retry_attempts=1, destination_config=Destinations()
                )
            },
            {"PUT async-invoke-config"},
        ),
        ("TimerToOnTimer", {"trigger_status": "DISABLED"}, {"PUT {trigger_id}"}),
    ],
)
def test_what_differs_is_updated_by_its_own_call(
    name: str, properties: dict[str, object], calls: set[str], account: Deployed
):
    account.deploy()
    account.mutations()
    changed = with_properties(TEMPLATE, name, **properties)
    changes = account.deploy(template=changed)
    assert [change.verb for change in changes] == [Verb.UPDATE]
    assert set(account.mutations()) - {"POST invocations"} == calls
    assert account.deploy(template=changed) == []


def test_a_trigger_whose_data_changed_is_replaced(account: Deployed):
    account.deploy()
    account.mutations()
    (change,) = account.deploy(VerifyEvery="1h")
    assert (change.verb, change.name, change.fields) == (
        Verb.REPLACE,
        "on_timer/TIMER/dcs-access-verify",
        ("event_data",),
    )
    assert account.mutations() == ["DELETE {trigger_id}", "POST {function_urn}"]
    (timer,) = [one for one in account.emulator.world().functiongraph.triggers.values() if one.type == "TIMER"]
    assert timer.event_data["schedule"] == "1h"


def test_a_new_runtime_replaces_the_functions_and_what_triggers_them(account: Deployed):
    account.deploy()
    changes = account.deploy(Runtime="Python3.10")
    assert Counter((change.verb, change.kind) for change in changes) == {
        (Verb.REPLACE, "function"): 28,
        (Verb.REPLACE, "trigger"): 4,
    }
    assert counted(account) == WHOLE
    assert account.deploy(Runtime="Python3.10") == []


def test_what_somebody_deleted_is_made_again_with_what_hung_on_it(account: Deployed):
    account.deploy()
    site = account.deployment().site
    topic = next(topic for topic in site.cloud.smn.topics() if topic.name == "dcs-access-requests")
    site.cloud.smn.delete_topic(topic.topic_urn)
    site.cloud.functiongraph.delete_function(site.urn("on_timer"))
    changes = account.deploy()
    assert [(change.verb.value, change.kind, change.name) for change in changes] == [
        ("create", "topic", "dcs-access-requests"),
        ("create", "function", "on_timer"),
        ("replace", "trigger", "on_message/SMN/dcs-access-requests"),
        ("create", "trigger", "on_timer/TIMER/dcs-access-verify"),
    ]
    assert counted(account) == WHOLE


def test_a_function_that_left_the_template_is_removed_and_a_strangers_one_is_not(account: Deployed):
    strangers(account)
    account.deploy()
    smaller = without(TEMPLATE, "PlanRepair", "Failures", "FailuresToOnFailure")
    smaller = smaller.model_copy(update={"globals": smaller.globals.model_copy()})
    changes = account.deploy(template=with_properties(without(TEMPLATE, "PlanRepair"), "OnTimer", timeout=9))
    assert [(change.verb.value, change.name) for change in changes] == [
        ("update", "on_timer"),
        ("delete", "plan_repair"),
    ]
    assert len(account.emulator.world().functiongraph.functions) == 28


@pytest.mark.parametrize("application", ["dcs-access", "team-b"])
def test_a_trigger_under_an_earlier_name_goes_so_that_nothing_is_done_twice(application: str, account: Deployed):
    for given in ({"TraceName": "other_1"}, {}, {"TraceName": "other_2"}):
        account.deploy(Application=application, **given)
        triggers = account.emulator.world().functiongraph.triggers.values()
        assert [one.event_data["name"] for one in triggers if one.type == "CTS"] == [
            given.get("TraceName", "dcs_access_changes")
        ]


def test_a_topic_of_others_that_sends_to_our_function_goes_on_to_do_so(account: Deployed):
    account.deploy()
    site = account.deployment().site
    urn = site.cloud.smn.create_topic("orders", "of the shop")
    site.cloud.functiongraph.create_trigger(site.urn("on_message"), "SMN", "ACTIVE", {"topic_urn": urn})
    assert account.deploy() == []
    assert counted(account)["triggers"] == 5


@pytest.mark.parametrize("foreign", ["topic", "policy", "agency", "log group", "function"])
def test_a_strangers_thing_under_a_name_of_ours_is_refused_before_anything_is_done(foreign: str, account: Deployed):
    makers: dict[str, Callable[[Account, str], object]] = {
        "topic": lambda held, project: held.smn.create_topic(project, "dcs-access-events", "of the auditors"),
        "policy": lambda _held, _project: site.cloud.iam.create_policy(
            {
                "display_name": "dcs-access-read",
                "type": "XA",
                "description": "mine",
                "policy": {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["elb:pools:list"]}]},
            }
        ),
        "agency": lambda _held, _project: site.cloud.iam.create_agency(
            {"name": "dcs-access-read", "domain_id": site.domain_id, "trust_domain_name": "op_svc_cff"}
        ),
        "log group": lambda _held, _project: site.cloud.lts.create_group("dcs-access", 7, {"dcs-access": "another"}),
        "function": lambda _held, _project: site.cloud.functiongraph.create_function(
            {
                "func_name": "on_message",
                "package": "dcs-access",
                "runtime": "Python3.12",
                "handler": "index.handler",
                "timeout": 3,
                "memory_size": 128,
                "description": "Deployed by dcs-access as dcs-access2: another",
            },
            CODE,
        ),
    }
    site = account.deployment().site
    with account.emulator.change() as held:
        makers[foreign](held, account.transport.project_id)
    account.mutations()
    with pytest.raises(PermanentError, match=foreign) as raised:
        account.deploy()
    assert raised.value.code is ErrorCode.CONFLICT
    assert account.mutations() == []
    before = account.holds()
    account.undeploy()
    assert account.holds() == before


def test_two_applications_stand_side_by_side_and_go_one_by_one(account: Deployed):
    account.deploy()
    before = account.holds()
    account.deploy(Application="second", TraceName="second_changes")
    assert counted(account)["functions"] == 56
    account.undeploy("second")
    assert account.holds() == before
    assert account.deploy() == []


def test_what_another_project_of_the_account_has_deployed_is_not_taken_for_ones_own():
    account = Deployed(world(iam={"projects": [{"name": "eu-de_first"}, {"name": "eu-de_second"}]}))
    account.enter("eu-de_first")
    account.deploy()
    before = account.holds()
    account.enter("eu-de_second")
    with pytest.raises(PermanentError, match="has not made") as raised:
        account.deploy()
    assert "Application=NAME" in str(raised.value.data.advice)
    account.undeploy()
    assert account.holds() == before
    account.deploy(Application="second")
    account.undeploy("second")
    assert account.holds() == before
    account.emulator.close()


def test_a_deployment_killed_after_any_change_is_completed_by_the_next(account: Deployed):
    deaths = 0
    while True:
        try:
            account.deploy(lives=2)
            break
        except KilledError:
            deaths += 1
            assert deaths < 100
    assert deaths > 30
    assert counted(account) == WHOLE
    assert to_do(account.deployment().plan()) == []
    while True:
        try:
            account.undeploy(lives=3)
            break
        except KilledError:
            deaths += 1
            assert deaths < 200
    assert counted(account) == Counter(dict.fromkeys(WHOLE, 0))


def test_two_deployments_at_once_come_to_one(account: Deployed):
    first, second = account.deployment(), account.deployment()
    changes = first.plan(), second.plan()
    first.carry_out(changes[0], account.told.append, account.clock.sleep)
    held = account.holds()
    second.carry_out(changes[1], account.told.append, account.clock.sleep)
    assert account.holds() == held
    assert any("Something else has" in text for text in account.told)


@pytest.mark.parametrize(("status", "code"), [(409, ErrorCode.CONFLICT), (404, ErrorCode.NOT_FOUND)])
def test_a_refusal_that_no_other_deployment_explains_is_told_at_once(status: int, code: ErrorCode, account: Deployed):
    refused = {"error_code": "FSS.0001", "error_msg": "no"}
    fault = Fault(method="POST", path="*/fgs/functions", status=status, body=refused, nth=6, times=None)
    account.emulator.faults.add(fault)
    with pytest.raises(PermanentError) as raised:
        account.deploy()
    assert raised.value.code is code
    assert not [text for text in account.told if "looking again" in text]
    assert len([call for call in account.mutations() if call == "POST functions"]) <= 5 + SIDE_BY_SIDE


def test_what_was_done_beside_a_failure_is_told_and_nothing_is_begun_after_it(account: Deployed):
    account.emulator.faults.add(Fault(method="POST", path="*/fgs/functions", status=400, nth=6))
    with pytest.raises(PermanentError):
        account.deploy()
    told = {text.split()[-1] for text in account.told if " function " in text}
    functions = account.emulator.world().functiongraph.functions.values()
    assert told == {function.name for function in functions}
    assert 5 <= len(told) <= 5 + SIDE_BY_SIDE


def test_of_failures_side_by_side_one_is_told_that_looking_again_would_not_help(account: Deployed):
    def fails(change: Change) -> NoReturn:
        both.wait()
        code = ErrorCode.CONFLICT if change.name == "overtaken" else ErrorCode.FORBIDDEN
        raise PermanentError(code, change.name)

    both = Barrier(2)
    changes = [Change(Verb.CREATE, FUNCTION, name, "it is not there") for name in ("overtaken", "forbidden")]
    with pytest.raises(PermanentError, match="forbidden"):
        _side_by_side(changes, fails, lambda change: None)


def test_what_was_deleted_meanwhile_is_made_again(account: Deployed):
    account.deploy()
    deployment = account.deployment(code=OTHER)
    changes = deployment.plan()
    deployment.site.cloud.functiongraph.delete_function(deployment.site.urn("on_timer"))
    deployment.carry_out(changes, account.told.append, account.clock.sleep)
    assert counted(account) == WHOLE
    assert account.deploy(code=OTHER) == []


@pytest.mark.parametrize(
    "trouble", [{"status": 500}, {"status": 502}, {"status": 503}, {"lost": True}, {"status": 429}], ids=str
)
def test_a_look_outlasts_a_passing_trouble(trouble: dict[str, Any], account: Deployed):
    account.emulator.faults.add(Fault(method="GET", nth=3, times=3, **trouble))
    account.deploy()
    account.emulator.faults.add(Fault(method="GET", nth=40, times=3, **trouble))
    assert account.deploy() == []


def test_a_change_is_not_repeated_if_nobody_knows_whether_it_was_carried_out(account: Deployed):
    account.emulator.faults.add(Fault(method="POST", path="*/fgs/functions", status=503, when="after", times=None))
    with pytest.raises(TemporaryError):
        account.deploy()
    assert account.mutations().count("POST functions") <= SIDE_BY_SIDE


def test_a_strangers_topic_that_comes_between_plan_and_deed_is_not_taken_over(account: Deployed):
    deployment = account.deployment()
    changes = deployment.plan()
    with account.emulator.change() as held:
        held.smn.create_topic(account.transport.project_id, "dcs-access-events", "of the auditors")
    with pytest.raises(PermanentError, match="dcs-access-events that this deployment has not made"):
        deployment.carry_out(changes, account.told.append, account.clock.sleep)
    assert counted(account)["functions"] == 0


@pytest.mark.parametrize(
    ("scope", "field"), [("all_projects", EVERYWHERE), ("domain", ON_DOMAIN), ("project", "roles")]
)
def test_a_right_that_our_agency_was_given_besides_is_taken_from_it(scope: Scope, field: str, account: Deployed):
    account.deploy()
    (admin,) = (role for role in SYSTEM_ROLES.values() if role.name == "te_admin")
    with account.emulator.change() as held:
        agency = held.iam.agencies.named("dcs-access-read")
        assert agency is not None
        before = list(agency.grants)
        held.iam.agencies.grant(agency, admin, scope, account.transport.project_id if scope == "project" else None)
    (change,) = account.deploy()
    assert (change.verb, change.name, change.fields) == (Verb.UPDATE, "dcs-access-read", (field,))
    assert account.emulator.world().iam.agencies[agency.id].grants == before
    assert account.deploy() == []


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"strategy_config": {"concurrency": 0}}, "strategy_config"),
        ({"strategy_config": {"concurrent_num": 5}}, "strategy_config"),
        ({"initializer_handler": "index.start", "initializer_timeout": 3}, "initializer_handler"),
        ({"strategy_config": {"concurrency": 10}}, None),
    ],
)
def test_what_keeps_a_function_from_its_work_is_undone_but_a_limit_stays(
    settings: dict[str, Any], field: str | None, account: Deployed
):
    account.deploy()
    site = account.deployment().site
    shown = site.cloud.functiongraph.function(site.urn("on_timer")).model_dump()
    always = {name: shown[name] for name in ("func_name", "runtime", "handler", "timeout", "memory_size")}
    site.cloud.functiongraph.update_function(site.urn("on_timer"), {**always, **settings})
    changes = account.deploy()
    assert [(change.name, change.fields) for change in changes] == ([("on_timer", (field,))] if field else [])
    assert account.deploy() == []


def test_the_operators_limit_outlasts_an_update_of_its_neighbour(account: Deployed):
    account.deploy()
    site = account.deployment().site
    shown = site.cloud.functiongraph.function(site.urn("on_timer")).model_dump()
    always = {name: shown[name] for name in ("func_name", "runtime", "handler", "timeout", "memory_size")}
    strategy = {"concurrency": 10, "concurrent_num": 5}
    site.cloud.functiongraph.update_function(site.urn("on_timer"), {**always, "strategy_config": strategy})
    account.deploy()
    found = site.cloud.functiongraph.function(site.urn("on_timer")).strategy_config
    assert (found.concurrency, found.concurrent_num) == (10, 1)


def test_what_goes_while_one_looks_is_not_found(account: Deployed):
    account.deploy()
    gone = {"error_code": "FSS.1051", "error_msg": "The function does not exist."}
    account.emulator.faults.add(Fault(method="GET", path="*:on_timer/config", status=404, body=gone))
    (function, *triggers) = to_do(account.deployment().plan())
    assert (function.verb, function.name) == (Verb.CREATE, "on_timer")
    assert [trigger.name for trigger in triggers] == ["on_timer/TIMER/dcs-access-verify"]


def test_nothing_is_deleted_but_what_was_confirmed_and_only_what_is_still_ours(account: Deployed):
    account.deploy()
    site = account.deployment().site
    (group,) = site.cloud.lts.groups()
    confirmed = plan_removal(site)
    rest = take_away(site, [change for change in confirmed if change.type == FUNCTION], account.told.append)
    assert {change.reason for change in rest} == {"its deletion was not confirmed"}
    assert counted(account) == Counter({**WHOLE, "functions": 0, "triggers": 0, "subscriptions": 0})
    site.cloud.lts.create_stream(group.id, "auditors", {})
    (left,) = take_away(site, confirmed, account.told.append)
    assert left.reason == "it holds auditors, which is not ours"
    assert [stream.name for stream in site.cloud.lts.streams(group.id)] == ["auditors"]


def test_a_deployment_killed_while_it_waits_for_an_agency_is_waited_for_by_the_next(account: Deployed):
    def die(_seconds: float) -> None:
        raise KilledError

    account.emulator.set_dials({"agency_delay": 300.0})
    deployment, began = account.deployment(), account.clock.now()
    with pytest.raises(KilledError):
        deployment.carry_out(deployment.plan(), account.told.append, die)
    assert counted(account)["triggers"] == 0
    account.deploy()
    assert account.clock.now() - began >= 300
    assert counted(account) == WHOLE


def test_a_throttled_deployment_waits_and_ends(account: Deployed):
    account.emulator.set_dials({"throttle": {"functiongraph": {"every": 5}}})
    account.deploy()
    assert counted(account) == WHOLE


def test_a_new_agency_is_waited_for_and_one_that_never_works_is_told(account: Deployed):
    account.emulator.set_dials({"agency_delay": 300.0})
    began = account.clock.now()
    account.deploy()
    assert 300 <= account.clock.now() - began <= 320
    assert any("agencies work" in text for text in account.told)
    account.undeploy()
    account.emulator.set_dials({"agency_delay": 3000.0})
    with pytest.raises(Exception, match="does not work after 15 minutes") as raised:
        account.deploy()
    assert raised.value.code is ErrorCode.NOT_READY  # type: ignore[attr-defined]
