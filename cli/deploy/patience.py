"""A transport that waits when the cloud is in trouble: a deployment has no machine whose retries would do that."""

from __future__ import annotations

from collections.abc import Callable

from shared.errors import TemporaryError
from shared.otc.transport import Answer, Call, Transport

_TRIES = 6
_FIRST, _LONGEST = 1.0, 30.0


class PatientTransport:
    """Repeats what was throttled, which was not carried out, and a look that failed, which changes nothing.

    `changed` says whether a call was sent that changes something, and was not refused.
    """

    def __init__(self, transport: Transport, sleep: Callable[[float], None]) -> None:
        self._transport, self._sleep = transport, sleep
        self.project_id, self.region = transport.project_id, transport.region
        self.changed = False

    def send(self, call: Call) -> Answer:
        """Send one call until it is neither throttled nor a failed look."""
        pause = _FIRST
        for _ in range(_TRIES):
            try:
                answer = self._sent(call)
            except TemporaryError:
                if call.method != "GET":
                    raise
            else:
                if not _worth_another(call, answer):
                    return answer
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST)
        return self._sent(call)

    def _sent(self, call: Call) -> Answer:
        try:
            answer = self._transport.send(call)
        except TemporaryError:
            self.changed = self.changed or _changing(call)
            raise
        self.changed = self.changed or (_changing(call) and not 400 <= answer.status < 500)
        return answer


def _worth_another(call: Call, answer: Answer) -> bool:
    return answer.status == 429 or (call.method == "GET" and answer.status >= 500)


def _changing(call: Call) -> bool:
    # A function that is asked whether its agency works does nothing.
    return call.method != "GET" and not call.path.endswith("/invocations")
