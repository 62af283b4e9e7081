from __future__ import annotations

from pathlib import Path

import pytest

from emulator import Emulator, ManualClock, World, WorldError
from emulator.vpc.models import Peering
from tests.emulator.client import Caller

FULL = """
seed: 7
region: eu-nl
iam:
  domain: {name: OTC-EU-NL-1}
  projects: [{name: eu-nl_a}, {name: eu-nl_b}]
  users: [{name: ann, password: secret, permissions: ["*:*:get"]}]
vpc:
  vpcs:
    - {name: lb, cidr: 10.0.0.0/16, extend_cidrs: [172.16.0.0/16]}
    - {name: db, cidr: 192.168.0.0/16}
    - {name: b, cidr: 10.9.0.0/16, project_id: eu-nl_b}
  subnets:
    - {name: lb-1, vpc_id: lb, cidr: 172.16.0.0/24}
    - {name: db-1, vpc_id: db, cidr: 192.168.0.0/24}
  peerings:
    - {name: lb-db, request_vpc_id: db, accept_vpc_id: lb}
    - {name: lb-b, request_vpc_id: lb, accept_vpc_id: b, status: PENDING_ACCEPTANCE}
  route_tables:
    - name: own
      vpc_id: lb
      subnet_ids: [lb-1]
      routes: [{destination: 192.168.0.0/16, nexthop: lb-db}]
  quotas: {vpcPeer: 2}
eip:
  bandwidths: [{name: bw, size: 10}]
  publicips: [{address: 80.158.0.9, bandwidth_id: bw, bound_to: ELB, instance_id: balancer}]
dcs:
  instances:
    - name: redis
      subnet_id: db-1
      cache_mode: cluster
      password: Passw0rd-1
      whitelist: {enable_whitelist: true, whitelist: [{group_name: g, ip_list: [172.16.0.0/24]}]}
elb:
  loadbalancers: [{name: balancer, vpc_id: lb, vip_subnet_cidr_id: lb-1, ip_target_enable: true}]
  pools: [{name: pool, loadbalancer_id: balancer}]
  listeners: [{name: listener, loadbalancer_id: balancer, protocol_port: 80, default_pool_id: pool}]
smn:
  topics: [{name: news, project_id: eu-nl_b}]
  subscriptions: [{topic_id: news, protocol: http, endpoint: "http://127.0.0.1:8000/"}]
cts:
  notifications: [{name: all, topic_id: "urn:smn:eu-nl:p:news"}]
lts:
  groups: [{name: logs}]
  streams: [{name: lines, group_id: logs}]
"""


def test_a_world_file_may_leave_ids_out_and_refer_by_name():
    world = World.loads(FULL)
    vpcs = {vpc.name: vpc.id for vpc in world.vpc.vpcs.values()}
    (subnet,) = (one for one in world.vpc.subnets.values() if one.name == "lb-1")
    assert (subnet.vpc_id, subnet.availability_zone) == (vpcs["lb"], "eu-nl-01")
    (own,) = (table for table in world.vpc.route_tables.values() if table.name == "own")
    assert own.subnet_ids == [subnet.id]
    assert own.routes[0].nexthop in world.vpc.peerings
    assert len([table for table in world.vpc.route_tables.values() if table.default]) == 3
    (topic,), (subscription,) = world.smn.topics.values(), world.smn.subscriptions.values()
    assert (subscription.topic_id, subscription.project_id) == (topic.id, topic.project_id)
    assert {stream.group_id for stream in world.lts.streams.values()} == set(world.lts.groups)
    assert World.loads(FULL) == world


def test_a_world_survives_being_dumped_and_loaded(tmp_path: Path):
    for world in (World(), World.small(), World.loads(FULL)):
        path = tmp_path / "world.yaml"
        path.write_text(world.dump())
        assert World.load(path) == world


