"""A preview foretells exactly what a run then does, and only reads."""

from __future__ import annotations

from typing import Any

import pytest

from shared.planning.decide import make_plan
from shared.preview import Preview, preview
from shared.request import parse_request
from shared.results import Did, Kind
from tests.chaos.scenes import SCENES
from tests.functions.test_changes import did
from tests.support.product import Product

RUN = "00000000-0000-5000-8000-000000000000"


def foretold(product: Product, request: dict[str, Any]) -> Preview:
    wanted = parse_request({"request_id": "r", **request})
    assert wanted.action == "expose"
    now = product.services.now()
    product.emulator.calls.clear()
    plan = make_plan(product.cloud, wanted, RUN, product.services.settings, now).plan
    seen = preview(product.cloud, plan, now)
    assert product.emulator.calls.mutating() == []
    return seen


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_foretold_is_what_is_done_in_as_many_changing_calls(scene: str):
    product, request = SCENES[scene]()
    seen = foretold(product, request)
    product.emulator.calls.clear()
    done = did(product.run(request).output)
    assert {each.kind.value: each.did.value for each in seen.resources} == done
    assert seen.calls == len(product.emulator.calls.mutating())
    assert seen.changes


def test_the_same_request_again_has_nothing_to_do():
    product = Product()
    product.expose()
    seen = foretold(product, product.request())
    assert (seen.changes, seen.calls) == (False, 0)
    assert {each.did for each in seen.resources if each.kind is not Kind.PEERING} == {Did.UNCHANGED}


def test_another_allow_list_changes_the_ip_group_and_its_copies_and_nothing_else():
    product = Product()
    product.expose()
    seen = foretold(product, product.request(allow=["198.51.100.7"]))
    changed = {each.kind for each in seen.resources if each.did is Did.UPDATED}
    assert changed == {Kind.IP_GROUP, Kind.LISTENER, Kind.POOL}


def test_what_somebody_took_away_would_be_made_again():
    product = Product()
    product.expose()
    (pool,) = product.cloud.elb.pools()
    product.cloud.elb.delete_monitor(pool.healthmonitor_id or "")
    seen = foretold(product, product.request())
    assert [each.kind for each in seen.resources if each.did is Did.CREATED] == [Kind.MONITOR]
