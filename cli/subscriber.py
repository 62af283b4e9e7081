"""An HTTP endpoint that subscribes to a topic, confirms, and keeps what comes (SMN manual: HTTP messages)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from queue import Empty, Queue
from secrets import token_urlsafe
from threading import Event, Thread
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import requests
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.masking import mask_url
from shared.otc.cloud import Cloud

HERE = "http://127.0.0.1:0"
"""A free port of this machine."""
CONFIRMED_WITHIN = 60.0
_TIMEOUT = 10.0
_LONGEST = 1_000_000


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    type: Literal["SubscriptionConfirmation", "Notification", "UnsubscribeConfirmation"]
    topic_urn: str
    message: str = ""
    subscribe_url: str = Field(default="", pattern=r"^(https?://\S+)?$")


class _Event(BaseModel):
    """A CloudEvent, as far as whoever waits for one has to know it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    type: str
    data: dict[str, Any]


class Subscriber:
    """The events of a topic, in the order in which they come; one that comes twice is there once."""

    def __init__(self) -> None:
        self.confirmed = Event()
        self._events: Queue[dict[str, Any]] = Queue()
        self._seen: set[str] = set()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next event, or None if there is none in time."""
        try:
            return self._events.get(timeout=max(seconds, 0.0))
        except Empty:
            return None

    def take(self, text: str) -> None:
        """Keep an event; what else somebody may publish is none of ours."""
        try:
            event = _Event.model_validate_json(text)
        except ValidationError:
            return
        if event.id not in self._seen:
            self._seen.add(event.id)
            self._events.put(event.model_dump(mode="json"))


@contextmanager
def subscribed(
    cloud: Cloud, topic_urn: str, url: str = HERE, *, within: float = CONFIRMED_WITHIN
) -> Iterator[Subscriber]:
    """Listen at a URL that the topic can reach, until the block ends; it begins when the topic has been confirmed.

    Args:
        cloud: whose topic it is.
        topic_urn: the topic.
        url: where the topic posts to; its port is the one listened at.
        within: how many seconds the topic has to reach it.

    Raises:
        PermanentError: `InvalidRequest`, the URL is none that can be listened at.
        TemporaryError: `NotReady`, the topic does not reach the URL.
    """
    parts = _checked(url)
    subscriber = Subscriber()
    # Nobody but the topic knows the path, so nobody else is listened to.
    secret = f"{parts.path.rstrip('/')}/{token_urlsafe(16)}"
    try:
        server = _Server(parts, secret, topic_urn, subscriber)
    except OSError as problem:
        raise _refused(f"Nothing can listen at {url}: {problem.strerror}.") from None
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with _subscription(cloud, topic_urn, parts, f"{_host(parts)}:{server.server_port}{secret}"):
            if not subscriber.confirmed.wait(within):
                advice = "Give a URL of this machine that the cloud can reach."
                raise TemporaryError(ErrorCode.NOT_READY, f"The topic does not reach {mask_url(url)}.", advice=advice)
            yield subscriber
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _subscription(cloud: Cloud, topic_urn: str, parts: SplitResult, place: str) -> Iterator[None]:
    subscription = cloud.smn.subscribe(topic_urn, parts.scheme, f"{parts.scheme}://{place}")
    try:
        yield
    finally:
        cloud.smn.unsubscribe(subscription)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        fine = False
    if not fine:
        raise _refused("It is no URL that can be listened at.")
    return parts


def _refused(message: str) -> PermanentError:
    advice = "Give a URL that leads to a free port of this machine, such as http://203.0.113.7:8080."
    return PermanentError(ErrorCode.INVALID_REQUEST, message, field="listen", advice=advice)


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _interface(parts: SplitResult) -> str:
    """Where to listen: what leads to this machine from outside is not an address of its own."""
    host = parts.hostname or ""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return host if loopback else ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, parts: SplitResult, secret: str, topic_urn: str, subscriber: Subscriber) -> None:
        self.secret, self.topic_urn, self.subscriber = secret, topic_urn, subscriber
        port = {"http": 80, "https": 443}[parts.scheme] if parts.port is None else parts.port
        super().__init__((_interface(parts), port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _TIMEOUT

    def do_POST(self) -> None:  # the base class calls it
        try:
            length = int(self.headers.get("Content-Length") or 0)
            known = self.path == self.server.secret and 0 <= length <= _LONGEST
            if known:
                self._take(_Message.model_validate_json(self.rfile.read(length)))
        except (ValueError, requests.RequestException):
            known = False
        if not known:
            self.send_error(400)
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _take(self, message: _Message) -> None:
        if message.topic_urn != self.server.topic_urn:
            raise ValueError(message.topic_urn)
        if message.type == "SubscriptionConfirmation":
            requests.get(message.subscribe_url, timeout=_TIMEOUT, allow_redirects=False).raise_for_status()
            self.server.subscriber.confirmed.set()
        elif message.type == "Notification":
            self.server.subscriber.take(message.message)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's signature
        """Nothing: the caller shows the events."""
