"""Transitions a second: the durable engine and the interpreter alone beside the peer's executor in memory."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.benchmarks.figures import Figure, in_turns
from tests.benchmarks.machines import INPUT, MACHINES, TASK
from tests.benchmarks.peering import Peer
from workflow.engines import Handler
from workflow.engines.embedded import EmbeddedEngine
from workflow.engines.virtual import VirtualEngine
from workflow.interpreter import Status
from workflow.language import parse

RUNS = 50
_PARSED = {name: parse(definition) for name, (definition, _) in MACHINES.items()}


def _resolve(resource: str) -> Handler:
    assert resource == TASK
    return lambda event: event


@contextmanager
def durable() -> Iterator[EmbeddedEngine]:
    """The embedded engine at work on a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        engine = EmbeddedEngine(Path(folder), _resolve, _PARSED)
        stop = threading.Event()
        worker = threading.Thread(target=engine.work, args=(stop.is_set,))
        worker.start()
        try:
            yield engine
        finally:
            stop.set()
            worker.join()
            engine.close()


def measure(peer: Peer) -> list[Figure]:
    """Every machine, twice: as it is used, and without a record."""
    figures = []
    with durable() as engine:
        _durable(engine, "10 Pass", 2)
        for name, (_, states) in MACHINES.items():
            entered = RUNS * states
            figures.append(
                in_turns(
                    f"{name}, durable",
                    "states/s",
                    lambda name=name, entered=entered: entered / _durable(engine, name, RUNS),  # type: ignore[misc]
                    lambda name=name, entered=entered: entered / peer.run(name, RUNS),  # type: ignore[misc]
                    higher_is_better=True,
                )
            )
        figures.append(
            in_turns(
                "runs of 10 Pass, durable",
                "runs/s",
                lambda: RUNS / _durable(engine, "10 Pass", RUNS),
                lambda: RUNS / peer.run("10 Pass", RUNS),
                higher_is_better=True,
            )
        )
    for name, (_, states) in MACHINES.items():
        entered = RUNS * states
        figures.append(
            in_turns(
                f"{name}, interpreter alone",
                "states/s",
                lambda name=name, entered=entered: entered / _virtual(name, RUNS),  # type: ignore[misc]
                lambda name=name, entered=entered: entered / peer.run(name, RUNS),  # type: ignore[misc]
                higher_is_better=True,
            )
        )
    return figures


def _durable(engine: EmbeddedEngine, name: str, runs: int) -> float:
    begun = time.perf_counter()
    started = [_start(engine, name) for _ in range(runs)]
    for run in started:
        _ended(engine, run)
    return time.perf_counter() - begun


def _start(engine: EmbeddedEngine, name: str) -> str:
    request = uuid4().hex
    return engine.enqueue(name, request_id=request, key=request, input=INPUT).run_id


def _ended(engine: EmbeddedEngine, run: str) -> None:
    while not (view := engine.run(run)).status.ended:
        time.sleep(0.0005)
    assert view.status == Status.SUCCEEDED, view


def _virtual(name: str, runs: int) -> float:
    engine = VirtualEngine(_resolve)
    begun = time.perf_counter()
    for _ in range(runs):
        result: Any = engine.run(_PARSED[name], INPUT)
        assert result.status is Status.SUCCEEDED
    return time.perf_counter() - begun
