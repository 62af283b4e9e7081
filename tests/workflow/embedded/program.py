"""A process of its own: queues a request, works until its run ends, and is killed where the test says.

`python -m tests.workflow.embedded.program STORE LOG REQUEST KILL`; KILL is `before:NAME`, `after:NAME` (around
a handler's effect, a line in LOG), `event:TYPE`, `hang:NAME` or `never`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflow.engines.embedded import EmbeddedEngine
from workflow.interpreter import HistoryEvent
from workflow.language import parse


def task(name: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"test:{name}"} | (more if "Next" in more else more | {"End": True})


RETRY = [{"ErrorEquals": ["NotYet"], "IntervalSeconds": 1, "MaxAttempts": 3, "JitterStrategy": "FULL"}]
LEFT = {"StartAt": "Left", "States": {"Left": task("Left", Next="Last"), "Last": task("Last")}}
RIGHT = {"StartAt": "Right", "States": {"Right": task("Right")}}
STATES = {
    "First": task("First", Next="Both"),
    "Both": {"Type": "Parallel", "Branches": [LEFT, RIGHT], "Next": "Flaky"},
    "Flaky": task("Flaky", Retry=RETRY, Next="Pause"),
    "Pause": {"Type": "Wait", "SecondsPath": "$$.Execution.Input.pause", "Next": "End"},
    "End": task("End"),
}
MACHINES = {"machine": parse({"StartAt": "First", "States": STATES})}


def resolver(log: Path, kill: str) -> Callable[[str], Callable[[Any], Any]]:
    """Handlers that append their name to a file, and die around that as told."""

    def resolve(resource: str) -> Callable[[Any], Any]:
        name = resource.removeprefix("test:")

        def handler(_: Any) -> Any:
            if kill == f"before:{name}":
                die()
            with log.open("a") as file:
                file.write(f"{name}\n")
            if kill == f"after:{name}":
                die()
            if kill == f"hang:{name}":
                time.sleep(60)
            if name == "Flaky" and log.read_text().split().count("Flaky") == 1:
                return {"error": {"code": "NotYet", "message": "The first time never works."}}
            return name

        return handler

    return resolve


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(store: str, log: str, request: str, kill: str) -> None:
    engine = EmbeddedEngine(Path(store), resolver(Path(log), kill), MACHINES, random=lambda: 0.2)
    run = engine.enqueue("machine", request_id=request, key="key", input={"pause": int("Wait" in kill)})

    def tell(event: HistoryEvent) -> None:
        if kill == f"event:{event.type}":
            die()

    sys.stdout.write(json.dumps(engine.work_until_done(run.run_id, tell).output))
    engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
