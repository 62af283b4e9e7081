from __future__ import annotations

import json
import re
from base64 import b64decode
from hashlib import sha512
from typing import Any

import pytest

from emulator import Emulator, World
from emulator.world import WorldError
from tests.emulator.client import Caller
from tests.emulator.functiongraph.inline import FUNCTIONS, Inline, code, create, fields, zipped


def test_a_new_function_is_shown_with_its_latest_version_and_the_digest_of_its_zip(api: Caller) -> None:
    made = api.post(FUNCTIONS, {"package": "app", **fields(), **code(zipped())})
    assert made["func_urn"] == f"urn:fss:eu-de:{api.project_id}:function:app:hello:latest"
    assert made["digest"] == sha512(zipped()).hexdigest()
    assert (made["version"], made["code_size"], made["cpu"]) == ("latest", len(zipped()), 400)
    assert api.get(f"{FUNCTIONS}/{made['func_urn']}/config") == made


@pytest.mark.parametrize(
    ("wrong", "code_"),
    [
        ({"func_name": "1st"}, "FSS.1002"),
        ({"func_name": "a" * 61}, "FSS.1002"),
        ({"handler": "nodot"}, "FSS.1003"),
        ({"package": "a b"}, "FSS.1004"),
        ({"runtime": "Node.js16.17"}, "FSS.1005"),
        ({"code_type": "obs"}, "FSS.1006"),
        ({"memory_size": 300}, "FSS.1007"),
        ({"timeout": 2}, "FSS.1008"),
        ({"user_data": "not JSON"}, "FSS.1009"),
        ({"user_data": '{"a": 1}'}, "FSS.1009"),
        ({"func_code": {"file": "%%%"}}, "FSS.1011"),
        ({"func_code": {"file": "bm8gemlw"}}, "FSS.1011"),
        ({"code_filename": None}, "FSS.1013"),
        ({"user_data": json.dumps({str(n): "" for n in range(21)})}, "FSS.1017"),
        ({"user_data": json.dumps({"a": "x" * 4096})}, "FSS.1018"),
        ({"description": "x" * 513}, "FSS.1019"),
        ({"depend_version_list": ["some-id"]}, "FSS.1024"),
        ({"func_vpc": {"vpc_id": "a", "subnet_id": "b"}}, "FSS.0400"),
        ({"no_such_field": 1}, "FSS.0400"),
    ],
)
def test_a_wrong_field_is_refused_with_its_code_and_leaves_nothing(
    api: Caller, wrong: dict[str, Any], code_: str
) -> None:
    body = {"package": "app", **fields(), **code(zipped()), **wrong}
    assert api.refused("POST", FUNCTIONS, body) == (400, code_)
    assert api.get(FUNCTIONS)["count"] == 0
    assert not api.emulator.world().functiongraph.codes


def test_a_name_is_taken_once_in_an_application(api: Caller) -> None:
    create(api)
    assert api.refused("POST", FUNCTIONS, {"package": "default", **fields(), **code(zipped())}) == (409, "FSS.1061")
    create(api, package="other")


def test_no_more_functions_are_made_than_the_quota_says(api: Caller, cloud: Emulator) -> None:
    with cloud.change() as account:
        account.functiongraph.state.quotas["fgs_func_num"] = 1
    create(api)
    body = {"package": "default", **fields("second"), **code(zipped())}
    assert api.refused("POST", FUNCTIONS, body) == (403, "FSS.1041")
    quotas = {one["type"]: one for one in api.get("/v2/{pid}/fgs/quotas")["quotas"]["resources"]}
    assert (quotas["fgs_func_num"]["quota"], quotas["fgs_func_num"]["used"]) == (1, 1)


