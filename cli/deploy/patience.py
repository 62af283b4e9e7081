"""A transport that waits when the gateway asks to: a deployment has no machine whose retries would do that."""

from __future__ import annotations

from collections.abc import Callable

from shared.otc.transport import Answer, Call, Transport

_TRIES = 6
_FIRST, _LONGEST = 1.0, 30.0


class PatientTransport:
    """Repeats what was throttled, which was not carried out, and nothing else."""

    def __init__(self, transport: Transport, sleep: Callable[[float], None]) -> None:
        self._transport, self._sleep = transport, sleep
        self.project_id, self.region = transport.project_id, transport.region

    def send(self, call: Call) -> Answer:
        """Send one call until it is not throttled."""
        pause = _FIRST
        for _ in range(_TRIES):
            answer = self._transport.send(call)
            if answer.status != 429:
                return answer
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST)
        return self._transport.send(call)
