"""The emulator in place of the cloud for everything in this process that uses `requests`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests
from responses import RequestsMock

from emulator.core.message import Request
from emulator.emulator import Emulator
from emulator.faults import ConnectionLost

HOSTS = re.compile(r"https://(iam|elb|vpc|dcs|functiongraph|smn|cts|lts)\.[\w-]+\.otc\.t-systems\.com(:443)?/.*")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
Answering = Callable[[requests.PreparedRequest], tuple[int, dict[str, str], bytes]]


@contextmanager
def in_process(emulator: Emulator) -> Iterator[None]:
    """Answer calls to the cloud's hosts from the emulator; every other host is refused."""
    with RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in METHODS:
            mock.add_callback(method, HOSTS, callback=_answering(emulator), content_type=None)
        yield


def _answering(emulator: Emulator) -> Answering:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        try:
            response = emulator.handle(
                Request.of(request.method or "", request.url or "", dict(request.headers), content)
            )
        except ConnectionLost:
            raise requests.ConnectionError("the connection was lost") from None
        return response.status, dict(response.headers), response.body

    return answer
