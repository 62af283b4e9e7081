"""The machines: one file each, in Amazon States Language."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from workflow.language import Machine, parse

NAMES = ("expose", "extend", "repair", "verify", "withdraw")


@cache
def load_machine(name: str) -> Machine:
    """A machine by its name.

    Raises:
        LookupError: there is no such machine.
    """
    if name not in NAMES:
        raise LookupError(name)
    return parse((files(__name__) / f"{name}.asl.json").read_text("utf-8"))


def load_machines() -> dict[str, Machine]:
    """Every machine by its name."""
    return {name: load_machine(name) for name in NAMES}
