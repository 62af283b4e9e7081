"""Triggers on the wire."""

from __future__ import annotations

from typing import cast, get_args

from emulator.account import Account
from emulator.core.message import Answer, created, no_content, ok
from emulator.core.problems import Refusal
from emulator.core.resources import seen
from emulator.functiongraph.bodies import TriggerBody, TriggerChange
from emulator.functiongraph.models import Trigger, TriggerType
from emulator.functiongraph.responses_shared import named, saying
from emulator.functiongraph.responses_versions import listed
from emulator.functiongraph.urns import LATEST
from emulator.functiongraph.views import trigger

EMULATED = get_args(TriggerType)
KINDS = ("DEDICATEDGATEWAY", "DDS", "DMS", "LTS", "KAFKA", "OBS", "OPENSOURCEKAFKA", "ROCKETMQ", *EMULATED)


def create_trigger(account: Account, project_id: str, function_urn: str, body: TriggerBody) -> Answer:
    """FunctionGraph API: creating a trigger; 201; SMN, TIMER and CTS are emulated.

    Assumed: a twin is one of the same topic or name at the same version or alias; a cron expression without a time
    zone is in UTC; in a skipped hour nothing fires, in a repeated one both times.
    """
    kind = body.trigger_type_code
    with saying():
        urn, _, _ = named(account, project_id, function_urn)
        if kind not in EMULATED:
            why = "is not emulated" if kind in KINDS else "does not exist"
            raise Refusal(400, "FSS.1101", f"Invalid trigger type: {kind} {why}.")
        made = account.functiongraph.triggers_of.create(
            urn, cast("TriggerType", kind), body.trigger_status, body.event_data
        )
    return created(trigger(made))


def list_triggers(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: querying all triggers of a function; a plain list."""
    with saying():
        urn, _, _ = named(account, project_id, function_urn)
    found = account.functiongraph.triggers_of.of(str(urn.of(urn.qualifier or LATEST)))
    return listed([trigger(one) for one in seen(found, account.now())])


def show_trigger(account: Account, project_id: str, function_urn: str, kind: str, trigger_id: str) -> Answer:
    """FunctionGraph API: querying a trigger."""
    return ok(trigger(_find(account, project_id, function_urn, kind, trigger_id)))


def update_trigger(
    account: Account, project_id: str, function_urn: str, *, kind: str, trigger_id: str, body: TriggerChange
) -> Answer:
    """FunctionGraph API: updating a trigger; only its status, its data is fixed."""
    found = _find(account, project_id, function_urn, kind, trigger_id)
    with saying():
        account.functiongraph.triggers_of.set_status(found, body.trigger_status)
    return ok(trigger(found))


def delete_trigger(account: Account, project_id: str, function_urn: str, kind: str, trigger_id: str) -> Answer:
    """FunctionGraph API: deleting a trigger."""
    account.functiongraph.triggers_of.delete(_find(account, project_id, function_urn, kind, trigger_id))
    return no_content()


def delete_triggers(account: Account, project_id: str, function_urn: str) -> Answer:
    """FunctionGraph API: deleting all triggers of a function."""
    with saying():
        urn, _, _ = named(account, project_id, function_urn)
    account.functiongraph.triggers_of.delete_all(str(urn.of(urn.qualifier or LATEST)))
    return no_content()


def _find(account: Account, project_id: str, function_urn: str, kind: str, trigger_id: str) -> Trigger:
    with saying():
        urn, _, _ = named(account, project_id, function_urn)
        return account.functiongraph.triggers_of.find(urn, kind, trigger_id)
