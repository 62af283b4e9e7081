"""Single rules of safety at their borders; each refusal as a whole is proved on the product."""

from __future__ import annotations

import pytest

from shared.errors import ErrorCode, PermanentError
from shared.otc.dcs import Whitelist, WhitelistGroup
from shared.otc.models import QuotaUsage
from shared.otc.vpc import Route, RouteTable
from shared.planning.safety import (
    ROUTES_PER_TABLE,
    admitting_group,
    check_client_range,
    check_free_addresses,
    check_overlap,
    check_quotas,
    check_table,
    check_whitelist,
    warnings,
    whitelist_closed,
)
from shared.request import ExposeRequest, parse_request
from tests.shared.planning.test_choose import subnet
from tests.support.product import Product


def code_of(error: pytest.ExceptionInfo[PermanentError]) -> ErrorCode:
    return error.value.code


def whitelist(*groups: tuple[str, int], enabled: bool = True) -> Whitelist:
    named = (WhitelistGroup(name=name, ips=tuple(f"192.168.7.{n}" for n in range(size))) for name, size in groups)
    return Whitelist(enabled=enabled, groups=tuple(named))


@pytest.mark.parametrize("free", [16, 17, 250])
def test_sixteen_free_addresses_are_enough(free: int) -> None:
    check_free_addresses(subnet("s", "10.0.0.0/24"), free, 16)


@pytest.mark.parametrize("free", [0, 15])
def test_fewer_are_not(free: int) -> None:
    with pytest.raises(PermanentError) as error:
        check_free_addresses(subnet("s", "10.0.0.0/24"), free, 16)
    assert code_of(error) is ErrorCode.TOO_FEW_ADDRESSES


@pytest.mark.parametrize(
    ("limit", "used", "full"), [(10, 9, False), (10, 10, True), (10, 11, True), (-1, 99, False), (0, 0, True)]
)
def test_a_quota_is_full_at_its_limit_and_minus_one_has_none(limit: int, used: int, *, full: bool) -> None:
    usage = {"listener": QuotaUsage(limit=limit, used=used)}
    check_quotas({"listener": False, "unknown": True}, usage)
    if not full:
        check_quotas({"listener": True}, usage)
        return
    with pytest.raises(PermanentError) as error:
        check_quotas({"listener": True}, usage)
    assert code_of(error) is ErrorCode.QUOTA_EXCEEDED


@pytest.mark.parametrize(("count", "full"), [(0, False), (ROUTES_PER_TABLE - 1, False), (ROUTES_PER_TABLE, True)])
def test_a_table_takes_two_hundred_routes(count: int, *, full: bool) -> None:
    routes = tuple(Route(destination=f"10.{n // 250}.{n % 250}.0/24", nexthop="x") for n in range(count))
    table = RouteTable(id="t", vpc_id="v", routes=routes)
    if not full:
        check_table(table)
        return
    with pytest.raises(PermanentError):
        check_table(table)


@pytest.mark.parametrize(
    ("address", "backend", "forbidden"),
    [
        ("192.168.0.10", "172.31.1.0/24", True),
        ("192.168.0.10", "172.31.0.0/22", True),
        ("192.168.0.10", "172.31.3.128/25", True),
        ("192.168.0.10", "172.31.4.0/24", False),
        ("10.1.2.3", "172.31.2.0/24", True),
        ("10.1.2.3", "192.168.1.0/24", False),
        ("172.16.5.6", "192.168.1.0/24", True),
        ("172.31.255.1", "192.168.3.0/26", True),
        ("172.16.5.6", "192.168.4.0/24", False),
        ("172.32.0.1", "192.168.1.0/24", False),
    ],
)
def test_client_ranges_are_forbidden_by_the_instances_own_range(address: str, backend: str, *, forbidden: bool) -> None:
    if not forbidden:
        check_client_range(subnet("s", backend), address)
        return
    with pytest.raises(PermanentError) as error:
        check_client_range(subnet("s", backend), address)
    assert code_of(error) is ErrorCode.CLIENT_RANGE_FORBIDDEN


