"""Instances on the wire of v1.0, which is outdated and still what stock clients call; over the same store."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, ok
from emulator.core.resources import Strict, seen
from emulator.dcs import responses as v2
from emulator.dcs.bodies import ChangeBody, PasswordChange, ResizeBody, StatusBody
from emulator.dcs.errors import instance_not_found
from emulator.dcs.models import Instance
from emulator.dcs.views import detail


class InstanceQueryV1(Strict):
    """Filters of the list of instances; an empty one is none, and `start` counts from 1."""

    start: int = Field(default=1, ge=1)
    limit: int = Field(default=1000, ge=1, le=2000)
    id: str = ""
    name: str = ""
    status: str = ""
    ip: str = ""
    tags: str = ""
    include_failure: str = ""


class ExtendBody(Strict):
    """A new size in GB."""

    new_capacity: float = Field(gt=0)
    spec_code: str


def list_instances_v1(account: Account, project_id: str, query: InstanceQueryV1) -> Answer:
    """DCS API v1.0: querying all DCS instances of a tenant; a page has 1000 unless asked otherwise.

    Assumed: names match in part, the other filters exactly.
    """
    found = [one for one in account.dcs.instances(project_id) if _wanted(account, one, query)]
    found = seen(found, account.now())
    page = found[query.start - 1 : query.start - 1 + query.limit]
    return ok({"instance_num": len(found), "instances": [_view(account, one) for one in page]})


def show_instance_v1(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API v1.0: querying a DCS instance."""
    visible = seen([v2.find_instance(account, project_id, instance_id)], account.now())
    if not visible:
        raise instance_not_found()
    return ok(_view(account, visible[0]))


def update_instance_v1(account: Account, project_id: str, instance_id: str, body: ChangeBody) -> Answer:
    """DCS API v1.0: modifying information about a DCS instance."""
    return v2.update_instance(account, project_id, instance_id, body)


def delete_instance_v1(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API v1.0: deleting a single DCS instance."""
    return v2.delete_instance(account, project_id, instance_id)


def change_password_v1(account: Account, project_id: str, instance_id: str, body: PasswordChange) -> Answer:
    """DCS API v1.0: changing the password of a DCS instance; it says success with a capital letter.

    Assumed: a wrong old password is said with 200, too, and locks nothing.
    """
    said = v2.change_password(account, project_id, instance_id, body).body or {}
    return ok({**said, "result": "Success" if said["result"] == "success" else said["result"]})


def extend_instance(account: Account, project_id: str, instance_id: str, body: ExtendBody) -> Answer:
    """DCS API v1.0: scaling up a DCS instance."""
    return v2.resize_instance(account, project_id, instance_id, ResizeBody.model_validate(body.model_dump()))


def change_status_v1(account: Account, project_id: str, body: StatusBody) -> Answer:
    """DCS API v1.0: restarting DCS instances or clearing DCS instance data."""
    return v2.change_status(account, project_id, body)


def show_quotas_v1(account: Account, project_id: str) -> Answer:
    """DCS API v1.0: querying the quota of a tenant."""
    return v2.show_quotas(account, project_id)


def list_statistics(account: Account, project_id: str) -> Answer:
    """DCS API v1.0: querying statistics of all running instances.

    Assumed: nobody is busy.
    """
    running = [one for one in account.dcs.instances(project_id) if account.dcs.status(one) == "RUNNING"]
    idle = {"keys": 0, "cmd_get_count": 0, "cmd_set_count": 0}
    rates = {"used_cpu": "0.0", "input_kbps": "0.0", "output_kbps": "0.0"}
    statistics = []
    for one in running:
        view = detail(account, one)
        memory = {"used_memory": view["used_memory"], "max_memory": view["max_memory"]}
        statistics.append({"instance_id": one.id, **idle, **memory, **rates})
    return ok({"statistics": statistics})


def _wanted(account: Account, instance: Instance, query: InstanceQueryV1) -> bool:
    status = account.dcs.status(instance)
    if status == "CREATEFAILED" and query.include_failure != "true":
        return False
    # Several tags are separated by commas.
    tags = dict(tag.partition("=")[::2] for tag in query.tags.split(",") if tag)
    return (
        query.name in instance.name
        and query.id in ("", instance.id)
        and query.status in ("", status)
        and (not query.ip or query.ip in instance.ip.split(","))
        and tags.items() <= instance.tags.items()
    )


def _view(account: Account, instance: Instance) -> dict[str, Any]:
    view = detail(account, instance)
    return {
        **{name: value for name, value in view.items() if name not in ("features", "updated_at")},
        "domainName": view["domain_name"],
        "resource_spec_code": view["spec_code"],
        "product_id": f"{view['spec_code']}-h",
        "update_at": view["updated_at"],
        "internal_version": None,
        "error_code": None,
        "order_id": None,
        "user_id": next(iter(account.iam.state.users)),
        "user_name": next(iter(account.iam.state.users.values())).name,
    }
