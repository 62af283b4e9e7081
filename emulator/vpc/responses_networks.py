"""VPCs, subnets, quotas and IP usage on the wire: v1, v3 and v2.0."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from emulator.account import Account
from emulator.core.fields import in_enterprise_project
from emulator.core.message import Answer, no_content, ok
from emulator.core.paging import MarkerQuery, page_info, page_of
from emulator.core.problems import refusing
from emulator.core.resources import Strict, owned, seen
from emulator.core.text import Address, AddressIfAny, Cidr, Description, EnterpriseProject, Name64
from emulator.core.times import with_z, without_z
from emulator.vpc.errors import (
    Vpc3Errors,
    VpcErrors,
    neutron,
    subnet_not_found,
    v1,
    v3,
    vpc_not_found,
)
from emulator.vpc.models import Subnet, Vpc

ERRORS = VpcErrors()
ERRORS3 = Vpc3Errors()
MAX_NTP = 4


def _servers(value: str) -> str:
    servers = [str(IPv4Address(server)) for server in value.split(",")]
    if len(set(servers)) != len(servers) or len(servers) > MAX_NTP:
        raise ValueError(f"at most {MAX_NTP}, each once")
    return ",".join(servers)


class VpcFields(Strict):
    """What a new VPC is to be."""

    name: Name64 = "vpc"
    cidr: Cidr = "192.168.0.0/16"
    description: Description = ""
    enterprise_project_id: EnterpriseProject | None = None


class VpcBody(Strict):
    """The body of creating a VPC."""

    vpc: VpcFields


class VpcChange(Strict):
    """What may change in a VPC."""

    name: Name64 | None = None
    cidr: Cidr | None = None
    description: Description | None = None
    enable_shared_snat: bool | None = None


class VpcChangeBody(Strict):
    """The body of updating a VPC."""

    vpc: VpcChange


class VpcQuery(MarkerQuery):
    """Filters of the v1 list."""

    id: str | None = None
    enterprise_project_id: str | None = None


class Vpc3Query(MarkerQuery):
    """Filters of the v3 list; repeated keys mean or."""

    id: list[str] = []
    name: list[str] = []
    description: list[str] = []
    cidr: list[str] = []
    enterprise_project_id: list[str] = []


class ExtendFields(Strict):
    """Secondary ranges."""

    extend_cidrs: list[Cidr] = Field(min_length=1)


class ExtendBody(Strict):
    """The body of adding or removing secondary ranges."""

    vpc: ExtendFields


class DhcpOption(Strict):
    """An option that DHCP tells: up to four NTP servers, separated by commas; null is none."""

    opt_name: Literal["ntp"]
    opt_value: Annotated[str, AfterValidator(_servers)] | None = None


class SubnetOptions(Strict):
    """What a new subnet and a changed one may have; `dnsList` is all name servers, and goes before the two."""

    description: Description | None = None
    dhcp_enable: bool | None = None
    primary_dns: AddressIfAny | None = None
    secondary_dns: AddressIfAny | None = None
    dns_list: list[Address] | None = Field(default=None, alias="dnsList")
    extra_dhcp_opts: list[DhcpOption] | None = Field(default=None, max_length=1)

    def apply(self, subnet: Subnet) -> None:
        """Give a subnet what was sent."""
        subnet.description = subnet.description if self.description is None else self.description
        subnet.dhcp_enable = subnet.dhcp_enable if self.dhcp_enable is None else self.dhcp_enable
        pairs = ((self.primary_dns, subnet.primary_dns), (self.secondary_dns, subnet.secondary_dns))
        two = [old if new is None else new for new, old in pairs]
        subnet.use_dns([*two, *subnet.further_dns] if self.dns_list is None else self.dns_list)
        for option in self.extra_dhcp_opts or ():
            subnet.ntp = option.opt_value


class SubnetFields(SubnetOptions):
    """What a new subnet is to be."""

    name: Name64
    cidr: Cidr
    gateway_ip: Address
    vpc_id: str
    availability_zone: str = ""
    ipv6_enable: Literal[False] = False


class SubnetBody(Strict):
    """The body of creating a subnet."""

    subnet: SubnetFields


class SubnetChange(SubnetOptions):
    """What may change in a subnet."""

    name: Name64


class SubnetChangeBody(Strict):
    """The body of updating a subnet."""

    subnet: SubnetChange


class SubnetQuery(MarkerQuery):
    """Filters of the list of subnets."""

    vpc_id: str | None = None


class QuotaQuery(Strict):
    """Which quota."""

    type: str | None = None


def create_vpc(account: Account, project_id: str, body: VpcBody) -> Answer:
    """VPC API: creating a VPC; answers 200."""
    fields = body.vpc
    with refusing(v1):
        vpc = account.vpc.create_vpc(project_id, fields.name, fields.cidr, fields.description)
    return ok({"vpc": {**_vpc(vpc), "status": "CREATING"}})


def list_vpcs(account: Account, project_id: str, query: VpcQuery) -> Answer:
    """VPC API: querying VPCs."""
    found = [
        vpc
        for vpc in owned(account.vpc.state.vpcs, project_id)
        if query.id in (None, vpc.id) and in_enterprise_project(query.enterprise_project_id)
    ]
    page = page_of(seen(found, account.now()), query, ERRORS)
    return ok({"vpcs": [_vpc(vpc) for vpc in page]})


def show_vpc(account: Account, project_id: str, vpc_id: str) -> Answer:
    """VPC API: querying VPC details."""
    return ok({"vpc": _vpc(_read_vpc(account, project_id, vpc_id))})


def update_vpc(account: Account, project_id: str, vpc_id: str, body: VpcChangeBody) -> Answer:
    """VPC API: updating a VPC."""
    vpc = _find_vpc(account, project_id, vpc_id)
    with refusing(v1):
        changed = account.vpc.update_vpc(vpc, **body.vpc.model_dump(exclude_none=True))
    return ok({"vpc": _vpc(changed)})


def delete_vpc(account: Account, project_id: str, vpc_id: str) -> Answer:
    """VPC API: deleting a VPC."""
    with refusing(v1):
        account.vpc.delete_vpc(_find_vpc(account, project_id, vpc_id))
    return no_content()


def list_vpcs_v3(account: Account, project_id: str, query: Vpc3Query) -> Answer:
    """VPC API v3: querying VPCs."""
    wanted = query.model_dump(exclude={"limit", "marker"})
    found = [
        vpc
        for vpc in owned(account.vpc.state.vpcs, project_id)
        if all(not values or getattr(vpc, name) in values for name, values in wanted.items())
    ]
    found = seen(found, account.now())
    page = page_of(found, query, ERRORS3)
    return ok({"vpcs": [_vpc3(account, vpc) for vpc in page], "page_info": page_info(found, page)})


def show_vpc_v3(account: Account, project_id: str, vpc_id: str) -> Answer:
    """VPC API v3: querying the details of a VPC."""
    visible = seen([_find_vpc3(account, project_id, vpc_id)], account.now())
    if not visible:
        raise _missing3(vpc_id)
    return ok({"vpc": _vpc3(account, visible[0])})


def add_secondary(account: Account, project_id: str, vpc_id: str, body: ExtendBody) -> Answer:
    """VPC API v3: adding a secondary CIDR block to a VPC.

    Assumed: the ranges that cannot be one are those of the manual; the API's own list has 10.0.0.0/8 and all
    of 172.16.0.0/12, too.
    """
    vpc = _find_vpc3(account, project_id, vpc_id)
    with refusing(v3):
        account.vpc.extend_vpc(vpc, body.vpc.extend_cidrs)
    return ok({"vpc": _vpc3(account, vpc)})


def remove_secondary(account: Account, project_id: str, vpc_id: str, body: ExtendBody) -> Answer:
    """VPC API v3: removing a secondary CIDR block from a VPC."""
    vpc = _find_vpc3(account, project_id, vpc_id)
    with refusing(v3):
        account.vpc.shorten_vpc(vpc, body.vpc.extend_cidrs)
    return ok({"vpc": _vpc3(account, vpc)})


def create_subnet(account: Account, project_id: str, body: SubnetBody) -> Answer:
    """VPC API: creating a subnet; answers 200, and UNKNOWN until it is looked at."""
    fields = body.subnet
    vpc = _find_vpc(account, project_id, fields.vpc_id)
    place = fields.model_dump(include={"name", "cidr", "gateway_ip", "availability_zone"})
    with refusing(v1):
        subnet = account.vpc.create_subnet(vpc, **place, primary_dns="", secondary_dns="")
    fields.apply(subnet)
    return ok({"subnet": {**_subnet(subnet), "status": "UNKNOWN"}})


def list_subnets(account: Account, project_id: str, query: SubnetQuery) -> Answer:
    """VPC API: querying subnets."""
    mine = owned(account.vpc.state.subnets, project_id)
    found = [subnet for subnet in mine if query.vpc_id in (None, subnet.vpc_id)]
    page = page_of(seen(found, account.now()), query, ERRORS)
    return ok({"subnets": [_subnet(subnet) for subnet in page]})


def show_subnet(account: Account, project_id: str, subnet_id: str) -> Answer:
    """VPC API: querying subnet details."""
    subnet = account.vpc.subnet(project_id, subnet_id)
    visible = seen([subnet], account.now()) if subnet else []
    if not visible:
        raise subnet_not_found()
    return ok({"subnet": _subnet(visible[0])})


def update_subnet(account: Account, project_id: str, vpc_id: str, subnet_id: str, body: SubnetChangeBody) -> Answer:
    """VPC API: updating subnet information; the answer has id and status alone."""
    subnet = _find_subnet(account, project_id, vpc_id, subnet_id)
    subnet.name = body.subnet.name
    body.subnet.apply(subnet)
    account.touch(subnet)
    return ok({"subnet": {"id": subnet.id, "status": "ACTIVE"}})


def delete_subnet(account: Account, project_id: str, vpc_id: str, subnet_id: str) -> Answer:
    """VPC API: deleting a subnet."""
    with refusing(v1):
        account.vpc.delete_subnet(_find_subnet(account, project_id, vpc_id, subnet_id))
    return no_content()


def show_quotas(account: Account, project_id: str, query: QuotaQuery) -> Answer:
    """VPC API: querying quotas."""
    quotas, used = account.vpc.state.quotas, account.vpc.used(project_id)
    if query.type is not None and query.type not in quotas:
        raise v1(400, "VPC.1207", "resource type is invalid.")
    shown = [
        {"type": name, "used": used.get(name, 0), "quota": limit, "min": 0}
        for name, limit in quotas.items()
        if query.type in (None, name)
    ]
    return ok({"quotas": {"resources": shown}})


def show_ip_usage(account: Account, project_id: str, network_id: str) -> Answer:
    """VPC API: querying IP address usage on a specified network."""
    subnet = account.vpc.subnet(project_id, network_id)
    if subnet is None:
        raise neutron(404, "NetworkNotFound", f"Network {network_id} could not be found.")
    usage = {"total_ips": subnet.total, "used_ips": len(subnet.addresses)}
    detail = {
        "subnet_id": subnet.neutron_subnet_id,
        "subnet_name": subnet.name,
        "cidr": subnet.cidr,
        "ip_version": 4,
        **usage,
    }
    network = {"network_id": subnet.id, "network_name": subnet.name, "tenant_id": project_id}
    return ok({"network_ip_availability": {**network, **usage, "subnet_ip_availability": [detail]}})


def _find_vpc(account: Account, project_id: str, vpc_id: str) -> Vpc:
    vpc = account.vpc.vpc(project_id, vpc_id)
    if vpc is None:
        raise vpc_not_found()
    return vpc


def _read_vpc(account: Account, project_id: str, vpc_id: str) -> Vpc:
    visible = seen([_find_vpc(account, project_id, vpc_id)], account.now())
    if not visible:
        raise vpc_not_found()
    return visible[0]


def _find_vpc3(account: Account, project_id: str, vpc_id: str) -> Vpc:
    vpc = account.vpc.vpc(project_id, vpc_id)
    if vpc is None:
        raise _missing3(vpc_id)
    return vpc


def _missing3(vpc_id: str) -> Exception:
    return v3(404, "VPC.9904", f"Vpc {vpc_id} could not be found.")


def _find_subnet(account: Account, project_id: str, vpc_id: str, subnet_id: str) -> Subnet:
    subnet = account.vpc.subnet(project_id, subnet_id)
    if subnet is None:
        raise subnet_not_found()
    if subnet.vpc_id != vpc_id:
        raise v1(400, "VPC.0207", "Subnet does not belong to the VPC.")
    return subnet


def _vpc(vpc: Vpc) -> dict[str, Any]:
    return {
        "id": vpc.id,
        "name": vpc.name,
        "description": vpc.description,
        "cidr": vpc.cidr,
        "status": "OK",
        "routes": [],
        "enable_shared_snat": vpc.enable_shared_snat,
        "tenant_id": vpc.project_id,
        "enterprise_project_id": vpc.enterprise_project_id,
        "created_at": without_z(vpc.created_at),
        "updated_at": without_z(vpc.updated_at),
    }


def _vpc3(account: Account, vpc: Vpc) -> dict[str, Any]:
    return {
        "id": vpc.id,
        "name": vpc.name,
        "description": vpc.description,
        "cidr": vpc.cidr,
        "extend_cidrs": vpc.extend_cidrs,
        "status": "ACTIVE",
        "project_id": vpc.project_id,
        "enterprise_project_id": vpc.enterprise_project_id,
        "cloud_resources": [
            {"resource_type": "routetable", "resource_count": len(account.vpc.tables_of(vpc.id))},
            {"resource_type": "virsubnet", "resource_count": len(account.vpc.subnets_of(vpc.id))},
        ],
        "tags": [],
        "created_at": with_z(vpc.created_at),
        "updated_at": with_z(vpc.updated_at),
    }


def _subnet(subnet: Subnet) -> dict[str, Any]:
    return {
        "id": subnet.id,
        "name": subnet.name,
        "description": subnet.description,
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway_ip,
        "vpc_id": subnet.vpc_id,
        "status": "ACTIVE",
        "ipv6_enable": False,
        "availability_zone": subnet.availability_zone,
        "dhcp_enable": subnet.dhcp_enable,
        "primary_dns": subnet.primary_dns,
        "secondary_dns": subnet.secondary_dns,
        "dnsList": subnet.dns,
        "neutron_network_id": subnet.id,
        "neutron_subnet_id": subnet.neutron_subnet_id,
        "extra_dhcp_opts": [{"opt_name": "ntp", "opt_value": subnet.ntp}] if subnet.ntp else [],
        "tenant_id": subnet.project_id,
        "created_at": without_z(subnet.created_at),
        "updated_at": without_z(subnet.updated_at),
    }
