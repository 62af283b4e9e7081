"""What was last found of each exposure, and who has been told: kept beside the queue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from shared.errors import ErrorCode, TemporaryError
from shared.events import VERDICT_EVENTS, EventKind
from shared.services import Sink

_FILE = "verdicts.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS last (exposure TEXT PRIMARY KEY, verdict TEXT NOT NULL, time TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS told (sink TEXT, about TEXT, what TEXT NOT NULL, PRIMARY KEY (sink, about));
"""
_LOOKS = frozenset({EventKind.VERIFIED, EventKind.DRIFTED, EventKind.EXPIRED})
_ENDINGS = frozenset({EventKind.EXPIRING, EventKind.EXPIRED})


@dataclass(frozen=True)
class VerdictStore:
    """The last verdict of each exposure, as events have told it."""

    folder: Path
    name: str = "store of verdicts"

    def last(self) -> dict[str, dict[str, str]]:
        """Verdict and time by exposure; nothing before the first look."""
        if not (self.folder / _FILE).exists():
            return {}
        with self._open() as database:
            rows = database.execute("SELECT exposure, verdict, time FROM last")
            return {exposure: {"verdict": verdict, "verified_at": time} for exposure, verdict, time in rows}

    def deliver(self, event: dict[str, Any]) -> None:
        """Remember a verdict; a run that has changed the exposure makes it worthless."""
        kind, exposure = _kind(event), event.get("subject")
        with self._open() as database:
            if kind in _LOOKS:
                row = (exposure, event["data"]["verdict"], event["time"])
                database.execute("INSERT OR REPLACE INTO last VALUES (?, ?, ?)", row)
            elif kind not in VERDICT_EVENTS:
                database.execute("DELETE FROM last WHERE exposure = ?", (exposure,))
                database.execute("DELETE FROM told WHERE about = ?", (exposure,))

    def told(self, sink: str, about: str) -> str | None:
        """What a sink was last told about something."""
        with self._open() as database:
            row = database.execute("SELECT what FROM told WHERE sink = ? AND about = ?", (sink, about)).fetchone()
        return row[0] if row else None

    def tell(self, sink: str, about: str, what: str) -> None:
        """Remember what a sink was told."""
        with self._open() as database:
            database.execute("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", (sink, about, what))

    def forget(self, runs: Iterable[str]) -> None:
        """Forget who was told how these runs ended, so that a run of the same id is told again."""
        with self._open() as database:
            database.executemany("DELETE FROM told WHERE about LIKE ? || '.%'", [(run,) for run in runs])

    def around(self, sinks: Sequence[Sink], *, on_change: bool) -> list[Sink]:
        """These sinks, told nothing twice, and the store itself."""
        return [*(_TellOnce(sink, f"{place} {sink.name}", self, on_change) for place, sink in enumerate(sinks)), self]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.folder / _FILE, timeout=10)) as database, database:
                # What is lost with the power is found again by the next look.
                database.execute("PRAGMA synchronous=OFF")
                database.executescript(_SCHEMA)
                yield database
        except sqlite3.Error as problem:
            raise TemporaryError(
                ErrorCode.EVENT_UNDELIVERED,
                f"The {self.name} cannot be used: {problem}.",
                resource=self.name,
                advice="Make room or mend the folder of the store.",
            ) from None


@dataclass(frozen=True)
class _TellOnce:
    """A sink that gets each event once, and verdicts only when they change, if that is wanted."""

    sink: Sink
    key: str
    store: VerdictStore
    on_change: bool

    @property
    def name(self) -> str:
        return self.sink.name

    def deliver(self, event: dict[str, Any]) -> None:
        kind = _kind(event)
        if kind not in VERDICT_EVENTS or kind in _ENDINGS:
            about, what = event["id"], event["id"]
        elif self.on_change:
            about, what = event["subject"], _digest(event)
        else:
            self.sink.deliver(event)
            return
        # A store that cannot be used is a sink that fails by itself; others hear all the same.
        told = None
        with suppress(TemporaryError):
            told = self.store.told(self.key, about)
        if told != what:
            self.sink.deliver(event)
            with suppress(TemporaryError):
                self.store.tell(self.key, about, what)


def _kind(event: dict[str, Any]) -> EventKind:
    return EventKind(event["type"].rpartition(".")[2])


def _digest(event: dict[str, Any]) -> str:
    facts = {name: value for name, value in event["data"].items() if name != "run_id"}
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
