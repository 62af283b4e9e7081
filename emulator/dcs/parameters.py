"""The parameters of Redis that an instance lets its owner set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A parameter; its values are the whole numbers of a range (`first`, `last`), or one of `choices`."""

    name: str
    about: str
    default: str
    first: int = 0
    last: int = 0
    choices: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """How the API calls what the values are; the spelling is that of its sample."""
        return "Enum" if self.choices else "Interger"

    @property
    def range(self) -> str:
        """The values that are possible, in the API's way."""
        return ",".join(self.choices) or f"{self.first}-{self.last}"

    def takes(self, value: str) -> bool:
        """Whether a value is one of those."""
        if self.choices:
            return value in self.choices
        return value.isascii() and value.isdecimal() and self.first <= int(value) <= self.last


EVICTION = (
    "volatile-lru",
    "allkeys-lru",
    "volatile-random",
    "allkeys-random",
    "volatile-ttl",
    "noeviction",
    "volatile-lfu",
    "allkeys-lfu",
)


def _size(name: str, default: int, about: str) -> Parameter:
    return Parameter(name, about, str(default), 1, 10_000)


# By their ids, as DCS API v1.0 (querying configuration parameters, table 4) has them.
PARAMETERS = {
    "1": Parameter("timeout", "Close the connection after a client is idle for N seconds (0 to disable)", "0", 0, 7200),
    "2": Parameter("maxmemory-policy", "What to remove when maxmemory is reached", "volatile-lru", choices=EVICTION),
    "3": _size("hash-max-ziplist-entries", 512, "The most entries of a hash that is kept as a ziplist"),
    "4": _size("hash-max-ziplist-value", 64, "The longest entry of a hash that is kept as a ziplist"),
    "5": _size("list-max-ziplist-entries", 512, "The most entries of a list that is kept as a ziplist"),
    "6": _size("list-max-ziplist-value", 64, "The longest entry of a list that is kept as a ziplist"),
    "7": _size("set-max-intset-entries", 512, "The most integers of a set that is kept as an intset"),
    "8": _size("zset-max-ziplist-entries", 128, "The most entries of a sorted set that is kept as a ziplist"),
    "9": _size("zset-max-ziplist-value", 64, "The longest entry of a sorted set that is kept as a ziplist"),
    "10": Parameter("latency-monitor-threshold", "From how many milliseconds on latency is logged", "0", 0, 86_400_000),
    "11": Parameter("maxclients", "The most clients that may be connected at once", "10000", 1000, 50_000),
}
