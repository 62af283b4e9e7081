"""Every call of the clients, on an emulator that refuses what the API does not document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator import Emulator, Fault, ManualClock, World
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.dcs import Whitelist, WhitelistGroup
from shared.otc.elb import (
    InlineBandwidth,
    InlineEip,
    ListenerCreate,
    ListenerIpGroup,
    LoadBalancer,
    LoadBalancerCreate,
    MemberCreate,
    MonitorCreate,
    MonitorSettings,
    PoolCreate,
)
from shared.otc.problems import ambiguous
from shared.otc.transport import Answer, Call
from shared.otc.vpc import Route, Subnet, Vpc
from tests.support.cloud import EmulatorTransport, cloud_on


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator(World.small(), clock=ManualClock(1_800_000_000.0))
    yield emulator
    emulator.close()


class Declared(EmulatorTransport):
    """Every call must declare the very permission that the cloud asks for: policies are made from it."""

    def send(self, call: Call) -> Answer:
        try:
            return super().send(call)
        finally:
            assert list(self.emulator.calls)[-1].action == call.action


@pytest.fixture
def cloud(emulator: Emulator) -> Cloud:
    return Cloud(Declared(emulator))


def vpc_named(cloud: Cloud, name: str) -> Vpc:
    return next(vpc for vpc in cloud.vpc.vpcs() if vpc.name == name)


def subnet_of(cloud: Cloud, vpc: Vpc) -> Subnet:
    return cloud.vpc.subnets(vpc_id=vpc.id)[0]


def balancer_on(cloud: Cloud) -> LoadBalancer:
    vpc = vpc_named(cloud, "vpc-elb")
    subnet = subnet_of(cloud, vpc)
    flavor = next(flavor for flavor in cloud.elb.flavors() if not flavor.flavor_sold_out)
    zone = next(zone for zones in cloud.elb.availability_zones() for zone in zones if zone.network_capable)
    return cloud.elb.create_load_balancer(
        LoadBalancerCreate(
            name="lb",
            description="made here",
            vpc_id=vpc.id,
            vip_subnet_cidr_id=subnet.neutron_subnet_id,
            elb_virsubnet_ids=(subnet.neutron_network_id,),
            availability_zone_list=(zone.code,),
            l4_flavor_id=flavor.id,
            publicip=InlineEip(bandwidth=InlineBandwidth(name="bw", size=5)),
            tags={"env": "test"},
        )
    )


def test_a_load_balancer_comes_with_its_eip_and_goes_without_it(cloud: Cloud):
    made = balancer_on(cloud)
    assert made == cloud.elb.load_balancer(made.id)
    assert cloud.elb.load_balancers(name="lb") == [made]
    assert cloud.elb.load_balancers(ids=[made.id]) == [made]
    assert cloud.elb.load_balancers(name="other") == []
    assert made.tags == {"env": "test"}
    cloud.elb.tag_load_balancer(made.id, {"env": "changed", "more": "one"})
    assert cloud.elb.load_balancer(made.id).tags == {"env": "changed", "more": "one"}
    assert cloud.elb.update_load_balancer(made.id, description="changed", name="new").name == "new"
    eip = cloud.eip.public_ip(made.public_ips[0].id)
    assert (eip.address, eip.bandwidth_name, eip.bandwidth_size) == (made.public_ips[0].address, "bw", 5)
    with pytest.raises(PermanentError) as bound:
        cloud.eip.delete(eip.id)
    assert bound.value.code is ErrorCode.CONFLICT
    cloud.elb.delete_load_balancer(made.id)
    assert [left.id for left in cloud.eip.public_ips()] == [eip.id]
    cloud.eip.delete(eip.id)
    assert cloud.eip.public_ips() == []
    with pytest.raises(PermanentError) as gone:
        cloud.elb.load_balancer(made.id)
    assert gone.value.code is ErrorCode.NOT_FOUND


def test_an_address_is_made_by_itself_and_bound_to_a_load_balancers_port(emulator: Emulator, cloud: Cloud):
    balancer = balancer_on(cloud)
    assert balancer.vip_port_id is not None
    made = cloud.eip.create("5_bgp", "own", 7)
    with pytest.raises(PermanentError) as taken:
        cloud.eip.bind(made.id, balancer.vip_port_id)
    assert taken.value.code is ErrorCode.CONFLICT
    with emulator.change() as account:
        account.eip.unbind(account.world.eip.publicips[balancer.public_ips[0].id])
    cloud.eip.bind(made.id, balancer.vip_port_id)
    assert [eip.id for eip in cloud.elb.load_balancer(balancer.id).public_ips] == [made.id]
    bound = cloud.eip.public_ip(made.id)
    assert (bound.bandwidth_name, bound.bandwidth_size) == ("own", 7)


def test_the_public_side_is_built_and_taken_down_in_order(cloud: Cloud):
    elb = cloud.elb
    balancer = balancer_on(cloud)
    group = elb.create_ip_group("allow", "record", ["203.0.113.0/24"])
    assert elb.ip_groups(name="allow") == [group] == elb.ip_groups()
    assert group.entries == ("203.0.113.0/24",)
    listener = elb.create_listener(
        ListenerCreate(
            loadbalancer_id=balancer.id,
            protocol_port=80,
            name="front",
            description="d",
            ipgroup=ListenerIpGroup(ipgroup_id=group.id),
            tags={"env": "test"},
        )
    )
    assert elb.listeners(load_balancer_id=balancer.id) == [listener] == elb.listeners(name="front")
    assert (listener.load_balancer_id, listener.ipgroup) == (balancer.id, ListenerIpGroup(ipgroup_id=group.id))
    pool = elb.create_pool(PoolCreate(listener_id=listener.id, name="back", type="ip"))
    assert pool.listener_ids == (listener.id,)
    assert elb.pools(load_balancer_id=balancer.id) == [pool] == elb.pools(name="back")
    monitor = elb.create_monitor(MonitorCreate(pool_id=pool.id, name="check"))
    assert elb.monitors(pool_id=pool.id) == [monitor] == elb.monitors(ids=[monitor.id])
    assert elb.monitors(pool_id="other") == []
    assert elb.monitor(monitor.id) == monitor
    member = elb.create_member(pool.id, MemberCreate(address="192.168.0.10", protocol_port=6379, name="redis"))
    assert [one.id for one in elb.members(pool.id)] == [member.id] == [one.id for one in elb.all_members()]
    assert elb.member(pool.id, member.id).address == "192.168.0.10"
    assert elb.pool(pool.id).member_ids == (member.id,)
    assert elb.pool(pool.id).healthmonitor_id == monitor.id

    tree = elb.status_tree(balancer.id)
    below = tree.listeners[0].pools[0]
    assert (below.members[0].id, below.healthmonitor and below.healthmonitor.id) == (member.id, monitor.id)

    elb.delete_monitor(monitor.id)
    elb.delete_member(pool.id, member.id)
    elb.delete_pool(pool.id)
    elb.delete_listener(listener.id)
    elb.delete_ip_group(group.id)
    elb.delete_load_balancer(balancer.id)
    assert elb.load_balancers() == elb.listeners() == elb.pools() == elb.monitors() == elb.ip_groups() == []


def test_texts_entries_and_checks_can_be_changed(cloud: Cloud):
    elb = cloud.elb
    balancer = balancer_on(cloud)
    first, second = (elb.create_ip_group(name, "", ["203.0.113.0/24"]) for name in ("first", "second"))
    changed = elb.update_ip_group(first.id, description="d", name="n", entries=["198.51.100.7/32"])
    assert (changed.name, changed.description, changed.entries) == ("n", "d", ("198.51.100.7/32",))
    assert elb.update_ip_group(first.id, description="e").entries == ("198.51.100.7/32",)
    assert elb.ip_group(first.id).description == "e"
    listener = elb.create_listener(
        ListenerCreate(
            loadbalancer_id=balancer.id, protocol_port=80, name="l", ipgroup=ListenerIpGroup(ipgroup_id=first.id)
        )
    )
    assert elb.update_listener(listener.id, description="x").ipgroup == listener.ipgroup
    assert elb.update_listener(listener.id, ip_group_id=second.id).ipgroup == ListenerIpGroup(ipgroup_id=second.id)
    assert elb.listener(listener.id).description == "x"
    assert elb.ip_group(second.id).listener_ids == (listener.id,)
    pool = elb.create_pool(PoolCreate(listener_id=listener.id, name="p"))
    assert elb.update_pool(pool.id, description="y", name="q").description == "y"
    assert elb.update_pool(pool.id, lb_algorithm="SOURCE_IP").lb_algorithm == "SOURCE_IP"
    member = elb.create_member(pool.id, MemberCreate(address="192.168.0.10", protocol_port=6379, name="m"))
    renamed = elb.update_member(pool.id, member.id, name="n", weight=2)
    assert (renamed.name, renamed.weight, renamed.address) == ("n", 2, "192.168.0.10")
    monitor = elb.create_monitor(MonitorCreate(pool_id=pool.id, monitor_port=7000))
    assert monitor.monitor_port == 7000
    updated = elb.update_monitor(monitor.id, MonitorSettings(delay=7), name="n")
    assert (updated.name, updated.delay, updated.monitor_port) == ("n", 7, None)


def test_what_is_unique_is_a_conflict_and_what_is_used_cannot_go(cloud: Cloud):
    elb = cloud.elb
    balancer = balancer_on(cloud)
    group = elb.create_ip_group("g", "", ["203.0.113.0/24"])
    desired = ListenerCreate(
        loadbalancer_id=balancer.id, protocol_port=80, name="l", ipgroup=ListenerIpGroup(ipgroup_id=group.id)
    )
    listener = elb.create_listener(desired)
    pool = elb.create_pool(PoolCreate(listener_id=listener.id, name="p"))
    target = MemberCreate(address="192.168.0.10", protocol_port=6379, name="m")
    elb.create_member(pool.id, target)
    elb.create_monitor(MonitorCreate(pool_id=pool.id))
    refused = (
        lambda: elb.create_listener(desired),
        lambda: elb.create_pool(PoolCreate(listener_id=listener.id, name="p2")),
        lambda: elb.create_member(pool.id, target),
        lambda: elb.create_monitor(MonitorCreate(pool_id=pool.id)),
        lambda: elb.delete_ip_group(group.id),
        lambda: elb.delete_pool(pool.id),
        lambda: elb.delete_listener(listener.id),
        lambda: elb.delete_load_balancer(balancer.id),
    )
    for attempt in refused:
        with pytest.raises(PermanentError) as caught:
            attempt()
        assert caught.value.code is ErrorCode.CONFLICT


def test_the_network_between_two_vpcs_is_built_and_taken_down(cloud: Cloud):
    vpc = cloud.vpc
    near, far = vpc_named(cloud, "vpc-elb"), vpc_named(cloud, "vpc-dcs")
    assert [one.id for one in vpc.vpcs(ids=[near.id])] == [near.id]
    assert near.cidrs == ("10.0.0.0/16",)
    subnet = subnet_of(cloud, near)
    assert (subnet.id, subnet.vpc_id) == (subnet.neutron_network_id, near.id)
    assert vpc.free_addresses(subnet.id) > 200
    peering = vpc.create_peering("p", "d", near.id, far.id)
    assert (peering.status, peering.vpc_ids) == ("ACTIVE", {near.id, far.id})
    assert vpc.peerings(vpc_id=far.id) == [vpc.peering(peering.id)] == vpc.peerings()
    assert vpc.update_peering(peering.id, description="e", name="q").description == "e"
    with pytest.raises(PermanentError) as twice:
        vpc.create_peering("again", "", far.id, near.id)
    assert twice.value.code is ErrorCode.CONFLICT

    table = vpc.route_tables(subnet_id=subnet.id)[0]
    assert [one.id for one in vpc.route_tables(vpc_id=near.id)] == [table.id]
    assert subnet.id in table.subnet_ids
    before = vpc.route_table(table.id)
    route = Route(destination="192.168.0.0/16", nexthop=peering.id, description="ours")
    assert route in (vpc.change_routes(table.id, add=[route]).routes or ())
    with pytest.raises(PermanentError) as taken:
        vpc.change_routes(table.id, add=[route])
    assert taken.value.code is ErrorCode.CONFLICT
    moved = route.model_copy(update={"description": "still ours"})
    assert moved in (vpc.change_routes(table.id, modify=[moved]).routes or ())
    assert vpc.change_routes(table.id, delete=[route.destination]).routes == before.routes
    vpc.delete_peering(peering.id)
    assert vpc.peerings() == []


def test_quotas_tell_limit_and_use(cloud: Cloud):
    before = cloud.elb.quotas()["loadbalancer"].used
    balancer_on(cloud)
    assert cloud.elb.quotas()["loadbalancer"].used == before + 1
    quotas = cloud.vpc.quotas()
    assert quotas["publicIp"].used == 1
    assert quotas["vpcPeer"].limit > 0
    assert not quotas["routetableContainRoutes"].full


def test_an_instance_tells_what_an_exposure_must_know(cloud: Cloud):
    listed = cloud.dcs.instances()[0]
    instance = cloud.dcs.instance(listed.id)
    assert (instance.name, instance.status, instance.ip, instance.port) == (
        "redis-demo",
        "RUNNING",
        "192.168.0.10",
        6379,
    )
    assert (instance.engine, instance.engine_version, instance.cache_mode) == ("Redis", "6.0", "ha")
    assert (instance.no_password_access, instance.subnet_cidr) == (False, "192.168.0.0/24")
    assert instance.vpc_id == vpc_named(cloud, "vpc-dcs").id
    assert {node.role for node in cloud.dcs.nodes(listed.id)} == {"master", "slave"}


def test_a_whitelist_is_replaced_as_a_whole(cloud: Cloud):
    instance_id = cloud.dcs.instances()[0].id
    assert cloud.dcs.whitelist(instance_id).groups == ()
    desired = Whitelist(enabled=True, groups=(WhitelistGroup(name="elb", ips=("10.0.0.0/24",)),))
    cloud.dcs.put_whitelist(instance_id, desired)
    assert cloud.dcs.whitelist(instance_id) == desired


def test_what_is_not_there_is_not_found(cloud: Cloud):
    nobody = "00000000-0000-4000-8000-000000000000"
    for look in (
        cloud.elb.load_balancer,
        cloud.elb.listener,
        cloud.elb.ip_group,
        cloud.elb.delete_pool,
        cloud.eip.public_ip,
        cloud.eip.delete,
        cloud.vpc.peering,
        cloud.vpc.delete_peering,
        cloud.vpc.route_table,
        cloud.dcs.instance,
        cloud.dcs.whitelist,
    ):
        with pytest.raises(PermanentError) as caught:
            look(nobody)
        assert caught.value.code is ErrorCode.NOT_FOUND, look


def test_a_missing_permission_is_named_as_the_cloud_spells_it():
    world = World.small()
    user = next(iter(world.iam.users.values()))
    user.permissions = ["vpc:*", "dcs:*"]
    with pytest.raises(PermanentError, match="elb:loadbalancers:list") as caught:
        cloud_on(Emulator(world)).elb.load_balancers()
    assert caught.value.code is ErrorCode.FORBIDDEN


def test_a_dropped_connection_leaves_a_mutation_ambiguous(emulator: Emulator, cloud: Cloud):
    emulator.faults.add(Fault(method="POST", when="after", lost=True))
    with pytest.raises(TemporaryError) as caught:
        cloud.elb.create_ip_group("g", "", ["203.0.113.0/24"])
    assert ambiguous(caught.value)
    assert [group.name for group in cloud.elb.ip_groups()] == ["g"]
