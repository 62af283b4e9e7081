"""EIPs as stock OpenStack clients know them: v2.0's floating IP addresses, over the same store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.account import Account
from emulator.core.fields import FieldsQuery, Values
from emulator.core.message import Answer, Request, created, no_content, ok
from emulator.core.problems import refusing
from emulator.core.resources import Strict, owned, seen
from emulator.core.text import Address
from emulator.core.times import without_z
from emulator.eip.models import POOLS, BandwidthSpec, PublicIp
from emulator.vpc.errors import neutron
from emulator.vpc.neutron import EXTERNAL_NETWORK_ID, NeutronQuery, listing, missing, one

# Nobody documents the bandwidth of an address that is assigned this way.
DEFAULT_MBIT = 5


class FloatingIpFields(Strict):
    """What a new floating IP is to be."""

    floating_network_id: str
    floating_ip_address: Address | None = None
    port_id: str | None = None
    fixed_ip_address: str | None = None


class FloatingIpBody(Strict):
    """The body of assigning a floating IP."""

    floatingip: FloatingIpFields


class FloatingIpChange(Strict):
    """What may change; a port binds, none unbinds."""

    port_id: str | None = None
    fixed_ip_address: str | None = None


class FloatingIpChangeBody(Strict):
    """The body of updating a floating IP."""

    floatingip: FloatingIpChange


class FloatingIpQuery(NeutronQuery):
    """Filters of the list."""

    floating_ip_address: Values = None
    floating_network_id: Values = None
    router_id: Values = None
    port_id: Values = None
    fixed_ip_address: Values = None


def list_floating_ips(account: Account, request: Request, project_id: str, query: FloatingIpQuery) -> Answer:
    """VPC API v2.0: querying floating IP addresses."""
    return listing("floatingips", request, _floating_ips(account, project_id), query)


def show_floating_ip(account: Account, project_id: str, floatingip_id: str, query: FieldsQuery) -> Answer:
    """VPC API v2.0: querying a floating IP address."""
    return one("floatingip", floatingip_id, _floating_ips(account, project_id), query)


def create_floating_ip(account: Account, project_id: str, body: FloatingIpBody) -> Answer:
    """VPC API v2.0: assigning a floating IP address.

    Assumed: it gets 5 Mbit/s of its own.
    """
    fields = body.floatingip
    if fields.floating_network_id != EXTERNAL_NETWORK_ID:
        raise missing("network", fields.floating_network_id)
    if fields.port_id:
        raise _not_here(fields.port_id)
    with refusing(neutron):
        bandwidth = BandwidthSpec(share_type="PER", name="bandwidth", size=DEFAULT_MBIT)
        eip = account.eip.create(project_id, POOLS[0], bandwidth, address=fields.floating_ip_address)
    return created({"floatingip": _view(eip)})


def update_floating_ip(account: Account, project_id: str, floatingip_id: str, body: FloatingIpChangeBody) -> Answer:
    """VPC API v2.0: updating a floating IP address; it neither binds nor unbinds a dedicated load balancer's.

    Assumed: the refusal to bind is a 400.
    """
    eip = _find(account, project_id, floatingip_id)
    if body.floatingip.port_id:
        raise _not_here(body.floatingip.port_id)
    if eip.bound_to == "PORT":
        account.eip.unbind(eip)
    return ok({"floatingip": _view(eip)})


def delete_floating_ip(account: Account, project_id: str, floatingip_id: str) -> Answer:
    """VPC API v2.0: deleting a floating IP address."""
    with refusing(neutron):
        account.eip.release(_find(account, project_id, floatingip_id))
    return no_content()


def _not_here(port_id: str) -> Exception:
    """The ports that exist are those of load balancers, which other calls bind."""
    return neutron(400, "BadRequest", f"Port {port_id} cannot be bound by this API.")


def _find(account: Account, project_id: str, eip_id: str) -> PublicIp:
    eip = account.eip.get(project_id, eip_id)
    if eip is None:
        raise missing("floatingip", eip_id)
    return eip


def _floating_ips(account: Account, project_id: str) -> Iterator[dict[str, Any]]:
    for eip in seen(owned(account.eip.state.publicips, project_id), account.now()):
        yield _view(eip)


def _view(eip: PublicIp) -> dict[str, Any]:
    return {
        "id": eip.id,
        "status": "ACTIVE" if eip.bound_to else "DOWN",
        "floating_ip_address": eip.address,
        "floating_network_id": EXTERNAL_NETWORK_ID,
        "port_id": eip.instance_id if eip.bound_to == "PORT" else None,
        "fixed_ip_address": eip.private_address,
        "router_id": None,
        "tenant_id": eip.project_id,
        "project_id": eip.project_id,
        "dns_name": f"ecs-{eip.address.replace('.', '-')}",
        "dns_domain": "reverse.domain-name.com.",
        "created_at": without_z(eip.created_at),
        "updated_at": without_z(eip.updated_at),
    }
