"""Functions, their configuration and code on the wire."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, no_content, ok
from emulator.core.problems import Refusal
from emulator.core.resources import owned, seen
from emulator.core.tags import MAX_TAGS, shown
from emulator.functiongraph.bodies import (
    CodeBody,
    ConfigBody,
    ConfigFields,
    CreateBody,
    FunctionQuery,
    MaxInstancesBody,
    TagsBody,
)
from emulator.functiongraph.code import as_zip
from emulator.functiongraph.errors import function_not_found
from emulator.functiongraph.models import Function
from emulator.functiongraph.responses_shared import latest, named, parsed, saying
from emulator.functiongraph.urns import LATEST
from emulator.functiongraph.views import config, resource_id, summary

MAX_VARIABLES, MAX_VARIABLE_TEXT = 20, 4096


def create_function(account: Account, project_id: str, body: CreateBody) -> Answer:
    """FunctionGraph API: creating a function; 200."""
    with saying():
        _check_variables(body, None)
        if body.code_type == "zip" and not body.code_filename:
            raise Refusal(400, "FSS.1013", "Invalid file type: code_filename is missing.")
        content = as_zip(body.code_type, body.func_code.content, body.handler)
        function = account.functiongraph.functions.create(
            project_id,
            body.package,
            body.func_name,
            content,
            code_type=body.code_type,
            code_filename=body.code_filename or "index.py",
            **body.settings(),
        )
    return ok(config(account, function))


def list_functions(account: Account, project_id: str, query: FunctionQuery) -> Answer:
    """FunctionGraph API: querying functions; the marker counts functions.

    Assumed: the order, which is that of their creation.
    """
    found = [
        function
        for function in owned(account.functiongraph.state.functions, project_id)
        if query.package_name in (None, function.package)
    ]
    found = seen(found, account.now())
    page = found[query.marker : query.marker + query.maxitems]
    return ok(
        {
            "functions": [summary(account, function) for function in page],
            "next_marker": query.marker + len(page),
            "count": len(found),
        }
    )


def show_config(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: querying the metadata of a function."""
    with saying():
        _, function, version = named(account, project_id, function_urn)
        if not seen([function], account.now()):
            raise function_not_found()
    return ok(config(account, function, version))


def update_config(account: Account, project_id: str, function_urn: str, body: ConfigBody) -> Answer:
    """FunctionGraph API: modifying the metadata of a function; its name and runtime are fixed.

    Assumed: what is left out stays as it is.
    """
    with saying():
        function = latest(account, project_id, function_urn)
        _check_variables(body, function)
        if (body.func_name, body.package or function.package) != (function.name, function.package):
            raise Refusal(400, "FSS.1002", "Invalid function name: it cannot be changed.")
        if body.runtime != function.latest.runtime:
            raise Refusal(400, "FSS.1005", "Invalid runtime: it cannot be changed.")
        changes = body.settings()
        if body.ephemeral_storage is not None:
            changes["ephemeral_storage"] = body.ephemeral_storage
        account.functiongraph.functions.configure(function, changes)
    if body.strategy_config:
        function.max_instances = body.strategy_config.concurrency
        function.concurrent_num = body.strategy_config.concurrent_num
    return ok(config(account, function))


