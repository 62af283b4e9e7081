from __future__ import annotations

from typing import Any

import pytest

from shared.errors import ErrorCode, PermanentError
from shared.otc.client import PAGE
from shared.otc.cloud import Cloud
from shared.otc.dcs import PAGE as DCS_PAGE
from tests.shared.otc.canned import Canned, answer


def groups(first: int, count: int) -> list[dict[str, Any]]:
    return [{"id": f"g{number}", "name": "n"} for number in range(first, first + count)]


def peering(number: int) -> dict[str, Any]:
    side = {"vpc_id": f"v{number}"}
    return {"id": f"p{number}", "status": "ACTIVE", "request_vpc_info": side, "accept_vpc_info": side}


def eip(number: int) -> dict[str, Any]:
    return {"id": f"e{number}", "public_ip_address": "80.158.0.1", "status": "DOWN"}


def redis(number: int) -> dict[str, Any]:
    return {
        "instance_id": f"i{number}",
        "engine": "Redis",
        "engine_version": "6.0",
        "status": "RUNNING",
        "port": 6379,
        "vpc_id": "v",
        "subnet_id": "s",
    }


def test_elb_lists_follow_the_marker_that_the_page_names():
    first = {"ipgroups": groups(0, PAGE), "page_info": {"next_marker": "m", "current_count": PAGE}}
    last = {"ipgroups": groups(PAGE, 1), "page_info": {"next_marker": "g2000", "current_count": 1}}
    transport = Canned(answer(200, first), answer(200, last))
    assert len(Cloud(transport).elb.ip_groups()) == PAGE + 1
    assert [dict(call.query).get("marker") for call in transport.calls] == [None, "m"]


def test_elb_lists_end_with_a_full_page_that_names_no_marker():
    transport = Canned(answer(200, {"ipgroups": groups(0, PAGE), "page_info": {"current_count": PAGE}}))
    assert len(Cloud(transport).elb.ip_groups()) == PAGE


def test_peerings_follow_their_links():
    first = {"peerings": [peering(0)], "peerings_links": [{"rel": "next", "href": "..."}]}
    last = {"peerings": [peering(1)], "peerings_links": [{"rel": "previous", "href": "..."}]}
    transport = Canned(answer(200, first), answer(200, last))
    assert [item.id for item in Cloud(transport).vpc.peerings()] == ["p0", "p1"]
    assert dict(transport.calls[1].query)["marker"] == "p0"


def test_version_1_lists_go_on_from_the_last_id_of_a_full_page():
    transport = Canned(
        answer(200, {"publicips": [eip(number) for number in range(PAGE)]}),
        answer(200, {"publicips": []}),
    )
    assert len(Cloud(transport).eip.public_ips()) == PAGE
    assert dict(transport.calls[1].query)["marker"] == f"e{PAGE - 1}"


def test_dcs_lists_go_on_by_offset():
    transport = Canned(
        answer(200, {"instance_num": DCS_PAGE + 1, "instances": [redis(n) for n in range(DCS_PAGE)]}),
        answer(200, {"instance_num": DCS_PAGE + 1, "instances": [redis(DCS_PAGE)]}),
    )
    assert len(Cloud(transport).dcs.instances()) == DCS_PAGE + 1
    assert [dict(call.query)["offset"] for call in transport.calls] == ["0", str(DCS_PAGE)]


def test_a_list_whose_next_page_is_itself_ends_in_an_error():
    page = answer(200, {"ipgroups": groups(0, PAGE), "page_info": {"next_marker": "m"}})
    with pytest.raises(PermanentError) as caught:
        Cloud(Canned(page, page, page)).elb.ip_groups()
    assert caught.value.code is ErrorCode.UNEXPECTED_ANSWER


def test_a_page_without_its_list_is_not_an_empty_list():
    with pytest.raises(PermanentError) as caught:
        Cloud(Canned(answer(200, {"items": []}))).elb.ip_groups()
    assert caught.value.code is ErrorCode.UNEXPECTED_ANSWER
