from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.client import Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, TRIGGERS, Inline, code, create, fields, zipped

TOPIC = '{"topic_urn": "urn:smn:eu-de:p:failures"}'


@pytest.fixture
def urn(api: Caller) -> str:
    return create(api)


@pytest.fixture
def published(api: Caller, urn: str) -> str:
    """The URN of version 1."""
    shown: str = api.post(f"{FUNCTIONS}/{urn}/versions", {"version": "1", "description": "first"})["func_urn"]
    return shown


def test_a_published_version_keeps_code_and_configuration(
    api: Caller, urn: str, published: str, runner: Inline
) -> None:
    before = api.get(f"{FUNCTIONS}/{published}/config")
    api.put(f"{FUNCTIONS}/{urn}/code", code(zipped("other")))
    api.put(f"{FUNCTIONS}/{urn}/config", fields(timeout=60))
    assert api.get(f"{FUNCTIONS}/{published}/config") == before
    api.post(f"{FUNCTIONS}/{published}/invocations", {})
    assert (runner.runs[0][0].urn, runner.runs[0][0].timeout) == (published, 30)
    assert [one["version"] for one in api.get(f"{FUNCTIONS}/{urn}/versions")["versions"]] == ["latest", "1"]


def test_a_version_is_published_only_after_a_change(api: Caller, urn: str, published: str) -> None:
    versions = f"{FUNCTIONS}/{urn}/versions"
    assert api.refused("POST", versions, {"version": "1"}) == (409, "FSS.1062")
    assert api.refused("POST", versions, {"version": "2"}) == (400, "FSS.1016")
    assert api.refused("POST", versions, {"version": "2", "digest": "other"}) == (400, "FSS.1015")
    api.put(f"{FUNCTIONS}/{urn}/config", fields(timeout=60))
    assert api.post(versions, {})["version"] == "v20260101-000000"


def test_a_published_version_does_not_change(api: Caller, published: str) -> None:
    assert api.refused("PUT", f"{FUNCTIONS}/{published}/config", fields()) == (400, "FSS.1015")
    assert api.refused("PUT", f"{FUNCTIONS}/{published}/code", code(zipped())) == (400, "FSS.1015")


def test_no_more_than_twenty_versions_and_ten_aliases(api: Caller, urn: str) -> None:
    for number in range(1, 20):
        api.put(f"{FUNCTIONS}/{urn}/config", fields(timeout=60 + number))
        api.post(f"{FUNCTIONS}/{urn}/versions", {"version": str(number)})
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/versions", {"version": "20"}) == (403, "FSS.0403")
    for number in range(10):
        api.post(f"{FUNCTIONS}/{urn}/aliases", {"name": f"a{number}", "version": str(number + 1)})
    assert api.refused("POST", f"{FUNCTIONS}/{urn}/aliases", {"name": "b", "version": "11"}) == (403, "FSS.1043")


def test_an_alias_stands_for_one_version_and_can_move(api: Caller, urn: str, published: str, runner: Inline) -> None:
    aliases = f"{FUNCTIONS}/{urn}/aliases"
    made = api.post(aliases, {"name": "live", "version": "1"})
    assert made["alias_urn"] == f"{urn}:!live"
    assert api.refused("POST", aliases, {"name": "live", "version": "latest"}) == (409, "FSS.1063")
    assert api.refused("POST", aliases, {"name": "other", "version": "1"}) == (409, "FSS.1066")
    assert api.refused("POST", aliases, {"name": "other", "version": "2"}) == (404, "FSS.1052")
    api.post(f"{FUNCTIONS}/{urn}:!live/invocations", {})
    api.put(f"{aliases}/live", {"version": "latest"})
    api.post(f"{FUNCTIONS}/{urn}:!live/invocations", {})
    assert [(spec.version, run.alias) for spec, run in runner.runs] == [("1", "live"), ("latest", "live")]
    assert api.get(f"{aliases}/live") == api.get(aliases)[0]
    api.delete(f"{aliases}/live")
    assert api.refused("GET", f"{aliases}/live") == (404, "FSS.1053")


def test_a_version_goes_with_what_hangs_on_it(api: Caller, urn: str, published: str) -> None:
    api.post(f"{FUNCTIONS}/{urn}/aliases", {"name": "live", "version": "1"})
    timer = {"name": "t", "schedule_type": "Rate", "schedule": "1m"}
    api.post(f"{TRIGGERS}/{urn}:!live", {"trigger_type_code": "TIMER", "event_data": timer}, 201)
    assert api.refused("DELETE", f"{FUNCTIONS}/{urn}/aliases/live") == (403, "FSS.1154")
    api.delete(f"{FUNCTIONS}/{urn}:!live")
    assert api.get(f"{FUNCTIONS}/{urn}/aliases") == []
    assert not api.emulator.world().functiongraph.triggers
    assert api.refused("GET", f"{FUNCTIONS}/{published}/config") == (404, "FSS.1052")


def test_settings_of_asynchronous_invocations_are_replaced_whole(api: Caller, urn: str) -> None:
    path = f"{FUNCTIONS}/{urn}/async-invoke-config"
    assert api.refused("GET", path) == (404, "FSS.0404")
    target = {"destination": "SMN", "param": TOPIC}
    first = api.put(path, {"max_async_retry_attempts": 3, "destination_config": {"on_failure": target}})
    assert first["destination_config"] == {"on_success": {}, "on_failure": target}
    assert first["func_urn"] == f"{urn}:latest"
    nothing = {"on_success": {"destination": "", "param": ""}}
    second = api.put(path, {"max_async_event_age_in_seconds": 60, "destination_config": nothing})
    assert (second["max_async_retry_attempts"], second["destination_config"]["on_failure"]) == (1, {})
    assert api.get(path) == second == api.get(path + "s")["async_invoke_configs"][0]
    api.delete(path)
    assert api.get(path + "s")["count"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_async_retry_attempts": 4},
        {"max_async_event_age_in_seconds": 0},
        {"destination_config": {"on_failure": {"destination": "OBS", "param": "{}"}}},
        {"destination_config": {"on_failure": {"destination": "SMN", "param": "{}"}}},
        {"destination_config": {"on_failure": {"destination": "SMN", "param": "no JSON"}}},
        {
            "destination_config": {
                "on_failure": {"destination": "FunctionGraph", "param": '{"func_urn": "{urn}:latest"}'}
            }
        },
        {"no_such_field": 1},
    ],
)
def test_settings_out_of_range_or_in_a_loop_are_refused(api: Caller, urn: str, wrong: dict[str, Any]) -> None:
    for target in wrong.get("destination_config", {}).values():
        target["param"] = target["param"].replace("{urn}", urn)
    assert api.refused("PUT", f"{FUNCTIONS}/{urn}/async-invoke-config", wrong) == (400, "FSS.0400")
