"""Faults by rule: make the nth call of a kind fail, before or after it was carried out."""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import PrivateAttr

from emulator.core.resources import Strict


class ConnectionLost(Exception):  # noqa: N818  # it is an event of the network, not an error of ours
    """The client gets no answer; the call may have been carried out."""


class Fault(Strict):
    """A rule. Patterns are globs over the method, the path (or its route template) and the IAM action.

    The `nth` matching call and the `times - 1` after it are hit; `times=None` hits all from the nth on.
    `when="after"` lets the call be carried out and then spoils the answer. `delay` is in seconds.
    """

    method: str | None = None
    path: str | None = None
    action: str | None = None
    nth: int = 1
    times: int | None = 1
    when: Literal["before", "after"] = "before"
    status: int | None = None
    body: dict[str, Any] | None = None
    retry_after: float | None = None
    lost: bool = False
    delay: float = 0.0
    _matched: int = PrivateAttr(0)

    def hits(self, method: str, path: str, template: str, action: str) -> bool:
        """Count a call that matches, and say whether it is one to spoil."""
        if not (
            fnmatchcase(method, self.method or "*")
            and (fnmatchcase(path, self.path or "*") or fnmatchcase(template, self.path or "*"))
            and fnmatchcase(action, self.action or "*")
        ):
            return False
        self._matched += 1
        return self._matched >= self.nth and (self.times is None or self._matched < self.nth + self.times)


class Faults:
    """The rules in force; the first rule that hits a call decides."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Put a rule into force."""
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        """Lift all rules."""
        with self._lock:
            self._rules.clear()

    def take(self, method: str, path: str, template: str, action: str) -> Fault | None:
        """Count the call in every rule, and give the first that hits it."""
        with self._lock:
            hits = [rule for rule in self._rules if rule.hits(method, path, template, action)]
        return hits[0] if hits else None
