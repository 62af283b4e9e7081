"""Traces: from a call and its answer to what CTS keeps and hands out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.core.message import Answer, Request
from emulator.cts.models import Trace
from emulator.cts.operations import Operation

if TYPE_CHECKING:
    from emulator.account import Account
    from emulator.iam.models import Token

SECRETS = frozenset({"password", "old_password", "new_password", "encrypted_user_data"})
BULKY = frozenset({"func_code"})
# What the query shows; the event of a trigger has all fields.
SHOWN = (
    "time",
    "user",
    "request",
    "response",
    "code",
    "service_type",
    "resource_type",
    "resource_name",
    "resource_id",
    "source_ip",
    "trace_name",
    "trace_rating",
    "trace_type",
    "api_version",
    "message",
    "record_time",
    "trace_id",
)


@dataclass
class Watched:
    """A call under way that will be recorded; `names` are those of the resources it refers to."""

    operation: Operation
    call: str
    document: dict[str, Any]
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Watched:
        """Read what a request refers to."""
        document = {"path": dict(parameters), "query": dict(request.query), "body": _json(request.body)}
        return cls(operation, f"{request.method} {request.path}", document)

    def references(self, answer: Mapping[str, Any] | None = None) -> list[str]:
        """The ids of what the call is about; without an answer, of what exists before it."""
        document = {**self.document, "answer": answer}
        return list(_walk(document, self.operation.resource.split(".")))


def traced(watched: Watched, token: Token, answer: Answer, account: Account) -> Iterator[Trace]:
    """The traces of a call, one for each resource."""
    operation = watched.operation
    body = watched.document["body"]
    trace_name = operation.submitted_name(body) if operation.submitted else operation.name(body)
    for reference in watched.references(answer.body) or [""]:
        resource_id, name = _identity(watched, reference)
        rating = "warning" if answer.status >= 400 or reference in _refused(answer.body) else "normal"
        yield {
            "api_version": "",
            "code": answer.status,
            "domain_id": account.iam.state.domain.id,
            "message": f"{watched.call}, {name}" if name else watched.call,
            "operation_id": trace_name[:1].upper() + trace_name[1:],
            "project_id": token.project.id if token.project else "",
            "read_only": False,
            "request": _body(_masked(body), account),
            "resource_account_id": "",
            "resource_id": resource_id,
            "resource_name": name,
            "resource_type": operation.resource_type,
            "response": _body(dict(answer.body or {}), account),
            "service_type": operation.service_type,
            "source_ip": "127.0.0.1",
            "trace_name": trace_name,
            "trace_rating": rating,
            "trace_status": rating,
            "trace_type": "ApiCall",
            "user": _user(token, account),
        }


def finished(watched: Watched, trace: Trace, account: Account) -> Trace:
    """The trace of the result of the job that another trace's request has begun."""
    trace_name = watched.operation.name(watched.document["body"])
    named = account.dials.job_traces_name_user
    return {
        **trace,
        "trace_name": trace_name,
        "operation_id": trace_name[:1].upper() + trace_name[1:],
        "trace_type": "SystemAction",
        "user": trace["user"] if named else None,
        "source_ip": trace["source_ip"] if named else None,
    }


def shown(trace: Trace) -> dict[str, Any]:
    """A trace as the query shows it (CTS API: querying a trace list)."""
    missing = dict.fromkeys(("request_id", "location_info", "endpoint", "resource_url"))
    return {name: trace[name] for name in SHOWN} | missing


def _user(token: Token, account: Account) -> dict[str, Any]:
    domain = account.iam.state.domain
    return {"domain": {"name": domain.name, "id": domain.id}, "name": token.user.name, "id": token.user.id}


def _identity(watched: Watched, reference: str) -> tuple[str, str]:
    """The id and the name of a resource; a function goes by its name for both."""
    parts = reference.split(":")
    if reference.startswith("urn:fss:"):
        return parts[6], parts[6]
    if reference.startswith("urn:smn:"):
        return reference, parts[4]
    return reference, watched.names.get(reference) or _given_name(watched.document["body"]) or ""


def _refused(body: Mapping[str, Any] | None) -> set[str]:
    """The instances that a call for several could do nothing with."""
    results = (body or {}).get("results")
    return {one["instance"] for one in results if one.get("result") == "failed"} if isinstance(results, list) else set()


def _given_name(body: Any) -> str:
    """The name that a request gives, at the top or in its one envelope."""
    envelopes = [body, *body.values()] if isinstance(body, dict) else []
    names = (one.get("name", one.get("func_name")) for one in envelopes if isinstance(one, dict))
    return next((name for name in names if isinstance(name, str)), "")


def _walk(value: Any, steps: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _walk(one, steps)
    elif not steps:
        if isinstance(value, str):
            yield value
    elif isinstance(value, Mapping):
        yield from _walk(value.get(steps[0]), steps[1:])


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return {}


def _masked(value: Any) -> Any:
    """A body without what nobody may read, or wants to."""
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: "******" if key in SECRETS else _masked(one) for key, one in value.items() if key not in BULKY}


def _body(value: Any, account: Account) -> Any:
    if account.dials.trace_bodies == "object":
        return value
    return json.dumps(value) if value else ""
