"""What a step says it did."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A value that crosses a border: strict and unchangeable."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Did(StrEnum):
    """What was done to a resource."""

    CREATED = "created"
    ADOPTED = "adopted"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    RELEASED = "released"
    KEPT = "kept"


class Kind(StrEnum):
    """The resources an exposure consists of."""

    IP_GROUP = "ip_group"
    LOAD_BALANCER = "load_balancer"
    EIP = "eip"
    LISTENER = "listener"
    POOL = "pool"
    MEMBER = "member"
    MONITOR = "health_monitor"
    PEERING = "vpc_peering"
    ROUTE = "route"
    WHITELIST = "whitelist"


class Touched(Frozen):
    """A resource, what was done to it, and why."""

    kind: Kind
    id: str
    did: Did
    reason: str


class Finding(Frozen):
    """Something the reader of the event should know; not a failure."""

    code: str
    message: str


class StepTimes(Frozen):
    """When a step began and ended (RFC 3339) and how many attempts it took."""

    state: str
    attempts: int
    started: str
    ended: str


class StepResult(Frozen):
    """What every step returns; `facts` are what later steps need of it."""

    touched: tuple[Touched, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: dict[str, str] = Field(default_factory=dict)
    step: StepTimes | None = None
