"""A bare caller of the emulator: what goes over the wire, and nothing else."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from emulator import Emulator
from emulator.core.message import Request, Response

IAM_HOST = "https://iam.eu-de.otc.t-systems.com"


def password_body(user: str = "demo", password: str = "demo-password", **scope: Any) -> dict[str, Any]:
    """The body of asking for a token."""
    auth: dict[str, Any] = {
        "identity": {"methods": ["password"], "password": {"user": {"name": user, "password": password}}}
    }
    if scope:
        auth["scope"] = scope
    return {"auth": auth}


class Caller:
    """Calls the emulator's door; `{pid}` in a path stands for the token's project."""

    def __init__(self, emulator: Emulator, user: str = "demo", project: str = "eu-de_demo") -> None:
        self.emulator = emulator
        known = next(one for one in emulator.world().iam.users.values() if one.name == user)
        body = password_body(user, known.password, project={"name": project})
        response = self.call("POST", "/v3/auth/tokens", body, token="")
        assert response.status == 201, response.body
        self.token = response.headers["X-Subject-Token"]
        self.project_id: str = response.json()["token"]["project"]["id"]

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any) -> Response:
        """One call, answered whatever the status is."""
        pairs = [(key, one) for key, value in query.items() for one in (value if isinstance(value, list) else [value])]
        url = IAM_HOST + path.replace("{pid}", getattr(self, "project_id", ""))
        url += f"?{urlencode(pairs)}" if pairs else ""
        headers = {"X-Auth-Token": self.token if token is None else token}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.emulator.handle(Request.of(method, url, headers, content))

    def get(self, path: str, **query: Any) -> Any:
        """What a read shows."""
        response = self.call("GET", path, **query)
        assert response.status == 200, response.body
        return response.json()

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """What a successful POST shows."""
        return self._change("POST", path, body, status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        """What a successful PUT shows."""
        return self._change("PUT", path, body, status)

    def delete(self, path: str, status: int = 204) -> Any:
        """Delete."""
        return self._change("DELETE", path, None, status)

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """The status and the code of a refusal, from whichever envelope it came in."""
        response = self.call(method, path, body, **query)
        assert response.status >= 400, response.body
        data = response.json()
        inner = data.get("NeutronError") or data.get("error") or data
        return response.status, inner.get("error_code") or inner.get("code") or inner["type"]

    def _change(self, method: str, path: str, body: Any, status: int) -> Any:
        response = self.call(method, path, body)
        assert response.status == status, response.body
        return response.json() if response.body else None
