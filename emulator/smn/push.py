"""One HTTP push: nothing but this machine is ever called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlsplit

TIMEOUT = 5.0


class UndeliverableError(Exception):
    """No further try can help; the message says why."""


def push(endpoint: str, headers: Mapping[str, str], body: Mapping[str, str]) -> str:
    """Post a message to an endpoint.

    Returns:
        What went wrong, empty if the endpoint took it.

    Raises:
        UndeliverableError: the endpoint is not on this machine.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if not _loopback(host):
        raise UndeliverableError(f"the emulator delivers to loopback addresses only, not to {host}")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(host, parts.port, timeout=TIMEOUT)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json", **headers})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"the endpoint answered {status}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
