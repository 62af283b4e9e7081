"""Where the functions run."""

from __future__ import annotations

from enum import StrEnum


class Target(StrEnum):
    """Whose interpreter runs the zip: its compiled parts must fit."""

    OTC = "otc"
    EMULATOR = "emulator"
