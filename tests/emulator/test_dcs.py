from __future__ import annotations

from typing import Any

import pytest

from emulator import Dials, Emulator, ManualClock, World
from emulator.core.resources import Lag
from emulator.dataplane import Connection, ModelledDataPlane
from tests.emulator.client import Caller

ALL = "/v2/{pid}/instances"
ZOO = """
vpc:
  vpcs: [{name: v, cidr: 192.168.0.0/16}]
  subnets: [{name: s, vpc_id: v, cidr: 192.168.0.0/24}]
dcs:
  instances:
    - {name: one, subnet_id: s, cache_mode: single, password: Passw0rd-1}
    - {name: pair, subnet_id: s, cache_mode: ha, ip: 192.168.0.50}
    - {name: split, subnet_id: s, cache_mode: ha_rw_split}
    - {name: proxied, subnet_id: s, cache_mode: proxy}
    - {name: sharded, subnet_id: s, cache_mode: cluster, port: 7000}
    - {name: old, subnet_id: s, engine_version: "3.0", cache_mode: ha}
    - {name: failed, subnet_id: s, status: CREATEFAILED}
    - {name: broken, subnet_id: s, status: ERROR}
    - {name: backing-up, subnet_id: s, busy: DCS.4096, tags: {env: dev}}
"""


@pytest.fixture
def plane() -> ModelledDataPlane:
    return ModelledDataPlane()


@pytest.fixture
def zoo(clock: ManualClock, plane: ModelledDataPlane) -> Caller:
    return Caller(Emulator(World.loads(ZOO), clock=clock, data_plane=plane))


@pytest.fixture
def ids(zoo: Caller) -> dict[str, str]:
    found = zoo.get(ALL, limit=100, include_failure=True)["instances"]
    return {instance["name"]: instance["instance_id"] for instance in found}


def new(zoo: Caller, **fields: Any) -> dict[str, Any]:
    (subnet,) = zoo.get("/v1/{pid}/subnets")["subnets"]
    body = {
        "name": "fresh",
        "engine": "Redis",
        "engine_version": "6.0",
        "capacity": 0.125,
        "spec_code": "redis.ha.xu1.tiny.r2.128",
        "az_codes": ["eu-de-01"],
        "vpc_id": subnet["vpc_id"],
        "subnet_id": subnet["id"],
        "password": "Passw0rd-1",
    }
    return {key: value for key, value in {**body, **fields}.items() if value is not None}


def test_one_instance_is_shown_flat_and_tells_password_freedom_as_text(zoo: Caller, ids: dict[str, str]):
    pair = zoo.get(f"{ALL}/{ids['pair']}")
    assert (pair["cache_mode"], pair["ip"], pair["port"]) == ("ha", "192.168.0.50", 6379)
    assert (pair["no_password_access"], pair["status"], pair["sub_status"]) == ("true", "RUNNING", "normal")
    assert zoo.get(f"{ALL}/{ids['one']}")["no_password_access"] == "false"
    assert (pair["subnet_cidr"], pair["security_group_id"]) == ("192.168.0.0/24", "securityGroupId")
    assert pair["created_at"] == "2026-01-01T00:00:00.000Z"
    assert "password" not in pair


def test_the_list_has_ten_unless_asked_otherwise_and_no_cache_mode(zoo: Caller):
    for number in range(4):
        zoo.post(ALL, new(zoo, name=f"more-{number}"))
    listed = zoo.get(ALL)
    assert (listed["instance_num"], len(listed["instances"])) == (12, 10)
    assert "cache_mode" not in listed["instances"][0]
    assert listed["instances"][0]["no_password_access"] is False
    assert len(zoo.get(ALL, offset=10)["instances"]) == 2
    assert len(zoo.get(ALL, limit=1000)["instances"]) == 12
    for wrong in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        assert zoo.refused("GET", ALL, **wrong) == (400, "DCS.4800")
    # What is deleted is not kept, so that nobody can say how many there were.
    assert zoo.refused("GET", ALL, include_delete="true") == (400, "DCS.4800")
    assert zoo.get(ALL, include_delete="false")["instance_num"] == 12


