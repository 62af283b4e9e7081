"""Where events go: standard output, a file, a topic, webhooks; at least once, the same id each time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import requests
from requests.auth import HTTPBasicAuth
from requests.utils import get_auth_from_url

from shared.errors import AccessError, ErrorCode, TemporaryError
from shared.masking import mask_url
from shared.otc.cloud import Cloud
from shared.services import Sink, gather, utc_now
from shared.settings import Settings
from shared.signing import Signer, read_key

WEBHOOK_TIMEOUT = 10.0
_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True)
class StreamSink:
    """One JSON line a event on a stream."""

    stream: TextIO
    name: str = "standard output"

    def deliver(self, event: dict[str, Any]) -> None:
        """Write the event and flush it; a reader that has gone away wants no more of them."""
        try:
            self.stream.write(_line(event))
            self.stream.flush()
        except BrokenPipeError:
            return
        except OSError:
            raise _undelivered(self.name, "cannot be written") from None


@dataclass(frozen=True)
class FileSink:
    """One JSON line a event at the end of a file."""

    path: Path

    @property
    def name(self) -> str:
        """The file."""
        return f"file {self.path}"

    def deliver(self, event: dict[str, Any]) -> None:
        """Append the event; it is on the disk when this returns."""
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(event))
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise _undelivered(self.name, problem.strerror or "cannot be written") from None


@dataclass(frozen=True)
class WebhookSink:
    """A URL that takes CloudEvents in structured mode, signed if there is a signer; any 2xx is a delivery."""

    url: str
    session: requests.Session
    signer: Signer | None = None

    @property
    def name(self) -> str:
        """The webhook's host: the rest of its URL may be a secret."""
        return f"webhook {mask_url(self.url)}"

    def deliver(self, event: dict[str, Any]) -> None:
        """Post the event; a redirection is no delivery, since it would turn the POST into a GET."""
        body = json.dumps(event).encode()
        signed = self.signer.headers(event["id"], body) if self.signer else {}
        try:
            answer = self.session.post(
                self.url,
                data=body,
                headers={"Content-Type": _CONTENT_TYPE, **signed},
                auth=_credentials(self.url),
                timeout=WEBHOOK_TIMEOUT,
                allow_redirects=False,
            )
        except (requests.RequestException, ValueError):
            raise _undelivered(self.name, "gave no answer") from None
        if not 200 <= answer.status_code < 300:
            raise _undelivered(self.name, f"answered {answer.status_code}")


@dataclass(frozen=True)
class TopicSink:
    """An SMN topic: the event's type is the subject, the event itself the message."""

    cloud: Cloud
    urn: str

    @property
    def name(self) -> str:
        """The topic."""
        return f"topic {self.urn}"

    def deliver(self, event: dict[str, Any]) -> None:
        """Publish the event."""
        try:
            self.cloud.smn.publish(self.urn, event["type"], json.dumps(event, separators=(",", ":")))
        except AccessError as problem:
            raise _undelivered(self.name, f"did not take it: {problem}".rstrip(".")) from None


def sinks_for(
    settings: Settings,
    notify: tuple[str, ...],
    cloud: Cloud,
    stream: TextIO | None = None,
    *,
    session: requests.Session,
    now: Callable[[], datetime] = utc_now,
) -> list[Sink]:
    """The stream, the configured sinks and the webhooks a request names, each once.

    `session` calls the webhooks, and `now` dates their signatures.
    """
    sinks: list[Sink] = [StreamSink(stream)] if stream else []
    if settings.event_file:
        sinks.append(FileSink(Path(settings.event_file)))
    if settings.event_topic:
        sinks.append(TopicSink(cloud, settings.event_topic))
    keys = [read_key(secret.get_secret_value()) for secret in settings.event_webhook_secret]
    signer = Signer(keys, now) if keys else None
    return sinks + [WebhookSink(url, session, signer) for url in dict.fromkeys((*settings.event_webhooks, *notify))]


def deliver(sinks: Sequence[Sink], event: dict[str, Any]) -> list[TemporaryError]:
    """Deliver to all sinks side by side, even if some fail; the problems of those that did."""
    answers = gather(*(partial(_problem, sink, event) for sink in sinks))
    return [problem for problem in answers if problem]


def _credentials(url: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Those in the URL or none: what a .netrc has for its host, or for any, is not meant for events."""
    named = get_auth_from_url(url)
    return HTTPBasicAuth(*named) if any(named) else lambda request: request


def _problem(sink: Sink, event: dict[str, Any]) -> TemporaryError | None:
    try:
        sink.deliver(event)
    except TemporaryError as problem:
        return problem
    return None


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":")) + "\n"


def _undelivered(name: str, why: str) -> TemporaryError:
    return TemporaryError(
        ErrorCode.EVENT_UNDELIVERED,
        f"The {name} {why}.",
        resource=name,
        advice="The event stays in the run's record.",
    )