def show_code(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: querying the code of a function."""
    with saying():
        _, function, version = named(account, project_id, function_urn)
    return ok(_code(account, function, version))


def update_code(account: Account, project_id: str, function_urn: str, body: CodeBody) -> Answer:
    """FunctionGraph API: modifying the code of a function."""
    with saying():
        function = latest(account, project_id, function_urn)
        content = as_zip(body.code_type, body.func_code.content, function.latest.handler)
        filename = body.code_filename or function.latest.code_filename
        account.functiongraph.functions.put_code(function, content, body.code_type, filename)
    return ok({**_code(account, function, LATEST), **summary(account, function)})


def update_max_instances(account: Account, project_id: str, function_urn: str, body: MaxInstancesBody) -> Answer:
    """FunctionGraph API: updating max. instances of a function; 0 lets nothing run."""
    with saying():
        function = latest(account, project_id, function_urn)
    function.max_instances = body.max_instance_num
    account.touch(function)
    return ok(config(account, function))


def delete_function(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: deleting a function or function version; by an alias the version that it stands for.

    Assumed: the aliases of a deleted version go with it; the code of refusing to delete the latest one.
    """
    with saying():
        urn = parsed(project_id, function_urn)
        function, version = account.functiongraph.resolve(urn)
        account.functiongraph.functions.delete(function, version if urn.qualifier else "")
    return no_content()


def show_quotas(account: Account, project_id: str) -> Answer:
    """FunctionGraph API: querying tenant quotas."""
    state = account.functiongraph.state
    used = {
        "fgs_func_num": len(owned(state.functions, project_id)),
        "fgs_func_code_size": sum(len(code.content) for code in state.codes.values()) // 1024**2,
    }
    units = {"fgs_func_code_size": "MB"}
    resources = [
        {"type": name, "quota": quota, "used": used.get(name, 0), **({"unit": units[name]} if name in units else {})}
        for name, quota in state.quotas.items()
    ]
    return ok({"quotas": {"resources": resources}})


def list_tags(account: Account, project_id: str, tagged_id: str) -> Answer:
    """FunctionGraph API: querying function tags; by resource id or URN."""
    return ok({"tags": shown(_tagged(account, project_id, tagged_id).tags), "sys_tags": []})


def create_tags(account: Account, project_id: str, tagged_id: str, body: TagsBody) -> Answer:
    """FunctionGraph API: creating resource tags."""
    function = _tagged(account, project_id, tagged_id)
    tags = {**function.tags, **{tag.key: tag.value for tag in body.tags}}
    with saying():
        if len(tags) > MAX_TAGS:
            raise Refusal(400, "FSS.0400", "Invalid parameter tags: a function has at most 20.")
    function.tags = tags
    return no_content()


def delete_tags(account: Account, project_id: str, tagged_id: str, body: TagsBody) -> Answer:
    """FunctionGraph API: deleting resource tags."""
    function = _tagged(account, project_id, tagged_id)
    gone = {tag.key for tag in body.tags}
    function.tags = {key: value for key, value in function.tags.items() if key not in gone}
    return no_content()


def _tagged(account: Account, project_id: str, tagged_id: str) -> Function:
    mine = owned(account.functiongraph.state.functions, project_id)
    found = next((function for function in mine if tagged_id in _names(account, function)), None)
    with saying():
        if found is None:
            raise Refusal(404, "FSS.0404", "The specified resource was not found.")
    return found


def _names(account: Account, function: Function) -> tuple[str, ...]:
    """What the tag API takes for the id of a function."""
    return function.id, resource_id(function), account.functiongraph.urn(function).bare


def _code(account: Account, function: Function, name: str) -> dict[str, Any]:
    version = function.versions[name]
    content = account.functiongraph.state.codes[version.digest].content
    return {
        "func_urn": str(account.functiongraph.urn(function, name)),
        "func_name": function.name,
        "domain_id": account.iam.state.domain.id,
        "runtime": version.runtime,
        "code_type": version.code_type,
        "code_url": "",
        "code_filename": version.code_filename,
        "code_size": len(content),
        "digest": version.digest,
        "func_code": {"file": b64encode(content).decode(), "link": ""},
        "depend_version_list": [],
        "dependencies": [],
    }


def _check_variables(fields: ConfigFields, before: Function | None) -> None:
    kept = (before.latest.user_data, before.latest.encrypted_user_data) if before else ("", "")
    texts = [given if given is not None else old for given, old in zip(_variables(fields), kept, strict=True)]
    count = sum(len(_variable_names(text)) for text in texts if text)
    if count > MAX_VARIABLES:
        message = "The number of items in the UserData field exceeds the maximum allowed limit (20)."
        raise Refusal(400, "FSS.1017", message)
    if sum(map(len, texts)) > MAX_VARIABLE_TEXT:
        raise Refusal(400, "FSS.1018", "The total size of the UserData field exceeds the maximum allowed limit (4 KB).")


def _variables(fields: ConfigFields) -> tuple[str | None, str | None]:
    return fields.user_data, fields.encrypted_user_data


def _variable_names(text: str) -> dict[str, str]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise Refusal(400, "FSS.1009", "Invalid function UserData: it is the JSON text of an object of texts.")
    return data