def test_the_list_filters_by_part_of_a_name_status_address_and_tag(zoo: Caller):
    def names(**query: Any) -> list[str]:
        return [instance["name"] for instance in zoo.get(ALL, **query)["instances"]]

    assert names(name="o") == ["one", "proxied", "old", "broken"]
    assert names(name="o", name_equal=True) == []
    assert names(status="ERROR") == ["broken"]
    assert "failed" not in names()
    assert names(status="CREATEFAILED", include_failure=True) == ["failed"]
    assert names(ip="192.168.0.50") == ["pair"]
    assert names(tags="env=dev") == ["backing-up"]


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("instances/none", (400, "DCS.4061")),
        ("instances/5f0d0000-0000-4000-8000-000000000000", (404, "DCS.3022")),
        ("instance/5f0d0000-0000-4000-8000-000000000000/whitelist", (404, "DCS.3022")),
    ],
)
def test_an_id_in_a_wrong_form_is_400_and_an_unknown_one_is_404(zoo: Caller, path: str, refusal: tuple[int, str]):
    assert zoo.refused("GET", f"/v2/{{pid}}/{path}") == refusal


def test_the_nodes_are_those_of_the_cache_mode(zoo: Caller, ids: dict[str, str]):
    listed = zoo.get("/v2/{pid}/instances-logical-nodes", limit=100)
    nodes = {one["instance_id"]: one["nodes"] for one in listed["instances"]}
    roles = {name: sorted(node["node_type"] for node in nodes[ids[name]]) for name in ids}
    assert roles["one"] == ["master"]
    assert roles["pair"] == ["master", "slave"]
    assert roles["split"] == ["master", "proxy", "proxy", "slave"]
    assert roles["sharded"] == ["master"] * 3 + ["slave"] * 3
    assert roles["proxied"] == ["master"] * 3 + ["proxy"] * 2 + ["slave"] * 3
    sharded = nodes[ids["sharded"]]
    assert {node["node_port"] for node in sharded} == {"7000"}
    assert len({node["node_ip"] for node in sharded}) == 6
    assert set(zoo.get(f"{ALL}/{ids['sharded']}")["ip"].split(",")) == {
        node["node_ip"] for node in sharded if node["node_type"] == "master"
    }
    assert listed["count"] == len(ids)
    assert len(zoo.get("/v2/{pid}/instances-logical-nodes")["instances"]) == min(10, len(ids))


def test_groups_exist_from_redis_4_on_and_not_for_a_single_node(zoo: Caller, ids: dict[str, str]):
    groups = zoo.get(f"/v2/{{pid}}/instance/{ids['sharded']}/groups")
    assert groups["group_count"] == 3
    roles = [node["replication_role"] for node in groups["group_list"][0]["replication_list"]]
    assert roles == ["master", "slave"]
    for name in ("one", "old"):
        assert zoo.refused("GET", f"/v2/{{pid}}/instance/{ids[name]}/groups") == (400, "DCS.4007")


def test_a_switchover_swaps_roles_and_keeps_nodes(zoo: Caller, ids: dict[str, str]):
    path = f"/v2/{{pid}}/instance/{ids['sharded']}/groups"

    def roles() -> dict[str, str]:
        groups = zoo.get(path)["group_list"]
        return {node["node_id"]: node["replication_role"] for group in groups for node in group["replication_list"]}

    before = roles()
    zoo.post(f"{ALL}/{ids['sharded']}/swap", None, 204)
    assert roles() == {node: "slave" if role == "master" else "master" for node, role in before.items()}
    assert zoo.refused("POST", f"{ALL}/{ids['one']}/swap") == (400, "DCS.4855")


def whitelist_path(instance_id: str) -> str:
    return f"/v2/{{pid}}/instance/{instance_id}/whitelist"


def groups_of(*ips: str, name: str = "g") -> dict[str, Any]:
    return {"enable_whitelist": True, "whitelist": [{"group_name": name, "ip_list": list(ips)}]}


