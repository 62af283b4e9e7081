"""The procedure "Using ELB for Public Access to DCS", step by step and note by note, on the emulated cloud.

Every test carries the words of the document that it stands for; what it checks is what the cloud then holds.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest

from emulator import Dials, World
from emulator.dataplane import Frontend, ModelledDataPlane
from shared.otc.elb import Listener, LoadBalancer, Member, Monitor, Pool
from tests.support.product import Product
from tests.support.worlds import world

CLUSTER = {"redis-demo": {"cache_mode": "cluster", "ip": "", "shards": 3}}
DCS_VPC = next(vpc.id for vpc in World.small().vpc.vpcs.values() if vpc.name == "vpc-dcs")


class Exposed:
    """The demo's instance, or one changed, after the whole procedure."""

    def __init__(self, changed: World | None = None, *, dials: Dials | None = None, **fields: Any) -> None:
        self.plane = ModelledDataPlane()
        self.product = Product(changed, data_plane=self.plane, dials=dials)
        self.empty = self.product.account()
        self.output = self.product.expose(**fields)
        self.data = self.output["event"]["data"]
        assert self.output["outcome"] == "completed", self.data["error"]

    @property
    def balancer(self) -> LoadBalancer:
        (only,) = self.product.cloud.elb.load_balancers()
        return only

    @property
    def listener(self) -> Listener:
        (only,) = self.product.cloud.elb.listeners()
        return only

    @property
    def pool(self) -> Pool:
        (only,) = self.product.cloud.elb.pools()
        return only

    @property
    def member(self) -> Member:
        (only,) = self.product.cloud.elb.members(self.pool.id)
        return only

    @property
    def monitor(self) -> Monitor:
        assert self.pool.healthmonitor_id
        return self.product.cloud.elb.monitor(self.pool.healthmonitor_id)

    @property
    def frontend(self) -> Frontend:
        """The public listener that clients connect to."""
        self.product.emulator.tick()
        (only,) = self.plane.frontends
        return only

    def routes(self, vpc: str) -> dict[str, tuple[str, str]]:
        """Type and next hop of the routes in a VPC's table, by destination."""
        (table,) = self.product.cloud.vpc.route_tables(vpc_id=self.product.vpc_id(vpc))
        whole = self.product.cloud.vpc.route_table(table.id)
        return {one.destination: (one.type, one.nexthop) for one in whole.routes or () if one.type != "local"}

    def of(self, kind: str) -> dict[str, Any]:
        """What the event says of the only resource of a kind."""
        (only,) = [each for each in self.data["resources"] if each["kind"] == kind]
        return only


@pytest.fixture
def exposed() -> Exposed:
    return Exposed()


@pytest.fixture
def same_vpc() -> Exposed:
    """Load balancer and instance in the same VPC; the other VPC of the small world is another one."""
    return Exposed(vpc_id=DCS_VPC)


def node_of(role: str) -> str:
    """A node of the emulated Redis Cluster in this role, as a request names it."""
    product = Product(world(CLUSTER))
    nodes = product.cloud.dcs.nodes(product.instance_id)
    return next(f"{node.ip}:{node.port}" for node in nodes if node.role == role)


