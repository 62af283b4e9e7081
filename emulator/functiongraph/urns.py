"""How functions, their versions and aliases are named."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

LATEST = "latest"
_URN = re.compile(
    r"urn:fss:(?P<region>[\w-]+):(?P<project_id>[\w-]+):function:(?P<package>[\w-]+):(?P<name>[A-Za-z][\w-]*)"
    r"(?::(?P<qualifier>!?[\w.-]+))?"
)


@dataclass(frozen=True)
class Urn:
    """`urn:fss:<region>:<project>:function:<package>:<name>[:<version or !alias>]` (FunctionGraph API: functions)."""

    region: str
    project_id: str
    package: str
    name: str
    qualifier: str = ""

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Read a URN.

        Raises:
            ValueError: it is not one of a function.
        """
        found = _URN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not the URN of a function")
        return cls(**{name: value or "" for name, value in found.groupdict().items()})

    def of(self, qualifier: str) -> Urn:
        """The URN of one version or alias."""
        return replace(self, qualifier=qualifier)

    @property
    def bare(self) -> str:
        """The URN without version or alias."""
        return str(self.of(""))

    @property
    def alias(self) -> str:
        """The alias that it names, if any."""
        return self.qualifier[1:] if self.qualifier.startswith("!") else ""

    def __str__(self) -> str:
        """The URN as text."""
        parts = ("urn:fss", self.region, self.project_id, "function", self.package, self.name, self.qualifier)
        return ":".join(part for part in parts if part)
