"""The parameters of an instance on the wire."""

from __future__ import annotations

from typing import Any

from emulator.account import Account
from emulator.core.message import Answer, no_content, ok
from emulator.core.resources import Strict, seen
from emulator.core.times import with_millis
from emulator.dcs.errors import DcsErrors, instance_not_found
from emulator.dcs.models import Instance
from emulator.dcs.parameters import PARAMETERS
from emulator.dcs.responses import changeable, find_instance

ERRORS = DcsErrors()


class ParameterBody(Strict):
    """A parameter, by id and by name, and its new value."""

    param_id: str
    param_name: str
    param_value: str


class ParametersBody(Strict):
    """The body of modifying configuration parameters."""

    redis_config: list[ParameterBody] = []


def list_parameters(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: querying DCS instance configuration parameters.

    Assumed: every kind of instance has those with the ids 1 to 11, and no other.
    """
    visible = seen([find_instance(account, project_id, instance_id)], account.now())
    if not visible:
        raise instance_not_found()
    (instance,) = visible
    body = {
        "instance_id": instance.id,
        "config_time": with_millis(instance.updated_at),
        "config_status": "UPDATING" if instance.pending and instance.pending.shows == "RUNNING" else "SUCCESS",
        "redis_config": [_shown(instance, param_id) for param_id in PARAMETERS],
        "status": account.dcs.status(instance),
    }
    return ok(body)


def change_parameters(account: Account, project_id: str, instance_id: str, body: ParametersBody) -> Answer:
    """DCS API: modifying configuration parameters; all or none.

    Assumed: a wrong value is DCS.4800. They are kept and shown; the Redis that is run does not follow them.
    """
    instance = changeable(account, project_id, instance_id)
    for one in body.redis_config:
        known = PARAMETERS.get(one.param_id)
        if known is None or known.name != one.param_name:
            raise ERRORS.invalid("param_id", f"{one.param_id} is not the id of {one.param_name}")
        if not known.takes(one.param_value):
            raise ERRORS.invalid("param_value", f"{known.name} must be {known.range}")
    instance.parameters = {**instance.parameters, **{one.param_id: one.param_value for one in body.redis_config}}
    account.touch(instance)
    account.lag(instance, "RUNNING", account.dials.dcs_modify)
    return no_content()


def _shown(instance: Instance, param_id: str) -> dict[str, Any]:
    known = PARAMETERS[param_id]
    return {
        "param_id": param_id,
        "param_name": known.name,
        "description": known.about,
        "param_value": instance.parameters.get(param_id, known.default),
        "value_range": known.range,
        "value_type": known.type,
        "default_value": known.default,
    }