def test_only_subnets_that_face_each_other_must_not_overlap() -> None:
    backend, home = subnet("b", "10.0.0.0/24"), subnet("h", "10.1.0.0/24", "dcs")
    others = [subnet("b2", "10.0.1.0/24"), subnet("h2", "10.0.1.0/24", "dcs"), subnet("x", "10.0.0.0/16", "third")]
    check_overlap(backend, home, [backend, home, *others])
    for rival in (subnet("b3", "10.1.0.128/25"), subnet("h3", "10.0.0.0/16", "dcs")):
        with pytest.raises(PermanentError) as error:
            check_overlap(backend, home, [backend, home, rival])
        assert code_of(error) is ErrorCode.SUBNETS_OVERLAP


@pytest.mark.parametrize(
    ("groups", "fits"),
    [
        ((), True),
        ((("a", 1), ("b", 1), ("c", 1)), True),
        ((("a", 1), ("b", 1), ("c", 1), ("d", 1)), False),
        ((("a", 1), ("b", 1), ("c", 1), ("dcs-access", 1)), True),
        ((("a", 19),), True),
        ((("a", 20),), False),
        ((("a", 10), ("dcs-access", 10)), False),
    ],
)
def test_a_whitelist_has_four_groups_and_twenty_entries(groups: tuple[tuple[str, int], ...], *, fits: bool) -> None:
    if fits:
        assert check_whitelist(whitelist(*groups), "10.0.0.0/24")
        return
    with pytest.raises(PermanentError) as error:
        check_whitelist(whitelist(*groups), "10.0.0.0/24")
    assert code_of(error) is ErrorCode.WHITELIST_FULL


def test_a_group_admits_a_range_only_if_one_entry_holds_all_of_it() -> None:
    halves = Whitelist(enabled=True, groups=(WhitelistGroup(name="halves", ips=("10.0.0.0/25", "10.0.0.128/25")),))
    whole = Whitelist(enabled=True, groups=(*halves.groups, WhitelistGroup(name="whole", ips=("10.0.0.0/8",))))
    assert admitting_group(halves, "10.0.0.0/24") is None
    assert admitting_group(whole, "10.0.0.0/24") == "whole"
    assert not check_whitelist(whole, "10.0.0.0/24")


@pytest.mark.parametrize(
    ("entry", "admits"),
    [
        ("10.0.0.0-10.0.0.255", True),
        ("10.0.0.0-10.0.0.9", False),
        ("fe80::/64", False),
        ("10.0.0.0/33", False),
        ("anything", False),
    ],
)
def test_whatever_the_console_puts_into_a_whitelist_can_be_read(entry: str, *, admits: bool) -> None:
    odd = Whitelist(enabled=True, groups=(WhitelistGroup(name="odd", ips=(entry,)),))
    assert check_whitelist(odd, "10.0.0.0/24") is not admits


def test_a_whitelist_that_is_off_empty_or_missing_keeps_nobody_out() -> None:
    assert not whitelist_closed(None)
    assert not whitelist_closed(whitelist())
    assert not whitelist_closed(whitelist(("empty", 0)))
    assert not whitelist_closed(whitelist(("a", 1), enabled=False))
    assert whitelist_closed(whitelist(("a", 1)))


@pytest.mark.parametrize("tls", [False, True])
def test_clear_text_is_told_of_unless_the_instance_has_tls(*, tls: bool) -> None:
    product = Product()
    request = parse_request(product.request(request_id="r"))
    assert isinstance(request, ExposeRequest)
    instance = product.cloud.dcs.instance(product.instance_id).model_copy(update={"enable_ssl": tls})
    found = warnings(request, instance, whitelist_changes=False, expires_at=None, expirer=None)
    assert ("NoTls" in {finding.code for finding in found}) is not tls
