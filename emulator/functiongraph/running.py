"""One invocation of a function: whether it may run, what it runs with, and what is written down of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from threading import Timer
from typing import TYPE_CHECKING

from emulator.clock import SystemClock
from emulator.core.problems import Refusal
from emulator.dials import FunctionTrouble
from emulator.functiongraph.errors import no_runner
from emulator.functiongraph.models import Function
from emulator.functiongraph.runtime.process import ProcessRunner
from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation, KernelCode, Runner, RunResult

if TYPE_CHECKING:
    from emulator.account import Account

KILLED = (
    b'{"errorMessage":"function invocation exception, error: the instance was killed","errorType":"InstanceKilled"}'
)


class Throttled(Refusal):
    """The account runs too much at once; later it may have room."""


class OverCapacity(Refusal):
    """The function may have no further instance."""


class Running:
    """What is running now. `start` wants the emulator's lock, what it gives is to be called once without it."""

    def __init__(self, account: Account, runner: Runner | None) -> None:
        self._account = account
        self._runner = runner
        self._busy: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()

    def start(
        self,
        function: Function,
        version: str,
        request_id: str,
        event: bytes,
        alias: str = "",
        *,
        memory_size: int | None = None,
    ) -> Callable[[], RunResult]:
        """Take a place for an invocation; `memory_size` in MB, if not as it is configured.

        Raises:
            Throttled: too many functions run, or a dial says so.
            OverCapacity: the function has as many instances as it may.
            Refusal: nothing here can run functions.
        """
        runner = self._require_runner()
        self._runs[function.name] += 1
        run, trouble = self._runs[function.name], self._trouble(function.name)
        self._check_room(function, throttled=_every(run, trouble.throttled_every))
        configured = self._spec(function, version)
        spec = replace(configured, memory_size=memory_size or configured.memory_size)
        invocation = Invocation(request_id, event, **self._credentials(function, version), alias=alias)
        self._busy[function.id] += 1

        def work() -> RunResult:
            try:
                if _every(run, trouble.killed_every):
                    result = _killed(runner, spec, invocation, trouble.killed_after)
                else:
                    result = runner.run(spec, invocation)
            finally:
                with self._account.lock:
                    self._busy[function.id] -= 1
            self._write_log(function, version, result.log)
            return result

        return work

    def forget(self, urn: str) -> None:
        """Let instances of a function go, as its code or configuration changed."""
        if self._runner is not None:
            self._runner.forget(urn)

    def cancel(self, request_id: str) -> None:
        """Stop what runs for a request."""
        if self._runner is not None:
            self._runner.cancel(request_id)

    def close(self) -> None:
        """End every instance."""
        if self._runner is not None:
            self._runner.close()

    def _require_runner(self) -> Runner:
        if self._runner is None:
            if not isinstance(self._account.clock, SystemClock):
                raise no_runner()
            self._runner = ProcessRunner()
        return self._runner

    def _trouble(self, name: str) -> FunctionTrouble:
        dials = self._account.dials.functions
        return next((trouble for glob, trouble in dials.items() if fnmatchcase(name, glob)), FunctionTrouble())

    def _check_room(self, function: Function, *, throttled: bool) -> None:
        if throttled or self._busy.total() >= self._account.dials.function_concurrency:
            raise Throttled(429, "FSS.0429", "Too many requests.")
        if 0 <= function.max_instances <= self._busy[function.id]:
            raise OverCapacity(429, "FSS.0429", "Too many requests: the function has its maximum of instances.")

    def _spec(self, function: Function, name: str) -> FunctionSpec:
        version = function.versions[name]
        return FunctionSpec(
            urn=str(self._account.functiongraph.urn(function, name)),
            name=function.name,
            version=name,
            package=function.package,
            project_id=function.project_id,
            region=self._account.world.region,
            runtime=version.runtime,
            handler=version.handler,
            initializer_handler=version.initializer_handler,
            initializer_timeout=version.initializer_timeout,
            timeout=version.timeout,
            memory_size=version.memory_size,
            user_data=version.variables,
            code_digest=version.digest,
            code=self._account.world.functiongraph.codes[version.digest].content,
        )

    def _credentials(self, function: Function, name: str) -> dict[str, str]:
        """What the execution agency gives: nothing while it is not ready, or was named only just now."""
        version, iam = function.versions[name], self._account.iam
        agency = iam.agency(version.execution_agency) if version.execution_agency else None
        if agency is None or self._account.now() < version.agency_at + self._account.dials.agency_delay:
            return {}
        token, keys = iam.agency_token(agency, function.project_id), iam.temporary_keys(agency, function.project_id)
        if token is None or keys is None:
            return {}
        access_key, secret_key, security_token = keys
        return {
            "token": token.id,
            "access_key": access_key,
            "secret_key": secret_key,
            "security_token": security_token,
        }

    def _write_log(self, function: Function, name: str, log: str) -> None:
        version = function.versions.get(name)
        if version is None or not version.log_stream_id:
            return
        with self._account.lock:
            for line in log.splitlines():
                self._account.lts.write(version.log_group_id, version.log_stream_id, line)


def _killed(runner: Runner, spec: FunctionSpec, invocation: Invocation, after: float | None) -> RunResult:
    """Run a request whose instance does not live to answer: it is killed at some time, or with all its work done."""
    timer = Timer(after or 0.0, runner.cancel, [invocation.request_id])
    timer.daemon = True
    if after is not None:
        timer.start()
    result = runner.run(spec, invocation)
    timer.cancel()
    runner.forget(spec.urn)
    return replace(result, error_code=KernelCode.EXITED, body=KILLED)


def _every(number: int, nth: int | None) -> bool:
    return nth is not None and number % nth == 0
