from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from workflow.engines import Handler
from workflow.engines.embedded import EmbeddedEngine
from workflow.language import parse

Build = Callable[..., EmbeddedEngine]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Build engines on one store from states and handlers; every engine is closed at the end."""
    engines: list[EmbeddedEngine] = []

    def make(states: Mapping[str, Any], handlers: Mapping[str, Handler] | None = None) -> EmbeddedEngine:
        machine = parse({"StartAt": next(iter(states)), "States": states})
        resolve = (handlers or {}).__getitem__
        engines.append(EmbeddedEngine(tmp_path / "store", resolve, {"machine": machine}, random=lambda: 0.0))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()
