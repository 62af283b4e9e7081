"""The life of functions, their versions and aliases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from emulator.core.problems import Refusal
from emulator.core.resources import owned
from emulator.functiongraph.errors import alias_not_found, version_not_found
from emulator.functiongraph.models import Alias, Code, Function, FunctionGraphState, Version
from emulator.functiongraph.urns import LATEST, Urn

if TYPE_CHECKING:
    from emulator.account import Account

MAX_VERSIONS, MAX_ALIASES = 20, 10
MB = 1024 * 1024
AGENCIES = ("xrole", "app_xrole")
# What a published version may differ in without being another one.
NOT_PUBLISHED = {"version_description", "modified_at", "agency_at"}


class Functions:
    """The rules of functions. All of them raise `Refusal` where a rule is in the way."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def _state(self) -> FunctionGraphState:
        return self._account.world.functiongraph

    def create(self, project_id: str, package: str, name: str, content: bytes, **settings: Any) -> Function:
        """Make a function of a zip and the settings of its `Version`.

        Raises:
            Refusal: the quota, a name that is taken, or an agency that is not there.
        """
        mine = owned(self._state.functions, project_id)
        if any((one.package, one.name) == (package, name) for one in mine):
            raise Refusal(409, "FSS.1061", "The function already exists.")
        if len(mine) >= self._state.quotas["fgs_func_num"]:
            raise Refusal(403, "FSS.1041", "The number of functions exceeds the maximum allowed limit.")
        self._check_agencies(settings)
        now = self._account.now()
        version = Version(digest=self._store(project_id, content), modified_at=now, agency_at=now, **settings)
        return self._account.add(
            self._state.functions,
            Function,
            "functiongraph",
            project_id,
            package=package,
            name=name,
            versions={LATEST: version},
        )

    def configure(self, function: Function, changes: Mapping[str, Any]) -> None:
        """Change settings of the latest version.

        Raises:
            Refusal: an agency that is not there.
        """
        self._check_agencies(changes)
        before = function.latest
        moved = any(getattr(before, key) != changes.get(key, getattr(before, key)) for key in AGENCIES)
        stamps = {"agency_at": self._account.now()} if moved else {}
        self._replace_latest(function, {**changes, **stamps})

    def put_code(self, function: Function, content: bytes, code_type: str, filename: str) -> None:
        """Give the latest version another code.

        Raises:
            Refusal: the account has no room for it.
        """
        digest = self._store(function.project_id, content)
        self._replace_latest(function, {"digest": digest, "code_type": code_type, "code_filename": filename})
        self._drop_unused_code()

    def publish(self, function: Function, number: str | None, description: str, digest: str | None) -> str:
        """Keep the latest version as it is now under a number.

        Raises:
            Refusal: too many, the number is taken, or nothing has changed.
        """
        chosen = number or datetime.fromtimestamp(self._account.now(), UTC).strftime("v%Y%m%d-%H%M%S")
        if chosen in function.versions:
            raise Refusal(409, "FSS.1062", "The version already exists.")
        if len(function.versions) >= MAX_VERSIONS:
            raise Refusal(403, "FSS.0403", "Forbidden: the function has its 20 versions.")
        if digest is not None and digest != function.latest.digest:
            raise Refusal(400, "FSS.1015", "Invalid function version: the digest is not the latest code's.")
        newest = list(function.versions.values())[-1]
        if newest is not function.latest and _published(newest) == _published(function.latest):
            message = "The function cannot be published because no changes have been made since last publication."
            raise Refusal(400, "FSS.1016", message)
        stamps = {"version_description": description, "modified_at": self._account.now()}
        function.versions[chosen] = function.latest.model_copy(update=stamps)
        return chosen

    def delete(self, function: Function, qualifier: str) -> None:
        """Delete one version, or the function, with all that hangs on it.

        Raises:
            Refusal: the latest version alone cannot go.
        """
        if not qualifier:
            self._delete_whole(function)
            return
        if qualifier == LATEST:
            raise Refusal(400, "FSS.1015", "Invalid function version: the latest version cannot be deleted.")
        for name in [name for name, alias in function.aliases.items() if alias.version == qualifier]:
            self._delete_qualified(function, f"!{name}")
            del function.aliases[name]
        self._delete_qualified(function, qualifier)
        del function.versions[qualifier]
        self._drop_unused_code()

    def create_alias(self, function: Function, name: str, version: str, description: str) -> Alias:
        """Name a version.

        Raises:
            Refusal: too many, the name is taken, or the version has another alias.
        """
        if name in function.aliases:
            raise Refusal(409, "FSS.1063", "The alias already exists.")
        if len(function.aliases) >= MAX_ALIASES:
            raise Refusal(403, "FSS.1043", "The number of aliases exceeds the maximum allowed limit.")
        return self._put_alias(function, name, version, description)

    def update_alias(self, function: Function, name: str, version: str, description: str) -> Alias:
        """Let an alias stand for another version.

        Raises:
            Refusal: no such alias or version, or the version has another alias.
        """
        self.alias(function, name)
        return self._put_alias(function, name, version, description)

    def delete_alias(self, function: Function, name: str) -> None:
        """Delete an alias.

        Raises:
            Refusal: no such alias, or triggers are bound to it.
        """
        self.alias(function, name)
        urn = str(self._account.functiongraph.urn(function, f"!{name}"))
        if any(trigger.function_urn == urn for trigger in self._state.triggers.values()):
            message = "Aliases of a function bound with triggers cannot be deleted."
            raise Refusal(403, "FSS.1154", message)
        function.async_configs.pop(f"!{name}", None)
        del function.aliases[name]

    def alias(self, function: Function, name: str) -> Alias:
        """An alias by its name.

        Raises:
            Refusal: there is none.
        """
        if name not in function.aliases:
            raise alias_not_found()
        return function.aliases[name]

    def _put_alias(self, function: Function, name: str, version: str, description: str) -> Alias:
        if version not in function.versions:
            raise version_not_found()
        others = (alias for other, alias in function.aliases.items() if other != name)
        if any(alias.version == version for alias in others):
            raise Refusal(409, "FSS.1066", "The version is already in use by another alias.")
        function.aliases[name] = Alias(version=version, description=description, modified_at=self._account.now())
        return function.aliases[name]

    def _check_agencies(self, settings: Mapping[str, Any]) -> None:
        for key, code in zip(AGENCIES, ("FSS.1121", "FSS.1122"), strict=True):
            name = settings.get(key)
            if name and self._account.iam.agency(name) is None:
                raise Refusal(403, code, f"Forbidden: the agency {name} in {key} does not exist.")

    def _replace_latest(self, function: Function, changes: Mapping[str, Any]) -> None:
        update = {**changes, "modified_at": self._account.now()}
        function.versions[LATEST] = function.latest.model_copy(update=update)
        self._account.touch(function)
        self._account.functiongraph.running.forget(str(self._account.functiongraph.urn(function, LATEST)))

    def _store(self, project_id: str, content: bytes) -> str:
        code = Code.of(content, project_id)
        size = sum(len(one.content) for one in self._state.codes.values())
        if code.id not in self._state.codes and size + len(content) > self._state.quotas["fgs_func_code_size"] * MB:
            message = "The total code size of functions exceeds the maximum allowed limit."
            raise Refusal(403, "FSS.1042", message)
        self._state.codes.setdefault(code.id, code)
        return code.id

    def _drop_unused_code(self) -> None:
        for unused in set(self._state.codes) - set(self._state.digests()):
            del self._state.codes[unused]

    def _delete_whole(self, function: Function) -> None:
        for qualifier in (*function.versions, *(f"!{name}" for name in function.aliases)):
            self._delete_qualified(function, qualifier)
        del self._state.functions[function.id]
        self._drop_unused_code()

    def _delete_qualified(self, function: Function, qualifier: str) -> None:
        """Delete the triggers and settings of one version or alias, and let its instances go."""
        urn: Urn = self._account.functiongraph.urn(function, qualifier)
        self._account.functiongraph.triggers_of.delete_all(str(urn))
        function.async_configs.pop(qualifier, None)
        self._account.functiongraph.running.forget(str(urn))


def _published(version: Version) -> dict[str, Any]:
    return version.model_dump(exclude=NOT_PUBLISHED)
