"""Traces and key event notifications on the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, created, no_content, ok
from emulator.core.problems import ApiError
from emulator.core.resources import Strict, owned, seen
from emulator.cts.errors import CtsErrors, cts
from emulator.cts.models import Filter, Notification, Operations, Trace, Users
from emulator.cts.traces import shown

ERRORS = CtsErrors()
HOUR, WEEK = 3_600_000, 7 * 86_400_000
MAX_NOTIFICATIONS = 100
# Filters of the query that compare a field of the trace.
COMPARED = ("service_type", "resource_type", "resource_id", "resource_name", "trace_name", "trace_rating")


class TraceQuery(Strict):
    """Which traces are wanted; times in milliseconds, `next` is the last trace of the page before."""

    trace_type: Literal["system"]
    limit: int = Field(default=10, ge=1, le=200)
    since: int | None = Field(default=None, alias="from")
    to: int | None = None
    next: str | None = None
    tracker_name: Literal["system"] = "system"
    service_type: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    trace_id: str | None = None
    trace_name: str | None = None
    trace_rating: Literal["normal", "warning", "incident"] | None = None
    user: str | None = None


class NotificationBody(Strict):
    """A new notification."""

    notification_name: str = Field(min_length=1, max_length=64)
    operation_type: Literal["complete", "customized"]
    operations: list[Operations] = Field(default=[], max_length=1000)
    notify_user_list: list[Users] = Field(default=[], max_length=10)
    topic_id: str | None = None
    filter: Filter | None = None


class NotificationChange(NotificationBody):
    """A notification as it is to be from now on."""

    notification_id: str
    status: Literal["enabled", "disabled"]


class NotificationQuery(Strict):
    """Which notifications are wanted; all without a name."""

    notification_name: str | None = None


class DeletionQuery(Strict):
    """The notifications to delete, separated by commas."""

    notification_id: str


def list_traces(account: Account, project_id: str, query: TraceQuery) -> Answer:
    """CTS API: querying a trace list; newest first, without times only of the last hour.

    Assumed: traces come at once, and the newest thousand are kept; whether bodies are objects or text is the dial
    `trace_bodies`, whether results of jobs name who asked the dial `job_traces_name_user`.
    """
    now = int(account.now() * 1000)
    own = [one for one in reversed(account.cts.state.traces) if one["project_id"] == project_id]
    if query.trace_id is not None:
        found = [one for one in own if one["trace_id"] == query.trace_id]
        return ok({"traces": [shown(one) for one in found], "meta_data": {"count": len(found), "marker": None}})
    since = max(query.since if query.since is not None else now - HOUR, now - WEEK)
    until = query.to if query.to is not None else now
    earlier = _behind(own, query.next)
    found = [one for one in earlier if since <= one["time"] <= until and _wanted(one, query)]
    page = found[: query.limit]
    marker = page[-1]["trace_id"] if len(page) < len(found) else None
    return ok({"traces": [shown(one) for one in page], "meta_data": {"count": len(page), "marker": marker}})


def create_notification(account: Account, project_id: str, body: NotificationBody) -> Answer:
    """CTS API: creating a key event notification; to a topic or a function.

    Assumed: the message to a topic is the trace as JSON, its subject begins with CTS.
    """
    existing = owned(account.cts.state.notifications, project_id)
    _check(body, existing)
    if len(existing) >= MAX_NOTIFICATIONS:
        raise ERRORS.invalid("notification_name", f"is beyond the {MAX_NOTIFICATIONS} notifications of an account")
    notification = account.add(
        account.cts.state.notifications,
        Notification,
        "cts",
        project_id,
        name=body.notification_name,
        **{name: getattr(body, name) for name in COPIED},
    )
    return created(_notification(account, notification))


def list_notifications(account: Account, project_id: str, notification_type: str, query: NotificationQuery) -> Answer:
    """CTS API: querying a key event notification; of topics (`smn`) or of functions (`fun`).

    Assumed: the name of the latter kind.
    """
    found = [
        one
        for one in seen(owned(account.cts.state.notifications, project_id), account.now())
        if query.notification_name in (None, one.name) and _type(one) == notification_type
    ]
    return ok({"notifications": [_notification(account, one) for one in found]})


def update_notification(account: Account, project_id: str, body: NotificationChange) -> Answer:
    """CTS API: modifying a key event notification."""
    notification = _find(account, project_id, body.notification_id)
    others = [one for one in owned(account.cts.state.notifications, project_id) if one is not notification]
    _check(body, others)
    if body.status == "enabled" and not body.topic_id:
        raise ERRORS.invalid("topic_id", "is needed by an enabled notification")
    notification.name, notification.status = body.notification_name, body.status
    for name in COPIED:
        setattr(notification, name, getattr(body, name))
    account.touch(notification)
    return ok(_notification(account, notification))


def delete_notifications(account: Account, project_id: str, query: DeletionQuery) -> Answer:
    """CTS API: deleting a key event notification; several ids are separated by commas.

    Assumed: the code for one that does not exist.
    """
    for notification in [_find(account, project_id, one) for one in query.notification_id.split(",")]:
        del account.cts.state.notifications[notification.id]
    return no_content()


COPIED = ("operation_type", "operations", "notify_user_list", "topic_id", "filter")


def _behind(traces: list[Trace], marker: str | None) -> list[Trace]:
    if marker is None:
        return traces
    ids = [one["trace_id"] for one in traces]
    if marker not in ids:
        raise ERRORS.invalid("next", "is not the id of a trace")
    return traces[ids.index(marker) + 1 :]


def _wanted(trace: Trace, query: TraceQuery) -> bool:
    user = (trace["user"] or {}).get("name")
    return query.user in (None, user) and all(getattr(query, name) in (None, trace[name]) for name in COMPARED)


def _check(body: NotificationBody, others: list[Notification]) -> None:
    if any(one.name == body.notification_name for one in others):
        raise cts(400, "CTS.0400", "NotificationV3 name is existed already.")
    if body.operation_type == "customized" and not body.operations:
        raise ERRORS.invalid("operations", "are needed by a customized notification")


def _find(account: Account, project_id: str, notification_id: str) -> Notification:
    notification = account.cts.state.notifications.get(notification_id)
    if notification is None or notification.project_id != project_id:
        raise _not_found()
    return notification


def _not_found() -> ApiError:
    """The status is documented, the code is not."""
    return cts(404, "CTS.0003", "The notification does not exist.")


def _type(notification: Notification) -> str:
    return "fun" if (notification.topic_id or "").startswith("urn:fss:") else "smn"


def _notification(account: Account, notification: Notification) -> dict[str, Any]:
    return {
        "notification_id": notification.id,
        "notification_name": notification.name,
        "notification_type": _type(notification),
        "operation_type": notification.operation_type,
        "operations": [one.model_dump() for one in notification.operations],
        "notify_user_list": [one.model_dump() for one in notification.notify_user_list],
        "status": notification.status,
        "topic_id": notification.topic_id,
        "filter": notification.filter.model_dump() if notification.filter else None,
        "project_id": notification.project_id,
        "domain_id": account.iam.state.domain.id,
        "create_time": int(notification.created_at * 1000),
    }
