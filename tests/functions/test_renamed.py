"""An exposure is found by its mark, so what somebody renames or unmarks in the console stays the exposure's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cli.exposures import exposures
from shared.record import read_record
from tests.functions.test_changes import did
from tests.functions.test_sharing import SECOND_INSTANCE
from tests.functions.test_ways import ways
from tests.support.product import Product
from tests.support.worlds import world

THEIRS = "office-clients"


def rename_anchor(product: Product) -> None:
    (group,) = product.cloud.elb.ip_groups()
    product.cloud.elb.update_ip_group(group.id, name=THEIRS)


def unmark_anchor(product: Product) -> None:
    (group,) = product.cloud.elb.ip_groups()
    product.cloud.elb.update_ip_group(group.id, description="")


def rename_balancer(product: Product) -> None:
    (balancer,) = product.cloud.elb.load_balancers()
    product.cloud.elb.update_load_balancer(balancer.id, name=THEIRS)


def unmark_balancer(product: Product) -> None:
    (balancer,) = product.cloud.elb.load_balancers()
    product.cloud.elb.update_load_balancer(balancer.id, description="")


CHANGES = [rename_anchor, unmark_anchor, rename_balancer, unmark_balancer]


@pytest.mark.parametrize("change", CHANGES)
def test_an_exposure_asked_for_again_is_the_one_that_was_there_with_its_names_and_marks_restored(
    change: Callable[[Product], None],
) -> None:
    product = Product()
    empty = product.account()
    first = product.expose()
    elb, eip = product.cloud.elb, product.cloud.eip
    before = [{one.id for one in found} for found in (elb.ip_groups(), elb.load_balancers(), eip.public_ips())]
    change(product)
    again = product.expose(allow=["198.51.100.7"])
    assert again["outcome"] == "completed"
    assert again["event"]["data"]["endpoint"] == first["event"]["data"]["endpoint"]
    assert before == [{one.id for one in found} for found in (elb.ip_groups(), elb.load_balancers(), eip.public_ips())]
    assert {one.name for one in (*elb.ip_groups(), *elb.load_balancers())} == {f"dcs-access-{product.exposure}"}
    product.clock.advance_to(product.clock.now() + 600)
    assert [one["kind"] for one in product.run({"action": "verify"}).output["verified"]["verdicts"]] == []
    assert product.withdraw()["outcome"] == "withdrawn"
    assert product.account() == empty


def test_an_exposure_whose_anchor_was_renamed_still_counts_as_a_user_of_what_it_shares() -> None:
    product = Product(world(dcs={"instances": [SECOND_INSTANCE]}))
    mine, other = (instance.id for instance in product.cloud.dcs.instances())
    for instance in (mine, other):
        assert product.expose(instance_id=instance)["outcome"] == "completed"
    way = ways(product)
    for group in product.cloud.elb.ip_groups():
        record = read_record(group.description)
        if record is not None and record.instance == other:
            product.cloud.elb.update_ip_group(group.id, name=THEIRS)
    output = product.withdraw(instance_id=mine)
    assert output["outcome"] == "withdrawn"
    assert did(output)["vpc_peering"] == "kept"
    assert ways(product) == way
    assert {member.operating_status for member in product.cloud.elb.all_members()} == {"ONLINE"}


def test_a_rename_during_a_withdrawal_hides_no_rival_that_exposes_the_instance_again() -> None:
    product = Product()
    product.expose()
    run = product.begin({"action": "withdraw", "instance_id": product.instance_id})
    run.step()
    product.clock.advance_to(product.clock.now() + 60)
    assert product.expose(allow=["198.51.100.7"])["outcome"] == "completed"
    rename_anchor(product)
    output = run.to_end().output
    assert (output["outcome"], output["event"]["data"]["error"]["code"]) == ("failed", "Conflict")
    assert {member.operating_status for member in product.cloud.elb.all_members()} == {"ONLINE"}


@pytest.mark.parametrize("change", [rename_anchor, rename_balancer, unmark_balancer])
def test_an_exposure_is_listed_with_its_endpoint_whatever_its_resources_are_called(
    change: Callable[[Product], None],
) -> None:
    product = Product()
    product.expose()
    listed = exposures(product.cloud)
    change(product)
    assert exposures(product.cloud) == listed
    assert listed[0]["endpoint"] is not None