def test_lists_are_paged_by_number_and_filtered_by_application(api: Caller) -> None:
    urns = [create(api, f"f{number}") for number in range(3)] + [create(api, "other", package="other")]
    first = api.get(FUNCTIONS, maxitems=3)
    second = api.get(FUNCTIONS, maxitems=3, marker=first["next_marker"])
    assert [one["func_urn"] for one in first["functions"] + second["functions"]] == urns
    assert [one["func_urn"] for one in api.get(FUNCTIONS, package_name="other")["functions"]] == urns[3:]
    assert [len(api.get(FUNCTIONS, maxitems=items)["functions"]) for items in (0, 401)] == [4, 4]
    assert api.refused("GET", FUNCTIONS, maxitems=-1) == (400, "FSS.0400")


def test_a_fresh_function_may_be_missed_by_the_first_reads(api: Caller, cloud: Emulator) -> None:
    cloud.set_dials({"hidden_reads": {"functiongraph": 2}})
    urn = create(api)
    assert api.get(FUNCTIONS)["functions"] == []
    assert api.refused("GET", f"{FUNCTIONS}/{urn}/config") == (404, "FSS.1051")
    assert api.get(f"{FUNCTIONS}/{urn}/config")["func_name"] == "hello"


def test_configuration_changes_keep_what_they_do_not_name(api: Caller, runner: Inline) -> None:
    urn = create(api, user_data='{"key": "value"}', description="first")
    changed = api.put(
        f"{FUNCTIONS}/{urn}/config",
        fields(timeout=60, description="second", strategy_config={"concurrency": 5, "concurrent_num": 1}),
    )
    assert (changed["timeout"], changed["description"]) == (60, "second")
    assert changed["user_data"] == '{"key": "value"}'
    assert changed["strategy_config"]["concurrency"] == 5
    assert runner.forgotten == [f"{urn}:latest"]


@pytest.mark.parametrize(
    ("wrong", "code_"), [({"runtime": "Python3.10"}, "FSS.1005"), ({"func_name": "x"}, "FSS.1002")]
)
def test_name_and_runtime_are_fixed(api: Caller, wrong: dict[str, Any], code_: str) -> None:
    urn = create(api)
    assert api.refused("PUT", f"{FUNCTIONS}/{urn}/config", fields(**wrong)) == (400, code_)


def test_secrets_are_kept_for_the_function_and_blanked_for_readers(api: Caller, runner: Inline) -> None:
    urn = create(api, user_data='{"plain": "1"}', encrypted_user_data='{"secret": "2"}')
    assert api.get(f"{FUNCTIONS}/{urn}/config")["encrypted_user_data"] == '{"secret": ""}'
    api.post(f"{FUNCTIONS}/{urn}/invocations", {})
    assert runner.runs[0][0].user_data == {"plain": "1", "secret": "2"}


def test_code_is_replaced_by_digest_and_kept_once(api: Caller, cloud: Emulator) -> None:
    urns = [create(api, name) for name in ("first", "second")]
    assert len(cloud.world().functiongraph.codes) == 1
    other = zipped("def handler(event, context):\n    return 2\n")
    assert api.put(f"{FUNCTIONS}/{urns[0]}/code", code(other))["digest"] == sha512(other).hexdigest()
    shown = api.get(f"{FUNCTIONS}/{urns[0]}/code")
    assert b64decode(shown["func_code"]["file"]) == other
    api.delete(f"{FUNCTIONS}/{urns[1]}")
    assert set(cloud.world().functiongraph.codes) == {sha512(other).hexdigest()}


def test_inline_code_becomes_a_zip_of_the_handlers_file(api: Caller, runner: Inline) -> None:
    source = {"code_type": "inline", "func_code": {"file": "cGFzcw=="}}
    urn = create(api, **source)
    api.post(f"{FUNCTIONS}/{urn}/invocations", {})
    assert b"index.py" in runner.runs[0][0].code
    assert api.refused("PUT", f"{FUNCTIONS}/{urn}/code", {**source, "func_code": {"file": "QUFB" * 4000}}) == (
        413,
        "FSS.1072",
    )


def test_agencies_must_exist(api: Caller) -> None:
    body = {"package": "default", **fields(), **code(zipped())}
    assert api.refused("POST", FUNCTIONS, {**body, "xrole": "nobody"}) == (403, "FSS.1121")
    urn = create(api)
    assert api.refused("PUT", f"{FUNCTIONS}/{urn}/config", fields(app_xrole="nobody")) == (403, "FSS.1122")


