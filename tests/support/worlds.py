"""Variations on the small world: what a test is about, and nothing else, is spelled out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from emulator import World
from emulator.world import SMALL


def world(change: Mapping[str, Mapping[str, Any]] | None = None, **sections: Mapping[str, Any]) -> World:
    """The small world with changes.

    `change` alters what is there, by its name; in `sections` (vpc, dcs, elb, ...) lists are appended to and
    mappings are merged into what is there.
    """
    data = yaml.safe_load(SMALL)
    for item in [item for tables in data.values() for table in tables.values() for item in table]:
        item.update((change or {}).get(item["name"], {}))
    for section, tables in sections.items():
        held = data.setdefault(section, {})
        for name, more in tables.items():
            held[name] = [*held.get(name, []), *more] if isinstance(more, list) else {**held.get(name, {}), **more}
    return World.model_validate(data)
