from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.deploy.lint import lint
from cli.deploy.model import Function, template_schema
from cli.deploy.template import (
    UNKNOWN,
    Resolver,
    Surroundings,
    merged,
    parameters_of,
    read_template,
    template_path,
)
from shared.errors import ErrorCode, PermanentError
from shared.settings import VARIABLE, read_settings

ROOT = Path(__file__).parents[3]
OWN = yaml.safe_load((ROOT / "template.yaml").read_text("utf-8"))


def surroundings(**given: str) -> Surroundings:
    values = parameters_of(read_template(template_path()), given, lambda _: None)
    return Surroundings("eu-de", "5f0d", "https://{service}.{region}.otc.t-systems.com", values)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def written(data: dict[str, Any]) -> Path:
        file = tmp_path / "template.yaml"
        file.write_text(yaml.safe_dump(data))
        return file

    return written


def changed(path: str, value: Any) -> dict[str, Any]:
    """The product's template with one field set, or taken away by None."""
    data: dict[str, Any] = json.loads(json.dumps(OWN))
    *parents, last = path.split(".")
    place: Any = data
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return data


def test_the_products_template_is_sound():
    assert template_path() == ROOT / "template.yaml"
    assert lint(read_template(template_path())) == []


def test_every_function_is_tried_again_as_often_as_the_platform_can():
    template = read_template(template_path())
    functions = [merged(template, one) for one in template.resources.values() if isinstance(one, Function)]
    assert {one["async_invoke_config"]["max_async_retry_attempts"] for one in functions} == {3}


def test_the_published_schema_is_that_of_the_models():
    assert json.loads((ROOT / "docs/schemas/template.schema.json").read_text("utf-8")) == template_schema()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Resources.OnMessage.Properties.handler", "nonsense"),
        ("Resources.OnMessage.Properties.timeout", "soon"),
        ("Resources.OnMessage.Properties.color", "red"),
        ("Resources.OnMessage.Properties.func_name", None),
        ("Resources.OnMessage.Properties.app_xrole", {"Ref": "Nobody"}),
        ("Resources.ReadAgency.Properties.roles", [{"GetAtt": ["ReadPolicy", "urn"]}]),
        ("Resources.Requests.Properties.name", {"Sub": "${Nobody}-requests"}),
        ("Resources.Requests.Type", "OTC::SMN::Queue"),
        ("Globals.Function.memory_size", "large"),
        ("Outputs.RequestsTopic.Value", {"GetAtt": ["Requests", "id"]}),
        ("Outputs.RequestsTopic.Value", {"Ref": "EventWebhookSecret"}),
        ("Resources.OnMessage.Properties.user_data", {"DCS_ACCESS_VPC_ID": {"Sub": "${EventWebhookSecret}"}}),
        ("Resources.OnMessage.Properties.description", {"Ref": "EventWebhookSecret"}),
        ("Globals.Function.memory_size", 300),
        ("Globals.Function.async_invoke_config.max_async_retry_attempts", 99),
        ("Globals.Function.code_uri", "nowhere"),
        ("Resources.OnTimer.Properties.handler", "functions/on_timer.handle"),
        ("Resources.Events.Properties.name", "my events"),
        ("Resources.Events.Properties.name", {"Ref": "Application", "Sub": "events"}),
        ("Resources.ReadAgency.Properties.trust_domain_name", "op_svc_ecs"),
        ("Resources.ChangesToOnTrace.Properties.event_data.name", "a-b"),
        ("Resources.ChangesToOnTrace.Properties.event_data.operations.0", "VPC-eip-unbindEip"),
        ("Resources.ChangesToOnTrace.Properties.event_data", {"name": "twice", "operations": ["A:b:c;d", "A:b:d"]}),
        ("Resources.TimerToOnTimer.Properties.trigger_status", "SOMETIMES"),
        ("Resources.TimerToOnTimer.Properties.event_data.schedule", "90m"),
        ("Parameters.LogDays.Default", "many"),
        ("Globals.Function.user_data.DCS_ACCESS_MESAGE_ACCEPTS", "none"),
        ("Resources.OnMessage.Properties.encrypted_user_data", {"OPT_IN_TAG": "mine"}),
        ("TemplateFormatVersion", "2020-01-01"),
    ],
)
def test_an_error_of_a_template_names_the_field(path: str, value: Any, write: Callable[[dict[str, Any]], Path]):
    with pytest.raises(PermanentError) as raised:
        read_template(write(changed(path, value)))
    assert raised.value.code is ErrorCode.INVALID_REQUEST
    assert str(raised.value.data.field).startswith(path.removesuffix(".Type").removesuffix(".Default"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be a mapping of names to values"),
        ("[Resources]", "must be a mapping of names to values"),
        ("Description: a\nParameters: {}\nDescription: b\n", "line 3: Description is given twice"),
        ("Resources:\n  A: {Type: x}\n  B: {Type: x}\n  A: {Type: y}\n", "line 4: A is given twice"),
        ("Resources: [", "line 1"),
    ],
)
def test_what_is_no_template_is_refused_in_our_words(text: str, why: str, tmp_path: Path):
    file = tmp_path / "template.yaml"
    file.write_text(text)
    with pytest.raises(PermanentError, match=why):
        read_template(file)


