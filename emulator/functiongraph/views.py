"""Functions on the wire."""

from __future__ import annotations

import json
from typing import Any

from emulator.account import Account
from emulator.core.times import spaced
from emulator.functiongraph.models import Alias, AsyncConfig, Destination, Function, Trigger
from emulator.functiongraph.runtime.environment import millicores
from emulator.functiongraph.urns import LATEST, Urn


def config(account: Account, function: Function, name: str = LATEST) -> dict[str, Any]:
    """The whole configuration of a version."""
    version = function.versions[name]
    urn = account.functiongraph.urn(function, name)
    return {
        **summary(account, function, name),
        "func_urn": str(urn),
        "user_data": version.user_data,
        "encrypted_user_data": blanked(version.encrypted_user_data),
        "depend_version_list": [],
        "dependencies": [],
        "func_vpc": None,
        "mount_config": None,
        "custom_image": {"enabled": False, "image": ""},
        "network_controller": None,
        "strategy_config": {"concurrency": function.max_instances, "concurrent_num": function.concurrent_num},
        "log_group_id": version.log_group_id,
        "log_stream_id": version.log_stream_id,
        "log_config": {
            "group_id": version.log_group_id,
            "group_name": version.log_group_name,
            "stream_id": version.log_stream_id,
            "stream_name": version.log_stream_name,
        },
        "enable_lts_log": bool(version.log_stream_id),
        "lts_custom_tag": {},
        "ephemeral_storage": version.ephemeral_storage,
        "allow_ephemeral_storage": True,
        "enable_auth_in_header": False,
        "enable_dynamic_memory": False,
        "long_time": False,
        "version_description": version.version_description,
    }


def summary(account: Account, function: Function, name: str = LATEST) -> dict[str, Any]:
    """What lists show of a function: its URN has no version there."""
    version = function.versions[name]
    return {
        "func_id": function.id,
        "resource_id": resource_id(function),
        "func_urn": account.functiongraph.urn(function).bare,
        "func_name": function.name,
        "domain_id": account.iam.state.domain.id,
        "namespace": function.project_id,
        "project_name": account.iam.state.projects[function.project_id].name,
        "package": function.package,
        "runtime": version.runtime,
        "timeout": version.timeout,
        "handler": version.handler,
        "memory_size": version.memory_size,
        "cpu": millicores(version.memory_size),
        "code_type": version.code_type,
        "code_url": "",
        "code_filename": version.code_filename,
        "code_size": len(account.functiongraph.state.codes[version.digest].content),
        "digest": version.digest,
        "version": name,
        "image_name": f"{name}-{version.digest[:12]}",
        "xrole": version.xrole,
        "app_xrole": version.app_xrole,
        "description": version.description,
        "last_modified": spaced(version.modified_at),
        "initializer_handler": version.initializer_handler,
        "initializer_timeout": version.initializer_timeout,
        "pre_stop_handler": "",
        "pre_stop_timeout": 0,
        "reserved_instance_count": 0,
        "enterprise_project_id": "0",
        "type": "v2",
        "is_stateful_function": False,
    }


def resource_id(function: Function) -> str:
    """The id by which tags are put to a function."""
    return f"{function.id}:{function.name}"


def blanked(encrypted: str) -> str:
    """Secrets as they are shown: the names only."""
    if not encrypted:
        return ""
    return json.dumps(dict.fromkeys(json.loads(encrypted), ""))


def alias(urn: Urn, name: str, shown: Alias) -> dict[str, Any]:
    """An alias."""
    return {
        "name": name,
        "version": shown.version,
        "description": shown.description,
        "last_modified": spaced(shown.modified_at),
        "alias_urn": str(urn.of(f"!{name}")),
        "additional_version_weights": None,
        "additional_version_strategy": None,
    }


def trigger(shown: Trigger) -> dict[str, Any]:
    """A trigger."""
    data = dict(shown.event_data)
    if shown.type == "SMN":
        data["subscription_status"] = "Confirmed"
    return {
        "trigger_id": shown.id,
        "trigger_type_code": shown.type,
        "trigger_status": shown.status,
        "event_data": data,
        "last_updated_time": spaced(shown.updated_at),
        "created_time": spaced(shown.created_at),
    }


def async_config(urn: Urn, shown: AsyncConfig) -> dict[str, Any]:
    """The settings of asynchronous invocations."""
    return {
        "func_urn": str(urn),
        "max_async_event_age_in_seconds": shown.max_async_event_age_in_seconds,
        "max_async_retry_attempts": shown.max_async_retry_attempts,
        "enable_async_status_log": shown.enable_async_status_log,
        "destination_config": {
            "on_success": _destination(shown.on_success),
            "on_failure": _destination(shown.on_failure),
        },
        "created_time": spaced(shown.created_at).replace(" ", "T") + "+00:00",
        "last_modified": spaced(shown.modified_at),
    }


def _destination(shown: Destination | None) -> dict[str, str]:
    return shown.model_dump() if shown else {}
