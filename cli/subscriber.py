"""An HTTP endpoint that subscribes to a topic, confirms, and keeps what comes (SMN manual: HTTP messages)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import Any

import requests

from shared.otc.cloud import Cloud

_TIMEOUT = 10.0
_LONGEST = 1_000_000


class Subscriber:
    """The events of a topic, in the order in which they come; one that comes twice is there once."""

    def __init__(self) -> None:
        self._events: Queue[dict[str, Any]] = Queue()
        self._seen: set[str] = set()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next event, or None if there is none in time."""
        try:
            return self._events.get(timeout=seconds)
        except Empty:
            return None

    def take(self, event: dict[str, Any]) -> None:
        """Keep an event."""
        if event["id"] not in self._seen:
            self._seen.add(event["id"])
            self._events.put(event)


@contextmanager
def subscribed(cloud: Cloud, topic_urn: str, host: str = "127.0.0.1") -> Iterator[Subscriber]:
    """Listen at a free port of this machine, until the block ends; the topic must be able to reach it."""
    subscriber = Subscriber()
    server = _Server(host, topic_urn, subscriber)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        subscription = cloud.smn.subscribe(topic_urn, "http", f"http://{host}:{server.server_port}/")
        try:
            yield subscriber
        finally:
            cloud.smn.unsubscribe(subscription)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, topic_urn: str, subscriber: Subscriber) -> None:
        self.topic_urn, self.subscriber = topic_urn, subscriber
        super().__init__((host, 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:  # the base class calls it
        length = int(self.headers.get("Content-Length") or 0)
        try:
            message = json.loads(self.rfile.read(min(length, _LONGEST)))
            self._take(message)
        except (ValueError, KeyError, TypeError, requests.RequestException):
            self.send_error(400)
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _take(self, message: dict[str, Any]) -> None:
        if message["topic_urn"] != self.server.topic_urn:
            raise ValueError(message["topic_urn"])
        if message["type"] == "SubscriptionConfirmation":
            requests.get(message["subscribe_url"], timeout=_TIMEOUT).raise_for_status()
        elif message["type"] == "Notification":
            self.server.subscriber.take(json.loads(message["message"]))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's signature
        """Nothing: the caller shows the events."""
