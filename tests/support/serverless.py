"""The deployed product in this process: the emulator's FunctionGraph calls our handlers, on one virtual clock."""

# ruff: noqa: N802  # the context's methods have the platform's names

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import functions
from emulator import World
from emulator.clock import EPOCH
from emulator.functiongraph.models import AsyncConfig, Code, Destination, Function, Version
from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation, KernelCode, RunResult
from shared.services import LocalContext, Services
from shared.settings import Settings
from shared.starting import ENGINE, start_run
from shared.urns import function_urn
from tests.support.product import Product
from workflow.engines.virtual import VirtualClock

HANDLERS = tuple(sorted(name for _, name, _ in iter_modules(functions.__path__)))
TIMEOUTS = {ENGINE: 900}
STEP_TIMEOUT = 85
RETRIES = 3
DAY = 86_400.0

Hook = Callable[[str, Any], None]
"""Is told the function and its event; may raise one of the troubles."""


class StepTrouble(BaseException):
    """The platform ends a step with one of the kernel's codes; no handler's `except` may see it."""

    def __init__(self, code: KernelCode) -> None:
        super().__init__(code)
        self.code = code


class EngineKilled(BaseException):
    """The instance of the engine is gone, wherever it was."""


class InlineContext(LocalContext):
    """The platform's context, with the services of this process."""

    def __init__(self, services: Services, spec: FunctionSpec, invocation: Invocation, clock: VirtualClock) -> None:
        super().__init__(services)
        self._spec, self._invocation, self._clock = spec, invocation, clock
        self._until = clock.now() + spec.timeout

    def getToken(self) -> str:
        return self._invocation.token

    def getProjectID(self) -> str:
        return self._spec.project_id

    def getUserData(self, key: str) -> str | None:
        return self._spec.user_data.get(key)

    def getLogger(self) -> Any:
        raise NotImplementedError

    def getRequestID(self) -> str:
        return self._invocation.request_id

    def getRemainingTimeInMilliSeconds(self) -> float:
        return (self._until - self._clock.now()) * 1000


class InlineRunner:
    """Runs handlers as a `Runner` does, in this process; `before` and `after` are where a test interferes."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.services: Services | None = None
        self.before: list[Hook] = []
        self.after: list[Hook] = []

    def run(self, spec: FunctionSpec, invocation: Invocation) -> RunResult:
        begun, event = self.clock.now(), json.loads(invocation.event)
        code, result = self._handled(spec, invocation, event)
        seconds = self.clock.now() - begun
        return RunResult(code, json.dumps(result).encode(), "", seconds * 1000, 64.0)

    def _handled(self, spec: FunctionSpec, invocation: Invocation, event: Any) -> tuple[KernelCode, Any]:
        try:
            for hook in self.before:
                hook(spec.name, event)
            result = self._handler(spec, invocation)(event)
            for hook in self.after:
                hook(spec.name, event)
        except StepTrouble as trouble:
            return trouble.code, {"errorType": "Trouble"}
        except EngineKilled:
            if spec.name != ENGINE:
                raise
            return KernelCode.EXITED, {"errorType": "Killed"}
        except Exception as error:  # noqa: BLE001  # the border of a function
            return KernelCode.HANDLER_RAISED, {"errorType": type(error).__name__, "errorMessage": str(error)}
        return KernelCode.FINE, result

    def _handler(self, spec: FunctionSpec, invocation: Invocation) -> Callable[[Any], Any]:
        assert self.services, "the product gives them"
        module, _, name = spec.handler.replace("/", ".").rpartition(".")
        context = InlineContext(self.services, spec, invocation, self.clock)
        if spec.name == ENGINE:
            work = import_module(module).work
            return partial(work, context=context, services=self.services, sleep=self._sleep)
        return partial(getattr(import_module(module), name), context=context)

    def _sleep(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now() + seconds)

    def forget(self, urn: str) -> None:
        """There are no instances."""

    def cancel(self, request_id: str) -> bool:
        return False

    def close(self) -> None:
        """There are no instances."""


class Serverless(Product):
    """The product with every function deployed, and its topics; `request` and `emulator` are as in `Product`."""

    def __init__(self, world: World | None = None, *, settings: Settings | None = None, **more: Any) -> None:
        clock = VirtualClock(EPOCH)
        self.runner = InlineRunner(clock)
        super().__init__(world, settings=settings, clock=clock, runner=self.runner, **more)
        self.runner.services = self.services
        self._deploy()

    def urn(self, name: str) -> str:
        """The URN of a function."""
        return function_urn(self.cloud.region, self.cloud.project_id, self.services.settings.application, name)

    def topic(self, name: str) -> str:
        """The URN of a topic."""
        return f"urn:smn:{self.cloud.region}:{self.cloud.project_id}:{self.services.settings.application}-{name}"

    def start(self, request: dict[str, Any]) -> str:
        """Start a run; its id."""
        return start_run(self.services, {"request_id": "chaos", **request})

    def settle(self, *, within: float = DAY) -> None:
        """Let all happen that is due, and what comes of it, until nothing is left or so many seconds are over."""
        until = self.clock.now() + within
        self.emulator.drain()
        while (due := self.emulator.next_due) is not None and due <= until:
            self.clock.advance_to(due)
            self.emulator.drain()

    def carry_out(self, request: dict[str, Any]) -> str:
        """Start a run and let it end; its id."""
        run = self.start(request)
        self.settle()
        return run

    def queued(self, name: str) -> list[str]:
        """How each asynchronous invocation of a function has ended or stands."""
        urn = self.urn(name)
        entries = self.emulator.world().functiongraph.invocations.values()
        return [one.status for one in entries if one.function_urn.startswith(urn)]

    def _deploy(self) -> None:
        application, project = self.services.settings.application, self.cloud.project_id
        code = Code.of(b"")
        failures = Destination(destination="SMN", param=json.dumps({"topic_urn": self.topic("failures")}))
        with self.emulator.change() as account:
            state = account.functiongraph.state
            state.codes[code.id] = code
            for topic in ("requests", "events", "failures"):
                account.smn.create_topic(project, f"{application}-{topic}", "")
            for name in HANDLERS:
                version = Version(
                    runtime="Python3.12",
                    handler=f"functions/{name}.handler",
                    timeout=TIMEOUTS.get(name, STEP_TIMEOUT),
                    memory_size=256,
                    digest=code.id,
                )
                account.add(
                    state.functions,
                    Function,
                    "functiongraph",
                    project,
                    name=name,
                    package=application,
                    versions={"latest": version},
                    async_configs={"latest": AsyncConfig(max_async_retry_attempts=RETRIES, on_failure=failures)},
                )
