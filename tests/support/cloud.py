"""The product's clients on an emulator in the same process."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from emulator import Emulator
from emulator.core.message import Request
from emulator.faults import ConnectionLost
from shared.otc.cloud import Cloud
from shared.otc.transport import Answer, Call, lost


class EmulatorTransport:
    """Calls the emulator's door with a token of its first user, for its first project if none is named."""

    def __init__(self, emulator: Emulator, project_name: str | None = None) -> None:
        self.emulator = emulator
        world = emulator.world()
        user, projects = next(iter(world.iam.users.values())), world.iam.projects.values()
        project = next(one for one in projects if project_name in (None, one.name))
        self.project_id, self.region = project.id, world.region
        self._token = _token(emulator, user.name, user.password, project.id)

    def send(self, call: Call) -> Answer:
        """Send one call; a connection that the emulator drops is a lost answer."""
        url = f"https://{call.service}.test{call.path}" + (f"?{urlencode(call.query)}" if call.query else "")
        body = b"" if call.body is None else json.dumps(call.body).encode()
        request = Request.of(call.method, url, {"X-Auth-Token": self._token}, body)
        try:
            response = self.emulator.handle(request)
        except ConnectionLost:
            raise lost(call) from None
        return Answer(response.status, response.body, response.headers)


def cloud_on(emulator: Emulator) -> Cloud:
    """All clients on this emulator."""
    return Cloud(EmulatorTransport(emulator))


def _token(emulator: Emulator, user: str, password: str, project_id: str) -> str:
    who = {"name": user, "password": password}
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": who}},
            "scope": {"project": {"id": project_id}},
        }
    }
    url = "https://iam.test/v3/auth/tokens"
    response = emulator.handle(Request.of("POST", url, {}, json.dumps(body).encode()))
    return response.headers["X-Subject-Token"]
