"""One call to the cloud, and the only two ways to make it: a session outside, a token inside a function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import requests

from shared.errors import ErrorCode, TemporaryError

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 40.0


class Service(StrEnum):
    """The services we call; EIP lives on the VPC host (regions and endpoints)."""

    ELB = "elb"
    VPC = "vpc"
    DCS = "dcs"
    IAM = "iam"
    FUNCTIONGRAPH = "functiongraph"
    SMN = "smn"
    LTS = "lts"


@dataclass(frozen=True)
class Call:
    """One API call: `path` starts at the host's root, `action` is the IAM action it needs.

    `timeout` is how long (seconds) its answer may take, where that is longer than most calls' do.
    """

    service: Service
    method: str
    path: str
    action: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Sends a call with credentials and time-outs; never retries a mutation.

    Raises:
        TemporaryError: `NoAnswer` when the answer was lost (the call may have been carried out).
    """

    @property
    def project_id(self) -> str:
        """The project of the credentials."""

    @property
    def region(self) -> str:
        """The region of the endpoints."""

    def send(self, call: Call) -> Answer:
        """Send one call."""


class TokenTransport:
    """A `requests` session with an IAM token: what a function has."""

    def __init__(
        self,
        session: requests.Session,
        token: str,
        *,
        project_id: str,
        region: str,
        endpoints: Mapping[Service, str],
    ) -> None:
        self._session, self._token, self._endpoints = session, token, endpoints
        self.project_id, self.region = project_id, region

    def send(self, call: Call) -> Answer:
        """Send one call with the token."""
        try:
            answer = self._session.request(
                call.method,
                self._endpoints[call.service] + call.path,
                params=list(call.query),
                data=None if call.body is None else json.dumps(call.body),
                headers={"X-Auth-Token": self._token, "Content-Type": "application/json"},
                timeout=(CONNECT_TIMEOUT, call.timeout or READ_TIMEOUT),
                allow_redirects=False,
            )
        except requests.RequestException:
            raise lost(call) from None
        return Answer(answer.status_code, answer.content, dict(answer.headers))


def lost(call: Call) -> TemporaryError:
    """The error for a call without an answer: one that changes something may still have been carried out."""
    reading = call.method == "GET"
    return TemporaryError(
        ErrorCode.NO_ANSWER,
        f"No answer to {call.method} {call.path}" + ("." if reading else "; it may have been carried out."),
        resource=call.path,
        advice="Check that it can be reached." if reading else "Look for the resource before you ask again.",
    )