class TestIntroduction:
    @pytest.mark.parametrize("version", ["4.0", "5.0", "6.0"])
    @pytest.mark.parametrize("mode", ["single", "ha", "ha_rw_split", "proxy"])
    def test_a_single_node_master_standby_read_write_splitting_or_proxy_cluster_instance_through_public_networks(
        self, version: str, mode: str
    ) -> None:
        """Redis 4.0, 5.0, and 6.0 instances: reached by enabling cross-VPC backend on a load balancer."""
        exposed = Exposed(world({"redis-demo": {"engine_version": version, "cache_mode": mode}}))
        assert exposed.data["health"]["status"] == "ONLINE"
        assert [(one.ip, one.port) for one in exposed.frontend.backends] == [("192.168.0.10", 6379)]

    @pytest.mark.parametrize("version", ["4.0", "5.0", "6.0"])
    @pytest.mark.parametrize("role", ["master", "slave"])
    def test_or_a_node_in_a_redis_cluster_instance(self, version: str, role: str) -> None:
        node = node_of(role)
        changed = world({"redis-demo": {**CLUSTER["redis-demo"], "engine_version": version}})
        exposed = Exposed(changed, node=node)
        assert f"{exposed.member.address}:{exposed.member.protocol_port}" == node
        assert exposed.data["health"]["status"] == "ONLINE"

    def test_instances_cannot_be_bound_with_elastic_ip_addresses_so_the_load_balancer_is(
        self, exposed: Exposed
    ) -> None:
        """The EIP is bound to the load balancer, never to the instance."""
        (eip,) = exposed.product.emulator.world().eip.publicips.values()
        assert (eip.bound_to, eip.instance_id) == ("ELB", exposed.balancer.id)

    def test_note_you_cannot_access_a_redis_cluster_as_a_whole_only_individual_nodes(self) -> None:
        product = Product(world(CLUSTER))
        error = product.expose()["event"]["data"]["error"]
        assert (error["code"], error["field"]) == ("NodeRequired", "node")
        nodes = {f"{node.ip}:{node.port}" for node in product.cloud.dcs.nodes(product.instance_id)}
        assert {part.strip(".") for part in error["advice"].replace(",", "").split() if ":" in part[:-1]} == nodes

    def test_note_you_can_only_access_individual_nodes_each_by_a_listener_of_its_own(self) -> None:
        """Due to cluster node address translation: two nodes never share a backend server group."""
        exposed = Exposed(world(CLUSTER), node=node_of("master"))
        assert "SingleNode" in {finding["code"] for finding in exposed.data["findings"]}
        exposed.product.expose(node=node_of("slave"))
        pools = exposed.product.cloud.elb.pools()
        assert [len(pool.member_ids) for pool in pools] == [1, 1]

    def test_note_do_not_use_public_network_access_in_the_production_environment(self) -> None:
        """Client access exceptions caused by poor public network performance will not be included in the SLA."""
        product = Product()
        error = product.expose(accept=[])["event"]["data"]["error"]
        assert (error["code"], error["field"]) == ("ProductionUnacknowledged", "accept")
        assert "SLA" in error["message"]
        assert product.emulator.calls.mutating() == []


class TestPrerequisites:
    def test_1_create_a_vpc_or_use_an_existing_one(self, exposed: Exposed) -> None:
        """An existing one is used; none is ever made."""
        assert exposed.balancer.vpc_id == exposed.product.vpc_id("vpc-elb")
        assert exposed.product.account()["vpc"]["vpcs"] == exposed.empty["vpc"]["vpcs"]

    def test_2_record_the_ip_address_and_port_number_of_the_instance(self) -> None:
        exposed = Exposed(world({"redis-demo": {"ip": "192.168.0.42", "port": 7001}}))
        assert (exposed.member.address, exposed.member.protocol_port) == ("192.168.0.42", 7001)

    def test_3_create_a_dedicated_load_balancer(self, exposed: Exposed) -> None:
        assert exposed.balancer.guaranteed
        assert exposed.balancer.provisioning_status == "ACTIVE"

    def test_note_a_shared_load_balancer_does_not_support_cross_vpc_backend_servers(self, exposed: Exposed) -> None:
        """Therefore it cannot be bound to a DCS instance: what is made is dedicated, with IP as a backend."""
        (call,) = [one for one in exposed.product.emulator.calls.mutating() if one.path.endswith("/loadbalancers")]
        assert "/v3/" in call.path, "only the v3 API makes dedicated load balancers"
        assert exposed.balancer.guaranteed
        assert exposed.balancer.ip_target_enable

    def test_note_for_specification_select_network_load_balancing_tcp_udp(self, exposed: Exposed) -> None:
        flavors = exposed.product.emulator.world().elb.flavors
        (made,) = exposed.product.emulator.world().elb.loadbalancers.values()
        assert made.l4_flavor_id is not None
        assert made.l7_flavor_id is None
        assert flavors[made.l4_flavor_id].type == "L4"

    def test_note_enable_ip_as_a_backend_when_creating_a_dedicated_load_balancer(self, exposed: Exposed) -> None:
        (call,) = [one for one in exposed.product.emulator.calls.mutating() if one.path.endswith("/loadbalancers")]
        assert '"ip_target_enable": true' in call.body
        assert exposed.balancer.ip_target_enable


