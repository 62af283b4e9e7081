"""What the calls of ELB v3 share (ELB API: dedicated load balancers)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.otc.client import Query, ServiceClient
from shared.otc.transport import Call, Service


class ElbService(ServiceClient):
    """The calls below `/v3/{project_id}/elb`."""

    service = Service.ELB

    def _on(
        self,
        method: str,
        action: str,
        *place: str,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        return self._call(method, f"elb:{action}", "v3", self._project(), "elb", *place, query=query, body=body)