def test_a_whitelist_is_replaced_whole(zoo: Caller, ids: dict[str, str]):
    path = whitelist_path(ids["pair"])
    empty = {"enable_whitelist": False, "whitelist": [], "whitelist_ip_limit_num": 20}
    assert zoo.get(path) == {"instance_id": ids["pair"], **empty}
    zoo.put(path, groups_of("10.0.0.0/24", "10.1.0.1-10.1.0.9"), 204)
    zoo.put(path, groups_of("10.2.0.1", name="h"), 204)
    assert zoo.get(path)["whitelist"] == [{"group_name": "h", "ip_list": ["10.2.0.1"]}]
    assert zoo.get(path)["enable_whitelist"] is True


@pytest.mark.parametrize(
    "body",
    [
        groups_of("0.0.0.0"),
        groups_of("0.0.0.0/0"),
        groups_of("somewhere"),
        groups_of("10.1.0.9-10.1.0.1"),
        groups_of(*(f"10.0.0.{number}" for number in range(21))),
        {"enable_whitelist": True, "whitelist": [{"group_name": f"g{n}", "ip_list": []} for n in range(5)]},
        {"enable_whitelist": True, "whitelist": [{"group_name": "g", "ip_list": []}] * 2},
        {"whitelist": []},
    ],
)
def test_a_whitelist_has_4_groups_and_20_entries_and_never_everybody(zoo: Caller, ids, body: dict[str, Any]):
    assert zoo.refused("PUT", whitelist_path(ids["pair"]), body) == (400, "DCS.4800")


def test_redis_3_has_no_whitelist(zoo: Caller, ids: dict[str, str]):
    assert zoo.refused("GET", whitelist_path(ids["old"])) == (400, "DCS.4007")
    assert zoo.refused("PUT", whitelist_path(ids["old"]), groups_of("10.0.0.0/24")) == (400, "DCS.4007")


@pytest.mark.parametrize("lag", [Lag(reads=2), Lag(seconds=20)])
def test_a_new_whitelist_shows_and_counts_when_its_dial_says(zoo: Caller, ids, clock: ManualClock, lag: Lag):
    path = whitelist_path(ids["pair"])
    zoo.emulator.dials.whitelist = lag
    zoo.put(path, groups_of("10.0.0.0/24"), 204)

    def counts() -> bool:
        with zoo.emulator.change() as account:
            return account.dcs.whitelist(account.world.dcs.instances[ids["pair"]]).enable_whitelist

    assert [zoo.get(path)["enable_whitelist"] for _ in range(2)] == [False, False]
    assert counts() is bool(lag.reads)
    clock.advance(20)
    assert zoo.get(path)["enable_whitelist"] is True
    assert counts() is True


@pytest.mark.parametrize(("name", "code"), [("backing-up", "DCS.4096"), ("broken", "DCS.4049"), ("failed", "DCS.4049")])
def test_an_instance_that_is_busy_or_does_not_run_refuses_changes_with_400(zoo: Caller, ids, name: str, code: str):
    assert zoo.refused("PUT", whitelist_path(ids[name]), groups_of("10.0.0.0/24")) == (400, code)
    assert zoo.refused("PUT", f"{ALL}/{ids[name]}", {"port": 7000}) == (400, code)
    assert zoo.refused("PUT", f"{ALL}/status", {"instances": [ids[name]], "action": "restart"}) == (400, code)
    zoo.get(whitelist_path(ids[name]))


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (("PUT", "/{id}", {"port": 7000}), "RUNNING", "DCS.4114"),
        (("PUT", "/status", {"instances": ["{id}"], "action": "restart"}), "RESTARTING", "DCS.4111"),
        (("PUT", "/status", {"instances": ["{id}"], "action": "flush"}), "RUNNING", "DCS.4114"),
        (("POST", "/{id}/resize", {"spec_code": "redis.ha.2", "new_capacity": 2}), "EXTENDING", "DCS.4113"),
    ],
)
def test_while_one_job_runs_another_is_refused(clock: ManualClock, change, status: str, code: str):
    dials = Dials(dcs_modify=Lag(seconds=30), dcs_restart=Lag(seconds=30))
    zoo = Caller(Emulator(World.loads(ZOO), clock=clock, dials=dials))
    (instance,) = zoo.get(ALL, name="pair")["instances"]
    method, path, body = change
    path = ALL + path.replace("{id}", instance["instance_id"])
    if "instances" in body:
        body = {**body, "instances": [instance["instance_id"]]}
    assert zoo.call(method, path, body).status in (200, 204)
    assert zoo.get(f"{ALL}/{instance['instance_id']}")["status"] == status
    assert zoo.refused(method, path, body) == (400, code)
    clock.advance(30)
    assert zoo.get(f"{ALL}/{instance['instance_id']}")["status"] == "RUNNING"
    assert zoo.call(method, path, body).status in (200, 204)