class TestStep1:
    def test_add_a_tcp_listener_to_the_dedicated_load_balancer(self, exposed: Exposed) -> None:
        assert exposed.listener.protocol == "TCP"
        assert exposed.balancer.listener_ids == (exposed.listener.id,)
        assert exposed.pool.listener_ids == (exposed.listener.id,)
        assert exposed.pool.protocol == "TCP"

    def test_note_click_the_ip_as_backend_servers_tab_and_then_add_ip_as_backend_server(self, exposed: Exposed) -> None:
        """An IP as a backend server is a member without a subnet."""
        assert exposed.member.subnet_cidr_id is None
        (call,) = [one for one in exposed.product.emulator.calls.mutating() if one.path.endswith("/members")]
        assert "subnet_cidr_id" not in call.body

    def test_note_enter_the_ip_address_and_in_the_backend_port_column_the_port_number_of_your_dcs_instance(
        self, exposed: Exposed
    ) -> None:
        assert (exposed.member.address, exposed.member.protocol_port) == ("192.168.0.10", 6379)

    @pytest.mark.parametrize("role", ["master", "slave"])
    def test_note_you_can_add_the_ip_address_and_port_number_of_any_master_or_replica_node(self, role: str) -> None:
        """A Redis Cluster DCS instance contains multiple master/replica pairs."""
        product = Product(world(CLUSTER))
        nodes = [node for node in product.cloud.dcs.nodes(product.instance_id) if node.role == role]
        assert len(nodes) == 3
        for node in nodes:
            assert product.expose(node=f"{node.ip}:{node.port}")["outcome"] == "completed"
        members = {(member.address, member.protocol_port) for member in product.cloud.elb.all_members()}
        assert members == {(node.ip, node.port) for node in nodes}

    def test_note_if_you_enable_health_check_you_do_not_need_to_manually_configure_the_port(
        self, exposed: Exposed
    ) -> None:
        assert exposed.monitor.monitor_port is None
        (call,) = [one for one in exposed.product.emulator.calls.mutating() if one.path.endswith("/healthmonitors")]
        assert "monitor_port" not in call.body

    def test_note_by_default_the_service_port_of_the_backend_server_will_be_used(self) -> None:
        """An instance at another port is healthy all the same."""
        exposed = Exposed(world({"redis-demo": {"port": 7001}}))
        assert exposed.monitor.monitor_port is None
        assert exposed.data["health"]["status"] == "ONLINE"


class TestStep2:
    def test_create_a_vpc_peering_connection(self, exposed: Exposed) -> None:
        """Local VPC: where your load balancer is located. Peer VPC: where your DCS instance is located."""
        (peering,) = exposed.product.cloud.vpc.peerings()
        assert peering.request_vpc_id == exposed.product.vpc_id("vpc-elb")
        assert peering.accept_vpc_id == exposed.product.vpc_id("vpc-dcs")
        assert peering.status == "ACTIVE"

    def test_note_even_in_the_same_vpc_you_still_need_to_create_a_vpc_peering_connection(
        self, same_vpc: Exposed
    ) -> None:
        """Local VPC: where load balancer and DCS instance are located. Peer VPC: another VPC."""
        (peering,) = same_vpc.product.cloud.vpc.peerings()
        assert peering.request_vpc_id == same_vpc.product.vpc_id("vpc-dcs") == same_vpc.balancer.vpc_id
        assert peering.accept_vpc_id == same_vpc.product.vpc_id("vpc-elb")

    @pytest.mark.parametrize("network", ["reachable", "needs_peering"])
    def test_note_in_the_same_vpc_the_health_check_is_passed_whether_or_not_the_network_asks_for_the_peering(
        self, network: Literal["reachable", "needs_peering"]
    ) -> None:
        exposed = Exposed(dials=Dials(same_vpc_targets=network), vpc_id=DCS_VPC)
        assert exposed.data["health"]["status"] == "ONLINE"


