"""Somebody who takes webhooks on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

Heard = list[tuple[dict[str, str], Any]]
"""Headers and JSON of each call."""


@contextmanager
def webhook(status: int) -> Iterator[tuple[str, Heard]]:
    """A URL that answers with a status, and what it has heard."""
    heard: Heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((dict(self.headers), json.loads(body)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://me:hunter2@127.0.0.1:{server.server_port}/hook?token=hunter2", heard
        server.shutdown()
        thread.join(5)