def test_a_caller_who_only_retries_a_busy_instance_gets_through_as_one_who_reads(zoo: Caller, ids: dict[str, str]):
    zoo.emulator.dials.dcs_modify = Lag(reads=2)
    change = ("PUT", f"{ALL}/{ids['pair']}", {"port": 7000})
    assert [zoo.call(*change).status for _ in range(4)] == [204, 400, 400, 204]


def test_a_new_instance_comes_up_gets_addresses_and_runs(zoo: Caller, plane: ModelledDataPlane, clock: ManualClock):
    zoo.emulator.dials.dcs_create = Lag(seconds=8)
    before = zoo.emulator.snapshot()
    (made,) = zoo.post(ALL, new(zoo, private_ip="192.168.0.200", tags=[{"key": "a", "value": "b"}]))["instances"]
    path = f"{ALL}/{made['instance_id']}"
    assert zoo.get(path)["status"] == "CREATING"
    assert zoo.refused("DELETE", path) == (400, "DCS.4099")
    vpc_id = zoo.get(path)["vpc_id"]
    assert plane.connect(vpc_id, "192.168.0.200", 6379) is Connection.TIMED_OUT
    clock.advance(8)
    shown = zoo.get(path)
    assert (shown["status"], shown["capacity"], shown["capacity_minor"]) == ("RUNNING", 0, ".125")
    assert shown["tags"] == [{"key": "a", "value": "b"}]
    assert plane.connect(vpc_id, "192.168.0.200", 6379) is Connection.OPENED
    zoo.delete(path)
    assert plane.connect(vpc_id, "192.168.0.200", 6379) is Connection.TIMED_OUT
    assert zoo.emulator.snapshot() == before


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "x"}, "DCS.4010"),
        ({"engine": "Memcached"}, "DCS.4006"),
        ({"engine_version": "3.0"}, "DCS.4008"),
        ({"spec_code": "redis.moon"}, "DCS.4009"),
        ({"spec_code": "redis.proxy.xu1", "engine_version": "7.0"}, "DCS.4009"),
        ({"vpc_id": "none"}, "DCS.4068"),
        ({"subnet_id": "none"}, "DCS.4018"),
        ({"az_codes": ["eu-de-09"]}, "DCS.4042"),
        ({"password": None}, "DCS.4845"),
        ({"password": "weak"}, "DCS.4019"),
        ({"no_password_access": True}, "DCS.4845"),
        ({"private_ip": "192.168.0.50"}, "DCS.4800"),
        ({"private_ip": "abc"}, "DCS.4800"),
        ({"enable_publicip": True}, "DCS.4800"),
        ({"template_id": "t"}, "DCS.4800"),
        ({"rename_commands": {"keys": "look"}}, "DCS.4800"),
        ({"security_group_id": "s"}, "DCS.4800"),
        ({"bss_param": {"charging_mode": "prePaid"}}, "DCS.4800"),
        ({"instance_backup_policy": {"backup_type": "auto"}}, "DCS.4800"),
        ({"capacity": 2000}, "DCS.4036"),
        ({"instance_num": 60}, "DCS.4035"),
        ({"port": 0}, "DCS.4800"),
    ],
)
def test_an_instance_that_cannot_be_is_refused_with_400(zoo: Caller, fields: dict[str, Any], code: str):
    before = zoo.emulator.snapshot()
    assert zoo.refused("POST", ALL, new(zoo, **fields)) == (400, code)
    assert zoo.emulator.snapshot() == before


