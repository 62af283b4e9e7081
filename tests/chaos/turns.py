"""Two runs at once, call by call: each API call waits for its turn, which a seeded draw gives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.product import Product

PATIENCE = 0.02
"""Seconds to wait for the one whose turn it is: it may be thinking, or waiting for the clock."""


class Turns:
    """Lets the calls of several products through, one at a time, in a drawn order."""

    def __init__(self, products: list[Product], seed: int) -> None:
        self._random = Random(seed)
        self._free = threading.Condition()
        self._owners = {product.cloud.transport._token: index for index, product in enumerate(products)}
        self._turn = 0

    def wait(self, call: Any) -> None:
        """Hold a call until it is its product's turn; the turn goes on when nobody uses it."""
        owner = self._owners[call.headers["x-auth-token"]]
        with self._free:
            self._free.wait_for(lambda: self._turn == owner, timeout=PATIENCE)
            self._turn = self._random.randrange(len(self._owners))
            self._free.notify_all()


def at_once(products: list[Product], runs: list[Callable[[], Any]], seed: int) -> list[Any]:
    """Run all in threads of their own, taking turns call by call; their results in order."""
    turns = Turns(products, seed)
    products[0].emulator.before_call.append(turns.wait)
    results: list[Any] = [None] * len(runs)

    def keep(index: int) -> None:
        results[index] = runs[index]()

    threads = [threading.Thread(target=keep, args=(index,)) for index in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    products[0].emulator.before_call.remove(turns.wait)
    return results
