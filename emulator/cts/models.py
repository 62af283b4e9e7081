"""Traces, jobs whose result is not known yet, and key event notifications."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from emulator.core.resources import Resource, Strict, Table
from emulator.core.state import State

Trace = dict[str, Any]
RULE = re.compile(r"(api_version|code|trace_rating|trace_type|resource_id|resource_name) (!=|=) (.+)")


class Job(Strict):
    """The trace of a job's result, which waits for its instance to be done."""

    instance_id: str
    trace: Trace


class Operations(Strict):
    """Traces that somebody wants to know of."""

    service_type: str
    resource_type: str
    trace_names: list[str] = Field(min_length=1)


class Users(Strict):
    """Users whose traces somebody wants to know of."""

    user_group: str
    user_list: list[str]


class Filter(Strict):
    """Rules like `code != 200`: all of them count, or one is enough."""

    condition: Literal["AND", "OR"] = "AND"
    is_support_filter: bool = False
    rule: list[Annotated[str, Field(pattern=f"^{RULE.pattern}$")]] = []

    def passes(self, trace: Trace) -> bool:
        """Whether a trace is let through."""
        if not self.is_support_filter or not self.rule:
            return True
        results = [_holds(rule, trace) for rule in self.rule]
        return all(results) if self.condition == "AND" else any(results)


class Notification(Resource):
    """A key event notification: which traces go to which topic or function (`topic_id` is its URN)."""

    kind: ClassVar[str] = "notification"

    operation_type: Literal["complete", "customized"] = "complete"
    operations: list[Operations] = []
    notify_user_list: list[Users] = []
    status: Literal["enabled", "disabled"] = "enabled"
    topic_id: str | None = None
    filter: Filter | None = None

    def wants(self, trace: Trace) -> bool:
        """Whether it tells of a trace."""
        users = {user for group in self.notify_user_list for user in group.user_list}
        kind = (trace["service_type"], trace["resource_type"])
        return (
            self.status == "enabled"
            and self.project_id == trace["project_id"]
            and (not users or (trace["user"] or {}).get("name") in users)
            and (self.filter is None or self.filter.passes(trace))
            and (
                self.operation_type == "complete"
                or any(
                    (one.service_type, one.resource_type) == kind and trace["trace_name"] in one.trace_names
                    for one in self.operations
                )
            )
        )


class CtsState(State):
    """What CTS keeps: the newest traces, oldest first, and who is told of which."""

    traces: list[Trace] = []
    traces_recorded: int = 0
    jobs: list[Job] = []
    notifications: Table[Notification] = {}


def matches(operations: str, trace: Trace) -> bool:
    """Whether a trigger's `SERVICE:type;type:operation;operation` names a trace; upper and lower case count."""
    service, types, names = [*operations.split(":"), "", ""][:3]
    return (
        trace["service_type"] == service
        and trace["resource_type"] in types.split(";")
        and trace["trace_name"] in names.split(";")
    )


def _holds(rule: str, trace: Trace) -> bool:
    found = RULE.fullmatch(rule)
    if found is None:
        return False
    field, relation, value = found.groups()
    return (str(trace[field]) == value) is (relation == "=")
