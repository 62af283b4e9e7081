"""Instances on the wire: their life and their settings."""

from __future__ import annotations

import re
from uuid import UUID

from emulator.account import Account
from emulator.core.message import Answer, no_content, ok
from emulator.core.problems import ApiError, refusing
from emulator.core.resources import count_read, seen
from emulator.core.tags import MAX_TAGS, TagsBody, changed, shown
from emulator.dcs.bodies import (
    BatchBody,
    BatchQuery,
    ChangeBody,
    CreateBody,
    InstanceQuery,
    PasswordBody,
    PasswordChange,
    ResizeBody,
    SslBody,
    StatusBody,
    WhitelistBody,
    strong,
)
from emulator.dcs.errors import BUSY, DcsErrors, bad_instance_id, busy, dcs, instance_not_found, unsupported_type
from emulator.dcs.models import MODES, CacheMode, Instance, Version, Whitelist
from emulator.dcs.views import detail, listed

ERRORS = DcsErrors()
NAME = re.compile(r"[A-Za-z][\w-]{3,63}")
# How the modes are called in spec codes, e.g. redis.ha.xu1.tiny.r2.128.
SPEC_MODES: dict[str, CacheMode] = {
    "single": "single",
    "ha": "ha",
    "rw": "ha_rw_split",
    "proxy": "proxy",
    "cluster": "cluster",
}
WITH_SSL = ("6.0", "7.0")


def list_instances(account: Account, project_id: str, query: InstanceQuery) -> Answer:
    """DCS API: querying all DCS instances; a page has 10 unless asked otherwise.

    Assumed: `no_password_access` is a boolean (dial `dcs_list_as_text`).
    """
    found = [one for one in account.dcs.instances(project_id) if _wanted(account, one, query)]
    found = seen(found, account.now())
    page = [listed(account, one) for one in found[query.offset : query.offset + query.limit]]
    if account.dials.dcs_list_as_text:
        page = [{**one, "no_password_access": str(one["no_password_access"]).lower()} for one in page]
    return ok({"instance_num": len(found), "instances": page})


