"""Log groups and streams: what they are, and who writes into them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from emulator.core.resources import Resource, Table, find, owned
from emulator.core.state import State

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.world import World

DAY = 86_400.0
MAX_LINES = 10_000


class LogGroup(Resource):
    """A group of streams; `ttl_in_days` says how long their lines are kept."""

    kind: ClassVar[str] = "log_group"

    ttl_in_days: int = 30
    tags: dict[str, str] = {}


class LogStream(Resource):
    """A stream of lines; without a time of its own it keeps them as long as its group says."""

    kind: ClassVar[str] = "log_stream"
    id_from: ClassVar[tuple[str, ...]] = ("group_id", "name")

    group_id: str
    ttl_in_days: int | None = None
    tags: dict[str, str] = {}


class LtsState(State):
    """What LTS keeps; lines are not part of it, they live as long as the emulator runs."""

    groups: Table[LogGroup] = {}
    streams: Table[LogStream] = {}

    def resolve(self, world: World) -> None:  # noqa: ARG002  # nothing outside is referred to
        """Turn names into ids, refuse what cannot exist."""
        for stream in self.streams.values():
            where = f"lts.streams[{stream.name}].group_id"
            group = find(self.groups, stream.group_id, where)
            stream.group_id, stream.project_id = group.id, group.project_id


@dataclass(frozen=True)
class LogLine:
    """One line; `number` is its time in nanoseconds, made unique, as clients page by it."""

    number: int
    content: str


class LtsBackend:
    """Keeps the newest lines of each stream."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lines: dict[str, deque[LogLine]] = {}
        self._last = 0

    @property
    def state(self) -> LtsState:
        """The tables."""
        return self._account.world.lts

    def group(self, project_id: str, group_id: str) -> LogGroup | None:
        """A log group of the project."""
        group = self.state.groups.get(group_id)
        return group if group and group.project_id == project_id else None

    def streams(self, group: LogGroup) -> list[LogStream]:
        """The streams of a group, oldest first."""
        return [one for one in owned(self.state.streams, group.project_id) if one.group_id == group.id]

    def write(self, log_group_id: str, log_stream_id: str, line: str) -> None:
        """Add a line to a stream; what is written to none is lost, as the writer is never told."""
        stream = self.state.streams.get(log_stream_id)
        if stream is None or stream.group_id != log_group_id:
            return
        self._last = max(self._last + 1, int(self._account.now() * 1000) * 1_000_000)
        self._lines.setdefault(stream.id, deque(maxlen=MAX_LINES)).append(LogLine(self._last, line))

    def lines(self, stream: LogStream) -> Iterator[LogLine]:
        """The lines of a stream that are still kept, oldest first."""
        days = stream.ttl_in_days or self.state.groups[stream.group_id].ttl_in_days
        oldest = (self._account.now() - days * DAY) * 1_000_000_000
        return (line for line in self._lines.get(stream.id, ()) if line.number >= oldest)

    def delete_stream(self, stream: LogStream) -> None:
        """Delete a stream and its lines."""
        del self.state.streams[stream.id]
        self._lines.pop(stream.id, None)

    def delete_group(self, group: LogGroup) -> None:
        """Delete a group with its streams."""
        for stream in self.streams(group):
            self.delete_stream(stream)
        del self.state.groups[group.id]
