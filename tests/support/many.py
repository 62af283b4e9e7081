"""Worlds with any number of exposures, put down as they would stand after as many runs."""

from __future__ import annotations

from typing import Any

from emulator import World
from shared.ids import allow_digest, exposure_id, resource_name
from shared.record import Mark, Mode, Record
from shared.resources.backend import pool_description
from shared.resources.ownership import TAG, listener_name

RUN = "0c5f5ad3-5a1f-4a52-8f0b-0a3d7e3f6a01"
ALLOW = ("203.0.113.0/24",)
NETWORKS = {
    "vpcs": [
        {"name": "vpc-elb", "cidr": "10.0.0.0/8"},
        {"name": "vpc-dcs", "cidr": "192.168.0.0/16"},
    ],
    "subnets": [
        {"name": "subnet-elb", "vpc_id": "vpc-elb", "cidr": "10.0.0.0/12"},
        {"name": "subnet-dcs", "vpc_id": "vpc-dcs", "cidr": "192.168.0.0/17"},
    ],
    "peerings": [{"name": "theirs", "request_vpc_id": "vpc-elb", "accept_vpc_id": "vpc-dcs"}],
}
_QUOTAS = ("loadbalancer", "listener", "pool", "member", "ipgroup")


def exposed(count: int) -> World:
    """A world of so many instances in one VPC, all exposed from another one over one peering."""
    instances = [
        {"name": f"redis-{number}", "subnet_id": "subnet-dcs", "cache_mode": "single", "password": "Secret-1"}
        for number in range(count)
    ]
    quotas = {"instance": -1}
    bare = World.model_validate({"vpc": NETWORKS, "dcs": {"instances": instances, "quotas": quotas}})
    return World.model_validate(_exposures(bare))


def _exposures(bare: World) -> dict[str, Any]:
    vpcs = {vpc.name: vpc for vpc in bare.vpc.vpcs.values()}
    subnets = {subnet.name: subnet for subnet in bare.vpc.subnets.values()}
    (peering,) = bare.vpc.peerings
    data = bare.model_dump(mode="json")
    for table in data["vpc"]["route_tables"]:
        far = vpcs["vpc-dcs" if table["vpc_id"] == vpcs["vpc-elb"].id else "vpc-elb"]
        table["routes"] = [{"destination": far.cidr, "nexthop": peering}]
    project = next(iter(bare.iam.projects))
    tables: dict[str, list[dict[str, Any]]] = {}
    eips: dict[str, list[dict[str, Any]]] = {"bandwidths": [], "publicips": []}
    for number, instance in enumerate(bare.dcs.instances.values()):
        exposure = exposure_id(project, instance.id)
        record = Record(
            exposure=exposure,
            run=RUN,
            instance=instance.id,
            node=None,
            port=80,
            vpc=vpcs["vpc-elb"].id,
            subnet=subnets["subnet-elb"].id,
            peer_vpc=vpcs["vpc-dcs"].id,
            mode=Mode.CROSS_VPC,
            allow=allow_digest(ALLOW),
            bandwidth=5,
        )
        public = f"80.158.{number // 250}.{number % 250 + 1}"
        _add(tables, record, public, f"{instance.ip}", instance.port)
        name = resource_name(exposure)
        eips["bandwidths"].append({"name": name, "id": f"bandwidth-{number}", "size": 5})
        eips["publicips"].append(
            {
                "id": f"eip-{number}",
                "address": public,
                "bandwidth_id": f"bandwidth-{number}",
                "bound_to": "ELB",
                "instance_id": f"lb-{name}",
            }
        )
    return {**data, "eip": eips, "elb": {**tables, "quotas": dict.fromkeys(_QUOTAS, -1)}}


def _add(tables: dict[str, list[dict[str, Any]]], record: Record, public: str, address: str, port: int) -> None:
    name, mark = resource_name(record.exposure), Mark(record.exposure, record.run)
    made = {
        "loadbalancers": {
            "id": f"lb-{name}",
            "description": mark.text(),
            "vpc_id": record.vpc,
            "elb_virsubnet_ids": [record.subnet],
            "vip_subnet_cidr_id": record.subnet,
            "ip_target_enable": True,
            "tags": {TAG: record.exposure, f"{TAG}-instance": record.instance},
        },
        "ipgroups": {"id": f"group-{name}", "description": record.text(), "ip_list": [{"ip": one} for one in ALLOW]},
        "listeners": {
            "name": listener_name(name, public),
            "loadbalancer_id": f"lb-{name}",
            "protocol_port": record.port,
            "description": record.text(),
            "default_pool_id": f"pool-{name}",
            "ipgroup": {"ipgroup_id": f"group-{name}"},
        },
        "pools": {
            "id": f"pool-{name}",
            "loadbalancer_id": f"lb-{name}",
            "description": pool_description(mark, ALLOW),
        },
        "members": {"pool_id": f"pool-{name}", "address": address, "protocol_port": port},
        "healthmonitors": {"pool_id": f"pool-{name}"},
    }
    for kind, fields in made.items():
        tables.setdefault(kind, []).append({"name": name, **fields})
