"""The models of a definition, one a state type; names are those of the States Language."""

from __future__ import annotations

from pydantic import BaseModel


class Machine(BaseModel):
    """A state machine."""

    digest: str = ""
