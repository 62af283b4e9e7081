"""Elastic IPs (EIP API v1, on the VPC host; v3 is not offered in every region)."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from shared.otc.client import ServiceClient
from shared.otc.models import Seen
from shared.otc.transport import Call, Service


class PublicIp(Seen):
    """An EIP; bandwidth in Mbit/s."""

    id: str
    address: str = Field(validation_alias=AliasChoices("public_ip_address", "address"))
    status: str
    create_time: str = ""
    alias: str | None = None
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

    def delete(self, public_ip_id: str) -> None:
        """Release an EIP that nothing uses, and its own bandwidth with it."""
        self._send(self._on("DELETE", "delete", public_ip_id))

    def _on(self, method: str, action: str, *ids: str) -> Call:
        return self._call(method, f"vpc:publicIps:{action}", "v1", self._project(), "publicips", *ids)
