"""Health monitors."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import AliasChoices, Field

from shared.otc.client import given
from shared.otc.elb.common import ElbService
from shared.otc.models import Ids, Seen, Sent, Text


class MonitorSettings(Sent):
    """How a health monitor checks, in seconds; without a port it checks the member's own."""

    type: str = "TCP"
    delay: int = 5
    timeout: int = 3
    max_retries: int = 3
    max_retries_down: int | None = None
    monitor_port: int | None = None


class MonitorCreate(MonitorSettings):
    """ELB API: configuring a health check."""

    pool_id: str
    name: str = ""


class Monitor(Seen):
    """A health monitor."""

    id: str
    name: Text = ""
    created_at: str = ""
    type: str
    delay: int
    timeout: int
    max_retries: int
    max_retries_down: int | None = None
    monitor_port: int | None = None
    pool_ids: Ids = Field((), validation_alias=AliasChoices("pools", "pool_ids"))


class Monitors(ElbService):
    """Health monitors."""

    def monitors(self, *, pool_id: str | None = None, ids: Iterable[str] = ()) -> list[Monitor]:
        """Monitors of these ids, or of one pool."""
        query = [("id", item) for item in ids]
        call = self._on("GET", "healthmonitors:list", "healthmonitors", query=query)
        found = self._all(call, Monitor, "healthmonitors")
        # The API has no filter for the pool.
        return [monitor for monitor in found if pool_id is None or pool_id in monitor.pool_ids]

    def monitor(self, monitor_id: str) -> Monitor:
        """One monitor."""
        call = self._on("GET", "healthmonitors:get", "healthmonitors", monitor_id)
        return self._one(call, Monitor, "healthmonitor")

    def create_monitor(self, desired: MonitorCreate) -> Monitor:
        """Make the monitor of a pool that has none."""
        call = self._on("POST", "healthmonitors:create", "healthmonitors", body={"healthmonitor": desired.body()})
        return self._one(call, Monitor, "healthmonitor")

    def update_monitor(self, monitor_id: str, desired: MonitorSettings, *, name: str | None = None) -> Monitor:
        """Set how a monitor checks; no port means the member's own, so that is sent too."""
        settings = desired.body() | given(name=name) | {"monitor_port": desired.monitor_port}
        call = self._on(
            "PUT",
            "healthmonitors:put",
            "healthmonitors",
            monitor_id,
            body={"healthmonitor": settings},
        )
        return self._one(call, Monitor, "healthmonitor")

    def delete_monitor(self, monitor_id: str) -> None:
        """Delete a monitor."""
        # The action really is spelled in the singular.
        self._send(self._on("DELETE", "healthmonitor:delete", "healthmonitors", monitor_id))
