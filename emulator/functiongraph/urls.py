"""What FunctionGraph serves; names of actions that the documents leave out are assumed."""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.functiongraph.errors import ERRORS
from emulator.functiongraph.responses import (
    create_function,
    create_tags,
    delete_function,
    delete_tags,
    list_functions,
    list_tags,
    show_code,
    show_config,
    show_quotas,
    update_code,
    update_config,
    update_max_instances,
)
from emulator.functiongraph.responses_invocations import cancel, invoke, invoke_async, list_invocations
from emulator.functiongraph.responses_triggers import (
    create_trigger,
    delete_trigger,
    delete_triggers,
    list_triggers,
    show_trigger,
    update_trigger,
)
from emulator.functiongraph.responses_versions import (
    create_alias,
    delete_alias,
    delete_async_config,
    list_aliases,
    list_async_configs,
    list_versions,
    publish_version,
    put_async_config,
    show_alias,
    show_async_config,
    update_alias,
)

FUNCTIONGRAPH = Service("functiongraph", ERRORS)
ROOT = "/v2/{project_id}/fgs"
ALL = ROOT + "/functions"
ONE = ALL + "/{function_urn}"
ALIAS = ONE + "/aliases/{alias_name}"
TRIGGERS = ROOT + "/triggers/{function_urn}"
TRIGGER = TRIGGERS + "/{kind}/{trigger_id}"
TAGS = "/v2/{project_id}/functions/{tagged_id}/tags"
FUNCTION = "functiongraph:function:"


ROUTES = (
    Route(FUNCTIONGRAPH, "POST", ALL, create_function, FUNCTION + "create"),
    Route(FUNCTIONGRAPH, "GET", ALL, list_functions, FUNCTION + "list"),
    Route(FUNCTIONGRAPH, "DELETE", ONE, delete_function, FUNCTION + "delete"),
    Route(FUNCTIONGRAPH, "GET", ONE + "/config", show_config, FUNCTION + "getConfig"),
    Route(FUNCTIONGRAPH, "PUT", ONE + "/config", update_config, FUNCTION + "updateConfig"),
    Route(FUNCTIONGRAPH, "PUT", ONE + "/config-max-instance", update_max_instances, FUNCTION + "updateConfig"),
    Route(FUNCTIONGRAPH, "GET", ONE + "/code", show_code, FUNCTION + "getCode"),
    Route(FUNCTIONGRAPH, "PUT", ONE + "/code", update_code, FUNCTION + "updateCode"),
    Route(FUNCTIONGRAPH, "POST", ONE + "/versions", publish_version, FUNCTION + "createVersion"),
    Route(FUNCTIONGRAPH, "GET", ONE + "/versions", list_versions, FUNCTION + "listVersion"),
    Route(FUNCTIONGRAPH, "POST", ONE + "/aliases", create_alias, FUNCTION + "createAlias"),
    Route(FUNCTIONGRAPH, "GET", ONE + "/aliases", list_aliases, FUNCTION + "listAlias"),
    Route(FUNCTIONGRAPH, "GET", ALIAS, show_alias, FUNCTION + "getAlias"),
    Route(FUNCTIONGRAPH, "PUT", ALIAS, update_alias, FUNCTION + "updateAlias"),
    Route(FUNCTIONGRAPH, "DELETE", ALIAS, delete_alias, FUNCTION + "deleteAlias"),
    Route(FUNCTIONGRAPH, "PUT", ONE + "/async-invoke-config", put_async_config, FUNCTION + "updateAsyncInvokeConfig"),
    Route(FUNCTIONGRAPH, "GET", ONE + "/async-invoke-config", show_async_config, FUNCTION + "getAsyncInvokeConfig"),
    Route(
        FUNCTIONGRAPH,
        "DELETE",
        ONE + "/async-invoke-config",
        delete_async_config,
        FUNCTION + "deleteAsyncInvokeConfig",
    ),
    Route(FUNCTIONGRAPH, "GET", ONE + "/async-invoke-configs", list_async_configs, FUNCTION + "listAsyncInvokeConfigs"),
    Route(FUNCTIONGRAPH, "POST", ONE + "/invocations", invoke, FUNCTION + "invoke"),
    Route(FUNCTIONGRAPH, "POST", ONE + "/invocations-async", invoke_async, FUNCTION + "invokeAsync"),
    Route(FUNCTIONGRAPH, "GET", ONE + "/async-invocations", list_invocations, FUNCTION + "listAsyncInvocations"),
    Route(FUNCTIONGRAPH, "POST", ONE + "/cancel", cancel, FUNCTION + "cancelAsyncInvocation"),
    Route(FUNCTIONGRAPH, "POST", TRIGGERS, create_trigger, "functiongraph:trigger:create"),
    Route(FUNCTIONGRAPH, "GET", TRIGGERS, list_triggers, "functiongraph:trigger:list"),
    Route(FUNCTIONGRAPH, "DELETE", TRIGGERS, delete_triggers, "functiongraph:trigger:delete"),
    Route(FUNCTIONGRAPH, "GET", TRIGGER, show_trigger, "functiongraph:trigger:get"),
    Route(FUNCTIONGRAPH, "PUT", TRIGGER, update_trigger, "functiongraph:trigger:update"),
    Route(FUNCTIONGRAPH, "DELETE", TRIGGER, delete_trigger, "functiongraph:trigger:delete"),
    Route(FUNCTIONGRAPH, "GET", ROOT + "/quotas", show_quotas, "functiongraph:function:list"),
    Route(FUNCTIONGRAPH, "GET", TAGS, list_tags, FUNCTION + "getConfig"),
    Route(FUNCTIONGRAPH, "POST", TAGS + "/create", create_tags, FUNCTION + "updateConfig"),
    Route(FUNCTIONGRAPH, "DELETE", TAGS + "/delete", delete_tags, FUNCTION + "updateConfig"),
)
