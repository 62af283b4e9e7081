"""The one door to the emulated cloud."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid5

from emulator.account import Account
from emulator.calls import CallLog, CallRecord
from emulator.clock import Clock, SystemClock
from emulator.core.message import Answer, Later, Request, Response
from emulator.core.problems import ApiError, bad_gateway, throttled
from emulator.core.resources import NAMESPACE
from emulator.core.routing import Route, Router
from emulator.cts.urls import ROUTES as CTS_ROUTES
from emulator.dataplane import DataPlane, ModelledDataPlane
from emulator.dcs.urls import ROUTES as DCS_ROUTES
from emulator.dials import Dials
from emulator.eip.urls import ROUTES as EIP_ROUTES
from emulator.elb.urls import ROUTES as ELB_ROUTES
from emulator.faults import ConnectionLost, Fault, Faults
from emulator.functiongraph.runtime.spec import Runner
from emulator.functiongraph.urls import ROUTES as FUNCTIONGRAPH_ROUTES
from emulator.health import Ticker
from emulator.iam.models import Token
from emulator.iam.urls import ROUTES as IAM_ROUTES
from emulator.lts.urls import ROUTES as LTS_ROUTES
from emulator.smn.urls import ROUTES as SMN_ROUTES
from emulator.snapshot import snapshot
from emulator.throttle import Throttler
from emulator.vpc.urls import ROUTES as VPC_ROUTES
from emulator.world import World

Hook = Callable[[Request], None]
ROUTES = (
    *IAM_ROUTES,
    *VPC_ROUTES,
    *EIP_ROUTES,
    *DCS_ROUTES,
    *ELB_ROUTES,
    *FUNCTIONGRAPH_ROUTES,
    *SMN_ROUTES,
    *CTS_ROUTES,
    *LTS_ROUTES,
)


class Emulator:
    """One account in one region. Safe to call from several threads; changes happen one at a time."""

    def __init__(
        self,
        world: World | None = None,
        *,
        clock: Clock | None = None,
        dials: Dials | None = None,
        data_plane: DataPlane | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.clock = clock or SystemClock()
        self.dials = dials or Dials()
        self.calls = CallLog()
        self.faults = Faults()
        self.before_call: list[Hook] = []
        self.after_call: list[Hook] = []
        self.router = Router(ROUTES)
        own = World() if world is None else world.model_copy(deep=True)
        self._account = Account(own, self.clock, self.dials, data_plane or ModelledDataPlane(), runner)
        self._throttler = Throttler(self.clock)
        self._lock = self._account.lock
        # Nobody can see a modelled data plane without a call, which ticks; packets of a real one come uncalled.
        real_time = data_plane is not None and isinstance(self.clock, SystemClock)
        self._ticker = Ticker(self.tick) if real_time else None

    def handle(self, request: Request) -> Response:
        """Answer one request, whatever it is.

        Raises:
            ConnectionLost: a fault lets the client go without an answer.
        """
        for hook in self.before_call:
            hook(request)
        record = self.calls.open(request)
        try:
            answer, in_body = self._answer(request, record)
            record.status = answer.status
            request_id = uuid5(NAMESPACE, f"request/{record.number}").hex
            return answer.encoded(request_id, in_body=in_body)
        finally:
            record.end = time.monotonic()
            for hook in self.after_call:
                hook(request)

    def _answer(self, request: Request, record: CallRecord) -> tuple[Answer, bool]:
        try:
            route, parameters = self.router.find(request.method, request.path)
        except ApiError as error:
            return error.answer, True
        action = route.action or ""
        record.route, record.service, record.action = route.path, route.service.name, action
        record.mutating = route.mutating
        fault = self.faults.take(request.method, request.path, route.path, action)
        if fault:
            record.fault = fault.model_dump(exclude_defaults=True)
            self.clock.sleep(fault.delay)
        spoiled = _spoil(fault, route) if fault and fault.when == "before" else None
        if spoiled:
            return spoiled
        answered = self._carry_out(request, route, parameters, record)
        spoiled = _spoil(fault, route) if fault and fault.when == "after" else None
        return spoiled or answered

    def _carry_out(
        self, request: Request, route: Route, parameters: dict[str, str], record: CallRecord
    ) -> tuple[Answer, bool]:
        try:
            self._throttler.check(route.service.name, self.dials.throttle.get(route.service.name))
        except ApiError as error:
            return error.answer, True
        try:
            with self._lock:
                self._account.tick()
                answer = self._traced(request, route, parameters)
                record.committed = True
                if record.mutating:
                    self._account.reconcile()
            # Waiting for a function with the lock held would keep its own calls out.
            final = answer.work() if isinstance(answer, Later) else answer
        except ApiError as error:
            return error.answer, route.service.request_id_in_body
        return final, route.service.request_id_in_body

    def _traced(self, request: Request, route: Route, parameters: dict[str, str]) -> Answer | Later:
        watched = self._account.cts.watch(route, request, parameters)
        token = self._account.iam.caller(request, parameters.get("project_id")) if route.action else None
        try:
            answer = route.call(request, self._offered(request, route, parameters, token))
        except ApiError as error:
            self._account.cts.record(watched, token, error.answer)
            raise
        if isinstance(answer, Answer):
            self._account.cts.record(watched, token, answer)
        return answer

    def _offered(
        self, request: Request, route: Route, parameters: dict[str, str], token: Token | None
    ) -> dict[str, Any]:
        offered = {"account": self._account, "request": request, "content": request.body, **parameters}
        if route.action is None:
            return offered
        if token is None:
            raise route.service.errors.unauthorized()
        self._check_project(token, route, parameters)
        if not token.user.may(route.action):
            raise route.service.errors.forbidden(route.action)
        return {**offered, "token": token, "project_id": token.project.id if token.project else ""}

    def _check_project(self, token: Token, route: Route, parameters: dict[str, str]) -> None:
        own = token.project.id if token.project else ""
        if parameters.get("project_id", own) != own or (not own and route.service.name != "iam"):
            raise route.service.errors.wrong_project()

    def set_dials(self, changes: Mapping[str, Any]) -> None:
        """Set dials while calls come in.

        Raises:
            ValueError: there is no such dial, or the value is not one of its own.
        """
        with self._lock:
            trial = Dials.model_validate({**self.dials.model_dump(), **changes})
            for name in changes:
                setattr(self.dials, name, getattr(trial, name))

    @contextmanager
    def change(self) -> Iterator[Account]:
        """Change the account from the side, as the cloud itself might; the data plane follows."""
        with self._lock:
            self._account.tick()
            yield self._account
            self._account.reconcile()

    def snapshot(self, *, timestamps: bool = False) -> dict[str, Any]:
        """The whole account as plain JSON; two are equal if and only if the accounts hold the same."""
        with self._lock:
            self._account.tick()
            return snapshot(self._account.world, timestamps=timestamps)

    def world(self) -> World:
        """The account as it is, to be saved or started again."""
        with self._lock:
            self._account.tick()
            return self._account.world.model_copy(deep=True)

    def tick(self) -> None:
        """Let everything happen that was due by now."""
        with self._lock:
            self._account.tick()

    def drain(self) -> None:
        """Do all that the cloud does by itself and that is due, in the caller's thread."""
        self.tick()
        self._account.outbox.drain()

    @property
    def next_due(self) -> float | None:
        """When the cloud next does something by itself (seconds since 1970), None if nothing waits."""
        return self._account.outbox.next_due

    def close(self) -> None:
        """Stop the data plane, the functions and what waits for its time."""
        if self._ticker:
            self._ticker.close()
        self._account.outbox.close()
        self._account.functiongraph.close()
        with self._lock:
            self._account.data_plane.close()


def _spoil(fault: Fault, route: Route) -> tuple[Answer, bool] | None:
    """The answer that a fault puts in place of the real one; None if it only delays."""
    if fault.lost:
        raise ConnectionLost
    if fault.status is None:
        return None
    if fault.body is not None:
        return Answer(fault.status, fault.body), False
    if fault.status == 429:
        return throttled(fault.retry_after).answer, True
    if fault.status in (502, 503, 504):
        return bad_gateway(fault.status).answer, True
    standard = {401: route.service.errors.unauthorized, 500: route.service.errors.internal}
    error = standard.get(fault.status)
    if error is None:
        body = {"error_code": f"APIGW.{fault.status:04d}", "error_msg": "Fault of the emulator"}
        return Answer(fault.status, body), True
    return error().answer, route.service.request_id_in_body
