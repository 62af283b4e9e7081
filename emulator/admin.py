"""The emulator's own API next to the cloud's, under `/emulator/`.

It shows calls, messages, snapshot and world, and sets faults and dials; calls of its own are not recorded, throttled or
spoiled.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from emulator.core.message import Request, Response
from emulator.core.times import with_millis
from emulator.emulator import Emulator
from emulator.faults import Fault

PREFIX = "/emulator/"
NOT_SHOWN = {"id", "name", "project_id", "pending", "hidden_reads", "updated_at"}


def administer(emulator: Emulator, request: Request) -> Response:
    """Answer one call of the admin API."""
    serve = CALLS.get((request.method, request.path.removeprefix(PREFIX)))
    if serve is None:
        return _json({"error": f"{request.method} {request.path} is not part of the emulator's API"}, 404)
    try:
        return serve(emulator, request)
    except ValueError as error:
        return _json({"error": str(error)}, 400)


def _calls(emulator: Emulator, _: Request) -> Response:
    return _json({"calls": [record.as_json() for record in emulator.calls]})


def _forget_calls(emulator: Emulator, _: Request) -> Response:
    emulator.calls.clear()
    return Response(204)


def _add_fault(emulator: Emulator, request: Request) -> Response:
    emulator.faults.add(Fault.model_validate_json(request.body))
    return Response(204)


def _lift_faults(emulator: Emulator, _: Request) -> Response:
    emulator.faults.clear()
    return Response(204)


def _dials(emulator: Emulator, _: Request) -> Response:
    return _json(emulator.dials.model_dump(mode="json"))


def _set_dials(emulator: Emulator, request: Request) -> Response:
    emulator.set_dials(TypeAdapter(dict[str, Any]).validate_json(request.body))
    return _dials(emulator, request)


def _messages(emulator: Emulator, _: Request) -> Response:
    with emulator.change() as account:
        return _json({"messages": account.smn.outgoing.messages()})


def _invocations(emulator: Emulator, _: Request) -> Response:
    with emulator.change() as account:
        shown = [one.model_dump(exclude=NOT_SHOWN) for one in account.functiongraph.queue.entries.values()]
    return _json({"invocations": shown})


def _logs(emulator: Emulator, _: Request) -> Response:
    with emulator.change() as account:
        streams = account.lts.state.streams.values()
        kept = sorted(
            (line.number, stream.name, line.content) for stream in streams for line in account.lts.lines(stream)
        )
    return _json({"lines": [{"time": with_millis(at / 1e9), "stream": name, "line": line} for at, name, line in kept]})


def _snapshot(emulator: Emulator, request: Request) -> Response:
    return _json(emulator.snapshot(timestamps=("timestamps", "true") in request.query))


def _world(emulator: Emulator, _: Request) -> Response:
    return Response(200, emulator.world().dump().encode(), {"Content-Type": "application/yaml"})


CALLS = {
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _forget_calls,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _lift_faults,
    ("GET", "dials"): _dials,
    ("PUT", "dials"): _set_dials,
    ("GET", "invocations"): _invocations,
    ("GET", "logs"): _logs,
    ("GET", "messages"): _messages,
    ("GET", "snapshot"): _snapshot,
    ("GET", "world"): _world,
}


def _json(body: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
