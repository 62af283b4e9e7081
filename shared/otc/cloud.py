"""All clients over one transport: what a step is given."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shared.otc.transport import Transport

if TYPE_CHECKING:
    from shared.otc.dcs import DcsClient
    from shared.otc.eip import EipClient
    from shared.otc.elb import ElbClient
    from shared.otc.functiongraph import FunctionGraphClient
    from shared.otc.iam import IamClient
    from shared.otc.lts import LtsClient
    from shared.otc.smn import SmnClient
    from shared.otc.vpc import VpcClient


class Cloud:
    """One project in one region; a client is imported when it is first used, for import time is cold start."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    @property
    def project_id(self) -> str:
        """The project of the credentials."""
        return self.transport.project_id

    @property
    def region(self) -> str:
        """The region of the endpoints."""
        return self.transport.region

    @cached_property
    def elb(self) -> ElbClient:
        """Load balancers and what belongs to them."""
        from shared.otc.elb import ElbClient  # noqa: PLC0415  # see the class

        return ElbClient(self.transport)

    @cached_property
    def eip(self) -> EipClient:
        """Public addresses."""
        from shared.otc.eip import EipClient  # noqa: PLC0415  # see the class

        return EipClient(self.transport)

    @cached_property
    def vpc(self) -> VpcClient:
        """The network on both sides."""
        from shared.otc.vpc import VpcClient  # noqa: PLC0415  # see the class

        return VpcClient(self.transport)

    @cached_property
    def dcs(self) -> DcsClient:
        """DCS instances."""
        from shared.otc.dcs import DcsClient  # noqa: PLC0415  # see the class

        return DcsClient(self.transport)

    @cached_property
    def functiongraph(self) -> FunctionGraphClient:
        """The functions of the product itself."""
        from shared.otc.functiongraph import FunctionGraphClient  # noqa: PLC0415  # see the class

        return FunctionGraphClient(self.transport)

    @cached_property
    def smn(self) -> SmnClient:
        """Topics."""
        from shared.otc.smn import SmnClient  # noqa: PLC0415  # see the class

        return SmnClient(self.transport)

    @cached_property
    def iam(self) -> IamClient:
        """Agencies and policies of the account."""
        from shared.otc.iam import IamClient  # noqa: PLC0415  # see the class

        return IamClient(self.transport)

    @cached_property
    def lts(self) -> LtsClient:
        """Logs."""
        from shared.otc.lts import LtsClient  # noqa: PLC0415  # see the class

        return LtsClient(self.transport)
