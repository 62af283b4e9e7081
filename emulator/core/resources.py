"""What the account holds: resources in tables, with ids, owners, and statuses that may lag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from emulator.clock import EPOCH

NAMESPACE = UUID("5a0c8e1e-6f5b-4f0e-9a63-9a1d5a0f7c11")


class Strict(BaseModel):
    """A model that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)


class Lag(Strict):
    """How long a change takes to show: a number of reads, and seconds; neither means at once."""

    reads: int = 0
    seconds: float = 0.0


class Pending(Strict):
    """A status that is shown until enough reads and time have passed."""

    shows: str
    reads: int = 0
    until: float = 0.0

    def over(self, now: float) -> bool:
        """Whether the change has come through."""
        return self.reads <= 0 and now >= self.until


class Resource(Strict):
    """One resource. In a world its id may be left out: it then follows from `id_from`.

    `hidden_reads` counts the reads that still miss a fresh resource (eventual consistency).
    """

    kind: ClassVar[str]
    id_from: ClassVar[tuple[str, ...]] = ("name",)

    id: str
    name: str = ""
    project_id: str = ""
    created_at: float = EPOCH
    updated_at: float = EPOCH
    pending: Pending | None = None
    hidden_reads: int = 0

    @model_validator(mode="before")
    @classmethod
    def _derive_id(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or data.get("id"):
            return data
        parts = [str(data.get(name, "")) for name in cls.id_from]
        if not any(parts):
            raise ValueError(f"a {cls.kind} needs an id or {' and '.join(cls.id_from)}")
        return {**data, "id": cls.make_id("/".join([cls.kind, *parts]))}

    @classmethod
    def make_id(cls, seed: str) -> str:
        """An id in the form that this kind of resource has."""
        return str(uuid5(NAMESPACE, seed))


class HexId(Resource):
    """A resource whose id is 32 hexadecimal digits without dashes (IAM)."""

    @classmethod
    def make_id(cls, seed: str) -> str:
        """An id in the form that this kind of resource has."""
        return uuid5(NAMESPACE, seed).hex


R = TypeVar("R", bound=Resource)


def _numbered(data: Any) -> Any:
    return {str(number): item for number, item in enumerate(data)} if isinstance(data, list) else data


def _by_id(table: dict[str, R]) -> dict[str, R]:
    rekeyed = {item.id: item for item in table.values()}
    if len(rekeyed) != len(table):
        raise ValueError("two resources with the same id (ids follow from names where they are not given)")
    return rekeyed


Table = Annotated[
    dict[str, R],
    BeforeValidator(_numbered),
    AfterValidator(_by_id),
    PlainSerializer(lambda table: list(table.values())),
]
"""Resources by id in memory, a plain list in YAML."""


def find(table: Mapping[str, R], reference: str, where: str) -> R:
    """The resource that a world's field refers to by id or by name.

    Raises:
        ValueError: there is none, or the name is ambiguous; the message names the field.
    """
    if reference in table:
        return table[reference]
    named = [item for item in table.values() if item.name == reference]
    if len(named) != 1:
        raise ValueError(f"{where}: {'several are' if named else 'nothing is'} called {reference!r}")
    return named[0]


def owned(table: Mapping[str, R], project_id: str) -> list[R]:
    """What a project has in a table, oldest first."""
    return [item for item in table.values() if item.project_id == project_id]


def seen(items: Iterable[R], now: float) -> list[R]:
    """What a read shows: fresh resources may stay hidden, lagging statuses move on."""
    visible = []
    for item in items:
        if item.hidden_reads > 0:
            item.hidden_reads -= 1
            continue
        count_read(item, now)
        visible.append(item)
    return visible


def count_read(item: Resource, now: float) -> None:
    """Let a lagging status move on by one read."""
    if item.pending is None:
        return
    if item.pending.over(now):
        item.pending = None
    else:
        item.pending.reads -= 1
