"""What the rules of all ELB resources share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from emulator.core.resources import Resource
from emulator.elb.errors import conflict, not_found, quota_exceeded
from emulator.elb.models import LoadBalancer
from emulator.elb.state import ElbState
from emulator.elb.tree import Tree

if TYPE_CHECKING:
    from emulator.account import Account

R = TypeVar("R", bound=Resource)


class Rules:
    """Lookups and guards; every refusal comes before any change."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def state(self) -> ElbState:
        """The tables."""
        return self._account.world.elb

    def tree(self) -> Tree:
        """Who belongs to whom, now."""
        return Tree(self.state)

    def status(self, load_balancer: LoadBalancer) -> str:
        """The provisioning status."""
        pending = load_balancer.pending
        return pending.shows if pending and not pending.over(self._account.now()) else "ACTIVE"

    def find(self, table: dict[str, R], kind: type[R], project_id: str, resource_id: str) -> R:
        """A resource of the project.

        Raises:
            ApiError: 404.
        """
        found = table.get(resource_id)
        if found is None or found.project_id != project_id:
            raise not_found(kind.__name__, resource_id)
        return found

    def require_quota(self, key: str, used: int) -> None:
        """Refuse one more of something.

        Raises:
            ApiError: 409.
        """
        limit = self.state.quotas[key]
        if 0 <= limit <= used:
            raise quota_exceeded(key)

    def require_ready(self, *load_balancers: LoadBalancer) -> None:
        """Refuse a change while a load balancer is on its way.

        Raises:
            ApiError: 409.
        """
        for load_balancer in load_balancers:
            status = self.status(load_balancer)
            if status != "ACTIVE":
                raise conflict(f"loadbalancer {load_balancer.id} is in status {status}")

    def changed(self, *load_balancers: LoadBalancer) -> None:
        """Let a load balancer take in a change, for as long as the dial says."""
        for load_balancer in load_balancers:
            self._account.lag(load_balancer, "PENDING_UPDATE", self._account.dials.load_balancer_update)
