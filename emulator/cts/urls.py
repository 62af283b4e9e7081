"""What CTS serves; its one tracker is always on."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.cts.errors import CtsErrors
from emulator.cts.responses import (
    create_notification,
    delete_notifications,
    list_notifications,
    list_traces,
    update_notification,
)

CTS = Service("cts", CtsErrors())
NOTIFICATIONS = "/v3/{project_id}/notifications"

ROUTES = (
    Route(CTS, "GET", "/v3/{project_id}/traces", list_traces, "cts:trace:list"),
    Route(CTS, "POST", NOTIFICATIONS, create_notification, "cts:notification:create"),
    Route(CTS, "GET", NOTIFICATIONS + "/{notification_type}", list_notifications, "cts:notification:list"),
    Route(CTS, "PUT", NOTIFICATIONS, update_notification, "cts:notification:update"),
    Route(CTS, "DELETE", NOTIFICATIONS, delete_notifications, "cts:notification:delete"),
)
