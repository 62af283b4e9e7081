"""What comes in at the door and what goes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One HTTP request; `base` is scheme and host as the client wrote them, header names are lower case."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = "http://localhost"

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: bytes, base: str = "") -> Request:
        """Read a request from its URL (whole, or only path and query together with `base`)."""
        parts = urlsplit(url)
        return cls(
            method=method,
            path=unquote(parts.path),
            query=parse_qsl(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            base=base or f"{parts.scheme}://{parts.netloc}",
        )


@dataclass(frozen=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What a handler says: a status and the JSON object, if any, or `content` that goes out as it is."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def encoded(self, request_id: str, *, in_body: bool) -> Response:
        """The response on the wire; services differ in where they put the request id."""
        headers = {"X-Request-Id": request_id, **self.headers}
        if self.content is not None:
            return Response(self.status, self.content, {"Content-Type": "application/json", **headers})
        if self.body is None:
            return Response(self.status, b"", headers)
        body = {**self.body, "request_id": request_id} if in_body else dict(self.body)
        headers["Content-Type"] = "application/json"
        return Response(self.status, json.dumps(body).encode(), headers)


@dataclass(frozen=True)
class Later:
    """An answer that takes its time: the door asks for it when the emulator's lock is free."""

    work: Callable[[], Answer]


def ok(body: Mapping[str, Any]) -> Answer:
    """200 with a body."""
    return Answer(200, body)


def created(body: Mapping[str, Any]) -> Answer:
    """201 with a body."""
    return Answer(201, body)


def no_content() -> Answer:
    """204."""
    return Answer(204)
