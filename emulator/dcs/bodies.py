"""What callers of DCS send."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from emulator.core.resources import Strict
from emulator.core.tags import Tag
from emulator.core.text import Address, EnterpriseProject
from emulator.dcs.models import BackupPolicy, WhitelistEntry

PASSWORD_KINDS = (r"[a-z]", r"[A-Z]", r"\d", r"[^\w]|_")
MAX_GROUPS, MAX_ENTRIES = 4, 20


def strong(password: str) -> bool:
    """8 to 64 characters of at least three kinds (DCS manual: creating an instance)."""
    kinds = sum(bool(re.search(kind, password)) for kind in PASSWORD_KINDS)
    return 8 <= len(password) <= 64 and kinds >= 3


class GroupBody(Strict):
    """One group of a whitelist."""

    group_name: str = Field(min_length=1, max_length=64)
    ip_list: list[WhitelistEntry]


class WhitelistBody(Strict):
    """The whole new whitelist; it replaces the old one."""

    enable_whitelist: bool
    whitelist: list[GroupBody] = Field(max_length=MAX_GROUPS)

    @model_validator(mode="after")
    def _limits(self) -> WhitelistBody:
        if sum(len(group.ip_list) for group in self.whitelist) > MAX_ENTRIES:
            raise ValueError(f"more than {MAX_ENTRIES} addresses")
        names = [group.group_name for group in self.whitelist]
        if len(set(names)) != len(names):
            raise ValueError("a group name is used twice")
        return self


def _nothing(value: Any) -> Any:
    if value:
        raise ValueError("is not emulated")
    return value


def _none_if_empty(value: str | None) -> str | None:
    return value or None


# What clients may say as long as they ask for nothing: null, false, or empty.
NotEmulated = Annotated[Any, AfterValidator(_nothing)]


class BssParam(Strict):
    """How an instance is paid for: by use."""

    charging_mode: Literal["", "postPaid"] = ""
    period_type: NotEmulated = None
    period_num: NotEmulated = None
    is_auto_renew: NotEmulated = None
    is_auto_pay: str | None = None


class CreateBody(Strict):
    """What a new instance is to be."""

    name: str
    engine: str
    engine_version: str = "6.0"
    capacity: float = Field(gt=0)
    spec_code: str
    az_codes: list[str] = Field(min_length=1)
    vpc_id: str
    subnet_id: str
    security_group_id: NotEmulated = None
    publicip_id: NotEmulated = None
    enterprise_project_id: EnterpriseProject | None = None
    enterprise_project_name: NotEmulated = None
    description: str = Field(default="", max_length=1024)
    enable_ssl: NotEmulated = None
    private_ip: Address | None = None
    instance_num: int = Field(default=1, ge=1, le=100)
    maintain_begin: str = "18:00:00"
    maintain_end: str = "19:00:00"
    password: str | None = None
    no_password_access: bool = False
    bss_param: BssParam | None = None
    instance_backup_policy: BackupPolicy | None = None
    tags: list[Tag] = []
    access_user: str | None = None
    enable_publicip: NotEmulated = None
    port: int = Field(default=6379, ge=1, le=65535)
    rename_commands: NotEmulated = None
    template_id: NotEmulated = None


class ChangeBody(Strict):
    """What may change in an instance."""

    name: str | None = None
    description: str | None = Field(default=None, max_length=1024)
    port: int | None = Field(default=None, ge=1, le=65535)
    rename_commands: NotEmulated = None
    maintain_begin: str | None = None
    maintain_end: str | None = None
    security_group_id: Annotated[str | None, AfterValidator(_none_if_empty)] = None
    instance_backup_policy: BackupPolicy | None = None


class ResizeBody(Strict):
    """A new size in GB."""

    spec_code: str
    new_capacity: float = Field(gt=0)
    bss_param: BssParam | None = None
    reserved_ip: NotEmulated = None
    change_type: NotEmulated = None
    available_zones: NotEmulated = None
    node_list: NotEmulated = None
    execute_immediately: Literal[True] | None = None


class BatchBody(Strict):
    """The instances to delete; none is named with `all_failure`."""

    instances: list[str] = Field(default=[], max_length=50)


class BatchQuery(Strict):
    """Whether to delete what could not be created, and nothing else."""

    all_failure: bool = False


class StatusBody(Strict):
    """Restart instances, or empty them."""

    instances: list[str] = Field(min_length=1, max_length=50)
    action: Literal["restart", "soft_restart", "flush"]


class PasswordBody(Strict):
    """A new password, or none from now on."""

    new_password: str | None = None
    no_password_access: bool = False


class PasswordChange(Strict):
    """The password and the one to come."""

    old_password: str
    new_password: str


class SslBody(Strict):
    """TLS on or off."""

    enabled: bool


class InstanceQuery(Strict):
    """Filters of the list of instances; names match in part unless told otherwise."""

    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=10, ge=1, le=1000)
    instance_id: str | None = None
    name: str | None = None
    name_equal: bool = False
    status: str | None = None
    ip: str | None = None
    tags: str | None = None
    capacity: float | None = None
    include_failure: bool = False
    include_delete: Annotated[bool, AfterValidator(_nothing)] = False


class NodeQuery(Strict):
    """The pager of the list of nodes."""

    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=10, ge=1, le=1000)
