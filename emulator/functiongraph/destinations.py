"""Where the outcome of an asynchronous invocation goes (FunctionGraph manual: asynchronous notification)."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.core.problems import Refusal
from emulator.core.times import with_millis
from emulator.functiongraph.models import Destination, Queued, Version
from emulator.functiongraph.runtime.spec import KernelCode

if TYPE_CHECKING:
    from emulator.account import Account

LOG = logging.getLogger(__name__)
SUBJECT = "FunctionGraph"
# What the agency must allow for each kind of destination.
NEEDED = {
    "SMN": ("smn:topic:publish", "smn:topic:list"),
    "FunctionGraph": ("functiongraph:function:invokeAsync",),
}
UTC_PLUS_8 = 8 * 3600.0


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended; `condition` says why it was given up, an empty one that it went well."""

    condition: str
    code: int
    body: str


def tell(account: Account, version: Version, queued: Queued, target: Destination | None, outcome: Outcome) -> None:
    """Send an outcome where it is to go, if the agency may: the platform drops what it cannot send."""
    if target is None:
        return
    refused = _refused(account, version, queued.project_id, target)
    if refused:
        LOG.warning("the outcome of %s is dropped: %s", queued.function_urn, refused)
        return
    event = record(queued, outcome, account.now())
    try:
        if target.destination == "SMN":
            account.smn.publish(target.target(), SUBJECT, json.dumps(event))
        else:
            account.functiongraph.invoke_async(target.target(), event, source="destination")
    except Refusal as refusal:
        LOG.warning("the outcome of %s is dropped: %s", queued.function_urn, refusal)


def record(queued: Queued, outcome: Outcome, now: float) -> dict[str, Any]:
    """What a destination receives; a status other than 200 means that the platform failed, not the function."""
    return {
        "timestamp": f"{with_millis(now + UTC_PLUS_8)}+08:00",
        "request_context": {
            "request_id": queued.request_id,
            "function_urn": queued.function_urn,
            "condition": outcome.condition,
            "approximate_invoke_count": queued.attempts,
        },
        "request_payload": queued.payload,
        "response_context": {
            "status_code": 500 if outcome.code >= KernelCode.START_FAILED else 200,
            "function_error": outcome.body if outcome.condition else "",
        },
        "response_payload": outcome.body,
    }


def _refused(account: Account, version: Version, project_id: str, target: Destination) -> str:
    """Why the agency of the configuration may not send; one agency serves as both."""
    name = version.xrole or version.app_xrole
    agency = account.iam.agency(name) if name else None
    token = account.iam.agency_token(agency, project_id) if agency else None
    if token is None:
        return f"the agency {name or '(none)'} does not work"
    missing = [action for action in NEEDED[target.destination] if not token.user.may(action)]
    return f"the agency {name} lacks {', '.join(missing)}" if missing else ""
