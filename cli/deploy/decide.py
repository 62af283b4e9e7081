"""What a deployment has to do, from what it wants and what it finds; nothing here touches the cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from cli.deploy.state import (
    AGENCY,
    FUNCTION,
    GROUP,
    ORDER,
    POLICY,
    STRATEGY,
    STREAM,
    TOPIC,
    TRIGGER,
    Found,
    Key,
    Wanted,
    known_of,
)
from cli.deploy.template import SECRETS
from shared.errors import ErrorCode, PermanentError


class Verb(StrEnum):
    """What is done to a resource."""

    KEEP = "unchanged"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


# What the cloud lets nobody change once the resource is there.
_FIXED = {FUNCTION: {"runtime"}, TRIGGER: {"event_data"}}
# A changed handler changes all functions, which nobody expects who does not know that.
_SAID = {"code": "the zip that all functions share"}
_LABELS = {
    POLICY: "policy",
    AGENCY: "agency",
    TOPIC: "topic",
    GROUP: "log group",
    STREAM: "log stream",
    FUNCTION: "function",
    TRIGGER: "trigger",
}


@dataclass(frozen=True)
class Change:
    """One thing to do, and why; `fields` are those that differ."""

    verb: Verb
    type: str
    name: str
    reason: str
    fields: tuple[str, ...] = ()
    wanted: Wanted | None = None
    found: Found | None = None

    @property
    def key(self) -> Key:
        """What it is done to."""
        return self.type, self.name

    @property
    def kind(self) -> str:
        """The type, as people say it."""
        return _LABELS[self.type]


def decide(wanted: Sequence[Wanted], found: Iterable[Found]) -> list[Change]:
    """What to do, in order: makes and changes first, then what is no longer wanted.

    Raises:
        PermanentError: `Conflict`, something that we did not deploy stands under a name that we want.
    """
    seen = {one.key: one for one in found}
    _refuse_foreign(wanted, seen)
    changes = [_change(one, seen.get(one.key)) for one in wanted]
    renewed = {change.key for change in changes if change.verb in {Verb.CREATE, Verb.REPLACE}}
    changes = [_with_its_parents(change, renewed) for change in changes]
    keys = {one.key for one in wanted}
    obsolete = [one for one in seen.values() if one.key not in keys]
    return [*changes, *removal(obsolete, "it is not in the template any more")]


def removal(found: Iterable[Found], reason: str) -> list[Change]:
    """Delete what is ours, the other way round than it was made; with a log group would go what others keep in it."""
    found = list(found)
    shared = {one.parent: one.name for one in found if one.type == STREAM and not one.ours}
    own = sorted((one for one in found if one.ours), key=lambda one: (-ORDER.index(one.type), one.name))
    return [_deletion(one, reason, shared.get(one.id)) for one in own]


def _deletion(one: Found, reason: str, held: str | None) -> Change:
    if held is None:
        return Change(Verb.DELETE, one.type, one.name, reason, found=one)
    return Change(Verb.KEEP, one.type, one.name, f"it holds {held}, which is not ours", found=one)


def _refuse_foreign(wanted: Sequence[Wanted], seen: Mapping[Key, Found]) -> None:
    # A trigger that is like ours does what ours would do, whoever made it; it hangs on a function that is ours.
    strangers = [one for one in wanted if one.key in seen and not seen[one.key].ours and one.type != TRIGGER]
    if strangers:
        first = strangers[0]
        raise PermanentError(
            ErrorCode.CONFLICT,
            f"There is a {_LABELS[first.type]} named {first.name} that this deployment has not made.",
            resource=seen[first.key].id,
            field=f"Resources.{first.logical}",
            advice="Remove or rename it, or deploy under another name with --parameter Application=NAME.",
        )


def _change(wanted: Wanted, found: Found | None) -> Change:
    if found is None:
        return Change(Verb.CREATE, wanted.type, wanted.name, "it is not there", wanted=wanted)
    fields = tuple(sorted(_differing(wanted, found)))
    if not fields:
        return Change(Verb.KEEP, wanted.type, wanted.name, "it is as it should be", wanted=wanted, found=found)
    fixed = _FIXED.get(wanted.type, set()) & set(fields)
    verb = Verb.REPLACE if fixed else Verb.UPDATE
    reason = f"{', '.join(_SAID.get(one, one) for one in fields)} {'differs' if len(fields) == 1 else 'differ'}"
    return Change(verb, wanted.type, wanted.name, reason, fields, wanted, found)


def _differing(wanted: Wanted, found: Found) -> set[str]:
    return {name for name, value in wanted.properties.items() if not _same(wanted.type, name, value, found)}


def _same(kind: str, name: str, value: Any, found: Found) -> bool:
    other: Any = found.properties.get(name)
    if kind == TRIGGER and name == "event_data":
        # The platform adds to it.
        return isinstance(other, Mapping) and all(other.get(key, "") == each for key, each in value.items())
    if name == STRATEGY:
        # How many instances there may be is the operator's, who shares the account's among all functions; but some.
        return bool(other.concurrency != 0 and other.concurrent_num == value.concurrent_num)
    if name == SECRETS:
        return bool(known_of(value) == other)
    return bool(value == other)


def _with_its_parents(change: Change, renewed: set[Key]) -> Change:
    """A trigger goes with its function and its topic, even if it looks as if it were still there."""
    if change.type != TRIGGER or change.verb is Verb.CREATE:
        return change
    function, _, topic = change.name.split("/", 2)
    for parent in ((FUNCTION, function), (TOPIC, topic)):
        if parent in renewed:
            return replace(change, verb=Verb.REPLACE, reason=f"its {_LABELS[parent[0]]} is new")
    return change