def test_a_deleted_function_takes_triggers_and_settings_along(api: Caller, cloud: Emulator) -> None:
    urn = create(api)
    timer = {"name": "t", "schedule_type": "Rate", "schedule": "1m"}
    api.post(f"/v2/{{pid}}/fgs/triggers/{urn}", {"trigger_type_code": "TIMER", "event_data": timer}, 201)
    assert api.refused("DELETE", f"{FUNCTIONS}/{urn}:latest") == (400, "FSS.1015")
    api.delete(f"{FUNCTIONS}/{urn}")
    assert api.refused("GET", f"{FUNCTIONS}/{urn}/config") == (404, "FSS.1051")
    state = cloud.world().functiongraph
    assert (state.functions, state.triggers, state.codes) == ({}, {}, {})


@pytest.mark.parametrize(
    ("urn", "refusal"),
    [
        ("urn:fss:eu-de:{pid}:function:default:nobody", (404, "FSS.1051")),
        ("urn:fss:eu-nl:{pid}:function:default:hello", (404, "FSS.1051")),
        ("urn:fss:eu-de:0123:function:default:hello", (404, "FSS.1051")),
        ("urn:fss:eu-de:{pid}:function:default:hello:3", (404, "FSS.1052")),
        ("urn:fss:eu-de:{pid}:function:default:hello:!live", (404, "FSS.1053")),
        ("hello", (400, "FSS.1309")),
    ],
)
def test_urns_that_name_nothing_are_told_apart(api: Caller, urn: str, refusal: tuple[int, str]) -> None:
    create(api)
    assert api.refused("GET", f"{FUNCTIONS}/{urn}/config") == refusal


def test_tags_are_put_by_resource_id(api: Caller) -> None:
    urn = create(api)
    tags = f"/v2/{{pid}}/functions/{api.get(f'{FUNCTIONS}/{urn}/config')['resource_id']}/tags"
    api.post(
        f"{tags}/create", {"action": "create", "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}, 204
    )
    assert api.call("DELETE", f"{tags}/delete", {"tags": [{"key": "a"}]}).status == 204
    assert api.get(tags)["tags"] == [{"key": "b", "value": "2"}]
    assert api.get(f"/v2/{{pid}}/functions/{urn}/tags") == api.get(tags)
    assert api.refused("GET", "/v2/{pid}/functions/nobody/tags") == (404, "FSS.0404")


def test_what_is_not_served_is_refused_by_the_gateway(api: Caller) -> None:
    assert api.refused("GET", "/v2/{pid}/fgs/dependencies") == (404, "APIGW.0101")


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ("functions: [{name: a, versions: {}}]", "functions[a].versions"),
        ("triggers: [{id: t, type: CTS, event_data: {}, function_urn: x}]", "not the URN of a function"),
        (
            "triggers: [{id: t, type: CTS, event_data: {}, function_urn: 'urn:fss:r:p:function:d:x'}]",
            "no such function",
        ),
        ("invocations: [{id: q, request_id: r, function_urn: x}]", "not the URN of a function"),
    ],
)
def test_a_world_of_functions_that_cannot_exist_is_refused(broken: str, field: str) -> None:
    with pytest.raises(WorldError, match=re.escape(field)):
        World.loads(f"functiongraph: {{{broken}}}")


def test_functions_and_their_code_survive_in_a_world_file(api: Caller, cloud: Emulator) -> None:
    urn = create(api, user_data='{"key": "value"}')
    text = cloud.world().dump()
    copy = Caller(Emulator(World.loads(text), clock=cloud.clock))
    assert copy.emulator.snapshot() == cloud.snapshot()
    assert copy.get(f"{FUNCTIONS}/{urn}/code") == api.get(f"{FUNCTIONS}/{urn}/code")
    assert World.loads(text).dump() == text
