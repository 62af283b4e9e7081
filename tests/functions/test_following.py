"""A client writes through the public address, with real connections to a real Redis, while the instance moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from emulator.dataplane.loopback import LoopbackDataPlane
from shared.verification.verdict import VerdictKind
from tests.functions.test_drift import move, named, repair, verify
from tests.support.product import Product

PORT = 18080
PASSWORD = "Demo-Redis-1"  # that of the emulated instance
PATIENCE = 10.0
"""Seconds that a client may take at most for a few writes."""


class Writer:
    """Writes without pause, on a new connection each time, and counts."""

    def __init__(self, endpoint: dict[str, Any]) -> None:
        self._address = endpoint["address"]
        self._told = threading.Condition()
        self._stop = False
        self.written = self.failed = 0
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait for the counts to come to something."""
        with self._told:
            assert self._told.wait_for(reached, PATIENCE)

    def more(self, number: int = 20) -> tuple[int, int]:
        """Let some more attempts pass; how many were written and how many failed."""
        written, failed = self.written, self.failed
        self.until(lambda: self.written + self.failed >= written + failed + number)
        return self.written - written, self.failed - failed

    def close(self) -> None:
        self._stop = True
        self._thread.join(PATIENCE)

    def _write(self) -> None:
        while not self._stop:
            done = self._once()
            with self._told:
                self.written += done
                self.failed += not done
                self._told.notify_all()

    def _once(self) -> bool:
        options = {"password": PASSWORD, "socket_timeout": 1, "socket_connect_timeout": 1}
        try:
            with redis.Redis(self._address, PORT, retry=None, **options) as client:
                return client.incr("writes") > 0
        except redis.RedisError:
            return False


@pytest.fixture
def product() -> Iterator[Product]:
    plane = LoopbackDataPlane(connect_timeout=0.05)
    product = Product(data_plane=plane)
    yield product
    product.emulator.close()


@pytest.mark.parametrize("moved", [{"ip": "192.168.0.99"}, {"port": 6380}], ids=["address", "port"])
def test_a_client_that_never_stops_writing_reaches_an_instance_that_has_moved(
    product: Product, moved: dict[str, Any]
) -> None:
    output = product.expose(port=PORT, allow=["127.0.0.0/8"])
    assert output["outcome"] == "completed"
    writer = Writer(output["event"]["data"]["endpoint"])
    try:
        assert writer.more()[1] == 0
        with product.emulator.change() as account:
            move(**moved)(account)
        writer.until(lambda: writer.failed > 0)
        assert named(verify(product)) == {"member address"}
        assert repair(product)["outcome"] == "repaired"
        writer.more(1)
        written, failed = writer.more()
        assert (written >= 20, failed) == (True, 0)
        assert verify(product).kind is VerdictKind.HEALTHY
    finally:
        writer.close()
