"""Versions, aliases and settings of asynchronous invocations on the wire."""

from __future__ import annotations

import json
from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, no_content, ok
from emulator.core.problems import Refusal
from emulator.functiongraph.bodies import (
    AliasBody,
    AliasFields,
    AsyncConfigBody,
    DestinationConfig,
    DestinationFields,
    PageQuery,
    PublishBody,
)
from emulator.functiongraph.models import AsyncConfig, Destination
from emulator.functiongraph.responses_shared import latest, named, parsed, saying
from emulator.functiongraph.urns import LATEST, Urn
from emulator.functiongraph.views import alias, async_config, config, summary


def publish_version(account: Account, project_id: str, function_urn: str, body: PublishBody) -> Answer:
    """FunctionGraph API: publishing a function version; 200.

    Assumed: the name that a version gets if none is given, and the code of refusing the twenty-first.
    """
    with saying():
        function = latest(account, project_id, function_urn)
        number = account.functiongraph.functions.publish(function, body.version, body.description, body.digest)
    return ok(config(account, function, number))


def list_versions(account: Account, project_id: str, function_urn: str, query: PageQuery) -> Answer:
    """FunctionGraph API: querying the versions of a function."""
    with saying():
        _, function, _ = named(account, project_id, function_urn)
    names = list(function.versions)
    page = names[query.marker : query.marker + query.maxitems]
    shown = [
        {**summary(account, function, name), "func_urn": str(account.functiongraph.urn(function, name))}
        for name in page
    ]
    return ok({"versions": shown, "next_marker": query.marker + len(page), "count": len(names)})


def create_alias(account: Account, project_id: str, function_urn: str, body: AliasBody) -> Answer:
    """FunctionGraph API: creating an alias for a function version; 200."""
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
        made = account.functiongraph.functions.create_alias(function, body.name, body.version, body.description)
    return ok(alias(urn, body.name, made))


def list_aliases(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: querying all versions and aliases of a function; a plain list of aliases."""
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
    return listed([alias(urn, name, one) for name, one in function.aliases.items()])


def show_alias(account: Account, project_id: str, function_urn: str, alias_name: str) -> Answer:
    """FunctionGraph API: querying the alias of a function version."""
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
        return ok(alias(urn, alias_name, account.functiongraph.functions.alias(function, alias_name)))


def update_alias(account: Account, project_id: str, function_urn: str, alias_name: str, body: AliasFields) -> Answer:
    """FunctionGraph API: modifying the alias of a function version; weights are not emulated."""
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
        functions = account.functiongraph.functions
        return ok(alias(urn, alias_name, functions.update_alias(function, alias_name, body.version, body.description)))


def delete_alias(account: Account, project_id: str, function_urn: str, alias_name: str) -> Answer:
    """FunctionGraph API: deleting an alias of a function version."""
    with saying():
        _, function, _ = named(account, project_id, function_urn)
        account.functiongraph.functions.delete_alias(function, alias_name)
    return no_content()


def put_async_config(account: Account, project_id: str, function_urn: str, body: AsyncConfigBody) -> Answer:
    """FunctionGraph API: configuring asynchronous execution notification; OBS is not emulated.

    Assumed: it replaces all that was said before; a function is refused as its own destination.
    """
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
        qualifier = urn.qualifier or LATEST
        targets = body.destination_config or DestinationConfig()
        before = function.async_configs.get(qualifier)
        made = AsyncConfig(
            **body.model_dump(exclude={"destination_config"}),
            on_success=_destination(targets.on_success, urn),
            on_failure=_destination(targets.on_failure, urn),
            created_at=before.created_at if before else account.now(),
            modified_at=account.now(),
        )
    function.async_configs[qualifier] = made
    return ok(async_config(urn.of(qualifier), made))


def show_async_config(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: querying asynchronous execution notification settings of a function version.

    Assumed: 404 and FSS.0404 where nothing was said.
    """
    with saying():
        urn, found = _async_config(account, project_id, function_urn)
    return ok(async_config(urn, found))


def delete_async_config(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: deleting asynchronous execution notification settings."""
    with saying():
        urn, _ = _async_config(account, project_id, function_urn)
        del account.functiongraph.function(urn).async_configs[urn.qualifier]
    return no_content()


def list_async_configs(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: querying asynchronous execution notification settings of a function's all versions."""
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
    found = [async_config(urn.of(qualifier), one) for qualifier, one in function.async_configs.items()]
    page_info = {"next_marker": len(found), "previous_marker": 0, "current_count": len(found)}
    return ok({"async_invoke_configs": found, "count": len(found), "page_info": page_info})


def listed(items: list[dict[str, Any]]) -> Answer:
    """A list that is not inside an object."""
    return Answer(200, content=json.dumps(items).encode())


def _async_config(account: Account, project_id: str, function_urn: str) -> tuple[Urn, AsyncConfig]:
    urn, function, _ = named(account, project_id, function_urn)
    exact = urn.of(urn.qualifier or LATEST)
    found = function.async_configs.get(exact.qualifier)
    if found is None:
        raise Refusal(404, "FSS.0404", "The specified resource was not found.")
    return exact, found


def _destination(fields: DestinationFields | None, own: Urn) -> Destination | None:
    if fields is None or not (fields.destination or fields.param):
        return None
    try:
        target = Destination.model_validate(fields.model_dump())
        urn = target.target()
        if target.destination == "FunctionGraph" and parsed(own.project_id, urn).bare == own.bare:
            raise ValueError("a function cannot be its own destination")
    except ValueError as error:
        raise Refusal(400, "FSS.0400", f"Invalid parameter destination_config: param: {error}.") from None
    return target
