"""Whose event it is, by its shape (FunctionGraph: events of triggers)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.bodies import malformed


class Source(StrEnum):
    """What may invoke a function."""

    SMN = "SMN"
    CTS = "CTS"
    TIMER = "TIMER"
    KAFKA = "KAFKA"
    ROCKETMQ = "ROCKETMQ"
    APIG = "APIG"
    LTS = "LTS"
    OBS = "OBS"
    DESTINATION = "asynchronous destination"
    DIRECT = "direct invocation"


_QUEUES = frozenset({Source.TIMER, Source.KAFKA, Source.ROCKETMQ})
_KEYS: tuple[tuple[frozenset[str], Source], ...] = (
    (frozenset({"record"}), Source.SMN),
    (frozenset({"cts"}), Source.CTS),
    (frozenset({"httpMethod", "requestContext"}), Source.APIG),
    (frozenset({"lts"}), Source.LTS),
    (frozenset({"Records"}), Source.OBS),
    (frozenset({"request_context", "response_context"}), Source.DESTINATION),
)


def source_of(event: Mapping[str, object]) -> Source:
    """What sent an event; whatever has no shape of the platform's is a direct invocation."""
    kind = event.get("trigger_type")
    if isinstance(kind, str) and kind in _QUEUES:
        return Source(kind)
    return next((source for keys, source in _KEYS if keys <= event.keys()), Source.DIRECT)


def check_source(event: object, *allowed: Source) -> Source:
    """The source of an event, if it is one of those allowed.

    Raises:
        PermanentError: `InvalidRequest`, naming what the event is.
    """
    if not isinstance(event, Mapping):
        raise malformed("The event is not a JSON object.", "event")
    source = source_of(event)
    if source not in allowed:
        expected = " or ".join(allowed)
        raise malformed(f"The event is of {source}; this function takes {expected}.", "event")
    return source
