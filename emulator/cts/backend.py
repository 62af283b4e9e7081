"""Records what changed the account, and tells whoever asked to be told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from emulator.core.message import Answer, Request
from emulator.core.problems import Refusal
from emulator.core.resources import NAMESPACE
from emulator.core.routing import Route
from emulator.cts.models import CtsState, Job, Trace, matches
from emulator.cts.operations import operation_of
from emulator.cts.traces import Watched, finished, traced
from emulator.iam.models import Token

if TYPE_CHECKING:
    from emulator.account import Account

LOG = logging.getLogger(__name__)
KEPT_FOR = 7 * 86_400.0
MAX_KEPT = 1000


class CtsBackend:
    """The one tracker of the account, which is always on."""

    def __init__(self, account: Account) -> None:
        self._account = account
        for job in self.state.jobs:
            self._look_later(job)

    @property
    def state(self) -> CtsState:
        """Traces and notifications."""
        return self._account.world.cts

    def watch(self, route: Route, request: Request, parameters: Mapping[str, str]) -> Watched | None:
        """Look at what a call is about to change, as it may be gone after; None if it is not recorded."""
        operation = operation_of(route)
        if operation is None:
            return None
        watched = Watched.of(operation, request, parameters)
        state = getattr(self._account.world, route.service.name)
        watched.names = {one: _name(state, one) for one in watched.references()}
        return watched

    def record(self, watched: Watched | None, token: Token | None, answer: Answer) -> None:
        """Record a call that was carried out or refused; failures are warnings. Strangers leave no trace."""
        if watched is None or token is None:
            return
        for trace in traced(watched, token, answer, self._account):
            job = watched.operation.job and trace["trace_rating"] == "normal"
            if not job or watched.operation.submitted:
                self._emit(trace)
            if job:
                self._begin(Job(instance_id=trace["resource_id"], trace=finished(watched, trace, self._account)))

    def tick(self) -> None:
        """Record the results of jobs that are over by now."""
        over = [job for job in self.state.jobs if self._over(job)]
        self.state.jobs = [job for job in self.state.jobs if job not in over]
        for job in over:
            self._emit(job.trace)

    def _begin(self, job: Job) -> None:
        if self._over(job):
            self._emit(job.trace)
            return
        self.state.jobs.append(job)
        self._look_later(job)

    def _over(self, job: Job) -> bool:
        instance = self._account.dcs.state.instances.get(job.instance_id)
        return instance is None or instance.pending is None or instance.pending.over(self._account.now())

    def _look_later(self, job: Job) -> None:
        # Nobody may call before the job is over, and only calls let time pass.
        instance = self._account.dcs.state.instances.get(job.instance_id)
        until = instance.pending.until if instance and instance.pending else self._account.now()
        self._account.outbox.put(self._look, until)

    def _look(self) -> None:
        with self._account.lock:
            self._account.tick()

    def _emit(self, draft: Trace) -> None:
        now = self._account.now()
        self.state.traces_recorded += 1
        number = self.state.traces_recorded
        trace_id = str(uuid5(NAMESPACE, f"trace/{self._account.world.seed}/{number}"))
        trace = {**draft, "trace_id": trace_id, "time": int(now * 1000), "record_time": int(now * 1000)}
        self.state.traces.append(trace)
        oldest = (now - KEPT_FOR) * 1000
        while len(self.state.traces) > MAX_KEPT or self.state.traces[0]["time"] < oldest:
            del self.state.traces[0]
        self._tell(trace)

    def _tell(self, trace: Trace) -> None:
        for trigger in list(self._account.functiongraph.triggers("CTS")):
            own = trigger.function_urn.split(":")[3] == trace["project_id"]
            if own and any(matches(one, trace) for one in trigger.event_data["operations"]):
                self._invoke(trigger.function_urn, trace)
        for notification in self.state.notifications.values():
            if notification.topic_id and notification.wants(trace):
                self._notify(notification.topic_id, trace)

    def _notify(self, urn: str, trace: Trace) -> None:
        if urn.startswith("urn:fss:"):
            self._invoke(urn, trace)
            return
        with _told(trace, urn):
            self._account.smn.publish(urn, f"CTS: {trace['trace_name']}", json.dumps(trace))

    def _invoke(self, function_urn: str, trace: Trace) -> None:
        with _told(trace, function_urn):
            self._account.functiongraph.invoke_async(function_urn, {"cts": trace}, source="CTS")


@contextmanager
def _told(trace: Trace, urn: str) -> Iterator[None]:
    """Go on whatever becomes of one receiver: it may be gone, or the trace too long for it."""
    try:
        yield
    except Refusal as refusal:
        LOG.warning("trace %s did not get to %s: %s", trace["trace_id"], urn, refusal.message)


def _name(state: Any, reference: str) -> str:
    """The name of a resource of one service."""
    tables = (getattr(state, field) for field in type(state).model_fields)
    found = (table[reference] for table in tables if isinstance(table, dict) and reference in table)
    return next((item.name for item in found if hasattr(item, "name")), "")
