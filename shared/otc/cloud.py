"""All clients over one transport: what a step is given."""

from __future__ import annotations

from dataclasses import dataclass

from shared.otc.dcs import DcsClient
from shared.otc.eip import EipClient
from shared.otc.elb import ElbClient
from shared.otc.transport import Transport
from shared.otc.vpc import VpcClient


@dataclass(frozen=True)
class Cloud:
    """One project in one region."""

    transport: Transport
    elb: ElbClient
    eip: EipClient
    vpc: VpcClient
    dcs: DcsClient

    @classmethod
    def over(cls, transport: Transport) -> Cloud:
        """The cloud behind a transport."""
        return cls(transport, ElbClient(transport), EipClient(transport), VpcClient(transport), DcsClient(transport))

    @property
    def project_id(self) -> str:
        """The project of the credentials."""
        return self.transport.project_id

    @property
    def region(self) -> str:
        """The region of the endpoints."""
        return self.transport.region
