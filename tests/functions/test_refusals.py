"""What is unsafe or hopeless is refused before anything is created: code, field, event, and no mutating call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator import Emulator, Fault, World
from emulator.elb.models import Listener
from shared.errors import TEMPORARY, ErrorCode, PermanentError
from shared.settings import Settings
from tests.support.product import Product
from tests.support.worlds import world

CLUSTER = {"redis-demo": {"cache_mode": "cluster", "ip": "", "shards": 2}}
DCS_VPC = {"vpc_id": "vpc-dcs"}
NO_ENTRY = {"group_name": "office", "ip_list": ["192.168.0.77"]}


def whitelist(*groups: Mapping[str, Any]) -> dict[str, Any]:
    return {"redis-demo": {"whitelist": {"enable_whitelist": True, "whitelist": list(groups)}}}


def groups(count: int) -> list[dict[str, Any]]:
    return [{**NO_ENTRY, "group_name": f"group-{number}"} for number in range(count)]


def route(vpc: str, destination: str, nexthop: str = "some-server", type_: str = "ecs") -> dict[str, Any]:
    entry = {"type": type_, "destination": destination, "nexthop": nexthop}
    return {"route_tables": [{"name": "main", "vpc_id": vpc, "default": True, "routes": [entry]}]}


def full_table(vpc: str) -> dict[str, Any]:
    entries = [{"type": "ecs", "destination": f"100.70.{n}.0/24", "nexthop": "server"} for n in range(200)]
    return {"route_tables": [{"name": "main", "vpc_id": vpc, "default": True, "routes": entries}]}


def zones(*codes: str) -> dict[str, Any]:
    return {"zone_sets": [[{"code": code}] for code in codes]}


@dataclass(frozen=True)
class Case:
    """What is asked of which world after which preparation; ids are given by name."""

    code: str
    field: str | None
    request: Mapping[str, Any] = field(default_factory=dict)
    world: World = field(default_factory=World.small)
    settings: Settings = field(default_factory=Settings)
    prepare: Callable[[Product], object] = lambda _product: None


def spent(service: str, quota: str) -> Case:
    return Case("QuotaExceeded", None, world=world(**{service: {"quotas": {quota: 0}}}))


def sold_out() -> World:
    flavors = world().elb.flavors.values()
    gone = [{"name": one.name, "type": one.type, "sold_out": one.type == "L4"} for one in flavors]
    return world(elb={"flavors": gone})


def foreign_listener(emulator: Emulator, protocol: str = "TCP") -> None:
    """Somebody closes our port on our load balancer and opens it for something else."""
    with emulator.change() as account:
        (balancer,) = account.world.elb.loadbalancers.values()
        for table in ("members", "healthmonitors", "listeners", "pools"):
            getattr(account.world.elb, table).clear()
        fields = {"loadbalancer_id": balancer.id, "protocol": protocol, "protocol_port": 80, "name": "theirs"}
        account.add(account.world.elb.listeners, Listener, "elb", balancer.project_id, **fields)


def exposed_and_port_taken(product: Product) -> None:
    product.expose()
    foreign_listener(product.emulator)


def withdrawn_beside_a_foreign_listener(product: Product) -> None:
    """The load balancer is kept and the record is gone."""
    product.expose(subnet_id=by_name(product, "subnet-elb"))
    foreign_listener(product.emulator, "UDP")
    product.withdraw()


def exposed_in_one_vpc(product: Product) -> None:
    product.expose(vpc_id=product.vpc_id("vpc-dcs"), helper_vpc_id=product.vpc_id("vpc-elb"))


THIRD = {"vpcs": [{"name": "vpc-third", "cidr": "172.20.0.0/16"}]}
OTHERS = {"vpcs": [*THIRD["vpcs"], {"name": "vpc-fourth", "cidr": "172.21.0.0/16"}]}
TINY = {"subnets": [{"name": "tiny", "vpc_id": "vpc-elb", "cidr": "10.0.9.0/28"}]}
SECOND = {"subnets": [{"name": "second", "vpc_id": "vpc-elb", "cidr": "10.0.1.0/24"}]}
ELB_IN_172 = {"vpc-elb": {"cidr": "172.31.0.0/16"}, "subnet-elb": {"cidr": "172.31.1.0/24"}}
DCS_IN_172 = {
    "vpc-dcs": {"cidr": "172.16.0.0/16"},
    "subnet-dcs": {"cidr": "172.16.0.0/24"},
    "redis-demo": {"ip": "172.16.0.10"},
    "vpc-elb": {"cidr": "192.168.0.0/16"},
    "subnet-elb": {"cidr": "192.168.2.0/24"},
}
FACING = {"vpc-elb": {"cidr": "192.168.0.0/16"}, "subnet-elb": {"cidr": "192.168.7.0/24"}}
IN_THE_WAY = [{"name": "hidden", "vpc_id": "vpc-elb", "cidr": "192.168.0.0/25"}]

CASES = {
    # The request.
    "password-free instance": Case("PasswordFree", "accept", world=world({"redis-demo": {"password": None}})),
    "the world unaccepted": Case("OpenWorld", "allow", {"allow": ["0.0.0.0/0"]}),
    "the world among others": Case("OpenWorld", "allow", {"allow": ["198.51.100.0/24", "0.0.0.0/0"]}),
    "the world but for a little": Case("OpenWorld", "allow", {"allow": ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"]}),
    "every other network": Case("OpenWorld", "allow", {"allow": [f"{first}.0.0.0/8" for first in range(0, 256, 2)]}),
    "the world in two halves": Case("OpenWorld", "allow", {"allow": ["0.0.0.0/1", "128.0.0.0/1"]}),
    "production unacknowledged": Case("ProductionUnacknowledged", "accept", {"accept": []}),
    "expired already": Case("InvalidRequest", "expires_at", {"expires_at": "2020-01-01T00:00:00Z"}),
    "another project": Case("ForeignProject", "project_id", {"project_id": "somebody-elses"}),
    "unknown instance": Case(
        "InstanceNotFound", "instance_id", {"instance_id": "5f0d0000-0000-4000-8000-0000000000c2"}
    ),
    "instance id of no form": Case("InstanceNotFound", "instance_id", {"instance_id": "no-such-thing"}),
    # The instance.
    "Redis 3.0": Case("VersionUnsupported", "instance_id", world=world({"redis-demo": {"engine_version": "3.0"}})),
    "not Redis": Case("NotRedis", "instance_id", world=world({"redis-demo": {"engine": "Memcached"}})),
    "creation failed": Case("InstanceFailed", "instance_id", world=world({"redis-demo": {"status": "CREATEFAILED"}})),
    "in error": Case("InstanceFailed", "instance_id", world=world({"redis-demo": {"status": "ERROR"}})),
    "cluster as a whole": Case("NodeRequired", "node", world=world(CLUSTER)),
    "no such node": Case("NodeNotFound", "node", {"node": "192.168.0.99:6379"}, world(CLUSTER)),
    "node at another port": Case("NodeNotFound", "node", {"node": "192.168.0.2:6380"}, world(CLUSTER)),
    "node of no cluster": Case("NodeRefused", "node", {"node": "192.168.0.10:6379"}),
    # The networks.
    "overlapping subnets": Case(
        "SubnetsOverlap", "vpc_id", world=world({**FACING, "subnet-elb": {"cidr": "192.168.0.0/24"}})
    ),
    "another subnet of the load balancer's VPC overlaps": Case(
        "SubnetsOverlap", "vpc_id", {"subnet_id": "subnet-elb"}, world(FACING, vpc={"subnets": IN_THE_WAY})
    ),
    "clients in 172.31.1.0/24": Case("ClientRangeForbidden", "subnet_id", world=world(ELB_IN_172)),
    "clients in 192.168.2.0/24": Case("ClientRangeForbidden", "subnet_id", world=world(DCS_IN_172)),
    "local route in the way": Case("RouteInTheWay", "vpc_id", world=world(vpc=route("vpc-elb", "192.168.0.0/24"))),
    "local route with the same destination": Case(
        "RouteInTheWay", "vpc_id", world=world(vpc=route("vpc-elb", "192.168.0.0/16"))
    ),
    "peer route in the way": Case("RouteInTheWay", "vpc_id", world=world(vpc=route("vpc-dcs", "10.0.0.0/20"))),
    "peer route for a part of the subnet": Case(
        "RouteInTheWay", "vpc_id", world=world(vpc=route("vpc-dcs", "10.0.0.128/25"))
    ),
    "route over another peering": Case(
        "RouteInTheWay",
        "vpc_id",
        world=world(
            vpc={
                **THIRD,
                "peerings": [{"name": "other", "request_vpc_id": "vpc-elb", "accept_vpc_id": "vpc-third"}],
                **route("vpc-elb", "192.168.0.0/16", "other", "peering"),
            }
        ),
    ),
    "local table full": Case("QuotaExceeded", "vpc_id", world=world(vpc=full_table("vpc-elb"))),
    "peer table full": Case("QuotaExceeded", "vpc_id", world=world(vpc=full_table("vpc-dcs"))),
    "fewer than 16 free addresses": Case("TooFewAddresses", "subnet_id", {"subnet_id": "tiny"}, world(vpc=TINY)),
    "unknown VPC": Case("NetworkNotFound", "vpc_id", {"vpc_id": "no-such-vpc"}),
    "unknown VPC in the settings": Case(
        "NetworkNotFound", "vpc_id", {"vpc_id": None}, settings=Settings(vpc_id="00000000-0000-4000-8000-000000000000")
    ),
    "unknown subnet": Case("NetworkNotFound", "subnet_id", {"subnet_id": "no-such-subnet"}),
    "subnet of another VPC": Case("NetworkNotFound", "subnet_id", {"subnet_id": "subnet-dcs"}),
    "VPC without a subnet": Case("NetworkNotFound", "subnet_id", {"vpc_id": "vpc-third"}, world(vpc=THIRD)),
    "no helper VPC": Case(
        "HelperVpcRequired",
        "helper_vpc_id",
        DCS_VPC,
        world({"vpc-elb": {"cidr": "192.168.0.0/16"}, "subnet-elb": {"cidr": "192.168.9.0/24"}}),
    ),
    "several helper VPCs": Case("HelperVpcRequired", "helper_vpc_id", DCS_VPC, world(vpc=OTHERS)),
    "helper VPC that overlaps": Case(
        "HelperVpcRequired",
        "helper_vpc_id",
        {**DCS_VPC, "helper_vpc_id": "vpc-twin"},
        world(vpc={"vpcs": [{"name": "vpc-twin", "cidr": "192.168.0.0/20"}]}),
    ),
    "helper VPC that is the same": Case("HelperVpcRequired", "helper_vpc_id", {**DCS_VPC, "helper_vpc_id": "vpc-dcs"}),
    # What there is room for.
    "whitelist with 4 groups": Case("WhitelistFull", "instance_id", world=world(whitelist(*groups(4)))),
    "whitelist with 20 entries": Case(
        "WhitelistFull",
        "instance_id",
        world=world(whitelist({"group_name": "many", "ip_list": [f"192.168.1.{n}" for n in range(20)]})),
    ),
    **{
        f"quota of {quota} used up": spent("elb", quota)
        for quota in ("loadbalancer", "listener", "pool", "member", "healthmonitor", "ipgroup")
    },
    "quota of publicIp used up": spent("vpc", "publicIp"),
    "quota of vpcPeer used up": spent("vpc", "vpcPeer"),
    "zones of two sets": Case(
        "NoCapacity",
        "availability_zones",
        {"availability_zones": ["eu-de-01", "eu-de-02"]},
        world(elb=zones("eu-de-01", "eu-de-02")),
    ),
    "unknown zone": Case("NoCapacity", "availability_zones", {"availability_zones": ["eu-de-09"]}),
    "no zone for network load balancing": Case(
        "NoCapacity", "availability_zones", world=world(elb={"zone_sets": [[{"code": "eu-de-01", "protocol": ["L7"]}]]})
    ),
    "flavors sold out": Case("NoCapacity", "flavor", world=sold_out()),
    "unknown flavor": Case("NoCapacity", "flavor", {"flavor": "L4_flavor.elb.s9"}),
    "flavor for HTTP only": Case("NoCapacity", "flavor", {"flavor": "L7_flavor.elb.s1.small"}),
    # What is there already.
    "port taken": Case("PortTaken", "port", prepare=exposed_and_port_taken),
    "other port": Case("ExposureDiffers", "port", {"port": 6380}, prepare=Product.expose),
    "other VPC": Case("ExposureDiffers", "vpc_id", DCS_VPC, prepare=Product.expose),
    "other subnet": Case(
        "ExposureDiffers",
        "subnet_id",
        {"subnet_id": "second"},
        world(vpc=SECOND),
        prepare=lambda product: product.expose(subnet_id=by_name(product, "subnet-elb")),
    ),
    "other VPC than that of a kept load balancer": Case(
        "ExposureDiffers", "vpc_id", DCS_VPC, prepare=withdrawn_beside_a_foreign_listener
    ),
    "other subnet than that of a kept load balancer": Case(
        "ExposureDiffers",
        "subnet_id",
        {"subnet_id": "second"},
        world(vpc=SECOND),
        prepare=withdrawn_beside_a_foreign_listener,
    ),
    "other flavor": Case("ExposureDiffers", "flavor", {"flavor": "L4_flavor.elb.s2.medium"}, prepare=Product.expose),
    "other way in the same VPC": Case(
        "ExposureDiffers", "same_vpc", {**DCS_VPC, "same_vpc": "direct"}, prepare=exposed_in_one_vpc
    ),
    "other helper VPC": Case(
        "ExposureDiffers",
        "helper_vpc_id",
        {**DCS_VPC, "helper_vpc_id": "vpc-third"},
        world(vpc=THIRD),
        prepare=exposed_in_one_vpc,
    ),
}


def by_name(product: Product, value: Any) -> Any:
    """The id of the VPC or subnet with this name; anything else stays."""
    state = product.emulator.world().vpc
    named = {item.name: item.id for item in (*state.vpcs.values(), *state.subnets.values())}
    return named.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_with_a_code_and_the_field_before_anything_is_created(name: str) -> None:
    case = CASES[name]
    product = Product(case.world, settings=case.settings)
    case.prepare(product)
    product.emulator.calls.clear()
    product.sink.events.clear()
    before = product.account()
    fields = {key: by_name(product, value) for key, value in {**product.request(), **case.request}.items()}
    output = product.run({key: value for key, value in fields.items() if value is not None}).output

    assert output["outcome"] == "rejected"
    (event,) = product.sink.events
    assert event["type"] == "dcs-public-access.exposure.rejected"
    error = event["data"]["error"]
    assert (error["code"], error["field"]) == (case.code, case.field)
    assert error["message"]
    assert error["advice"]
    assert error["code"] not in TEMPORARY
    assert event["data"]["endpoint"] is None
    assert event["data"]["resources"] == []
    assert product.emulator.calls.mutating() == []
    assert product.account() == before


ACCEPTED = {
    "password-free instance": {"accept": ["production", "no_password"]},
    "the world unaccepted": {"accept": ["production", "open_world"]},
    "the world in two halves": {"accept": ["production", "open_world"]},
    "every other network": {"accept": ["production", "open_world"]},
    "production unacknowledged": {"accept": ["production"]},
    "several helper VPCs": {"helper_vpc_id": "vpc-fourth"},
    "no helper VPC": {"same_vpc": "direct"},
    "cluster as a whole": {"node": "192.168.0.2:6379"},
    "fewer than 16 free addresses": {"subnet_id": "subnet-elb"},
    "unknown flavor": {"flavor": "L4_flavor.elb.s1.medium"},
    "zones of two sets": {"availability_zones": ["eu-de-02"]},
    "other port": {"port": 80},
    "expired already": {"expires_at": "2030-01-01T00:00:00Z"},
    "other VPC than that of a kept load balancer": {"vpc_id": "vpc-elb"},
    "other subnet than that of a kept load balancer": {"subnet_id": "subnet-elb"},
    "other way in the same VPC": {"same_vpc": "documented"},
    "other flavor": {"flavor": "L4_flavor.elb.s1.small"},
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_remedy_that_the_refusal_names_helps(name: str) -> None:
    case = CASES[name]
    product = Product(case.world, settings=case.settings)
    case.prepare(product)
    fields = {**product.request(), **case.request, **ACCEPTED[name]}
    output = product.run({key: by_name(product, value) for key, value in fields.items()}).output
    assert output["outcome"] == "completed"


def test_a_udp_listener_does_not_take_a_tcp_port() -> None:
    product = Product()
    product.expose()
    foreign_listener(product.emulator, "UDP")
    assert product.expose()["outcome"] == "completed"


def test_an_instance_is_called_unknown_only_if_the_cloud_says_so() -> None:
    product = Product()
    body = {"error_code": "DCS.4002", "error_msg": "Invalid project."}
    product.emulator.faults.add(Fault(method="GET", path="*/instances/*", status=400, body=body))
    error = product.expose()["event"]["data"]["error"]
    assert error["code"] == "Refused"
    assert "DCS.4002: Invalid project." in error["message"]


def test_a_quota_of_minus_one_is_unlimited() -> None:
    unlimited = world(elb={"quotas": {"loadbalancer": -1, "listener": -1}}, vpc={"quotas": {"publicIp": -1}})
    assert Product(unlimited).expose()["outcome"] == "completed"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"allow": ["203.0.113.0/33"]}, "allow.0"),
        ({"allow": []}, "allow"),
        ({"allow": None}, "allow"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"port": "80"}, "port"),
        ({"instance_id": 7}, "instance_id"),
        ({"action": "destroy"}, "action"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_malformed_request_does_not_even_reach_the_cloud(changes: dict[str, Any], field: str) -> None:
    product = Product()
    product.emulator.calls.clear()
    with pytest.raises(PermanentError) as refused:
        product.run({key: value for key, value in (product.request() | changes).items() if value is not None})
    assert refused.value.code is ErrorCode.INVALID_REQUEST
    assert refused.value.data.field == field
    assert refused.value.data.advice
    assert product.emulator.calls.mutating() == []


@pytest.mark.parametrize(
    ("status", "code"), [(401, "Unauthorized"), (403, "Forbidden")], ids=["expired token", "missing permission"]
)
def test_credentials_that_do_not_do_are_told_and_nothing_is_changed(status: int, code: str) -> None:
    product = Product()
    before = product.account()
    product.emulator.faults.add(Fault(method="GET", path="/v2/*", status=status, times=None))
    output = product.expose()
    assert output["outcome"] == "rejected"
    error = output["event"]["data"]["error"]
    assert error["code"] == code
    assert error["advice"]
    assert product.emulator.calls.mutating() == []
    assert product.account() == before


def test_a_cloud_that_does_not_answer_is_given_up_and_nothing_is_changed() -> None:
    product = Product()
    before, request = product.account(), product.request()
    product.emulator.faults.add(Fault(lost=True, times=None))
    output = product.run(request).output
    assert output["outcome"] == "rejected"
    assert output["event"]["data"]["error"]["code"] == "NoAnswer"
    assert product.account() == before
