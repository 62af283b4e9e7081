"""Signatures of webhooks, by the Standard Webhooks specification (standardwebhooks.com)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


def read_key(secret: str) -> bytes:
    """Read a secret, `whsec_` and the key in base64; no error quotes it.

    Raises:
        ValueError: it is none, or its key is not 24 to 64 bytes long.
    """
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not (secret.startswith(_PREFIX) and _SHORTEST <= len(key) <= _LONGEST):
        raise ValueError(f"must be {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64")
    return key


@dataclass(frozen=True)
class Signer:
    """Signs with every key, so that receivers can be given a new one before the old one goes.

    `now` gives the time of the attempt, which receivers hold against replays.
    """

    keys: Sequence[bytes] = field(repr=False)
    now: Callable[[], datetime]

    def headers(self, event_id: str, body: bytes) -> dict[str, str]:
        """Return the headers that go with a body; a repeated attempt has the same id and another time."""
        moment = str(int(self.now().timestamp()))
        content = f"{event_id}.{moment}.".encode() + body
        signatures = [f"v1,{b64encode(hmac.digest(key, content, sha256)).decode()}" for key in self.keys]
        return {"webhook-id": event_id, "webhook-timestamp": moment, "webhook-signature": " ".join(signatures)}
