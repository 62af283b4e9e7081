"""One service's part of a world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from emulator.core.resources import Resource, Strict

if TYPE_CHECKING:
    from emulator.world import World


class State(Strict):
    """The tables of one service: what a world file describes and what the running account holds."""

    def resolve(self, world: World) -> None:
        """Turn names into ids, fill in what follows from the rest, refuse what cannot exist.

        Raises:
            ValueError: the message names the field.
        """

    def resources(self) -> Iterator[Resource]:
        """Everything in the tables."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, dict):
                yield from (item for item in value.values() if isinstance(item, Resource))
