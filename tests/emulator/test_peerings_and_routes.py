from __future__ import annotations

from typing import Any

import pytest

from emulator import Emulator, World
from tests.emulator.client import Caller

PEERINGS = "/v2.0/vpc/peerings"
ROUTES = "/v2.0/vpc/routes"
TABLES = "/v1/{pid}/routetables"


def body(request: str, accept: str, **accepter: str) -> dict[str, Any]:
    ends = {"request_vpc_info": {"vpc_id": request}, "accept_vpc_info": {"vpc_id": accept, **accepter}}
    return {"peering": {"name": "elb-to-dcs", "description": "d", **ends}}


@pytest.fixture
def peering(api: Caller, vpcs: dict[str, str]) -> str:
    made: str = api.post(PEERINGS, body(vpcs["vpc-elb"], vpcs["vpc-dcs"]), 201)["peering"]["id"]
    return made


@pytest.fixture
def table(api: Caller, vpcs: dict[str, str]) -> str:
    """The default table of the load balancer's VPC."""
    (found,) = api.get(TABLES, vpc_id=vpcs["vpc-elb"])["routetables"]
    table_id: str = found["id"]
    return table_id


def add(*routes: dict[str, str]) -> dict[str, Any]:
    return {"routetable": {"routes": {"add": list(routes)}}}


def over(peering: str, destination: str = "192.168.0.0/16") -> dict[str, str]:
    return {"type": "peering", "destination": destination, "nexthop": peering}


def custom(api: Caller, table: str) -> list[dict[str, str]]:
    routes = api.get(f"{TABLES}/{table}")["routetable"]["routes"]
    return [route for route in routes if route["type"] != "local"]


def test_a_peering_within_a_project_is_active_at_once(api: Caller, vpcs: dict[str, str], peering: str):
    shown = api.get(f"{PEERINGS}/{peering}")["peering"]
    assert shown["status"] == "ACTIVE"
    assert shown["request_vpc_info"] == {"vpc_id": vpcs["vpc-elb"], "tenant_id": api.project_id}
    assert (shown["created_at"], shown["description"]) == ("2026-01-01T00:00:00", "d")
    renamed = api.put(f"{PEERINGS}/{peering}", {"peering": {"description": "e"}})["peering"]
    assert (renamed["name"], renamed["description"]) == ("elb-to-dcs", "e")
    assert api.refused("PUT", f"{PEERINGS}/{peering}/accept")[0] == 409


def test_two_vpcs_are_peered_once_in_either_direction(api: Caller, vpcs: dict[str, str], peering: str):
    for pair in (("vpc-elb", "vpc-dcs"), ("vpc-dcs", "vpc-elb")):
        assert api.refused("POST", PEERINGS, body(*(vpcs[name] for name in pair))) == (409, "PeeringConflict")
    api.emulator.set_dials({"duplicate_peering_status": 400})
    assert api.refused("POST", PEERINGS, body(vpcs["vpc-elb"], vpcs["vpc-dcs"]))[0] == 400
    api.delete(f"{PEERINGS}/{peering}")
    api.post(PEERINGS, body(vpcs["vpc-dcs"], vpcs["vpc-elb"]), 201)


def test_a_vpc_is_not_peered_with_itself_or_with_nothing(api: Caller, vpcs: dict[str, str]):
    assert api.refused("POST", PEERINGS, body(vpcs["vpc-elb"], vpcs["vpc-elb"])) == (400, "PeeringInvalid")
    for pair in ((vpcs["vpc-elb"], "none"), ("none", vpcs["vpc-elb"])):
        assert api.refused("POST", PEERINGS, body(*pair)) == (404, "RouterNotFound")


def test_overlapping_vpcs_may_be_peered(api: Caller, vpcs: dict[str, str]):
    twin = api.post("/v1/{pid}/vpcs", {"vpc": {"name": "twin", "cidr": "10.0.0.0/16"}})["vpc"]["id"]
    assert api.post(PEERINGS, body(vpcs["vpc-elb"], twin), 201)["peering"]["status"] == "ACTIVE"


