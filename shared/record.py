"""The marks we leave in descriptions: who made a resource, and the record of an exposure.

Descriptions hold at most 255 characters, without `<` and `>` (ELB and VPC API). Both marks are one line of
`key=value` words, so that a person in the console can read them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from shared.ids import pack, unpack

HEAD = "dcs-access/1"
LIMIT = 255


class Mode(StrEnum):
    """How load balancer and instance stand to each other."""

    CROSS_VPC = "cross"
    DOCUMENTED = "documented"
    DIRECT = "direct"


@dataclass(frozen=True)
class Mark:
    """Which exposure a resource belongs to, and which run made it."""

    exposure: str
    run: str

    def text(self) -> str:
        """The mark as a description."""
        return f"{HEAD} e={self.exposure} r={pack(self.run)}"


@dataclass(frozen=True)
class Record:
    """The desired state of an exposure as its IP group and its listener keep it; `expires_at` in epoch seconds.

    `run` owns the exposure: a run that adopts it writes itself here, and a roll back that finds another
    run here leaves everything alone. `taken` says that the exposure was there before its owner. `peer_vpc`
    is the instance's VPC, or the helper VPC where load balancer and instance share one.
    """

    exposure: str
    run: str
    instance: str
    node: str | None
    port: int
    vpc: str
    subnet: str
    peer_vpc: str
    mode: Mode
    allow: str
    expires_at: int | None = None
    bandwidth: int | None = None
    repair: bool = False
    taken: bool = False

    def text(self) -> str:
        """The record as a description."""
        words = {
            "e": self.exposure,
            "r": pack(self.run),
            "i": pack(self.instance),
            "n": self.node,
            "p": str(self.port),
            "v": pack(self.vpc),
            "s": pack(self.subnet),
            "w": pack(self.peer_vpc),
            "m": self.mode.value,
            "a": self.allow,
            "x": None if self.expires_at is None else str(self.expires_at),
            "b": None if self.bandwidth is None else str(self.bandwidth),
            "f": "repair" if self.repair else None,
            "t": "1" if self.taken else None,
        }
        text = " ".join([HEAD, *(f"{key}={value}" for key, value in words.items() if value is not None)])
        if len(text) > LIMIT:
            msg = f"a record of {len(text)} characters does not fit a description"
            raise ValueError(msg)
        return text

    @property
    def copy(self) -> str:
        """The record as a listener keeps it: only the anchor says whether the exposure was taken over."""
        return replace(self, taken=False).text()

    @property
    def asked(self) -> dict[str, Any]:
        """The fields of a request to expose that come to this record; the allow-list and the end are not in it."""
        fields = {
            "instance_id": self.instance,
            "node": self.node,
            "port": self.port,
            "vpc_id": self.vpc,
            "subnet_id": self.subnet,
            "same_vpc": None if self.mode is Mode.CROSS_VPC else self.mode.value,
            "helper_vpc_id": self.peer_vpc if self.mode is Mode.DOCUMENTED else None,
            "bandwidth_mbit": self.bandwidth,
            "repair": self.repair,
        }
        return {name: value for name, value in fields.items() if value is not None}


def read_mark(description: str | None) -> Mark | None:
    """The mark in a description of ours (a record is one, too), or None."""
    words = _words(description)
    try:
        return Mark(exposure=words["e"], run=unpack(words["r"]))
    except (KeyError, ValueError):
        return None


def exposure_in(description: str | None) -> str | None:
    """The exposure that a description of ours names."""
    mark = read_mark(description)
    return mark.exposure if mark else None


def run_in(description: str | None) -> str | None:
    """The run that a description of ours names."""
    mark = read_mark(description)
    return mark.run if mark else None


def read_record(description: str | None) -> Record | None:
    """The record in a description of ours, or None where it is damaged or not ours."""
    words = _words(description)
    try:
        return Record(
            exposure=words["e"],
            run=unpack(words["r"]),
            instance=unpack(words["i"]),
            node=words.get("n"),
            port=int(words["p"]),
            vpc=unpack(words["v"]),
            subnet=unpack(words["s"]),
            peer_vpc=unpack(words["w"]),
            mode=Mode(words["m"]),
            allow=words["a"],
            expires_at=int(words["x"]) if "x" in words else None,
            bandwidth=int(words["b"]) if "b" in words else None,
            repair=words.get("f") == "repair",
            taken="t" in words,
        )
    except (KeyError, ValueError):
        return None


def _words(description: str | None) -> dict[str, str]:
    head, _, rest = (description or "").partition(" ")
    if head != HEAD:
        return {}
    return dict(word.split("=", 1) for word in rest.split() if "=" in word)
