"""Who else uses what an exposure shares: computed from the records in the cloud, just before a release."""

from __future__ import annotations

from collections.abc import Iterable

from shared.record import Mode, Record


def peering_users(exposure: str, vpc_id: str, peer_vpc_id: str, records: Iterable[Record]) -> list[str]:
    """The other exposures whose traffic or routes need the peering of a pair of VPCs."""
    pair = {vpc_id, peer_vpc_id}
    return [
        record.exposure
        for record in records
        if record.exposure != exposure and record.mode is not Mode.DIRECT and {record.vpc, record.peer_vpc} == pair
    ]


def whitelist_subnets(exposure: str, instance: str, records: Iterable[Record]) -> frozenset[str]:
    """The subnets from which other exposures reach the same instance (nodes of one Redis Cluster)."""
    return frozenset(record.subnet for record in records if record.exposure != exposure and record.instance == instance)
