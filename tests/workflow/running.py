"""Short ways to build a machine and run it on the virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workflow.engines.virtual import Result, VirtualClock, VirtualEngine
from workflow.interpreter import EventType, HistoryEvent
from workflow.language import parse

Json = Any
START = 1_000_000_000.0


def one(state: Mapping[str, Json], **others: Mapping[str, Json]) -> dict[str, Json]:
    """A machine of one state, `It`, which ends it unless it names the next among the others."""
    ending = {} if state["Type"] in {"Choice", "Succeed", "Fail"} or "Next" in state else {"End": True}
    return {"StartAt": "It", "States": {"It": {**state, **ending}, **others}}


def task(**fields: Json) -> dict[str, Json]:
    return {"Type": "Task", "Resource": "urn:fss:work", **fields}


def failing(*codes: str | None) -> Callable[[Json], Json]:
    """A handler that fails with each code in turn (None: succeeds), and at last succeeds."""
    left = list(codes)

    def handle(parameters: Json) -> Json:
        code = left.pop(0) if left else None
        return {"error": {"code": code, "message": "said so"}} if code else {"done": True}

    return handle


def run(
    definition: Mapping[str, Json],
    data: Json = None,
    handler: Callable[[Json], Json] = lambda parameters: parameters,
    *,
    random: Callable[[], float] = lambda: 0.5,
    cancel_at: float | None = None,
) -> Result:
    engine = VirtualEngine(lambda resource: handler, clock=VirtualClock(START), random=random)
    return engine.run(parse(definition), {} if data is None else data, cancel_at=cancel_at)


def output(definition: Mapping[str, Json], data: Json = None, **more: Json) -> Json:
    result = run(definition, data, **more)
    assert result.status == "SUCCEEDED", (result.error, result.cause)
    return result.output


def events(result: Result, kind: EventType) -> list[HistoryEvent]:
    return [event for event in result.history if event.type is kind]
