"""What stock OpenStack clients see of VPCs and subnets: v2.0's networks, subnets, routers and ports.

A VPC is a router, a subnet is a network with one subnet; ports are made up of the addresses in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid5

from pydantic import Field

from emulator.account import Account
from emulator.core.fields import FieldsQuery, Values, chosen
from emulator.core.message import Answer, Request, ok
from emulator.core.paging import PageQuery, page_of
from emulator.core.problems import refusing
from emulator.core.resources import NAMESPACE, Resource, Strict, owned, seen
from emulator.core.text import Address, Name64
from emulator.core.times import without_z
from emulator.vpc.errors import NeutronErrors, neutron
from emulator.vpc.links import page_links
from emulator.vpc.models import Subnet, Vpc

NEUTRON = NeutronErrors()
EXTERNAL_NETWORK = "admin_external_net"
EXTERNAL_NETWORK_ID = str(uuid5(NAMESPACE, EXTERNAL_NETWORK))


class NeutronQuery(PageQuery):
    """What every list takes; repeated keys mean or."""

    fields: list[str] = []
    id: Values = None
    name: Values = None
    status: Values = None
    admin_state_up: Values = None
    tenant_id: Values = None
    project_id: Values = None


class NetworkQuery(NeutronQuery):
    """Filters of the list of networks."""

    shared: Values = None
    external: Values = Field(default=None, alias="router:external")
    network_type: Values = Field(default=None, alias="provider:network_type")


class SubnetQuery(NeutronQuery):
    """Filters of the list of subnets."""

    enable_dhcp: Values = None
    cidr: Values = None
    network_id: Values = None
    ip_version: Values = None
    gateway_ip: Values = None


class PortQuery(NeutronQuery):
    """Filters of the list of ports; `fixed_ips` is like `ip_address=<address>` or `subnet_id=<id>`."""

    network_id: Values = None
    mac_address: Values = None
    device_id: Values = None
    device_owner: Values = None
    security_groups: Values = None
    fixed_ips: Values = None


class NetworkChange(Strict):
    """What may change of a network or a router."""

    name: Name64


class NetworkChangeBody(Strict):
    """The body of updating a network."""

    network: NetworkChange


class RouterChangeBody(Strict):
    """The body of updating a router."""

    router: NetworkChange


class SubnetChange(Strict):
    """What may change of a subnet."""

    name: Name64 | None = None
    enable_dhcp: bool | None = None
    dns_nameservers: list[Address] | None = Field(default=None, max_length=2)


class SubnetChangeBody(Strict):
    """The body of updating a subnet."""

    subnet: SubnetChange


class Row(Resource):
    """One item of a list, with the id it goes by there."""

    kind = "row"

    shown: dict[str, Any]


def list_networks(account: Account, request: Request, project_id: str, query: NetworkQuery) -> Answer:
    """VPC API v2.0: querying networks; the external one is last.

    Assumed: a network is called like its subnet; the type is vxlan, the zones are all of the region.
    """
    return listing("networks", request, [*_networks(account, project_id), external_network()], query)


def show_network(account: Account, project_id: str, network_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying network details."""
    return one("network", network_id, [*_networks(account, project_id), external_network()], query)


def update_network(account: Account, project_id: str, network_id: str, body: NetworkChangeBody) -> Answer:
    """VPC API v2.0: updating a network; here its name."""
    subnet = account.vpc.subnet(project_id, network_id)
    if subnet is None:
        raise missing("network", network_id)
    subnet.name = body.network.name
    account.touch(subnet)
    return one("network", network_id, _networks(account, project_id), FieldsQuery())


def list_subnets_v2(account: Account, request: Request, project_id: str, query: SubnetQuery) -> Answer:
    """VPC API v2.0: querying subnets; these ids are what v1 calls neutron_subnet_id."""
    return listing("subnets", request, _subnets(account, project_id), query)