class TestStep3:
    def test_obtain_local_vpc_cidr_block_and_peer_vpc_cidr_block(self, exposed: Exposed) -> None:
        """Both are read from the two VPCs and stand in the plan."""
        assert exposed.routes("vpc-elb").keys() == {"192.168.0.0/16"}
        assert exposed.routes("vpc-dcs").keys() == {"10.0.0.0/16"}
        reads = [call.path for call in exposed.product.emulator.calls if call.method == "GET"]
        assert any(path.endswith("/vpc/vpcs") for path in reads)


class TestStep4:
    def test_a_go_to_the_route_tables_page(self) -> None:
        """The tables are those of the two subnets concerned: a custom one, where a subnet has one."""
        custom = {"name": "custom", "vpc_id": "vpc-dcs", "subnet_ids": ["subnet-dcs"]}
        exposed = Exposed(world(vpc={"route_tables": [custom]}))
        tables = exposed.product.emulator.world().vpc.route_tables.values()
        changed = {one.name for one in tables if any(route.type == "peering" for route in one.routes)}
        assert changed == {"custom", "rtb-vpc-elb"}

    def test_b_local_route_destination_is_the_peer_vpc_cidr_block(self, exposed: Exposed) -> None:
        """Next Hop Type: VPC peering connection. Next Hop: the VPC peering connection created."""
        (peering,) = exposed.product.cloud.vpc.peerings()
        assert exposed.routes("vpc-elb") == {"192.168.0.0/16": ("peering", peering.id)}

    def test_c_peer_route_destination_is_the_local_vpc_cidr_block(self, exposed: Exposed) -> None:
        """Next Hop Type: VPC peering connection. Next Hop: the VPC peering connection created."""
        (peering,) = exposed.product.cloud.vpc.peerings()
        assert exposed.routes("vpc-dcs") == {"10.0.0.0/16": ("peering", peering.id)}

    def test_note_in_the_same_vpc_you_do_not_need_to_add_a_peer_route(self, same_vpc: Exposed) -> None:
        (peering,) = same_vpc.product.cloud.vpc.peerings()
        assert same_vpc.routes("vpc-dcs") == {"10.0.0.0/16": ("peering", peering.id)}
        assert same_vpc.routes("vpc-elb") == {}


class TestStep5:
    def test_perform_a_health_check_on_the_ip_address_of_the_dcs_instance(self, exposed: Exposed) -> None:
        """If the health check result is `Healthy`, the added cross-VPC backend IP address can be used."""
        assert exposed.monitor.type == "TCP"
        assert exposed.member.operating_status == "ONLINE"
        assert exposed.data["health"] == {"status": "ONLINE", "reason_code": None}
        assert exposed.frontend.backends[0].reachable

    def test_if_the_result_is_not_healthy_the_address_cannot_be_used_and_no_completion_is_told(self) -> None:
        plane = ModelledDataPlane()
        product = Product(data_plane=plane)
        plane.instance_stopped(product.instance_id)
        output = product.expose()
        assert output["outcome"] == "failed"
        assert output["event"]["data"]["error"]["code"] == "Unhealthy"
        assert output["event"]["data"]["endpoint"] is None

    def test_a_choose_elastic_load_balance_load_balancers(self, exposed: Exposed) -> None:
        """The load balancer is among the project's, by the id that the event tells."""
        assert exposed.of("load_balancer")["id"] == exposed.balancer.id

    def test_b_click_the_name_of_the_created_elastic_load_balancer(self, exposed: Exposed) -> None:
        """Its name follows from the exposure, so that a person finds it in the console."""
        assert exposed.balancer.name == f"dcs-access-{exposed.output['event']['subject']}"
        assert exposed.listener.name == f"{exposed.balancer.name}@{exposed.balancer.public_ips[0].address}"
        assert exposed.pool.name == exposed.balancer.name

    def test_c_view_the_health_check_result_of_the_dcs_instance_ip_address(self, exposed: Exposed) -> None:
        """On the tab page IP as Backend Servers: the status tree shows what the event told."""
        tree = exposed.product.cloud.elb.status_tree(exposed.balancer.id)
        (member,) = [one for listener in tree.listeners for pool in listener.pools for one in pool.members]
        assert (member.address, member.operating_status) == ("192.168.0.10", exposed.data["health"]["status"])


