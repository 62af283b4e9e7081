"""FunctionGraph as other services use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.core.problems import Refusal
from emulator.functiongraph.errors import alias_not_found, function_not_found, too_large, version_not_found
from emulator.functiongraph.functions import Functions
from emulator.functiongraph.models import Function, FunctionGraphState, Trigger
from emulator.functiongraph.queue import Queue, queued_payload
from emulator.functiongraph.running import Running
from emulator.functiongraph.runtime.spec import Runner
from emulator.functiongraph.triggers import Triggers
from emulator.functiongraph.urns import LATEST, Urn

if TYPE_CHECKING:
    from emulator.account import Account

MAX_ASYNC_BODY = 256 * 1024


class FunctionGraphBackend:
    """Functions of the account."""

    def __init__(self, account: Account, runner: Runner | None) -> None:
        self._account = account
        self.running = Running(account, runner)
        self.queue = Queue(account)
        self.functions = Functions(account)
        self.triggers_of = Triggers(account)
        self.queue.resume()
        self.triggers_of.resume()

    @property
    def state(self) -> FunctionGraphState:
        """The tables."""
        return self._account.world.functiongraph

    def urn(self, function: Function, qualifier: str = "") -> Urn:
        """The URN of a function, or of one of its versions or aliases."""
        return Urn(self._account.world.region, function.project_id, function.package, function.name, qualifier)

    def function(self, urn: Urn) -> Function:
        """The function that a URN names, whatever version.

        Raises:
            Refusal: there is none.
        """
        for function in self.state.functions.values():
            if self.urn(function, urn.qualifier) == urn:
                return function
        raise function_not_found()

    def resolve(self, urn: Urn) -> tuple[Function, str]:
        """The function and the version that a URN means: an alias stands for one, no qualifier for the latest.

        Raises:
            Refusal: there is none.
        """
        function = self.function(urn)
        if urn.alias:
            if urn.alias not in function.aliases:
                raise alias_not_found()
            return function, function.aliases[urn.alias].version
        if (urn.qualifier or LATEST) not in function.versions:
            raise version_not_found()
        return function, urn.qualifier or LATEST

    def same(self, one: Urn, other: str) -> bool:
        """Whether two URNs name the same version or alias."""
        parsed = Urn.parse(other)
        return one.of(one.qualifier or LATEST) == parsed.of(parsed.qualifier or LATEST)

    def triggers(self, kind: str) -> list[Trigger]:
        """The active triggers of a type (`SMN`, `TIMER`, `CTS`)."""
        return [one for one in self.state.triggers.values() if one.type == kind and one.status == "ACTIVE"]

    def invoke_async(self, urn: str, event: Any, *, source: str) -> str:
        """Queue an invocation with a JSON event; `source` says who asks.

        Raises:
            Refusal: no such function, or the event is over 256 KB.
        """
        try:
            parsed = Urn.parse(urn)
        except ValueError as error:
            raise Refusal(400, "FSS.0400", str(error)) from None
        self.resolve(parsed)
        payload = queued_payload(event)
        if len(payload.encode()) > MAX_ASYNC_BODY:
            raise too_large("256 KB")
        return self.queue.put(parsed, payload, source)

    def close(self) -> None:
        """End every instance."""
        self.running.close()
