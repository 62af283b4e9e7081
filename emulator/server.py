"""The emulator behind HTTP: every service at one root, for clients in any language."""

from __future__ import annotations

import json
import logging
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from emulator.admin import PREFIX, administer
from emulator.core.message import Request, Response
from emulator.emulator import Emulator
from emulator.faults import ConnectionLost
from emulator.wire import read_body

LOG = logging.getLogger(__name__)


class Server:
    """A running server; closing it leaves the emulator as it is."""

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        self._http = _Http((host, port), emulator)
        address = self._http.server_address
        self.url = f"http://{host}:{address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving, also on the connections that clients keep open."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(emulator: Emulator, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve an emulator in the background; port 0 takes any free one.

    Raises:
        OSError: the address is not to be had.
    """
    return Server(emulator, host, port)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    # Clients keep connections open; waiting for them would keep a closed server alive.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], emulator: Emulator) -> None:
        self.emulator = emulator
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # as the base class has it
        LOG.debug("connection ended early", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def _serve(self) -> None:
        base = f"http://{self.headers.get('Host', 'localhost')}"
        headers = dict(self.headers)
        try:
            body = read_body(self.headers, self.rfile)
        except ValueError as error:
            # What follows on this connection cannot be told from the body.
            self.close_connection = True
            self._write(Response(400, json.dumps({"error_msg": str(error)}).encode(), {"Connection": "close"}))
            return
        try:
            response = self._answer(Request.of(self.command, self.path, headers, body, base))
        except ConnectionLost:
            self.close_connection = True
            return
        self._write(response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith(PREFIX):
            return administer(self.server.emulator, request)
        try:
            return self.server.emulator.handle(request)
        except ConnectionLost:
            raise
        except Exception:  # the border of the process: a defect answers 500 and the server lives on
            LOG.exception("%s %s failed", request.method, request.path)
            return Response(500, b'{"error_msg": "defect of the emulator, see its log"}')

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        # Head and body in one segment, or the other side's delayed acknowledgement costs 40 ms.
        self._headers_buffer: list[bytes]
        self._headers_buffer.append(b"\r\n" + (b"" if self.command == "HEAD" else response.body))
        self.flush_headers()

    # Names that the base class calls.
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's signature
        LOG.debug(format, *args)