POLICY = {
    "backup_type": "auto",
    "save_days": 3,
    "periodical_backup_plan": {"backup_at": [1, 7], "begin_at": "02:00-03:00", "period_type": "weekly"},
}


def test_a_user_and_a_policy_of_backups_are_kept_and_shown(zoo: Caller, ids: dict[str, str], clock: ManualClock):
    # What the Go SDK says without being asked to.
    unasked = {"rename_commands": {}, "bss_param": {"charging_mode": ""}, "instance_num": 1}
    (made,) = zoo.post(ALL, new(zoo, access_user="me", instance_backup_policy=POLICY, **unasked))["instances"]
    shown = zoo.get(f"{ALL}/{made['instance_id']}")
    assert (shown["access_user"], shown["instance_backup_policy"]["policy"]) == ("me", POLICY)
    path = f"{ALL}/{ids['pair']}"
    assert zoo.get(path)["instance_backup_policy"] is None
    zoo.put(path, {"instance_backup_policy": POLICY, "security_group_id": "", "rename_commands": {}}, 204)
    assert (zoo.get(path)["instance_backup_policy"]["policy"], zoo.get(path)["access_user"]) == (POLICY, None)
    again = Caller(Emulator(World.loads(zoo.emulator.world().dump()), clock=clock))
    assert again.get(path) == zoo.get(path)


@pytest.mark.parametrize(
    ("path", "fields", "code"),
    [
        ("", {"rename_commands": {"keys": "look"}}, "DCS.4800"),
        ("", {"security_group_id": "s"}, "DCS.4007"),
        ("/resize", {"change_type": "createReplication"}, "DCS.4800"),
        ("/resize", {"available_zones": ["z"]}, "DCS.4800"),
        ("/resize", {"execute_immediately": False}, "DCS.4800"),
        ("/resize", {"spec_code": "redis.single.xu1.tiny.128"}, "DCS.4009"),
    ],
)
def test_what_is_not_emulated_is_refused_instead_of_forgotten(zoo: Caller, ids, path, fields, code):
    size = {"spec_code": "redis.ha.xu1.large.r2.2", "new_capacity": 2} if path else {}
    before = zoo.emulator.snapshot()
    assert zoo.refused("POST" if path else "PUT", f"{ALL}/{ids['pair']}{path}", {**size, **fields}) == (400, code)
    assert zoo.emulator.snapshot() == before
    if path:
        zoo.post(f"{ALL}/{ids['pair']}{path}", {**size, "execute_immediately": None, "bss_param": {}}, 204)


def test_of_several_instances_all_or_none_find_room(zoo: Caller):
    with zoo.emulator.change() as account:
        (subnet,) = account.world.vpc.subnets.values()
        while subnet.free > 4:
            subnet.take("crowd")
    before = zoo.emulator.snapshot()
    assert zoo.refused("POST", ALL, new(zoo, instance_num=2)) == (400, "DCS.4911")
    assert zoo.emulator.snapshot() == before


def test_the_data_plane_follows_port_password_restart_and_status(zoo: Caller, ids, plane: ModelledDataPlane):
    vpc_id = zoo.get(f"{ALL}/{ids['pair']}")["vpc_id"]

    def state(port: int = 6379) -> Connection:
        return plane.connect(vpc_id, "192.168.0.50", port)

    assert state() is Connection.OPENED
    zoo.put(f"{ALL}/{ids['pair']}", {"port": 7000}, 204)
    assert (state(), state(7000)) == (Connection.REFUSED, Connection.OPENED)
    zoo.put(f"{ALL}/status", {"instances": [ids["pair"]], "action": "restart"})
    assert state(7000) is Connection.OPENED
    with zoo.emulator.change() as account:
        account.world.dcs.instances[ids["pair"]].status = "ERROR"
    assert state(7000) is Connection.REFUSED
    with zoo.emulator.change() as account:
        account.world.dcs.instances[ids["pair"]].status = "RUNNING"
    assert state(7000) is Connection.OPENED
    sharded = zoo.get(f"{ALL}/{ids['sharded']}")["ip"].split(",")
    assert {plane.connect(vpc_id, ip, 7000) for ip in sharded} == {Connection.OPENED}


