"""Functions: their configuration, code and asynchronous settings (FunctionGraph API: function lifecycle)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from shared.errors import ErrorCode, PermanentError
from shared.otc.client import given, listed, read
from shared.otc.functiongraph.common import FunctionGraphService
from shared.otc.models import Seen, Text

_PAGE = 400
_FILE = "code.zip"


def _variables(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value or {}


Variables = Annotated[dict[str, str], BeforeValidator(_variables)]


class Strategy(Seen):
    """How many instances a function may have, none if it is disabled, and how many requests each takes at a time.

    The defaults are the platform's (FunctionGraph manual: configuring concurrency).
    """

    concurrency: int = 400
    concurrent_num: int = 1


class Function(Seen):
    """The latest version of a function; `digest` is the SHA-512 of its zip, values of encrypted variables are blank."""

    func_urn: str
    func_name: str
    package: str
    runtime: str
    handler: str
    timeout: int
    memory_size: int
    digest: Text = ""
    description: Text = ""
    user_data: Variables = Field(default_factory=dict)
    encrypted_user_data: Variables = Field(default_factory=dict)
    xrole: Text = ""
    app_xrole: Text = ""
    log_group_id: Text = ""
    log_stream_id: Text = ""
    initializer_handler: Text = ""
    strategy_config: Annotated[Strategy, BeforeValidator(lambda value: value or {})] = Strategy()


class ListedFunction(Seen):
    """A function as lists show it, its URN without a version."""

    func_urn: str
    func_name: str
    description: Text = ""


class Functions(FunctionGraphService):
    """The functions of an application; a URN is without a version."""

    def functions(self, package: str) -> list[ListedFunction]:
        """The functions of an application."""
        found: list[ListedFunction] = []
        marker = "0"
        while True:
            query = [("marker", marker), ("maxitems", str(_PAGE)), ("package_name", package)]
            call = self._on("GET", "function:list", "functions", query=query)
            page = self._send(call)
            items = listed(call, page, "functions")
            found += [read(call, ListedFunction, item) for item in items]
            following = str(page.get("next_marker", ""))
            if not items or len(items) < _PAGE or following in {"", marker}:
                return found
            marker = following

    def function(self, urn: str) -> Function:
        """The configuration of a function."""
        return self._one(self._on("GET", "function:getConfig", "functions", urn, "config"), Function)

    def create_function(self, fields: Mapping[str, Any], code: bytes) -> Function:
        """Make a function of a zip."""
        call = self._on("POST", "function:create", "functions", body={**fields, **_code(code)})
        return self._one(call, Function)

    def update_function(self, urn: str, fields: Mapping[str, Any]) -> Function:
        """Change the configuration of a function; what must not be left out is in `fields`, too."""
        call = self._on("PUT", "function:updateConfig", "functions", urn, "config", body=fields)
        return self._one(call, Function)

    def update_code(self, urn: str, code: bytes) -> None:
        """Give a function another zip."""
        self._send(self._on("PUT", "function:updateCode", "functions", urn, "code", body=_code(code)))

    def delete_function(self, urn: str) -> None:
        """Delete a function with all versions, aliases and triggers."""
        self._send(self._on("DELETE", "function:delete", "functions", urn))

    def async_config(self, urn: str) -> dict[str, Any] | None:
        """How asynchronous invocations of a function are treated; None if nobody has said."""
        call = self._on("GET", "function:getAsyncInvokeConfig", "functions", urn, "async-invoke-config")
        try:
            return self._send(call)
        except PermanentError as problem:
            if problem.code is ErrorCode.NOT_FOUND:
                return None
            raise

    def set_async_config(self, urn: str, desired: Mapping[str, Any]) -> None:
        """Say how asynchronous invocations of a function are treated; replaces what was said before."""
        place = ("functions", urn, "async-invoke-config")
        self._send(self._on("PUT", "function:updateAsyncInvokeConfig", *place, body=desired))


def _code(content: bytes) -> dict[str, Any]:
    return given(code_type="zip", code_filename=_FILE, func_code={"file": b64encode(content).decode(), "link": ""})
