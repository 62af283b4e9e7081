"""Keep secrets out of whatever a person or another program may read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# To the next space: what looks like the end of a URL may stand within its secret.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_END_OF_SENTENCE = ".,;:"


def mask(value: Any) -> Any:
    """The same JSON with every URL cut down to scheme and host.

    Webhooks carry their secret as user info, in the query or in the path.
    """
    if isinstance(value, str):
        return _URL.sub(_masked, value)
    if isinstance(value, Mapping):
        return {key: mask(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [mask(each) for each in value]
    return value


def _masked(found: re.Match[str]) -> str:
    """A URL at the end of a sentence: its full stop is none of its port."""
    url = found[0].rstrip(_END_OF_SENTENCE)
    return mask_url(url) + found[0][len(url) :]


def mask_url(url: str) -> str:
    """Scheme, host and port of a URL; what else it holds shows as `***`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "***"
    hidden = parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment
    return f"{parts.scheme}://{host}{port}" + ("/***" if hidden else "")
