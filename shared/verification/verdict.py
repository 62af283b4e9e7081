"""What verification says of an exposure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from shared.record import LIMIT
from shared.results import Frozen, Kind, StepResult

EXISTS = "exists"


class VerdictKind(StrEnum):
    """In the order in which they are decided: the first that applies is the verdict.

    `changing` is said of what would be conflicting, drifted or unhealthy, had a run not just begun to work on it.
    """

    HELD = "held"
    EXPIRED = "expired"
    CONFLICTING = "conflicting"
    ORPHANED = "orphaned"
    CHANGING = "changing"
    DRIFTED = "drifted"
    UNHEALTHY = "unhealthy"
    HEALTHY = "healthy"


def _short(text: str) -> str:
    return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"


Shown = Annotated[str, AfterValidator(_short)]
"""A value in words; a long list is cut, since a hundred verdicts have to fit one event."""


class Difference(Frozen):
    """One field of one resource that is not what the record says; `exists` is the field of a missing resource.

    `id` is the cloud's; for a missing resource the name it should have, for a route "<table> <destination>".
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, serialize_by_alias=True, populate_by_name=True
    )

    kind: Kind
    id: str
    field: str
    is_: Shown = Field(alias="is")
    should: Shown


class Verdict(Frozen):
    """One exposure, judged; moments in epoch seconds.

    `endpoint` is `address:port`. `repair` is the record's own policy, `repairable` whether a repair can restore
    everything without replacing a load balancer or an address. `ours` holds the ids that were found, by kind.
    """

    exposure: str
    instance_id: str | None
    node: str | None
    kind: VerdictKind
    reason: str
    reason_code: str | None = None
    differences: tuple[Difference, ...] = ()
    endpoint: str | None = None
    since: int | None = None
    expires_at: int | None = None
    repair: bool = False
    repairable: bool = False
    ours: dict[Kind, tuple[str, ...]] = Field(default_factory=dict)


class Due(Frozen):
    """An exposure that something has to be done about."""

    exposure: str
    instance_id: str
    node: str | None
    expires_at: int | None = None


class VerifyResult(StepResult):
    """What `verify_exposures` returns: counts of all, the first hundred that are not healthy, and what is due."""

    counts: dict[VerdictKind, int]
    verdicts: tuple[Verdict, ...]
    repairs: tuple[Due, ...]
    expired: tuple[Due, ...]
    expiring: tuple[Due, ...]