def test_another_projects_vpc_waits_for_its_owner_who_answers_unwrapped():
    world = World.loads(
        """
        iam: {projects: [{name: eu-de_demo}, {name: eu-de_other}]}
        vpc:
          vpcs:
            - {name: mine, cidr: 10.0.0.0/16}
            - {name: theirs, cidr: 10.1.0.0/16, project_id: eu-de_other}
            - {name: theirs-too, cidr: 10.2.0.0/16, project_id: eu-de_other}
        """
    )
    cloud = Emulator(world)
    mine, theirs = Caller(cloud), Caller(cloud, project="eu-de_other")
    (own,) = (vpc["id"] for vpc in mine.get("/v1/{pid}/vpcs")["vpcs"])
    first, second = (vpc["id"] for vpc in theirs.get("/v1/{pid}/vpcs")["vpcs"])
    made = [mine.post(PEERINGS, body(own, vpc, tenant_id=theirs.project_id), 201)["peering"] for vpc in (first, second)]
    assert [one["status"] for one in made] == ["PENDING_ACCEPTANCE"] * 2
    assert mine.refused("PUT", f"{PEERINGS}/{made[0]['id']}/accept")[0] == 403
    assert theirs.put(f"{PEERINGS}/{made[0]['id']}/accept", None)["status"] == "ACTIVE"
    assert theirs.put(f"{PEERINGS}/{made[1]['id']}/reject", None)["status"] == "REJECTED"
    assert theirs.refused("PUT", f"{PEERINGS}/{made[1]['id']}/accept") == (409, "PeeringInvalidState")
    assert mine.refused("POST", PEERINGS, body(own, first))[0] == 404
    theirs.delete(f"{PEERINGS}/{made[0]['id']}")
    assert mine.refused("GET", f"{PEERINGS}/{made[0]['id']}") == (404, "VpcPeeringNotFound")


def test_the_list_filters_by_either_side_unless_the_dial_says_otherwise(api: Caller, vpcs, peering: str):
    assert [one["id"] for one in api.get(PEERINGS, vpc_id=vpcs["vpc-dcs"])["peerings"]] == [peering]
    api.emulator.set_dials({"peering_list_matches_both_sides": False})
    assert api.get(PEERINGS, vpc_id=vpcs["vpc-dcs"])["peerings"] == []
    assert len(api.get(PEERINGS, vpc_id=vpcs["vpc-elb"], status="ACTIVE", name="elb-to-dcs")["peerings"]) == 1
    assert api.get(PEERINGS, status="REJECTED")["peerings"] == []


def test_pages_are_linked_until_the_last_one(api: Caller, vpcs: dict[str, str], peering: str):
    third = api.post("/v1/{pid}/vpcs", {"vpc": {"name": "third", "cidr": "172.16.0.0/16"}})["vpc"]["id"]
    api.post(PEERINGS, body(vpcs["vpc-elb"], third), 201)
    first = api.get(PEERINGS, limit=1)
    (link,) = first["peerings_links"]
    assert link["rel"] == "next"
    assert f"marker={peering}" in link["href"]
    assert "limit=1" in link["href"]
    last = api.get(PEERINGS, limit=1, marker=peering)
    assert len(last["peerings"]) == 1
    assert "peerings_links" not in last


def test_a_deleted_peering_takes_its_routes_on_both_sides_with_it(api: Caller, vpcs, peering: str, table: str):
    (other,) = (found["id"] for found in api.get(TABLES, vpc_id=vpcs["vpc-dcs"])["routetables"])
    api.put(f"{TABLES}/{table}", add(over(peering)))
    api.put(f"{TABLES}/{other}", add(over(peering, "10.0.0.0/16")))
    assert len(custom(api, table)) == len(custom(api, other)) == 1
    api.delete(f"{PEERINGS}/{peering}")
    assert custom(api, table) == custom(api, other) == []