def test_what_a_mapping_takes_from_another_it_may_say_itself(tmp_path: Path):
    file = tmp_path / "template.yaml"
    file.write_text("""
        TemplateFormatVersion: "2026-11-23"
        Description: A merge of what is itself merged.
        Resources:
          OnMessage: &function
            Type: OTC::FunctionGraph::Function
            Properties: &properties
              func_name: on_message
              handler: functions/on_message.handler
              description: ""
              user_data: &variables {DCS_ACCESS_OPT_IN_TAG: a}
          OnTimer:
            <<: *function
            Properties: {<<: *properties, user_data: &others {<<: *variables, DCS_ACCESS_OPT_IN_TAG: b}}
        Globals: {Function: {user_data: {<<: *others}}}
    """)
    template = read_template(file)
    given = [merged(template, one)["user_data"] for one in template.resources.values()]
    assert [*given, template.globals.function.user_data] == [{"DCS_ACCESS_OPT_IN_TAG": each} for each in "abb"]


@pytest.mark.parametrize("name", ["Cron", "plain", "OTC::SMN::Topic"])
def test_an_error_names_a_resource_whatever_it_is_called(name: str, write: Callable[[dict[str, Any]], Path]):
    with pytest.raises(PermanentError) as raised:
        read_template(write(changed(f"Resources.{name}", {"Type": "OTC::SMN::Topic", "Properties": {"name": "a b"}})))
    assert raised.value.data.field == f"Resources.{name}.Properties.name"


def test_a_misspelt_variable_is_refused_with_the_name_that_is_meant(write: Callable[[dict[str, Any]], Path]):
    with pytest.raises(PermanentError, match="no function reads it; is DCS_ACCESS_MESSAGE_ACCEPTS meant") as raised:
        read_template(write(changed("Globals.Function.user_data.DCS_ACCESS_MESAGE_ACCEPTS", "none")))
    assert raised.value.data.field == "Globals.Function.user_data.DCS_ACCESS_MESAGE_ACCEPTS"


READ = "Resources.ReadPolicy.Properties.policy.Statement.0.Action"
READS = OWN["Resources"]["ReadPolicy"]["Properties"]["policy"]["Statement"][0]["Action"]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (READ, ["dcs:instance:get", "dcs:instance:list"], "ReadPolicy.*lacks dcs:whitelist:list"),
        (
            READ,
            ["dcs:instance:delete", *READS],
            "ReadPolicy.*needs no dcs:instance:delete",
        ),
        ("Globals.Function.timeout", None, "timeout: is missing"),
        ("Globals.Function.package", None, "package: is missing"),
        ("Resources.RunWorkflow.Properties.timeout", {"Ref": "OTC::Region"}, "RunWorkflow.*timeout: must be a number"),
        ("Resources.Failures.Properties.name", {"Ref": "LogDays"}, "Parameters.LogDays: must be a text"),
        ("Parameters.LogDays.Type", "String", "Parameters.LogDays: must be a number"),
        ("Globals.Function.user_data.DCS_ACCESS_EVENT_TOPIC", None, "user_data.DCS_ACCESS_EVENT_TOPIC: is missing"),
        ("Globals.Function.user_data.DCS_ACCESS_OWN_AGENCIES", "", "user_data.DCS_ACCESS_OWN_AGENCIES: is missing"),
        ("Globals.Function.timeout", 90, "must be below 90 s"),
        ("Globals.Function.log_config", None, "log_config: is missing"),
        ("Globals.Function.xrole", None, "xrole: is missing"),
        ("Globals.Function.async_invoke_config", None, "async_invoke_config: is missing"),
        ("Resources.OnTimer.Properties.app_xrole", None, "OnTimer.Properties.app_xrole: is missing"),
        (
            "Resources.OnTimer.Properties.async_invoke_config",
            {"max_async_event_age_in_seconds": 60, "max_async_retry_attempts": 0, "destination_config": {}},
            "OnTimer.*on_failure: is missing",
        ),
        ("Resources.OnFailure.Properties.async_invoke_config", None, "it is the topic that calls the function"),
        ("Resources.PlanRepair", None, "no function plan_repair"),
        ("Resources.PlanRepair.Properties.handler", "functions/plan_nothing.handler", "no functions/plan_nothing"),
        ("Resources.PlanRepair.Properties.func_name", "repair", "called like its handler's module"),
        ("Resources.TimerToOnTimer.Properties.function_urn", "urn:fss:x", "names no function of the template"),
        (
            "Resources.TimerToOnTimer.Properties.event_data.schedule_type",
            "Cron",
            "Parameters.VerifyEvery: must be @every",
        ),
        ("Resources.RunWorkflow.Properties.timeout", 169, "RunWorkflow.*timeout: must be at least 170 s"),
        ("Parameters.Runtime.Default", "Python2.7", "Parameters.Runtime: must be Python3.12"),
        ("Parameters.LogDays.Default", 4000, "Parameters.LogDays: must be less than or equal to 365"),
        ("Parameters.Application.Default", "my app", "Parameters.Application: must be"),
        ("Globals.Function.package", "foo", "^Globals.Function.package: must be the application"),
        ("Resources.Events.Properties.name", "events", "no topic dcs-access-events"),
        ("Resources.Failures.Properties.name", "failures", "Failures.Properties.name: must be the application"),
        ("Resources.InvokePolicy.Properties.display_name", {"Ref": "InvokeAgency"}, "InvokePolicy - InvokeAgency"),
        ("Resources.Events.Properties.name", {"GetAtt": ["Events", "topic_urn"]}, "refers to itself"),
        ("Resources.Events.Properties.name", {"GetAtt": ["InvokePolicy", "id"]}, "must be known before"),
        (
            "Resources.InvokePolicy.Properties.display_name",
            {"GetAtt": ["Events", "topic_urn"]},
            "must be the application",
        ),
        ("Resources.InvokePolicy.Properties.display_name", {"GetAtt": ["LogGroup", "log_group_id"]}, "is made later"),
    ],
)
def test_the_linter_finds_what_could_not_be_run_or_looked_after(
    path: str, value: Any, why: str, write: Callable[[dict[str, Any]], Path]
):
    found = lint(read_template(write(changed(path, value))))
    assert any(re.search(why, line) for line in found), found