def test_a_running_account_is_saved_and_goes_on_elsewhere(api: Caller, clock: ManualClock, vpcs: dict[str, str]):
    ends = {"request_vpc_info": {"vpc_id": vpcs["vpc-elb"]}, "accept_vpc_info": {"vpc_id": vpcs["vpc-dcs"]}}
    api.post("/v2.0/vpc/peerings", {"peering": {"name": "p", **ends}}, 201)
    eip = {"publicip": {"type": "5_bgp"}, "bandwidth": {"name": "b", "size": 5, "share_type": "PER"}}
    first = api.post("/v1/{pid}/publicips", eip)["publicip"]["id"]
    copy = Emulator(World.loads(api.emulator.world().dump()), clock=clock)
    assert copy.snapshot(timestamps=True) == api.emulator.snapshot(timestamps=True)
    second = Caller(copy).post("/v1/{pid}/publicips", eip)["publicip"]["id"]
    assert second != first
    assert second == api.post("/v1/{pid}/publicips", eip)["publicip"]["id"]


def test_what_calls_made_can_be_loaded_again(api: Caller, vpcs: dict[str, str]):
    subnet = {"name": "s", "cidr": "10.0.9.0/24", "gateway_ip": "10.0.9.1", "vpc_id": vpcs["vpc-elb"]}
    api.post("/v1/{pid}/subnets", {"subnet": subnet})
    ends = {"request_vpc_id": vpcs["vpc-elb"], "accept_vpc_id": vpcs["vpc-dcs"], "accept_project_id": api.project_id}
    with api.emulator.change() as account:
        refused = account.add(account.vpc.state.peerings, Peering, "vpc", api.project_id, status="REJECTED", **ends)
    ends = {"request_vpc_info": {"vpc_id": vpcs["vpc-elb"]}, "accept_vpc_info": {"vpc_id": vpcs["vpc-dcs"]}}
    api.post("/v2.0/vpc/peerings", {"peering": {"name": "again", **ends}}, 201)
    world = api.emulator.world()
    assert refused.id in world.vpc.peerings
    assert World.loads(world.dump()) == world


def test_an_emulator_leaves_the_world_it_was_given_alone(clock: ManualClock):
    world = World.small()
    before = world.model_copy(deep=True)
    api = Caller(Emulator(world, clock=clock))
    api.post("/v1/{pid}/vpcs", {"vpc": {"name": "third", "cidr": "172.16.0.0/16"}})
    assert world == before


VPC = "vpcs: [{name: v, cidr: 10.0.0.0/16}, {name: w, cidr: 10.1.0.0/16}]"
SUBNET = "subnets: [{name: s, vpc_id: v, cidr: 10.0.0.0/24}]"


def vpc(more: str = SUBNET) -> str:
    return f"vpc: {{{VPC}, {more}}}\n"


