"""The platform a function runs on: its context object, and the services made of that."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.transport import Service, TokenTransport
from shared.probe import probe
from shared.services import SIDE_BY_SIDE, LocalContext, Services, utc_now
from shared.settings import VARIABLE, Settings, read_settings
from shared.sinks import sinks_for


class FunctionContext(Protocol):
    """What we use of the context object (FunctionGraph runtime for Python); the names are the platform's."""

    def getToken(self) -> str:  # noqa: N802
        """A token of the function's agency for its project; empty while there is none."""

    def getProjectID(self) -> str:  # noqa: N802
        """The function's project."""

    def getUserData(self, key: str) -> str | None:  # noqa: N802
        """One of the function's variables."""

    def getLogger(self) -> Any:  # noqa: N802
        """The function's log."""

    def getRequestID(self) -> str:  # noqa: N802
        """The id of this invocation."""

    def getRemainingTimeInMilliSeconds(self) -> float:  # noqa: N802
        """How much of the time-out is left."""


Context = LocalContext | FunctionContext


def services_of(context: Context) -> Services:
    """The services a context carries, or those its settings and its agency's token give.

    The token is asked for in each invocation: an instance may outlive it.

    Raises:
        TemporaryError: `NotReady`, the agency gives no token yet.
        PermanentError: `InvalidRequest`, naming a variable that is wrong or missing.
    """
    if isinstance(context, LocalContext):
        return context.services
    settings = read_settings(context.getUserData)
    if not settings.region:
        raise PermanentError(
            ErrorCode.INVALID_REQUEST,
            "The function does not know its region.",
            field=f"{VARIABLE}REGION",
            advice=f"Set {VARIABLE}REGION in the function's variables.",
        )
    token = context.getToken()
    if not token:
        advice = "A new agency takes some minutes; if it stays so, give the function an agency."
        raise TemporaryError(ErrorCode.NOT_READY, "The agency gives no token yet.", advice=advice)
    transport = TokenTransport(
        _session(),
        token,
        project_id=context.getProjectID(),
        region=settings.region,
        endpoints=endpoints(settings, settings.region),
    )
    cloud = Cloud(transport)
    return Services(
        cloud=cloud,
        settings=settings,
        now=utc_now,
        probe=probe,
        sinks=lambda notify: sinks_for(settings, notify, cloud, session=_session()),
    )


def endpoints(settings: Settings, region: str) -> Mapping[Service, str]:
    """The address of each service, by the settings' pattern."""
    pattern = settings.endpoint.rstrip("/").replace("{region}", region)
    return {service: pattern.replace("{service}", service.value) for service in Service}


@cache
def _session() -> requests.Session:
    """One for all invocations of an instance, for its connections stay open."""
    session = requests.Session()
    # Nobody's .netrc and no proxy of the environment: what is called is what the settings say.
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=SIDE_BY_SIDE))
    return session