def test_references_are_resolved_and_what_only_the_cloud_knows_is_unknown_until_it_tells():
    template = read_template(template_path())
    first = Resolver(template, surroundings(Application="mine"))
    assert first.properties("InvokeAgency")["name"] == "mine-invoke"
    assert first.properties("InvokeAgency")["roles"] == [UNKNOWN]
    then = Resolver(template, surroundings(Application="mine"), {"InvokePolicy": {"id": "p1"}})
    assert then.properties("InvokeAgency")["roles"] == ["p1"]
    trigger = first.properties("RequestsToOnMessage")
    assert trigger["function_urn"] == "urn:fss:eu-de:5f0d:function:mine:on_message"
    assert trigger["event_data"] == {"topic_urn": "urn:smn:eu-de:5f0d:mine-requests"}
    assert first.outputs()["EventsTopic"] == "urn:smn:eu-de:5f0d:mine-events"


def test_the_variables_of_a_function_are_settings():
    variables = Resolver(read_template(template_path()), surroundings(AllowLists='{"a": ["10.0.0.0/8"]}')).properties(
        "OnTrace"
    )["user_data"]
    settings = read_settings(variables.get)
    assert all(name.startswith(VARIABLE) for name in variables)
    assert settings.region == "eu-de"
    assert settings.own_agencies == tuple(f"dcs-access-{each}" for each in ("invoke", "read", "change", "publish"))
    assert settings.allow_lists == {"a": ("10.0.0.0/8",)}
    assert settings.expirer == "timer of dcs-access"
    assert len(variables) <= 20
    unknown = {name.removeprefix(VARIABLE).lower() for name in variables} - set(type(settings).model_fields)
    assert not unknown


def test_a_text_with_a_secret_in_it_is_one(write: Callable[[dict[str, Any]], Path]):
    path = "Globals.Function.encrypted_user_data.DCS_ACCESS_EVENT_WEBHOOK_SECRET"
    template = read_template(write(changed(path, {"Sub": "${EventWebhookSecret} ${Application}"})))
    values = surroundings(EventWebhookSecret="whsec_hunter2")
    properties = Resolver(template, values).properties("OnTimer")
    secret = properties["encrypted_user_data"]["DCS_ACCESS_EVENT_WEBHOOK_SECRET"]
    assert secret.get_secret_value() == "whsec_hunter2 dcs-access"
    assert "hunter2" not in f"{values} {properties} {secret}"


def test_a_parameter_is_as_given_else_as_the_callers_variable_says_else_its_default():
    template = read_template(template_path())
    environment = {"DCS_ACCESS_OPT_IN_TAG": "expose-me"}.get
    assert parameters_of(template, {}, lambda _: None)["OptInTag"] == "dcs-access-allow"
    assert parameters_of(template, {}, environment)["OptInTag"] == "expose-me"
    assert parameters_of(template, {"OptInTag": "mine"}, environment)["OptInTag"] == "mine"
    assert parameters_of(template, {"OptInTag": ""}, environment)["OptInTag"] == "dcs-access-allow"
    for wrong in ({"Nobody": "x"}, {"LogDays": "many"}):
        with pytest.raises(PermanentError) as raised:
            parameters_of(template, wrong, lambda _: None)
        assert raised.value.data.field == f"Parameters.{next(iter(wrong))}"