def dcs(*instances: str) -> str:
    listed = ", ".join(f"{{subnet_id: s, {instance}}}" for instance in instances)
    return f"{vpc()}dcs: {{instances: [{listed}]}}"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("vpc: {vpcs: [{name: v, cidr: 10.0.0.1/16}]}", "vpc.vpcs[v].cidr"),
        ("vpc: {vpcs: [{name: v, cidr: 10.0.0.0/16, colour: red}]}", "colour"),
        ("vpc: {vpcs: [{cidr: 10.0.0.0/16}]}", "needs an id or name"),
        ("vpc: {vpcs: [{name: v, cidr: 10.0.0.0/16}, {name: v, cidr: 10.1.0.0/16}]}", "same id"),
        (vpc("subnets: [{name: s, vpc_id: x, cidr: 10.0.0.0/24}]"), "vpc.subnets[s].vpc_id"),
        (vpc("subnets: [{name: s, vpc_id: v, cidr: 11.0.0.0/24}]"), "vpc.subnets[s].cidr"),
        (
            vpc("subnets: [{name: s, vpc_id: v, cidr: 10.0.0.0/24}, {name: t, vpc_id: v, cidr: 10.0.0.0/25}]"),
            "overlaps",
        ),
        (vpc("subnets: [{name: s, vpc_id: v, cidr: 10.0.0.0/24, gateway_ip: 10.0.1.1}]"), "vpc.subnets[s].gateway_ip"),
        (vpc("subnets: [{name: s, vpc_id: v, cidr: 10.0.0.0/24, primary_dns: x}]"), "primary_dns"),
        (vpc("peerings: [{request_vpc_id: v, accept_vpc_id: v}]"), "peered with itself"),
        ("smn: {topics: [{name: t, id: a}, {name: t, id: b}]}", "smn.topics: a name is used twice"),
        ("smn: {subscriptions: [{topic_id: t, protocol: sms, endpoint: '49'}]}", "smn.subscriptions[49].topic_id"),
        ("lts: {streams: [{name: s, group_id: g}]}", "lts.streams[s].group_id"),
        (
            vpc("peerings: [{request_vpc_id: v, accept_vpc_id: w}, {request_vpc_id: w, accept_vpc_id: v}]"),
            "peered already",
        ),
        (
            vpc("route_tables: [{name: t, vpc_id: v, routes: [{destination: 9.9.0.0/16, nexthop: p}]}]"),
            "t].routes.nexthop",
        ),
        (vpc(f"{SUBNET}, route_tables: [{{name: t, vpc_id: w, subnet_ids: [s]}}]"), "in another VPC"),
        (
            vpc("route_tables: [{name: a, vpc_id: v, default: true}, {name: b, vpc_id: v, default: true}]"),
            "several default",
        ),
        ("eip: {publicips: [{name: e, address: 1.2.3.4, bandwidth_id: b}]}", "eip.publicips[e].bandwidth_id"),
        (f"{vpc()}dcs: {{instances: [{{name: r, subnet_id: x}}]}}", "dcs.instances[r].subnet_id"),
        (dcs("name: r, ip: 10.9.9.9"), "dcs.instances[r].ip"),
        (dcs("name: r, whitelist: {whitelist: [{group_name: g, ip_list: [10.0.0.0/33]}]}"), "ip_list"),
        (dcs("name: r, whitelist: {whitelist: [{group_name: g, ip_list: [1.2.3.4/0]}]}"), "ip_list"),
        (dcs('name: r, cache_mode: proxy, engine_version: "7.0"'), "dcs.instances[r].cache_mode"),
        (dcs("name: r, ip: 10.0.0.9", "name: q, ip: 10.0.0.9"), "dcs.instances[q].ip"),
        ("iam: {projects: []}", "iam.projects"),
        ("iam: {users: []}", "iam.users"),
        ("vpc: {vpcs: [{name: v, cidr: 10.0.0.0/16, project_id: x}]}", "project_id"),
        ("{", "not YAML"),
        ("colour: red", "colour"),
    ],
)
def test_a_world_that_cannot_exist_is_refused_and_the_field_is_named(text: str, field: str):
    with pytest.raises(WorldError) as refused:
        World.loads(text)
    assert field in str(refused.value)


def test_snapshots_differ_by_any_change_and_agree_again_when_it_is_undone(api: Caller, vpcs: dict[str, str]):
    before = api.emulator.snapshot()
    table = api.get("/v1/{pid}/routetables", vpc_id=vpcs["vpc-elb"])["routetables"][0]["id"]
    route = {"type": "vip", "destination": "172.16.0.0/24", "nexthop": "10.0.0.9"}
    path = f"/v1/{{pid}}/routetables/{table}"
    api.put(path, {"routetable": {"routes": {"add": [route]}}})
    assert api.emulator.snapshot() != before
    api.put(path, {"routetable": {"routes": {"del": [{"destination": "172.16.0.0/24"}]}}})
    assert api.emulator.snapshot() == before


def test_reading_and_signing_in_change_nothing_and_time_stamps_are_left_out_on_request(
    api: Caller, clock: ManualClock, redis: str
):
    before, dated = api.emulator.snapshot(), api.emulator.snapshot(timestamps=True)
    Caller(api.emulator)
    api.get(f"/v2/{{pid}}/instances/{redis}")
    assert api.emulator.snapshot(timestamps=True) == dated
    clock.advance(60)
    api.put(f"/v2/{{pid}}/instances/{redis}", {"description": ""}, 204)
    assert api.emulator.snapshot() == before
    assert api.emulator.snapshot(timestamps=True) != dated