def test_an_instance_of_redis_3_is_not_emptied_and_then_none_is(zoo: Caller, ids: dict[str, str]):
    zoo.emulator.dials.dcs_modify = Lag(seconds=30)
    before = zoo.emulator.snapshot()
    both = {"instances": [ids["pair"], ids["old"]], "action": "flush"}
    assert zoo.refused("PUT", f"{ALL}/status", both) == (400, "DCS.4007")
    assert zoo.emulator.snapshot() == before


def test_a_password_is_reset_or_taken_away(zoo: Caller, ids: dict[str, str]):
    path = f"{ALL}/{ids['one']}/password/reset"
    assert zoo.post(path, {"new_password": "Other-Passw0rd"})["message"] == "success"
    assert zoo.emulator.world().dcs.instances[ids["one"]].password == "Other-Passw0rd"
    assert zoo.refused("POST", path, {"new_password": "weak"}) == (400, "DCS.4019")
    zoo.post(path, {"no_password_access": True})
    assert zoo.get(f"{ALL}/{ids['one']}")["no_password_access"] == "true"


def test_a_password_is_changed_by_who_knows_the_old_one(zoo: Caller, ids: dict[str, str]):
    path, change = f"{ALL}/{ids['one']}/password", {"old_password": "Passw0rd-1", "new_password": "Other-Passw0rd"}
    assert zoo.put(path, {**change, "old_password": "guessed"})["result"] == "passwordFailed"
    assert zoo.put(path, change)["result"] == "success"
    assert zoo.emulator.world().dcs.instances[ids["one"]].password == "Other-Passw0rd"
    assert zoo.refused("PUT", f"{ALL}/{ids['backing-up']}/password", change) == (400, "DCS.4096")


def test_parameters_are_shown_with_their_defaults_and_keep_what_is_set(zoo: Caller, ids: dict[str, str], clock):
    path = f"{ALL}/{ids['pair']}/configs"
    before = {one["param_name"]: one for one in zoo.get(path)["redis_config"]}
    assert (before["timeout"]["param_id"], before["timeout"]["value_range"]) == ("1", "0-7200")
    assert all(one["param_value"] == one["default_value"] for one in before.values())
    zoo.emulator.dials.dcs_modify = Lag(seconds=30)
    zoo.put(path, {"redis_config": [{"param_id": "1", "param_name": "timeout", "param_value": "100"}]}, 204)
    shown = zoo.get(path)
    assert (shown["instance_id"], shown["config_status"], shown["status"]) == (ids["pair"], "UPDATING", "RUNNING")
    clock.advance(30)
    after = {one["param_name"]: one for one in zoo.get(path)["redis_config"]}
    assert after == {**before, "timeout": {**before["timeout"], "param_value": "100"}}
    assert zoo.get(path)["config_status"] == "SUCCESS"
    again = Caller(Emulator(World.loads(zoo.emulator.world().dump()), clock=clock))
    assert again.get(path) == zoo.get(path)


@pytest.mark.parametrize(
    "wrong",
    [
        ("1", "maxclients", "5000"),
        ("99", "timeout", "1"),
        ("1", "timeout", "7201"),
        ("1", "timeout", "²"),
        ("2", "maxmemory-policy", "random"),
    ],
)
def test_a_parameter_that_is_unknown_or_out_of_range_changes_none(zoo: Caller, ids: dict[str, str], wrong):
    path, before = f"{ALL}/{ids['pair']}/configs", zoo.emulator.snapshot()
    rows = [
        dict(zip(("param_id", "param_name", "param_value"), row, strict=True)) for row in (("1", "timeout", "5"), wrong)
    ]
    assert zoo.refused("PUT", path, {"redis_config": rows}) == (400, "DCS.4800")
    assert zoo.emulator.snapshot() == before