def test_both_apis_show_one_store_of_routes(api: Caller, vpcs: dict[str, str], peering: str, table: str):
    made = api.post(ROUTES, {"route": {**over(peering), "vpc_id": vpcs["vpc-elb"]}}, 201)["route"]
    assert custom(api, table) == [{**over(peering), "description": ""}]
    api.put(f"{TABLES}/{table}", add({**over(peering, "192.168.7.0/24"), "description": "narrow"}))
    listed = api.get(ROUTES, vpc_id=vpcs["vpc-elb"])["routes"]
    assert {route["destination"] for route in listed} == {"192.168.0.0/16", "192.168.7.0/24"}
    assert api.get(f"{ROUTES}/{made['id']}")["route"] == made
    assert api.get(ROUTES, destination="192.168.7.0/24", limit=1)["routes"][0]["id"] != made["id"]
    api.delete(f"{ROUTES}/{made['id']}")
    assert [route["destination"] for route in custom(api, table)] == ["192.168.7.0/24"]
    assert api.refused("DELETE", f"{ROUTES}/{made['id']}") == (404, "RouteNotFound")


def test_a_destination_is_in_a_table_once_and_the_status_of_the_refusal_is_a_dial(api: Caller, vpcs, peering, table):
    api.put(f"{TABLES}/{table}", add(over(peering)))
    elsewhere = {"type": "vip", "destination": "192.168.0.0/16", "nexthop": "10.0.0.9"}
    assert api.refused("PUT", f"{TABLES}/{table}", add(elsewhere)) == (400, "VPC.2812")
    route = {"route": {**over(peering), "vpc_id": vpcs["vpc-elb"]}}
    assert api.refused("POST", ROUTES, route) == (400, "VPC.2812")
    api.emulator.set_dials({"duplicate_route_status": 409})
    assert api.refused("PUT", f"{TABLES}/{table}", add(over(peering))) == (409, "VPC.2812")


@pytest.mark.parametrize("destination", ["10.0.0.0/16", "10.0.0.0/25", "10.0.0.9/32", "0.0.0.0/0"])
def test_a_route_must_not_cover_or_split_a_subnet_of_its_own_vpc(api: Caller, peering, table, destination):
    assert api.refused("PUT", f"{TABLES}/{table}", add(over(peering, destination))) == (400, "VPC.2815")
    api.emulator.set_dials({"routes_may_overlap_subnets": True})
    api.put(f"{TABLES}/{table}", add(over(peering, destination)))


def test_a_route_may_overlap_unused_space_of_its_own_vpc(api: Caller, peering: str, table: str):
    api.put(f"{TABLES}/{table}", add(over(peering, "10.0.128.0/17")))


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ({"type": "peering", "destination": "192.168.0.0/16", "nexthop": "none"}, 404),
        ({"type": "local", "destination": "192.168.0.0/16", "nexthop": "-"}, 400),
        ({"type": "vip", "destination": "100.64.7.0/24", "nexthop": "10.0.0.9"}, 400),
        ({"type": "vip", "destination": "192.168.0.1/16", "nexthop": "10.0.0.9"}, 400),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(api: Caller, table: str, route: dict[str, str], status: int):
    assert api.refused("PUT", f"{TABLES}/{table}", add(route))[0] == status
    assert custom(api, table) == []


