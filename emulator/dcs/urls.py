"""What DCS serves; mind `instances` and `instance`."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.dcs import responses_v1 as v1
from emulator.dcs.errors import DcsErrors
from emulator.dcs.responses import (
    change_password,
    change_status,
    change_tags,
    create_instances,
    delete_instance,
    delete_instances,
    list_instances,
    list_tags,
    put_ssl,
    put_whitelist,
    reset_password,
    resize_instance,
    show_instance,
    show_quotas,
    show_ssl,
    show_whitelist,
    swap_instance,
    update_instance,
)
from emulator.dcs.responses_nodes import list_groups, list_nodes
from emulator.dcs.responses_parameters import change_parameters, list_parameters

DCS = Service("dcs", DcsErrors())
ALL = "/v2/{project_id}/instances"
OLD = "/v1.0/{project_id}/instances"
ONE = ALL + "/{instance_id}"
SINGULAR = "/v2/{project_id}/instance/{instance_id}"
TAGS = "/v2/{project_id}/dcs/{instance_id}/tags/action"

ROUTES = (
    Route(DCS, "GET", ALL, list_instances, "dcs:instance:list"),
    Route(DCS, "POST", ALL, create_instances, "dcs:instance:create"),
    Route(DCS, "DELETE", ALL, delete_instances, "dcs:instance:delete"),
    Route(DCS, "GET", ONE, show_instance, "dcs:instance:get"),
    Route(DCS, "PUT", ONE, update_instance, "dcs:instance:modify"),
    Route(DCS, "DELETE", ONE, delete_instance, "dcs:instance:delete"),
    Route(DCS, "POST", ONE + "/resize", resize_instance, "dcs:instance:scale"),
    Route(DCS, "PUT", ALL + "/status", change_status, "dcs:instance:modifyStatus"),
    # The spelling of the action is the cloud's (DCS API: permissions policies and supported actions).
    Route(DCS, "GET", ONE + "/configs", list_parameters, "dcs:instance:getConfiguration"),
    Route(DCS, "PUT", ONE + "/configs", change_parameters, "dcs:instance:modifyConfigureation"),
    Route(DCS, "PUT", ONE + "/password", change_password, "dcs:instance:modifyAuthInfo"),
    Route(DCS, "POST", ONE + "/password/reset", reset_password, "dcs:instance:resetAuthInfo"),
    Route(DCS, "POST", ONE + "/swap", swap_instance, "dcs:instance:swap"),
    Route(DCS, "GET", ONE + "/ssl", show_ssl, "dcs:ssl:get"),
    Route(DCS, "PUT", ONE + "/ssl", put_ssl, "dcs:ssl:modify"),
    Route(DCS, "GET", ONE + "/tags", list_tags, "dcs:instance:get"),
    Route(DCS, "POST", TAGS, change_tags, "dcs:instance:modify"),
    Route(DCS, "GET", SINGULAR + "/whitelist", show_whitelist, "dcs:whitelist:list"),
    Route(DCS, "PUT", SINGULAR + "/whitelist", put_whitelist, "dcs:whitelist:modify"),
    Route(DCS, "GET", SINGULAR + "/groups", list_groups, "dcs:instance:get"),
    Route(DCS, "GET", "/v2/{project_id}/instances-logical-nodes", list_nodes, "dcs:instance:list"),
    Route(DCS, "GET", "/v2/{project_id}/quota", show_quotas, "dcs:instance:list"),
    Route(DCS, "GET", OLD, v1.list_instances_v1, "dcs:instance:list"),
    Route(DCS, "GET", OLD + "/{instance_id}", v1.show_instance_v1, "dcs:instance:get"),
    Route(DCS, "PUT", OLD + "/{instance_id}", v1.update_instance_v1, "dcs:instance:modify"),
    Route(DCS, "DELETE", OLD + "/{instance_id}", v1.delete_instance_v1, "dcs:instance:delete"),
    Route(DCS, "PUT", OLD + "/{instance_id}/password", v1.change_password_v1, "dcs:instance:modifyAuthInfo"),
    Route(DCS, "POST", OLD + "/{instance_id}/extend", v1.extend_instance, "dcs:instance:scale"),
    Route(DCS, "PUT", OLD + "/status", v1.change_status_v1, "dcs:instance:modifyStatus"),
    Route(DCS, "GET", OLD + "/statistic", v1.list_statistics, "dcs:instance:list"),
    Route(DCS, "GET", "/v1.0/{project_id}/quota", v1.show_quotas_v1, "dcs:instance:list"),
)
