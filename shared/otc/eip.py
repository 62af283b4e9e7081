"""Elastic IPs (EIP API v1, on the VPC host; v3 is not offered in every region)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field

from shared.otc.client import ServiceClient
from shared.otc.models import Seen
from shared.otc.transport import Call, Service

UNBOUND = frozenset({"DOWN", "PENDING_CREATE"})
"""The statuses of an EIP that nothing uses."""


class PublicIp(Seen):
    """An EIP; bandwidth in Mbit/s. Bound to a dedicated load balancer, it shows no port."""

    id: str
    address: str = Field(validation_alias=AliasChoices("public_ip_address", "address"))
    status: str
    create_time: str = ""
    alias: str | None = None
    port_id: str | None = None
    bandwidth_id: str | None = None
    bandwidth_name: str | None = None
    bandwidth_size: int | None = None


class EipClient(ServiceClient):
    """The EIPs of the project."""

    service = Service.VPC

    def public_ips(self) -> list[PublicIp]:
        """All EIPs."""
        return self._all(self._on("GET", "list"), PublicIp, "publicips")

    def public_ip(self, public_ip_id: str) -> PublicIp:
        """One EIP."""
        return self._one(self._on("GET", "get", public_ip_id), PublicIp, "publicip")

    def create(self, network_type: str, name: str, size: int) -> PublicIp:
        """Make an EIP that nothing uses yet, with a bandwidth of this name (Mbit/s, by traffic).

        Names are not unique.
        """
        bandwidth = {"name": name, "size": size, "share_type": "PER", "charge_mode": "traffic"}
        body = {"publicip": {"type": network_type}, "bandwidth": bandwidth}
        return self._one(self._on("POST", "create", body=body), PublicIp, "publicip")

    def bind(self, public_ip_id: str, port_id: str) -> PublicIp:
        """Bind an EIP to a port, such as that of a load balancer's private address."""
        body = {"publicip": {"port_id": port_id}}
        return self._one(self._on("PUT", "update", public_ip_id, body=body), PublicIp, "publicip")

    def delete(self, public_ip_id: str) -> None:
        """Release an EIP that nothing uses, and its own bandwidth with it."""
        self._send(self._on("DELETE", "delete", public_ip_id))

    def _on(self, method: str, action: str, *ids: str, body: Mapping[str, Any] | None = None) -> Call:
        return self._call(method, f"vpc:publicIps:{action}", "v1", self._project(), "publicips", *ids, body=body)
