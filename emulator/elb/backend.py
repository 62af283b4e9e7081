"""All rules of load balancing, and their hold on the data plane."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from emulator.dataplane import CannotListenError
from emulator.elb.datapath import DataPath
from emulator.elb.ipgroups import IpGroups
from emulator.elb.listeners import Listeners
from emulator.elb.loadbalancers import LoadBalancers
from emulator.elb.pools import Members, Monitors, Pools
from emulator.health import Checked, HealthChecks

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.elb.state import ElbState

LOG = logging.getLogger(__name__)


class ElbBackend:
    """Load balancing of the account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._checks = HealthChecks()
        self._told = ""
        self.load_balancers = LoadBalancers(account)
        self.listeners = Listeners(account)
        self.pools = Pools(account)
        self.members = Members(account)
        self.monitors = Monitors(account)
        self.ip_groups = IpGroups(account)

    @property
    def state(self) -> ElbState:
        """The tables."""
        return self._account.world.elb

    def data_path(self) -> DataPath:
        """Paths and health of this moment."""
        return DataPath(self._account, self._checks)

    def checked(self, member_id: str) -> Checked | None:
        """What health checks found of a member, if any is to be made."""
        return self._checks[member_id]

    def explain(self, member_id: str) -> str | None:
        """Why packets to a member get lost, None if they do not."""
        return self.data_path().path(self.state.members[member_id]).problem

    def cannot_publish(self, load_balancer_id: str, address: str) -> str | None:
        """Why an EIP of this address cannot serve the listeners of a load balancer, None if it can."""
        for listener in self.load_balancers.tree().listeners_of[load_balancer_id]:
            if listener.protocol == "TCP":
                problem = self._account.data_plane.cannot_listen(address, listener.protocol_port)
                if problem:
                    return problem
        return None

    def in_vpc(self, vpc_id: str) -> bool:
        """Whether a load balancer stands in a VPC."""
        return any(one.vpc_id == vpc_id for one in self.state.loadbalancers.values())

    def tick(self) -> None:
        """Let deletions end and health checks happen that were due by now."""
        self.load_balancers.settle()
        now = self._account.now()
        if self._checks.due(now):
            path = self.data_path()
            if self._checks.tick(path.schedules(), path.probe, now):
                self._publish_or_tell(path)

    def start(self) -> None:
        """Start the checks, and publish the listeners.

        Raises:
            CannotListenError: a listener cannot be bound on this machine.
        """
        self._account.data_plane.publish(self._followed().frontends())

    def reconcile(self) -> None:
        """Start and stop checks, and publish the listeners; of one that cannot be bound the log tells."""
        self._publish_or_tell(self._followed())

    def _followed(self) -> DataPath:
        path = self.data_path()
        self._checks.follow(path.schedules(), self._account.now())
        return path

    def _publish_or_tell(self, path: DataPath) -> None:
        problem = ""
        try:
            self._account.data_plane.publish(path.frontends())
        except CannotListenError as error:
            # The change is made: to fail its call, and all that follow, would help nobody.
            problem = str(error)
        if problem and problem != self._told:
            LOG.error("listeners that cannot be bound: %s", problem)
        self._told = problem
