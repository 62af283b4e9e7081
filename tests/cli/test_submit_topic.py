"""A request for the deployed application goes to its topic, and is followed in the cloud or by its events."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result

from cli.emulating import write_clouds
from cli.options import App
from cli.running import Exit
from cli.subscriber import subscribed
from emulator.faults import Fault
from emulator.server import serve
from shared.errors import TemporaryError
from shared.intake.changes import RECENT
from shared.otc.cloud import Cloud
from shared.services import Sink
from shared.sinks import TopicSink
from tests.cli.support import run
from tests.support.console import Watched

HERE = "http://127.0.0.1:0"


class Deployed(Watched):
    """The deployed product, at work by itself, and a command line beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.server = serve(self.emulator)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start_working(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.ident:
            self._thread.join()
        self.server.close()
        self.emulator.close()

    def submit(self, request: dict[str, Any], *words: str) -> Result:
        """Submit a request; anything but an exit is a defect."""
        path = self.folder / "request.json"
        path.write_text(json.dumps(request))
        return run("--os-cloud", "emulator", "submit", str(path), *words)

    def subscriptions(self) -> list[str]:
        """The endpoints that get events."""
        return [one.endpoint for one in self.emulator.world().smn.subscriptions.values() if one.protocol == "http"]

    def _work(self) -> None:
        while not self._stop.wait(0.01):
            self.settle(within=60)

    def _sinks(self, _notify: tuple[str, ...]) -> list[Sink]:
        return [self.sink, TopicSink(self.cloud, self.topic("events"))]


@pytest.fixture
def idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Deployed, and nothing happens."""
    RECENT.clear()
    opened = Deployed(tmp_path)
    clouds = tmp_path / "clouds.yaml"
    write_clouds(clouds, opened.emulator, opened.server.url)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def product(idle: Deployed) -> Deployed:
    idle.start_working()
    return idle


@pytest.mark.parametrize("words", [("--topic",), ("--topic", "dcs-access-requests")], ids=["its own", "by name"])
def test_a_published_request_is_named_and_starts_its_run(idle: Deployed, words: tuple[str, ...]) -> None:
    result = idle.submit({"action": "verify", "request_id": "mine"}, "-o", "json", *words)
    assert result.exit_code == Exit.OK
    sent = json.loads(result.stdout)
    assert (sent["topic_urn"], sent["request_id"]) == (idle.topic("requests"), "mine")
    idle.settle()
    assert idle.started == {"verify": {sent["run_id"]}}


def test_the_topic_may_be_named_by_its_urn_and_before_the_file(idle: Deployed) -> None:
    path = idle.folder / "request.json"
    path.write_text(json.dumps(idle.request()))
    for words in (("--topic", idle.topic("requests"), str(path)), ("--topic", str(path))):
        assert run("--os-cloud", "emulator", "submit", *words).exit_code == Exit.OK
    idle.settle()
    assert len(idle.started["expose"]) == 2


def test_waiting_ends_when_the_cloud_shows_what_was_asked_for(product: Deployed) -> None:
    exposed = product.submit(product.request(), "--topic", "--wait")
    assert exposed.exit_code == Exit.OK
    assert exposed.stdout.strip().endswith(":80")
    assert "reasons come by event" in exposed.stderr
    withdrawn = product.submit({"action": "withdraw", "instance_id": product.instance_id}, "--topic", "--wait", "-q")
    assert (withdrawn.exit_code, withdrawn.stderr, product.exposed()) == (Exit.OK, "", set())


def test_waiting_is_for_this_request_and_not_for_what_stood_before(idle: Deployed) -> None:
    idle.expose()
    result = idle.submit(idle.request(), "--topic", "--wait", "--within", "1s")
    assert result.exit_code == Exit.FAILED
    assert ":80 as an earlier one made it, after 1 s" in result.stderr


def test_waiting_outlasts_a_cloud_that_does_not_answer_for_a_while(product: Deployed) -> None:
    product.emulator.faults.add(Fault(method="GET", path="*/elb/ipgroups", status=503, times=3))
    assert product.submit(product.request(), "--topic", "--wait", "-q").exit_code == Exit.OK


def test_waiting_says_at_its_end_that_the_cloud_did_not_answer(idle: Deployed) -> None:
    idle.emulator.faults.add(Fault(method="GET", path="*/elb/ipgroups", status=503, times=None))
    result = idle.submit(idle.request(), "--topic", "--wait", "--within", "1s")
    assert result.exit_code == Exit.FAILED
    assert "503" in result.stderr


def test_listening_shows_the_event_of_this_run_and_nothing_stays_subscribed(product: Deployed) -> None:
    product.submit({"action": "withdraw", "instance_id": "another", "request_id": "theirs"}, "--topic")
    result = product.submit(product.request(), "--topic", "--listen", HERE, "-o", "json")
    assert result.exit_code == Exit.OK
    event = json.loads(result.stdout)
    assert event["type"].endswith(".completed")
    assert event["data"]["endpoint"]["port"] == 80
    assert product.subscriptions() == []


@pytest.mark.parametrize(
    ("fields", "code", "exits"),
    [
        ({"accept": []}, "ProductionUnacknowledged", Exit.REFUSED),
        ({"accept": ["production", "open_world"]}, "InvalidRequest", Exit.REFUSED),
        ({"instance_id": "not-there"}, "InstanceNotFound", Exit.REFUSED),
    ],
)
def test_listening_tells_why_a_request_was_refused(
    product: Deployed, fields: dict[str, Any], code: str, exits: Exit
) -> None:
    result = product.submit(product.request(**fields), "--topic", "--listen", HERE)
    assert result.exit_code == exits
    assert f"Error {code}: " in result.stderr
    assert product.subscriptions() == []


def test_the_wait_for_the_topic_is_told_and_ends_in_time(idle: Deployed) -> None:
    result = idle.submit(idle.request(), "--topic", "--listen", "http://localhost:0/secret", "--within", "1s")
    assert result.exit_code == Exit.FAILED
    assert result.stderr.startswith("Waiting for the topic to reach http://localhost/***.\nError NotReady: ")


def test_a_topic_that_does_not_reach_the_listener_is_told_and_keeps_no_subscription(idle: Deployed) -> None:
    listening = subscribed(idle.cloud, idle.topic("events"), within=0.1)
    with pytest.raises(TemporaryError, match="does not reach"), listening:
        raise AssertionError("nothing has confirmed it")
    assert idle.subscriptions() == []


def test_only_the_topic_is_listened_to(product: Deployed) -> None:
    event = {"id": "1", "type": "t", "data": {}}

    def message(topic: str, **fields: str) -> dict[str, str]:
        return {"type": "Notification", "topic_urn": topic, "message": json.dumps(event), **fields}

    cloud = Cloud(App(os_cloud="emulator").connect())
    with subscribed(cloud, product.topic("events")) as subscriber:
        (endpoint,) = product.subscriptions()
        strangers = endpoint.rpartition("/")[0] + "/guess"
        answers = [
            requests.post(strangers, json=message(product.topic("events")), timeout=5),
            requests.post(endpoint, json=message(product.topic("requests")), timeout=5),
            requests.post(endpoint, data=b"{", timeout=5),
            requests.post(endpoint, json=message(product.topic("events"), message="good morning"), timeout=5),
        ]
        assert [answer.status_code for answer in answers] == [400, 400, 400, 200]
        assert subscriber.next(0.05) is None
        for _ in range(2):
            requests.post(endpoint, json=message(product.topic("events")), timeout=5)
        assert subscriber.next(1) == event
        assert subscriber.next(0.05) is None


@pytest.mark.parametrize(
    ("request_", "words", "said"),
    [
        ({"action": "verify"}, ("--topic", "--wait"), "wait for when the request is to verify"),
        ({"action": "verify"}, ("--topic", "--listen", HERE), "listen for when the request is to verify"),
        ({"action": "verify"}, ("--wait",), "--wait goes with --topic"),
        ({"action": "verify"}, ("--listen", HERE), "--listen goes with --topic"),
        ({"action": "verify"}, ("--topic", "--wait", "--listen", HERE), "choose one"),
        ({"action": "verify"}, ("--topic", "--within", "long"), "give a number and a unit"),
        ({"action": "verify", "colour": "red"}, ("--topic",), "colour"),
        ({"action": "verify", "project_id": "another"}, ("--topic",), "project another"),
        ({"action": "withdraw", "instance_id": "i"}, ("--topic", "nowhere"), "`dcs-access deploy`"),
        ({"action": "withdraw", "instance_id": "i"}, ("--topic", "--listen", "ftp://me"), "Give a URL"),
        ({"action": "withdraw", "instance_id": "i"}, ("--topic", "--listen", "http://me:x"), "Give a URL"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_published(
    idle: Deployed, request_: dict[str, Any], words: tuple[str, ...], said: str
) -> None:
    result = idle.submit(request_, *words)
    assert (result.exit_code, said in result.stderr) == (Exit.REFUSED, True), result.stderr
    assert idle.queued("on_message") == []


def test_a_port_that_is_taken_is_refused(idle: Deployed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = idle.submit({"action": "withdraw", "instance_id": "i"}, "--topic", "--listen", url)
    assert (result.exit_code, "Nothing can listen" in result.stderr) == (Exit.REFUSED, True)
    assert "free port of this machine" in result.stderr


def test_a_request_needs_a_file(idle: Deployed) -> None:
    for words in ((), ("--topic",)):
        result = run("--os-cloud", "emulator", "submit", *words)
        assert (result.exit_code, "Missing argument 'FILE'" in result.stderr) == (Exit.REFUSED, True)
