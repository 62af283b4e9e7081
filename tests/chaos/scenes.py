"""Worlds to break things in, and what has to be left in the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from emulator import World
from emulator.world import SMALL
from tests.support.product import Product

ProductT = TypeVar("ProductT", bound=Product)

ONE_SET = {
    "elb.loadbalancers": 1,
    "elb.listeners": 1,
    "elb.pools": 1,
    "elb.members": 1,
    "elb.healthmonitors": 1,
    "elb.ipgroups": 1,
    "eip.publicips": 1,
    "eip.bandwidths": 1,
    "vpc.peerings": 1,
    "routes": 2,
}


def holdings(product: Product) -> dict[str, int]:
    """How many of each resource the account holds."""
    account = product.account()
    counts = {name: len(account[name.split(".")[0]][name.split(".")[1]]) for name in ONE_SET if "." in name}
    tables = account["vpc"]["route_tables"]
    counts["routes"] = sum(route["type"] == "peering" for table in tables for route in table["routes"])
    return counts


def cross_vpc(kind: type[ProductT]) -> tuple[ProductT, dict[str, Any]]:
    """Load balancer and instance in two VPCs."""
    product = kind()
    return product, product.request(request_id="chaos")


def whitelisted(kind: type[ProductT]) -> tuple[ProductT, dict[str, Any]]:
    """The same with a whitelist that keeps the load balancer out."""
    text = SMALL.replace(
        "password: Demo-Redis-1}",
        "password: Demo-Redis-1, whitelist: {enable_whitelist: true,\n"
        "       whitelist: [{group_name: office, ip_list: [192.168.0.0/24]}]}}",
    )
    product = kind(World.loads(text))
    return product, product.request(request_id="chaos")


def same_vpc(kind: type[ProductT]) -> tuple[ProductT, dict[str, Any]]:
    """Load balancer and instance in one VPC, as documented."""
    product = kind()
    return product, product.request(request_id="chaos", vpc_id=product.vpc_id("vpc-dcs"))


STAGES = {"cross-vpc": cross_vpc, "whitelisted": whitelisted, "same-vpc": same_vpc}
"""Worlds by their names, for a kind of product."""
SCENES: dict[str, Callable[[], tuple[Product, dict[str, Any]]]] = {
    name: partial(stage, Product) for name, stage in STAGES.items()
}


def expected(scene: str) -> dict[str, int]:
    """What one exposure of a scene holds."""
    return ONE_SET | {"routes": 1} if scene == "same-vpc" else ONE_SET