class TestConnectingToANodeInARedisCluster:
    def test_a_view_the_basic_information_of_the_load_balancer(self) -> None:
        exposed = Exposed(world(CLUSTER), node=node_of("master"))
        assert exposed.of("load_balancer")["id"] == exposed.balancer.id
        assert exposed.data["instance"]["node"] == node_of("master")

    def test_b_create_an_ecs_and_install_the_redis_client(self) -> None:
        """Any client in the allow-list will do: nothing else is made for it, and nobody else gets in."""
        exposed = Exposed(world(CLUSTER), node=node_of("master"), allow=["203.0.113.0/24"])
        assert exposed.frontend.admission.admits("203.0.113.9")
        assert not exposed.frontend.admission.admits("198.51.100.9")

    def test_c_if_you_use_the_eip_and_port_number_of_the_load_balancer_an_error_will_be_reported(self) -> None:
        """The error is MOVED, for keys of other nodes: the event warns of it, and one node is behind the port."""
        exposed = Exposed(world(CLUSTER), node=node_of("master"))
        (finding,) = [one for one in exposed.data["findings"] if one["code"] == "SingleNode"]
        assert "MOVED" in finding["message"]
        assert [f"{one.ip}:{one.port}" for one in exposed.frontend.backends] == [node_of("master")]


class TestConnectingToASingleNodeMasterStandbyReadWriteSplittingOrProxyClusterInstance:
    def test_a_view_the_ipv4_eip_and_port_number_of_the_load_balancer(self, exposed: Exposed) -> None:
        (eip,) = exposed.balancer.public_ips
        assert exposed.data["endpoint"] == {"address": eip.address, "port": exposed.listener.protocol_port}

    def test_b_create_an_ecs_and_install_the_redis_client(self, exposed: Exposed) -> None:
        """Any client in the allow-list will do: it is admitted, and nobody else."""
        assert exposed.frontend.admission.admits("203.0.113.9")
        assert not exposed.frontend.admission.admits("198.51.100.9")

    def test_c_access_the_load_balancer_using_its_eip_and_port_number_which_is_80(self, exposed: Exposed) -> None:
        assert exposed.data["endpoint"]["port"] == exposed.frontend.port == 80
        assert exposed.data["endpoint"]["address"] == exposed.frontend.address

    def test_d_write_a_key_through_elb(self, exposed: Exposed) -> None:
        """Whoever connects to the endpoint gets to the instance; keys are written by the test of the demo."""
        assert [(one.vpc_id, one.ip, one.port, one.reachable) for one in exposed.frontend.backends] == [
            (exposed.product.vpc_id("vpc-dcs"), "192.168.0.10", 6379, True)
        ]

    def test_e_check_whether_the_key_exists_on_the_dcs_instance(self, exposed: Exposed) -> None:
        """The instance behind the endpoint is the one that was asked for; keys are read by the test of the demo."""
        assert exposed.data["instance"] == {"id": exposed.product.instance_id, "name": "redis-demo", "node": None}
        assert exposed.member.address == exposed.product.cloud.dcs.instance(exposed.product.instance_id).ip
