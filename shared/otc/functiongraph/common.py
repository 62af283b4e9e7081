"""What the calls of FunctionGraph v2 share (FunctionGraph API)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.otc.client import Query, ServiceClient
from shared.otc.transport import Call, Service


class FunctionGraphService(ServiceClient):
    """The calls below `/v2/{project_id}/fgs`."""

    service = Service.FUNCTIONGRAPH

    def _on(
        self,
        method: str,
        action: str,
        *place: str,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        return self._call(
            method, f"functiongraph:{action}", "v2", self._project(), "fgs", *place, query=query, body=body
        )
