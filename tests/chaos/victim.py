"""The command line in a process that dies as a state is entered, or as its handler returns.

`python -m tests.chaos.victim EDGE STATE WORDS...`; EDGE is `before` or `after`, WORDS are dcs-access's own.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from cli import composition
from cli.main import main

Handler = Callable[[Any], Any]


def deadly(resolve: Callable[[str], Handler], edge: str, state: str) -> Callable[[str], Handler]:
    """Resolve handlers, the state's so that the process dies before or after it."""

    def call(handler: Handler, event: Any) -> Any:
        hit = event["state"]["Name"] == state
        if hit and edge == "before":
            die()
        answer = handler(event)
        if hit:
            die()
        return answer

    return lambda resource: partial(call, resolve(resource))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _edge, _state, *_words = sys.argv[1:]
    _resolver = composition.resolver
    composition.resolver = lambda services: deadly(_resolver(services), _edge, _state)
    main(_words)
