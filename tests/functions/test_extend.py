"""An extension moves the end of an exposure, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from emulator import Fault
from shared.record import Record, read_record
from tests.support.product import Product


def exposed() -> Product:
    product = Product()
    product.expose(expires_after="8h")
    product.emulator.calls.clear()
    return product


def extend(product: Product, **fields: Any) -> dict[str, Any]:
    """Extend the exposure; the run's output."""
    return product.run({"action": "extend", "instance_id": product.instance_id, **fields}).output


def records(product: Product) -> list[Record]:
    """Both copies of the record."""
    texts = [group.description for group in product.cloud.elb.ip_groups()]
    texts += [listener.description for listener in product.cloud.elb.listeners()]
    return [record for text in texts if (record := read_record(text)) is not None]


@pytest.mark.parametrize("hours", [1, 8, 240])
def test_the_end_moves_in_both_copies_of_the_record_and_the_owner_stays(hours: int):
    product = exposed()
    (before, _) = records(product)
    output = extend(product, expires_after=f"{hours}h")
    end = int((product.services.now() + timedelta(hours=hours)).timestamp())
    anchor, copy = records(product)
    assert anchor == copy
    assert (anchor.expires_at, anchor.run) == (end, before.run)
    data = output["event"]["data"]
    assert datetime.fromisoformat(data["expires_at"]).timestamp() == end
    assert data["endpoint"]["port"] == 80
    assert output["outcome"] == "completed"
    assert [call.method for call in product.emulator.calls.mutating()] == ["PUT", "PUT"]


def test_an_extension_that_fails_halfway_tells_that_the_anchor_has_the_new_end():
    product = exposed()
    product.emulator.faults.add(Fault(method="PUT", path="*/listeners/*", status=403))
    output = extend(product, expires_after="9h")
    (anchor,) = product.cloud.elb.ip_groups()
    assert output["outcome"] == "failed"
    resources = output["event"]["data"]["resources"]
    assert [(each["kind"], each["id"], each["did"]) for each in resources] == [("ip_group", anchor.id, "updated")]


def test_an_exposure_may_last_for_ever_if_that_is_said():
    product = exposed()
    output = extend(product, expires_after="never")
    assert [record.expires_at for record in records(product)] == [None, None]
    assert [finding["code"] for finding in output["event"]["data"]["findings"]] == ["NeverExpires"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "InvalidRequest"),
        ({"expires_after": "1h", "project_id": "another"}, "ForeignProject"),
        ({"expires_after": "1h", "node": "192.168.0.2:6379"}, "ExposureNotFound"),
        ({"expires_after": "1h", "instance_id": "no-such"}, "ExposureNotFound"),
    ],
)
def test_what_cannot_be_extended_is_refused_and_nothing_is_changed(fields: dict[str, Any], code: str):
    product = exposed()
    output = extend(product, **fields)
    assert (output["outcome"], output["event"]["data"]["error"]["code"]) == ("rejected", code)
    assert product.emulator.calls.mutating() == []


@pytest.mark.parametrize(
    "request_", [{"action": "extend", "expires_after": "9h"}, {"action": "expose"}, {"action": "repair"}]
)
@pytest.mark.parametrize("kind", ["loadbalancers", "listeners"])
def test_what_its_owner_has_tagged_is_changed_by_nobody(kind: str, request_: dict[str, Any]):
    product = exposed()
    with product.emulator.change() as account:
        (one,) = getattr(account.world.elb, kind).values()
        one.tags = {**one.tags, "dcs-access-hold": "mine"}
    whole = product.request() if request_["action"] == "expose" else {"instance_id": product.instance_id}
    output = product.run({**whole, **request_}).output
    assert (output["outcome"], output["event"]["data"]["error"]["code"]) == ("rejected", "Held")
    assert product.emulator.calls.mutating() == []


def test_an_exposure_without_a_record_has_to_be_repaired_first():
    product = exposed()
    (group,) = product.cloud.elb.ip_groups()
    product.cloud.elb.update_ip_group(group.id, description=" ".join(group.description.split()[:3]))
    output = extend(product, expires_after="1h")
    assert (output["outcome"], output["event"]["data"]["error"]["code"]) == ("failed", "Conflict")


def test_an_extended_exposure_is_withdrawn_without_a_trace():
    product = Product()
    before = product.account()
    product.expose(expires_after="8h")
    extend(product, expires_after="9h")
    product.withdraw()
    assert product.account() == before


def test_a_listener_that_lost_its_mark_gets_its_copy_again():
    product = exposed()
    (listener,) = product.cloud.elb.listeners()
    product.cloud.elb.update_listener(listener.id, description="")
    assert extend(product, expires_after="9h")["outcome"] == "completed"
    anchor, copy = records(product)
    assert anchor == copy