def test_tls_is_known_from_redis_6_on(zoo: Caller, ids: dict[str, str]):
    assert zoo.get(f"{ALL}/{ids['pair']}/ssl")["enabled"] is False
    assert zoo.put(f"{ALL}/{ids['pair']}/ssl", {"enabled": True})["job_id"]
    assert zoo.get(f"{ALL}/{ids['pair']}/ssl")["enabled"] is True
    assert zoo.refused("GET", f"{ALL}/{ids['old']}/ssl") == (400, "DCS.4201")


def test_tags_and_quotas(zoo: Caller, ids: dict[str, str]):
    path = f"/v2/{{pid}}/dcs/{ids['pair']}/tags/action"
    zoo.post(path, {"action": "create", "tags": [{"key": "env", "value": "dev"}]}, 204)
    assert zoo.get(f"{ALL}/{ids['pair']}/tags")["tags"] == [{"key": "env", "value": "dev"}]
    zoo.post(path, {"action": "delete", "tags": [{"key": "env"}]}, 204)
    assert zoo.get(f"{ALL}/{ids['pair']}/tags")["tags"] == []
    assert zoo.refused("POST", path, {"action": "paint", "tags": [{"key": "a"}]}) == (400, "DCS.4800")
    used = {row["type"]: row["used"] for row in zoo.get("/v2/{pid}/quota")["quotas"]["resources"]}
    assert used["instance"] == len(ids)


def test_a_deleted_instance_stays_until_it_is_gone_and_nobody_reaches_it(
    zoo: Caller, ids: dict[str, str], clock: ManualClock
) -> None:
    zoo.emulator.set_dials({"dcs_delete": Lag(seconds=30)})
    zoo.delete(f"{ALL}/{ids['pair']}")
    assert zoo.get(f"{ALL}/{ids['pair']}")["status"] == "DELETING"
    assert zoo.refused("DELETE", f"{ALL}/{ids['pair']}") == (400, "DCS.4017")
    assert zoo.refused("PUT", f"{ALL}/{ids['pair']}", {"description": "d"}) == (400, "DCS.4017")
    assert "192.168.0.50" in taken(zoo)
    clock.advance(30)
    assert zoo.refused("GET", f"{ALL}/{ids['pair']}") == (404, "DCS.3022")
    assert "192.168.0.50" not in taken(zoo)


def test_a_deletion_may_take_reads_and_survives_a_restart(zoo: Caller, ids: dict[str, str], clock: ManualClock) -> None:
    zoo.emulator.set_dials({"dcs_delete": Lag(reads=2)})
    zoo.delete(f"{ALL}/{ids['one']}")
    again = Caller(Emulator(World.loads(zoo.emulator.world().dump()), clock=clock))
    for caller in (zoo, again):
        shown = [caller.call("GET", f"{ALL}/{ids['one']}").status for _ in range(3)]
        assert shown == [200, 200, 404]


def test_several_are_deleted_at_once_and_each_says_whether_it_was(zoo: Caller, ids: dict[str, str]) -> None:
    zoo.emulator.set_dials({"dcs_restart": Lag(seconds=60)})
    zoo.put(ALL + "/status", {"action": "restart", "instances": [ids["one"]]})
    results = zoo.call("DELETE", ALL, {"instances": [ids["one"], ids["pair"]]}).json()["results"]
    assert results == [{"instance": ids["one"], "result": "failed"}, {"instance": ids["pair"], "result": "success"}]
    results = zoo.call("DELETE", ALL, {}, all_failure=True).json()["results"]
    assert results == [{"instance": ids["failed"], "result": "success"}]
    assert zoo.refused("DELETE", ALL, {}) == (400, "DCS.4800")
    left = {instance["name"] for instance in zoo.get(ALL, limit=100, include_failure=True)["instances"]}
    assert left == ids.keys() - {"pair", "failed"}


def taken(zoo: Caller) -> set[str]:
    """The addresses in use."""
    return {address for subnet in zoo.emulator.world().vpc.subnets.values() for address in subnet.addresses}


def test_whether_a_list_says_password_free_as_text_is_a_dial(api: Caller):
    def said() -> object:
        return api.get("/v2/{pid}/instances")["instances"][0]["no_password_access"]

    assert said() is False
    api.emulator.set_dials({"dcs_list_as_text": True})
    assert said() == "false"