def test_a_change_of_routes_is_done_whole_or_not_at_all(api: Caller, peering: str, table: str):
    before = api.emulator.snapshot(timestamps=True)
    assert api.refused("PUT", f"{TABLES}/{table}", add(over(peering), over("none", "192.169.0.0/16")))[0] == 404
    missing = {"routetable": {"routes": {"del": [{"destination": "192.168.0.0/16"}]}}}
    assert api.refused("PUT", f"{TABLES}/{table}", missing)[0] == 404
    assert api.emulator.snapshot(timestamps=True) == before
    api.put(f"{TABLES}/{table}", add(over(peering)))
    changed = {**over(peering), "description": "changed"}
    api.put(f"{TABLES}/{table}", {"routetable": {"description": "t", "routes": {"mod": [changed]}}})
    assert custom(api, table) == [changed]
    api.put(f"{TABLES}/{table}", missing)
    assert custom(api, table) == []


def test_a_table_holds_two_hundred_routes(api: Caller, peering: str, table: str):
    many = [over(peering, f"172.16.{number}.0/24") for number in range(200)]
    api.put(f"{TABLES}/{table}", add(*many))
    assert api.refused("PUT", f"{TABLES}/{table}", add(over(peering)))[0] == 409
    assert len(custom(api, table)) == 200


def test_a_table_shows_system_routes_and_the_list_shows_none(api: Caller, table: str, subnets):
    shown = api.get(f"{TABLES}/{table}")["routetable"]
    local = [route["destination"] for route in shown["routes"] if route["nexthop"] == "-"]
    assert local == ["10.0.0.0/24", "198.19.128.0/20", "127.0.0.0/8", "100.64.0.0/10"]
    assert (shown["default"], shown["subnets"]) == (True, [{"id": subnets["subnet-elb"]["id"]}])
    listed = api.get(TABLES, id=table)["routetables"][0]
    assert not {"routes", "default"} & set(listed)
    api.emulator.set_dials({"list_tables_show_routes": True})
    assert api.get(TABLES, id=table)["routetables"][0] == shown


def test_a_subnet_is_in_one_table_which_is_the_default_one_unless_it_is_moved(api: Caller, vpcs, subnets, table: str):
    subnet_id = subnets["subnet-elb"]["id"]

    def holder() -> list[str]:
        return [found["id"] for found in api.get(TABLES, subnet_id=subnet_id)["routetables"]]

    def act(table_id: str, action: str) -> dict[str, Any]:
        return {"path": f"{TABLES}/{table_id}/action", "body": {"routetable": {"subnets": {action: [subnet_id]}}}}

    first, made = (
        api.post(TABLES, {"routetable": {"name": name, "vpc_id": vpcs["vpc-elb"]}})["routetable"] for name in "ab"
    )
    assert (made["default"], holder()) == (False, [table])
    api.post(**act(first["id"], "associate"))
    assert holder() == [first["id"]]
    api.post(**act(made["id"], "associate"))
    assert holder() == [made["id"]]
    assert api.refused("DELETE", f"{TABLES}/{made['id']}")[0] == 409
    api.post(**act(made["id"], "disassociate"))
    assert holder() == [table]
    assert api.refused("POST", **act(made["id"], "disassociate"))[0] == 400
    api.delete(f"{TABLES}/{made['id']}")
    assert api.refused("DELETE", f"{TABLES}/{table}")[0] == 400
    assert api.refused("GET", f"{TABLES}/{made['id']}")[0] == 404


def test_a_custom_table_takes_subnets_of_its_own_vpc_alone(api: Caller, vpcs, subnets):
    made = api.post(TABLES, {"routetable": {"name": "own", "vpc_id": vpcs["vpc-elb"]}})["routetable"]["id"]
    action = {"routetable": {"subnets": {"associate": [subnets["subnet-dcs"]["id"]]}}}
    assert api.refused("POST", f"{TABLES}/{made}/action", action)[0] == 400


def test_a_route_counts_for_packets_only_after_the_dialled_time(api: Caller, peering: str, table: str):
    api.emulator.set_dials({"routes": {"seconds": 5}})
    api.put(f"{TABLES}/{table}", add(over(peering)))
    (entry,) = api.emulator.world().vpc.route_tables[table].routes
    assert entry.since == api.emulator.clock.now() + 5
