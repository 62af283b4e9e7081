"""Verify, and change things behind the product's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.account import Account
from tests.support.many import exposed
from tests.support.product import Product

VERIFY = {"action": "verify"}


def many(count: int) -> Product:
    """So many exposures, healthy since long."""
    return age(Product(exposed(count)))


def age(product: Product, seconds: float = 3600) -> Product:
    """Let time pass, so that no run can be at work any more."""
    product.clock.advance_to(product.clock.now() + seconds)
    product.emulator.tick()
    return product


def verify(product: Product, **fields: Any) -> dict[str, Any]:
    """The result of a verification that changed nothing."""
    product.emulator.calls.clear()
    verified: dict[str, Any] = product.run({**VERIFY, **fields}).output["verified"]
    assert product.emulator.calls.mutating() == []
    return verified


def change(product: Product, how: Callable[[Account], None]) -> None:
    """Change the account behind our back, and let the health checks see it."""
    with product.emulator.change() as account:
        how(account)
    product.clock.advance_to(product.clock.now() + 60)
    product.emulator.tick()