def show_instance(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: querying a DCS instance; the answer has no envelope."""
    visible = seen([find_instance(account, project_id, instance_id)], account.now())
    if not visible:
        raise instance_not_found()
    return ok(detail(account, visible[0]))


def create_instances(account: Account, project_id: str, body: CreateBody) -> Answer:
    """DCS API: creating a DCS instance.

    Assumed: a user and a policy of backups are kept and shown; nobody logs in by that name, and no backup is made.
    """
    mode, version = _check_kind(body)
    _check_network(account, project_id, body)
    _check_password(body.password, password_free=body.no_password_access)
    _check_quota(account, project_id, body)
    made = [_draft(account, project_id, body, mode, version) for _ in range(body.instance_num)]
    with refusing(dcs):
        account.dcs.create(made)
    return ok({"instances": [{"instance_id": one.id, "instance_name": one.name} for one in made]})


def update_instance(account: Account, project_id: str, instance_id: str, body: ChangeBody) -> Answer:
    """DCS API: modifying details of a DCS instance; a new port moves every client.

    Assumed: a policy of backups is kept and shown; no backup is made.
    """
    instance = changeable(account, project_id, instance_id)
    if body.name is not None and not NAME.fullmatch(body.name):
        raise _bad_name()
    if body.port is not None and instance.engine_version == "3.0":
        raise unsupported_type()
    if body.security_group_id and instance.engine_version != "3.0":
        raise unsupported_type()
    for name in body.model_fields_set - {"rename_commands"}:
        if (value := getattr(body, name)) is not None:
            setattr(instance, name, value)
    account.touch(instance)
    account.lag(instance, "RUNNING", account.dials.dcs_modify)
    return no_content()


def delete_instance(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: deleting an instance; accepted at once, done later.

    Assumed: until then it is DELETING and busy (dial `dcs_delete`).
    """
    account.dcs.delete(_deletable(account, project_id, instance_id))
    return no_content()


def delete_instances(account: Account, project_id: str, query: BatchQuery, body: BatchBody) -> Answer:
    """DCS API: batch deleting DCS instances; what cannot be deleted now stays and is said to."""
    failed = [one.id for one in account.dcs.instances(project_id) if one.status == "CREATEFAILED"]
    wanted = failed if query.all_failure else body.instances
    if not (wanted or query.all_failure):
        raise ERRORS.invalid("instances", "none is named")
    return ok({"results": [_deleted(account, project_id, instance_id) for instance_id in wanted]})


def _deleted(account: Account, project_id: str, instance_id: str) -> dict[str, str]:
    try:
        account.dcs.delete(_deletable(account, project_id, instance_id))
    except ApiError:
        return {"instance": instance_id, "result": "failed"}
    return {"instance": instance_id, "result": "success"}


def _deletable(account: Account, project_id: str, instance_id: str) -> Instance:
    instance = find_instance(account, project_id, instance_id)
    if instance.deleting:
        count_read(instance, account.now())
        raise busy(BUSY["DELETING"])
    if account.dcs.status(instance) in ("CREATING", "RESTARTING"):
        count_read(instance, account.now())
        message = "DCS instances in the Creating, Starting, Stopping, or Restarting state cannot be deleted."
        raise dcs(400, "DCS.4099", message)
    return instance


def resize_instance(account: Account, project_id: str, instance_id: str, body: ResizeBody) -> Answer:
    """DCS API: modifying instance specifications; here another size of the same kind."""
    instance = changeable(account, project_id, instance_id)
    if _mode_of(body.spec_code) != instance.cache_mode:
        raise dcs(400, "DCS.4009", "Invalid product ID in the request.")
    instance.capacity, instance.spec_code = body.new_capacity, body.spec_code
    account.touch(instance)
    account.lag(instance, "EXTENDING", account.dials.dcs_modify)
    return no_content()


def change_status(account: Account, project_id: str, body: StatusBody) -> Answer:
    """DCS API: restarting DCS instances or clearing DCS instance data.

    Assumed: while it is emptied an instance is RUNNING and being configured.
    """
    instances = [changeable(account, project_id, instance_id) for instance_id in body.instances]
    if body.action == "flush" and any(instance.engine_version == "3.0" for instance in instances):
        raise unsupported_type()
    for instance in instances:
        if body.action == "flush":
            account.dcs.flush(instance)
        else:
            account.dcs.restart(instance)
    return ok({"results": [{"instance": one.id, "result": "success"} for one in instances]})


def reset_password(account: Account, project_id: str, instance_id: str, body: PasswordBody) -> Answer:
    """DCS API: resetting a password."""
    instance = changeable(account, project_id, instance_id)
    _check_password(body.new_password, password_free=body.no_password_access)
    instance.password = None if body.no_password_access else body.new_password
    account.touch(instance)
    fixed = {"lock_time": "0", "lock_time_left": "0", "retry_times_left": "5"}
    return ok({**fixed, "code": "1", "message": "success", "ext_message": None})


def change_password(account: Account, project_id: str, instance_id: str, body: PasswordChange) -> Answer:
    """DCS API: changing the password.

    Assumed: a wrong old password is said with 200, too, and locks nothing.
    """
    tries = {"lock_time": "0", "lock_time_left": "0"}
    if changeable(account, project_id, instance_id).password != body.old_password:
        failed = {"result": "passwordFailed", "message": "verify password failed."}
        return ok({**failed, **tries, "retry_times_left": "4"})
    reset_password(account, project_id, instance_id, PasswordBody(new_password=body.new_password))
    done = {"result": "success", "message": "Modify DCSInstance password success."}
    return ok({**done, **tries, "retry_times_left": "5"})


def swap_instance(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: master/standby switchover."""
    instance = changeable(account, project_id, instance_id)
    if instance.cache_mode == "single":
        raise dcs(400, "DCS.4855", "Master standby swap is not supported.")
    account.dcs.swap(instance)
    return no_content()


def show_whitelist(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: querying the IP whitelist of a DCS instance."""
    instance = _with_whitelist(find_instance(account, project_id, instance_id))
    whitelist = account.dcs.read_whitelist(instance)
    return ok({"instance_id": instance.id, **whitelist.model_dump(), "whitelist_ip_limit_num": 20})


def put_whitelist(account: Account, project_id: str, instance_id: str, body: WhitelistBody) -> Answer:
    """DCS API: configuring IP whitelist groups; replaces everything."""
    instance = _with_whitelist(changeable(account, project_id, instance_id))
    account.dcs.put_whitelist(instance, Whitelist.model_validate(body.model_dump()))
    return no_content()


def show_ssl(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: querying SSL encryption of an instance."""
    instance = _with_ssl(find_instance(account, project_id, instance_id))
    view = detail(account, instance)
    place = {name: view[name] for name in ("ip", "port", "domain_name")}
    return ok({"enabled": instance.ssl, **place, "ssl_expired_at": None, "ssl_validated": instance.ssl})


def put_ssl(account: Account, project_id: str, instance_id: str, body: SslBody) -> Answer:
    """DCS API: enabling or disabling SSL; it restarts the instance."""
    instance = _with_ssl(changeable(account, project_id, instance_id))
    instance.ssl = body.enabled
    account.dcs.restart(instance)
    return ok({"job_id": account.new_id(Instance)})


def list_tags(account: Account, project_id: str, instance_id: str) -> Answer:
    """DCS API: querying tags of a DCS instance."""
    return ok({"tags": shown(find_instance(account, project_id, instance_id).tags)})


def change_tags(account: Account, project_id: str, instance_id: str, body: TagsBody) -> Answer:
    """DCS API: batch adding or deleting tags."""
    instance = find_instance(account, project_id, instance_id)
    tags = changed(instance.tags, body)
    if len(tags) > MAX_TAGS:
        raise ERRORS.invalid("tags", f"more than {MAX_TAGS} tags")
    instance.tags = tags
    return no_content()


def show_quotas(account: Account, project_id: str) -> Answer:
    """DCS API: querying the tenant quotas."""
    quotas = account.dcs.state.quotas
    count, memory = len(account.dcs.instances(project_id)), account.dcs.used_memory(project_id)
    instances = {"type": "instance", "quota": quotas["instance"], "used": count, "min": 1, "max": 10000}
    ram = {"type": "ram", "unit": "GB", "quota": quotas["ram"], "used": memory, "min": 1, "max": 100000}
    return ok({"quotas": {"resources": [instances, ram]}})


def find_instance(account: Account, project_id: str, instance_id: str) -> Instance:
    """The instance of the project; an id in a wrong form is told apart from an unknown one."""
    try:
        UUID(instance_id)
    except ValueError:
        raise bad_instance_id() from None
    instance = account.dcs.instance(project_id, instance_id)
    if instance is None:
        raise instance_not_found()
    return instance


def changeable(account: Account, project_id: str, instance_id: str) -> Instance:
    """The instance, if it runs and no other job does; asking counts as a read."""
    instance = find_instance(account, project_id, instance_id)
    if instance.busy:
        raise busy(instance.busy)
    if instance.pending and not instance.pending.over(account.now()):
        code = BUSY[instance.pending.shows]
        count_read(instance, account.now())
        raise busy(code)
    if instance.status in BUSY and instance.status != "RUNNING":
        raise busy(BUSY[instance.status])
    if instance.status != "RUNNING":
        raise dcs(400, "DCS.4049", "The instance status is not running.")
    return instance


def _wanted(account: Account, one: Instance, query: InstanceQuery) -> bool:
    status = account.dcs.status(one)
    named = one.name == query.name if query.name_equal else (query.name or "") in one.name
    tags = [part.split("=", 1) for part in query.tags.split(",")] if query.tags else []
    return (
        named
        and query.instance_id in (None, one.id)
        and query.status in (None, status)
        and (status != "CREATEFAILED" or query.include_failure)
        and (query.ip is None or query.ip in one.addresses)
        and query.capacity in (None, one.capacity)
        and all(one.tags.get(tag[0]) == (tag[1] if len(tag) > 1 else "") for tag in tags)
    )


def _check_kind(body: CreateBody) -> tuple[CacheMode, Version]:
    if not NAME.fullmatch(body.name):
        raise _bad_name()
    if body.engine != "Redis":
        raise dcs(400, "DCS.4006", "The selected cache engine type is not supported.")
    version = next((known for known in MODES if known == body.engine_version and known != "3.0"), None)
    if version is None:
        raise dcs(400, "DCS.4008", "The selected cache engine version is not supported.")
    mode = _mode_of(body.spec_code)
    if mode is None or mode not in MODES[version]:
        raise dcs(400, "DCS.4009", "Invalid product ID in the request.")
    return mode, version


def _mode_of(spec_code: str) -> CacheMode | None:
    engine, mode, *_ = [*spec_code.split("."), ""]
    return SPEC_MODES.get(mode) if engine == "redis" else None


def _check_network(account: Account, project_id: str, body: CreateBody) -> None:
    if account.vpc.vpc(project_id, body.vpc_id) is None:
        raise dcs(400, "DCS.4068", "This VPC does not exist.")
    subnet = account.vpc.subnet(project_id, body.subnet_id)
    if subnet is None or subnet.vpc_id != body.vpc_id:
        raise dcs(400, "DCS.4018", "This subnet must exist in the VPC.")
    if not set(body.az_codes) <= set(account.world.zones):
        raise dcs(400, "DCS.4042", "This AZ does not exist.")
    if body.private_ip is not None and (body.instance_num > 1 or not subnet.assignable(body.private_ip)):
        raise ERRORS.invalid("private_ip", "is not a free address of the subnet")


def _check_password(password: str | None, *, password_free: bool) -> None:
    if password_free:
        if password is not None:
            raise dcs(400, "DCS.4845", "The password parameter is missing or its value is invalid.")
    elif password is None:
        raise dcs(400, "DCS.4845", "The password parameter is missing or its value is invalid.")
    elif not strong(password):
        raise dcs(400, "DCS.4019", "The password does not meet complexity requirements.")


def _check_quota(account: Account, project_id: str, body: CreateBody) -> None:
    quotas = account.dcs.state.quotas
    if len(account.dcs.instances(project_id)) + body.instance_num > quotas["instance"]:
        raise dcs(400, "DCS.4035", "DCS instance quota of the tenant is insufficient.")
    if account.dcs.used_memory(project_id) + body.capacity * body.instance_num > quotas["ram"]:
        raise dcs(400, "DCS.4036", "Memory quota of the tenant is insufficient.")


def _draft(account: Account, project_id: str, body: CreateBody, mode: CacheMode, version: Version) -> Instance:
    now = account.now()
    return Instance(
        id=account.new_id(Instance),
        project_id=project_id,
        created_at=now,
        updated_at=now,
        hidden_reads=account.dials.hidden_reads.get("dcs", 0),
        cache_mode=mode,
        engine_version=version,
        ip="" if mode == "cluster" else body.private_ip or "",
        tags={tag.key: tag.value for tag in body.tags},
        **{name: getattr(body, name) for name in COPIED},
    )


COPIED = (
    "name",
    "description",
    "subnet_id",
    "port",
    "password",
    "capacity",
    "spec_code",
    "az_codes",
    "maintain_begin",
    "maintain_end",
    "access_user",
    "instance_backup_policy",
)


def _bad_name() -> Exception:
    return dcs(
        400,
        "DCS.4010",
        "Invalid DCS instance name. The name must be 4 to 64 characters in length. "
        "Only letters (case-insensitive), digits, underscores (_) ,and hyphens (-) are allowed.",
    )


def _with_whitelist(instance: Instance) -> Instance:
    if instance.engine_version == "3.0":
        raise unsupported_type()
    return instance


def _with_ssl(instance: Instance) -> Instance:
    if instance.engine_version not in WITH_SSL:
        raise dcs(400, "DCS.4201", "SSL is not supported by this instance.")
    return instance
