"""Load balancers: to be filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core.state import State

if TYPE_CHECKING:
    from emulator.account import Account


class ElbState(State):
    """Load balancers of the account."""


class ElbBackend:
    """The rules of load balancing."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def tick(self) -> None:
        """Let the health checks happen that were due by now."""

    def reconcile(self) -> None:
        """Publish the listeners."""
