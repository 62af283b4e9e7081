"""Names and ids that follow from what they name, so that asking twice names the same thing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from collections.abc import Iterable

PREFIX = "dcs-access-"
_RUNS = uuid.UUID("6f1d1a52-6f6e-5f0a-9a63-5f2f0c1b7d11")
_NAME = re.compile(rf"{PREFIX}([0-9a-f]{{20}})")
_PACKED = 22
_RAW = "~"


def exposure_id(project_id: str, instance_id: str, node: str | None = None) -> str:
    """The id of an exposure: one instance (or node of a Redis Cluster) of one project."""
    return hashlib.sha256("\n".join((project_id, instance_id, node or "")).encode()).hexdigest()[:20]


def resource_name(exposure: str) -> str:
    """The name every resource of an exposure carries; at most 64 characters, the shortest limit (peering)."""
    return PREFIX + exposure


def exposure_named(name: str) -> str | None:
    """The exposure whose resources have this name, or None if it is no name of ours."""
    match = _NAME.fullmatch(name)
    return match[1] if match else None


def run_id(project_id: str, request_id: str) -> str:
    """The run of a request: the same request names the same run, on every machine."""
    return str(uuid.uuid5(_RUNS, f"{project_id}\n{request_id}"))


def allow_digest(allow: Iterable[str]) -> str:
    """A short fingerprint of an allow-list, independent of its order."""
    return hashlib.sha256("\n".join(sorted(allow)).encode()).hexdigest()[:12]


def pack(identifier: str) -> str:
    """Shorten a UUID to 22 characters; any other id is kept as it is, marked raw."""
    try:
        value = uuid.UUID(identifier)
    except ValueError:
        return _RAW + identifier
    if str(value) != identifier:
        return _RAW + identifier
    return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")


def unpack(text: str) -> str:
    """Undo `pack`.

    Raises:
        ValueError: the text is neither.
    """
    if text.startswith(_RAW):
        return text[1:]
    if len(text) != _PACKED:
        msg = f"not a packed id: {text!r}"
        raise ValueError(msg)
    try:
        return str(uuid.UUID(bytes=base64.urlsafe_b64decode(text + "==")))
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None
