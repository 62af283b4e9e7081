"""Time stamps: every API writes them differently."""

from __future__ import annotations

from datetime import UTC, datetime


def with_z(seconds: float) -> str:
    """`2026-05-04T08:00:31Z`, as ELB and VPC v3 write it."""
    return without_z(seconds) + "Z"


def without_z(seconds: float) -> str:
    """`2026-05-04T08:00:31`, as VPC v1, v2.0 and IP groups write it."""
    return _utc(seconds).strftime("%Y-%m-%dT%H:%M:%S")


def spaced(seconds: float) -> str:
    """`2026-05-04 08:00:31`, as EIP v1 writes it."""
    return _utc(seconds).strftime("%Y-%m-%d %H:%M:%S")


def with_millis(seconds: float) -> str:
    """`2026-05-04T08:00:31.123Z`, as DCS writes it."""
    return _utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def with_micros(seconds: float) -> str:
    """`2026-05-04T08:00:31.123000Z`, as IAM writes it."""
    return _utc(seconds).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
