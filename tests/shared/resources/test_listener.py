"""The listener's copy of the record follows the anchor, however late a read of the anchor is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.faults import Fault
from shared.errors import ErrorCode, TemporaryError
from shared.otc.elb import IpGroup
from shared.record import Record, read_record
from shared.resources.listener import follow_anchor
from tests.support.product import Product


def exposed() -> tuple[Product, IpGroup]:
    """An exposure and its anchor, some time after."""
    product = Product()
    product.expose(expires_after="8h")
    product.clock.advance_to(product.clock.now() + 60)
    (anchor,) = product.cloud.elb.ip_groups()
    return product, anchor


def shown(product: Product, anchor: IpGroup, *, nth: int = 1, times: int | None = 1) -> None:
    """Let reads of the anchor show it as given."""
    body: dict[str, Any] = anchor.model_dump(exclude={"entries", "listener_ids"})
    body |= {"ip_list": [{"ip": entry} for entry in anchor.entries], "listeners": []}
    fault = Fault(method="GET", path="*/ipgroups/*", nth=nth, times=times, status=200, body={"ipgroup": body})
    product.emulator.faults.add(fault)


def read(description: str) -> Record:
    record = read_record(description)
    assert record is not None
    return record


@pytest.mark.parametrize("late", [1, 2, None])
@pytest.mark.parametrize(
    "fields", [{"action": "extend", "expires_after": "9h"}, {"allow": ["198.51.100.7/32"], "expires_after": "9h"}]
)
def test_a_read_that_is_older_than_what_was_written_changes_nothing(fields: dict[str, Any], late: int | None) -> None:
    product, before = exposed()
    shown(product, before, times=late)
    request = {"instance_id": product.instance_id} if "action" in fields else product.request()
    assert product.run({**request, **fields}).output["outcome"] == "completed"
    (anchor,), (listener,) = product.cloud.elb.ip_groups(), product.cloud.elb.listeners()
    assert anchor.description != before.description
    assert listener.description == read(anchor.description).copy


def test_an_anchor_that_never_says_the_same_twice_is_not_followed_for_ever() -> None:
    product, anchor = exposed()
    (listener,) = product.cloud.elb.listeners()
    record = read(anchor.description)
    for nth in range(1, 40):
        text = replace(record, expires_at=nth).text()
        shown(product, anchor.model_copy(update={"description": text}), nth=nth)
    with pytest.raises(TemporaryError) as refused:
        follow_anchor(product.cloud, listener.id, anchor.id, record.copy, anchor.updated_at)
    assert refused.value.code is ErrorCode.NOT_READY
