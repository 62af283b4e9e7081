"""Calling functions on the wire (FunctionGraph API: function invocation)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from threading import Thread
from typing import Any

from emulator.account import Account
from emulator.clock import SystemClock
from emulator.core.message import Answer, Later, Request, ok
from emulator.core.problems import ApiError, Refusal, bad_gateway
from emulator.core.resources import owned
from emulator.core.times import without_z
from emulator.functiongraph.bodies import MEMORY, CancelBody, InvocationQuery
from emulator.functiongraph.errors import not_json, too_large
from emulator.functiongraph.models import Queued
from emulator.functiongraph.queue import config_for
from emulator.functiongraph.responses_shared import named, saying
from emulator.functiongraph.runtime.spec import KernelCode, RunResult

MAX_BODY = 6 * 1024 * 1024
LOG_TAIL = 2000
HOUR = 3600.0


def invoke(account: Account, project_id: str, function_urn: str, request: Request, content: bytes) -> Later:
    """FunctionGraph API: executing a function synchronously; a function's own failure is a 200, too.

    Assumed: the values of `X-Func-Err-Code`; the codes for an event that is no JSON or over 6 MB; 504 after
    `gateway_seconds` while the function runs on; 429 at `function_concurrency` and at the maximum of instances.
    """
    with saying():
        urn, function, version = named(account, project_id, function_urn)
        if len(content) > MAX_BODY:
            raise too_large("6 MB")
        _event(content)
        version_asked = _version_asked(request)
        request_id = account.functiongraph.queue.new_request_id()
        memory = _memory(request) or function.versions[version].memory_size
        work = account.functiongraph.running.start(
            function, version, request_id, content, urn.alias, memory_size=memory
        )

    def answer() -> Answer:
        result = _awaited(account, work)
        return _answer(result, _headers(request, request_id, version_asked, memory, result))

    return Later(answer)


def invoke_async(account: Account, project_id: str, function_urn: str, content: bytes) -> Answer:
    """FunctionGraph API: executing a function asynchronously; 202 when it is persisted.

    Assumed: the body reaches the handler unchanged; over 256 KB it is a 413; without settings nothing is tried
    again; the pause before a retry doubles from `async_retry_seconds`; what is throttled waits, and what is over the
    function's maximum of instances is discarded; dial `events` brings it late, twice or out of order.
    """
    with saying():
        urn, _, _ = named(account, project_id, function_urn)
        event = _event(content)
        request_id = account.functiongraph.invoke_async(str(urn), event, source="API")
    return Answer(202, {"request_id": request_id})


def list_invocations(account: Account, project_id: str, function_urn: str, query: InvocationQuery) -> Answer:
    """FunctionGraph API: querying asynchronous invocation requests; of the last hour, unless it says otherwise.

    Assumed: none are shown where `enable_async_status_log` is off.
    """
    with saying():
        urn, function, _ = named(account, project_id, function_urn)
        begin = _moment(query.query_begin_time, account.now() - HOUR)
        end = _moment(query.query_end_time, account.now())
    found = [
        one
        for one in owned(account.functiongraph.queue.entries, project_id)
        if config_for(function, urn).enable_async_status_log
        and account.functiongraph.same(urn, one.function_urn)
        and query.request_id in (None, one.request_id)
        and query.status in (None, one.status)
        and begin <= one.created_at <= end
    ]
    page = found[query.marker : query.marker + query.limit]
    shown = [_invocation(one) for one in page]
    return ok({"invocations": shown, "count": len(found), "next_marker": query.marker + len(page)})


def cancel(account: Account, project_id: str, function_urn: str, body: CancelBody) -> Answer:
    """FunctionGraph API: stopping an asynchronous invocation request; 200 and `null`.

    Assumed: what runs is stopped, fails with 4208, and goes to no destination.
    """
    with saying():
        named(account, project_id, function_urn)
        if not account.functiongraph.queue.cancel(project_id, body.request_id):
            raise Refusal(400, "FSS.0400", "Invalid RequestId")
    return Answer(200, content=b"null")


def _event(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise not_json() from None


def _memory(request: Request) -> int | None:
    """What the caller wants the instance to have instead of what is configured."""
    text = request.headers.get("x-cff-instance-memory")
    if text is None:
        return None
    if text not in map(str, MEMORY):
        raise Refusal(400, "FSS.1007", "Invalid function memory.")
    return int(text)


def _version_asked(request: Request) -> str:
    """How the answer is to look."""
    version = request.headers.get("x-cff-request-version", "v0")
    if version not in ("v0", "v1"):
        raise Refusal(400, "FSS.0400", "Invalid parameter X-CFF-Request-Version: it is v0 or v1.")
    return version


def _awaited(account: Account, work: Callable[[], RunResult]) -> RunResult:
    """What a function gives within the gateway's patience; it runs on when that is over.

    Raises:
        ApiError: 504.
    """
    limit = account.dials.gateway_seconds
    results: list[RunResult] = []
    if isinstance(account.clock, SystemClock):
        thread = Thread(target=lambda: results.append(work()), name="invocation", daemon=True)
        thread.start()
        thread.join(limit)
    else:
        results.append(work())
    if not results or results[0].duration_ms > limit * 1000:
        raise bad_gateway(504)
    return results[0]


def _answer(result: RunResult, headers: dict[str, str]) -> Answer:
    if result.error_code >= KernelCode.OVERLOADED:
        raise ApiError(429, {"error_code": "FSS.0429", "error_msg": "Too many requests."}, headers)
    if headers["X-CFF-Response-Version"] == "v0":
        return Answer(200, headers=headers, content=result.body)
    text = result.body.decode(errors="replace")
    body = {"request_id": headers["X-Cff-Request-Id"], "result": text, "log": result.log, "status": 200}
    return Answer(200, body, headers)


def _headers(request: Request, request_id: str, version: str, memory: int, result: RunResult) -> dict[str, str]:
    billed = max(1, ceil(result.duration_ms))
    invoked = {
        "duration": round(result.duration_ms, 3),
        "billingDuration": billed,
        "memorySize": memory,
        "memoryUsed": round(result.memory_mb, 3),
    }
    headers = {
        "X-Cff-Request-Id": request_id,
        "X-Cff-Invoke-Summary": json.dumps(invoked),
        "X-CFF-Billing-Duration": str(billed),
        "X-CFF-Response-Version": version,
        "X-Func-Err-Code": str(int(result.error_code)),
        "X-Is-Func-Err": "false" if result.error_code == KernelCode.FINE else "true",
    }
    if request.headers.get("x-cff-log-type") == "tail":
        headers["X-Cff-Function-Log"] = b64encode(result.log.encode()[-LOG_TAIL:]).decode()
    return headers


def _moment(text: str | None, otherwise: float) -> float:
    if text is None:
        return otherwise
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refusal(400, "FSS.1001", f"Invalid query parameter: {text} is no time.") from None


def _invocation(shown: Queued) -> dict[str, Any]:
    return {
        "request_id": shown.request_id,
        "status": shown.status,
        "error_message": shown.error_message,
        "error_code": shown.error_code,
        "start_time": without_z(shown.started_at) if shown.started_at else "",
        "end_time": without_z(shown.ended_at) if shown.ended_at else "",
    }
