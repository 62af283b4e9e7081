from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.client import Caller

OLD = "/v1.0/{pid}/instances"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, 1),
        ({"name": "redis", "status": "RUNNING", "id": "", "start": 1, "limit": 10}, 1),
        ({"name": "other"}, 0),
        ({"ip": "192.168.0.10", "tags": ""}, 1),
        ({"tags": "env=dev"}, 0),
        ({"start": 2}, 0),
        ({"status": "ERROR"}, 0),
    ],
)
def test_the_old_list_filters_and_counts_from_one(api: Caller, query: dict[str, Any], found: int):
    assert len(api.get(OLD, **query)["instances"]) == found
    assert api.refused("GET", OLD, start=0)[0] == 400


def test_the_old_api_shows_changes_and_deletes_the_same_instances(api: Caller, redis: str):
    shown = api.get(f"{OLD}/{redis}")
    assert (shown["domainName"], shown["resource_spec_code"]) == (shown["domain_name"], shown["spec_code"])
    assert api.call("PUT", f"{OLD}/{redis}", {"description": "changed"}).status == 204
    assert api.get(f"/v2/{{pid}}/instances/{redis}")["description"] == "changed"
    assert api.get("/v1.0/{pid}/instances/statistic")["statistics"][0]["instance_id"] == redis
    assert api.get("/v1.0/{pid}/quota") == api.get("/v2/{pid}/quota")
    change = {"old_password": "wrong", "new_password": "New-Redis-2"}
    assert api.put(f"{OLD}/{redis}/password", change)["result"] == "passwordFailed"
    assert api.put(f"{OLD}/{redis}/password", {**change, "old_password": "Demo-Redis-1"})["result"] == "Success"
    assert api.emulator.world().dcs.instances[redis].password == "New-Redis-2"
    api.post(f"{OLD}/{redis}/extend", {"new_capacity": 4, "spec_code": "redis.ha.xu1.large.r2.4"}, 204)
    assert api.get(f"{OLD}/{redis}")["capacity"] == 4
    restart = {"instances": [redis], "action": "restart"}
    assert api.put(f"{OLD}/status", restart)["results"] == [{"instance": redis, "result": "success"}]
    api.delete(f"{OLD}/{redis}")
    assert api.refused("GET", f"{OLD}/{redis}") == (404, "DCS.3022")