def show_subnet_v2(account: Account, project_id: str, subnet_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying a subnet."""
    return one("subnet", subnet_id, _subnets(account, project_id), query)


def update_subnet_v2(account: Account, project_id: str, subnet_id: str, body: SubnetChangeBody) -> Answer:
    """VPC API v2.0: updating a subnet; here name, DHCP and name servers."""
    subnet, change = account.vpc.subnet_by_neutron_id(project_id, subnet_id), body.subnet
    if subnet is None:
        raise missing("subnet", subnet_id)
    subnet.name = subnet.name if change.name is None else change.name
    subnet.dhcp_enable = subnet.dhcp_enable if change.enable_dhcp is None else change.enable_dhcp
    if change.dns_nameservers is not None:
        subnet.use_dns(change.dns_nameservers)
    account.touch(subnet)
    return one("subnet", subnet_id, _subnets(account, project_id), FieldsQuery())


def list_routers(account: Account, request: Request, project_id: str, query: NeutronQuery) -> Answer:
    """VPC API v2.0: querying routers; they are the VPCs.

    Assumed: the id of a VPC is that of its router.
    """
    return listing("routers", request, _routers(account, project_id), query)


def show_router(account: Account, project_id: str, router_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying a router."""
    return one("router", router_id, _routers(account, project_id), query)


def update_router(account: Account, project_id: str, router_id: str, body: RouterChangeBody) -> Answer:
    """VPC API v2.0: updating a router; here its name."""
    vpc = account.vpc.vpc(project_id, router_id)
    if vpc is None:
        raise missing("router", router_id)
    with refusing(neutron):
        account.vpc.update_vpc(vpc, name=body.router.name)
    return one("router", router_id, _routers(account, project_id), FieldsQuery())


def list_ports(account: Account, request: Request, project_id: str, query: PortQuery) -> Answer:
    """VPC API v2.0: querying ports.

    Assumed: each address in use is a port; which device owns it beyond load balancers.
    """
    return listing("ports", request, _ports(account, project_id), query)


def show_port(account: Account, project_id: str, port_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying a port."""
    return one("port", port_id, _ports(account, project_id), query)


def listing(key: str, request: Request, rows: Iterable[dict[str, Any]], query: NeutronQuery) -> Answer:
    """One page of what matches the filters, with links to the next."""
    asked = query.model_dump(by_alias=True, exclude_none=True, exclude_unset=True, exclude=set(PageQuery.model_fields))
    wanted = asked.pop("fields", [])
    found = [
        Row(id=row["id"], shown=row)
        for row in rows
        if all(set(values) & set(_texts(row.get(name))) for name, values in asked.items())
    ]
    page = page_of(found, query, NEUTRON)
    return ok({key: [chosen(row.shown, wanted) for row in page], **page_links(key, request, found, page)})


def one(kind: str, item_id: str, rows: Iterable[dict[str, Any]], query: FieldsQuery) -> Answer:
    """The item of this id.

    Raises:
        ApiError: 404.
    """
    for row in rows:
        if row["id"] == item_id:
            return ok({kind: chosen(row, query.fields)})
    raise missing(kind, item_id)


def missing(kind: str, item_id: str) -> Exception:
    """There is no such thing."""
    return neutron(404, f"{kind.capitalize()}NotFound", f"{kind.capitalize()} {item_id} could not be found.")


def external_network() -> dict[str, Any]:
    """Where floating addresses come from."""
    shown = {"id": EXTERNAL_NETWORK_ID, "name": EXTERNAL_NETWORK, "subnets": [], "shared": False}
    return {**shown, "status": "ACTIVE", "admin_state_up": True, "router:external": True}


def _networks(account: Account, project_id: str) -> Iterator[dict[str, Any]]:
    for subnet in seen(owned(account.vpc.state.subnets, project_id), account.now()):
        yield {
            "id": subnet.id,
            "name": subnet.name,
            **_common(subnet),
            "subnets": [subnet.neutron_subnet_id],
            "shared": False,
            "provider:network_type": "vxlan",
            "router:external": False,
            "availability_zone_hints": [],
            "availability_zones": list(account.world.zones),
            "port_security_enabled": True,
        }


def _subnets(account: Account, project_id: str) -> Iterator[dict[str, Any]]:
    for subnet in seen(owned(account.vpc.state.subnets, project_id), account.now()):
        last = subnet.network.num_addresses - 5
        yield {
            "id": subnet.neutron_subnet_id,
            "name": subnet.name,
            **{key: value for key, value in _common(subnet).items() if key not in ("status", "admin_state_up")},
            "network_id": subnet.id,
            "cidr": subnet.cidr,
            "gateway_ip": subnet.gateway_ip,
            "ip_version": 4,
            "enable_dhcp": subnet.dhcp_enable,
            "allocation_pools": [{"start": str(subnet.network[2]), "end": str(subnet.network[last])}],
            "dns_nameservers": subnet.dns,
            "host_routes": [],
        }


def _routers(account: Account, project_id: str) -> Iterator[dict[str, Any]]:
    for vpc in seen(owned(account.vpc.state.vpcs, project_id), account.now()):
        gateway = {"network_id": EXTERNAL_NETWORK_ID, "enable_snat": vpc.enable_shared_snat}
        yield {"id": vpc.id, "name": vpc.name, **_common(vpc), "external_gateway_info": gateway, "routes": []}


def _ports(account: Account, project_id: str) -> Iterator[dict[str, Any]]:
    balancers = account.world.elb.loadbalancers
    for subnet in seen(owned(account.vpc.state.subnets, project_id), account.now()):
        for address, user in subnet.addresses.items():
            balancer = balancers.get(user)
            port_id = balancer.vip_port_id if balancer and balancer.vip_address == address else None
            yield {
                "id": port_id or str(uuid5(NAMESPACE, f"port/{subnet.id}/{address}")),
                "name": "",
                **_common(subnet),
                "network_id": subnet.id,
                "mac_address": _mac(f"{subnet.id}/{address}"),
                "fixed_ips": [{"subnet_id": subnet.neutron_subnet_id, "ip_address": address}],
                "device_id": user,
                "device_owner": "neutron:LOADBALANCERV2" if balancer else "",
                "security_groups": [],
                "allowed_address_pairs": [],
                "extra_dhcp_opts": [],
                "binding:vnic_type": "normal",
                "port_security_enabled": True,
            }


def _common(item: Vpc | Subnet) -> dict[str, Any]:
    return {
        "status": "ACTIVE",
        "admin_state_up": True,
        "tenant_id": item.project_id,
        "project_id": item.project_id,
        "created_at": without_z(item.created_at),
        "updated_at": without_z(item.updated_at),
    }


def _mac(seed: str) -> str:
    digits = uuid5(NAMESPACE, f"mac/{seed}").hex[:6]
    return ":".join(["fa:16:3e", digits[:2], digits[2:4], digits[4:]])


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        return [f"{name}={part}" for name, part in value.items()]
    # Clients write truth as Python does, or as JSON does.
    return [str(value), str(value).lower()] if isinstance(value, bool) else ["" if value is None else str(value)]
