"""Inside a function: services of the platform's context, and a log without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import requests
from requests.auth import _basic_auth_str

from emulator import Emulator, World
from emulator.server import serve
from functions import emit_event, plan_exposure, release_listener
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.transport import Call, Service, TokenTransport
from shared.platform import endpoints, services_of
from shared.request import normalised
from shared.services import SIDE_BY_SIDE, gather
from shared.settings import Settings
from shared.sinks import TopicSink
from tests.support.context import FakeContext
from tests.support.webhook import webhook

REGION = {"DCS_ACCESS_REGION": "eu-de"}


def test_a_function_finds_each_service_by_the_pattern_of_its_settings() -> None:
    found = endpoints(Settings(), "eu-nl")
    assert found[Service.FUNCTIONGRAPH] == "https://functiongraph.eu-nl.otc.t-systems.com"
    assert found.keys() == set(Service)
    assert set(endpoints(Settings(endpoint="http://127.0.0.1:9/"), "eu-de").values()) == {"http://127.0.0.1:9"}


def test_services_are_of_the_project_the_region_and_the_topic_of_the_function() -> None:
    topic = "urn:smn:eu-de:5f0d:dcs-access-events"
    services = services_of(FakeContext({**REGION, "DCS_ACCESS_EVENT_TOPIC": topic}))
    assert (services.cloud.project_id, services.cloud.region) == ("5f0d", "eu-de")
    (sink,) = services.sinks(())
    assert isinstance(sink, TopicSink)
    assert sink.urn == topic


def test_a_webhook_is_called_as_the_url_says_and_not_as_the_surroundings_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with webhook(204) as (url, heard):
        for each in (url, url.replace("me:hunter2@", "")):
            (sink,) = services_of(FakeContext(REGION)).sinks((each,))
            sink.deliver({"id": "1"})
    assert [headers.get("Authorization") for headers, _ in heard] == [_basic_auth_str("me", "hunter2"), None]


def test_the_connections_stay_and_the_token_is_asked_for_each_time() -> None:
    context = FakeContext(REGION)
    before = services_of(context).cloud.transport
    context.token = "renewed"
    after = services_of(context).cloud.transport
    assert isinstance(before, TokenTransport)
    assert isinstance(after, TokenTransport)
    assert before._session is after._session
    assert (before._token, after._token) == ("token", "renewed")


def test_calls_side_by_side_use_the_same_connections_again() -> None:
    opened: list[object] = []
    together = Barrier(SIDE_BY_SIDE, timeout=5)

    class Crowd(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            opened.append(self.client_address)

        def do_GET(self) -> None:
            together.wait()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = SIDE_BY_SIDE

    with Server(("127.0.0.1", 0), Crowd) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        endpoint = {"DCS_ACCESS_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        transport = services_of(FakeContext({**REGION, **endpoint})).cloud.transport
        assert isinstance(transport, TokenTransport)
        look = partial(transport.send, Call(Service.DCS, "GET", "/", ""))
        for _ in range(2):
            gather(*[look] * SIDE_BY_SIDE)
        server.shutdown()
        thread.join()
        transport._session.close()
    assert len(opened) == SIDE_BY_SIDE


def test_an_agency_without_a_token_is_not_ready_yet() -> None:
    with pytest.raises(TemporaryError) as raised:
        services_of(FakeContext(REGION, token=""))
    assert raised.value.code is ErrorCode.NOT_READY


def test_a_function_that_does_not_know_its_region_says_which_variable_to_set() -> None:
    with pytest.raises(PermanentError) as raised:
        services_of(FakeContext({}))
    assert raised.value.data.field == "DCS_ACCESS_REGION"


@pytest.mark.parametrize("handler", [plan_exposure.handler, emit_event.handler, release_listener.handler])
def test_an_empty_event_tells_whether_the_agency_works(handler: Any) -> None:
    assert handler({}, FakeContext(REGION, token=""))["error"]["code"] == "NotReady"
    assert handler({}, FakeContext(REGION))["error"]["code"] == "InvalidRequest"


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that sends every caller away, and the tokens it was shown."""
    shown: list[str] = []

    class Away(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            shown.append(f"{self.path} {self.headers['X-Auth-Token']}")
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815  # the server's own naming

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Away) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", shown
        server.shutdown()
        thread.join()


def test_a_redirection_is_not_followed_with_the_token(elsewhere: tuple[str, list[str]]) -> None:
    url, shown = elsewhere
    with requests.Session() as session:
        ends = dict.fromkeys(Service, url)
        transport = TokenTransport(session, "secret-token", project_id="5f0d", region="eu-de", endpoints=ends)
        with pytest.raises(PermanentError) as raised:
            Cloud(transport).smn.publish("urn:smn:eu-de:5f0d:t", "subject", "message")
    assert raised.value.code is ErrorCode.UNEXPECTED_ANSWER
    assert [line.split()[0] for line in shown] == ["/v2/5f0d/notifications/topics/urn:smn:eu-de:5f0d:t/publish"]


def test_a_step_writes_one_line_that_names_its_run_its_invocation_and_its_outcome_and_no_secret() -> None:
    emulator = Emulator(World.small())
    with emulator.change() as account:
        user, project = (next(iter(table.values())) for table in (account.world.iam.users, account.world.iam.projects))
        token = account.iam.issue(user, project, "password").id
        instance = next(iter(account.world.dcs.instances))
    ask = {"action": "expose", "request_id": "r", "instance_id": instance, "allow": ["203.0.113.0/24"]}
    request = normalised({**ask, "notify": ["https://user:hook-secret@example.com/secret"]})
    state = {"Name": "PlanExposure", "EnteredTime": "2026-01-01T00:00:00.000Z", "RetryCount": 1}
    with serve(emulator) as server:
        variables = {**REGION, "DCS_ACCESS_ENDPOINT": server.url}
        context = FakeContext(variables, token=token, project_id=project.id)
        failed = plan_exposure.handler({"run": "run-1", "state": state, "request": request}, context)
    emulator.close()
    assert failed["error"]["code"] == "ProductionUnacknowledged"
    (line,) = map(json.loads, context.log.lines)
    assert line.pop("ms") >= 0
    assert line == {
        "request": "request-1",
        "run": "run-1",
        "step": "PlanExposure",
        "attempt": 2,
        "error": "ProductionUnacknowledged",
    }
    assert token not in "".join(context.log.lines)
