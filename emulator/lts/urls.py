"""What LTS serves."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.lts.errors import LtsErrors
from emulator.lts.responses import (
    create_group,
    create_stream,
    delete_group,
    delete_stream,
    list_groups,
    list_streams,
    query_lines,
    update_group,
)

LTS = Service("lts", LtsErrors())
GROUP = "/v2/{project_id}/groups"
STREAM = GROUP + "/{log_group_id}/streams"

ROUTES = (
    Route(LTS, "POST", GROUP, create_group, "lts:groups:create"),
    Route(LTS, "GET", GROUP, list_groups, "lts:groups:list"),
    Route(LTS, "POST", GROUP + "/{log_group_id}", update_group, "lts:groups:put"),
    Route(LTS, "DELETE", GROUP + "/{log_group_id}", delete_group, "lts:groups:delete"),
    Route(LTS, "POST", STREAM, create_stream, "lts:topics:create"),
    Route(LTS, "GET", STREAM, list_streams, "lts:topics:list"),
    Route(LTS, "DELETE", STREAM + "/{log_stream_id}", delete_stream, "lts:topics:delete"),
    Route(LTS, "POST", STREAM + "/{log_stream_id}/content/query", query_lines, "lts:logs:list"),
)
