"""An exposure that a run is at work on is not judged."""

from __future__ import annotations

import pytest

from tests.support.product import Product


@pytest.mark.parametrize("by", ["instance_id", "exposure"])
def test_what_is_skipped_has_no_verdict_and_no_event(by: str):
    product = Product()
    product.expose()
    product.sink.events.clear()
    found = product.run({"action": "verify", "skip": [getattr(product, by)]}).output["verified"]
    assert sum(found["counts"].values()) == 0
    assert product.sink.events == []
