"""Worlds to break things in, and what has to be left in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator import World
from emulator.world import SMALL
from tests.support.product import Product

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


def cross_vpc() -> tuple[Product, dict[str, Any]]:
    """Load balancer and instance in two VPCs."""
    product = Product()
    return product, product.request(request_id="chaos")


def whitelisted() -> tuple[Product, dict[str, Any]]:
    """The same with a whitelist that keeps the load balancer out."""
    text = SMALL.replace(
        "password: Demo-Redis-1}",
        "password: Demo-Redis-1, whitelist: {enable_whitelist: true,\n"
        "       whitelist: [{group_name: office, ip_list: [192.168.0.0/24]}]}}",
    )
    product = Product(World.loads(text))
    return product, product.request(request_id="chaos")


def same_vpc() -> tuple[Product, dict[str, Any]]:
    """Load balancer and instance in one VPC, as documented."""
    product = Product()
    return product, product.request(request_id="chaos", vpc_id=product.vpc_id("vpc-dcs"))


SCENES: dict[str, Callable[[], tuple[Product, dict[str, Any]]]] = {
    "cross-vpc": cross_vpc,
    "whitelisted": whitelisted,
    "same-vpc": same_vpc,
}


def expected(scene: str) -> dict[str, int]:
    """What one exposure of a scene holds."""
    return ONE_SET | {"routes": 1} if scene == "same-vpc" else ONE_SET
