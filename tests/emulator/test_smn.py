from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator import Dials, Emulator, ManualClock, World
from emulator.admin import administer
from emulator.core.message import Request
from emulator.dials import Events
from emulator.smn.models import Delivery
from tests.emulator.client import Caller
from tests.emulator.functions import deploy, invoked

TOPICS = "/v2/{pid}/notifications/topics"
HOUR = 3600.0


class Receiver:
    """An HTTP endpoint on this machine; `answers` are the statuses of the next posts, then all are fine."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.received.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def messages(self) -> list[str]:
        """The texts of what was published."""
        return [body["message"] for _, body in self.received if body["type"] == "Notification"]


@pytest.fixture
def hook() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def topic(api: Caller) -> str:
    urn: str = api.post(TOPICS, {"name": "news", "display_name": "News"}, 201)["topic_urn"]
    return urn


def subscribed(api: Caller, topic: str, hook: Receiver, **fields: Any) -> str:
    """Subscribe an endpoint that confirms at once."""
    body = {"protocol": "http", "endpoint": hook.url, **fields}
    urn: str = api.post(f"{TOPICS}/{topic}/subscriptions", body, 201)["subscription_urn"]
    api.emulator.drain()
    follow(api, hook.received[-1][1]["subscribe_url"])
    return urn


def follow(api: Caller, url: str, status: int = 200) -> None:
    """Open a link of a message, without a token."""
    parts = urlsplit(url)
    response = api.call("GET", f"{parts.path}?{parts.query}", token="")
    assert response.status == status, response.body


def publish(api: Caller, topic: str, **body: Any) -> str:
    message_id: str = api.post(f"{TOPICS}/{topic}/publish", body)["message_id"]
    api.emulator.drain()
    return message_id


def finished(cloud: Emulator) -> list[Delivery]:
    with cloud.change() as account:
        return list(account.smn.outgoing.finished)


def test_a_topic_is_made_once_and_its_urn_says_where_it_is(api: Caller) -> None:
    made = api.post(TOPICS, {"name": "news", "display_name": ""}, 201)
    assert made["topic_urn"] == f"urn:smn:eu-de:{api.project_id}:news"
    assert api.post(TOPICS, {"name": "news", "display_name": "other"}, 200)["topic_urn"] == made["topic_urn"]
    api.put(f"{TOPICS}/{made['topic_urn']}", {"display_name": "Late news"})
    shown = api.get(f"{TOPICS}/{made['topic_urn']}")
    assert (shown["name"], shown["display_name"], shown["push_policy"]) == ("news", "Late news", 0)
    assert shown["create_time"] == "2026-01-01T00:00:00Z"
    assert len(shown["request_id"]) == 32


def test_topics_are_listed_newest_first_and_counted_beyond_the_page(api: Caller) -> None:
    for name in ("a", "b", "c"):
        api.post(TOPICS, {"name": name, "display_name": ""}, 201)
    page = api.get(TOPICS, offset=1, limit=1)
    assert (page["topic_count"], [topic["name"] for topic in page["topics"]]) == (3, ["b"])
    assert api.refused("GET", TOPICS, limit=101) == (400, "SMN.0015")


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("", {"name": "-news", "display_name": ""}, (400, "SMN.0002")),
        ("", {"name": "n" * 256, "display_name": ""}, (400, "SMN.0002")),
        ("", {"name": "news", "display_name": "é" * 97}, (400, "SMN.0003")),
        ("/{topic}/publish", {"subject": "s" * 513, "message": "m"}, (403, "SMN.0008")),
        ("/{topic}/publish", {"message": "é" * (128 * 1024 + 1)}, (403, "SMN.0009")),
        ("/{topic}/publish", {"subject": "no content"}, (403, "SMN.0009")),
        ("/{topic}/publish", {"message_structure": '{"email": "no default"}'}, (400, "SMN.0021")),
        ("/{topic}/publish", {"message_structure": '{"default": 1}'}, (400, "SMN.0021")),
        ("/{topic}/publish", {"message": "m", "message_template_name": "unknown"}, (404, "SMN.0027")),
        ("/{topic}/publish", {"message": "m", "time_to_live": "604801"}, (400, "SMN.0024")),
        ("/{topic}/publish", {"message": "m", "message_attributes": {}}, (400, "SMN.0024")),
        ("/{topic}s/publish", {"message": "m"}, (404, "SMN.0006")),
        ("/{topic}/subscriptions", {"protocol": "dms", "endpoint": "q"}, (400, "SMN.0011")),
        ("/{topic}/subscriptions", {"protocol": "http", "endpoint": "https://h/"}, (400, "SMN.0012")),
        ("/{topic}/subscriptions", {"protocol": "email", "endpoint": "nobody"}, (400, "SMN.0012")),
        ("/{topic}/subscriptions", {"protocol": "sms", "endpoint": "1", "remark": "r" * 129}, (400, "SMN.0017")),
    ],
)
def test_what_the_limits_forbid_is_refused_under_its_own_code(
    api: Caller, topic: str, path: str, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert api.refused("POST", TOPICS + path.replace("{topic}", topic), body) == refusal


def test_attributes_are_known_limited_and_a_policy_must_be_one(api: Caller, topic: str) -> None:
    statement = {"Sid": "1", "Effect": "Allow", "Principal": {"Service": ["obs"]}, "Action": "*", "Resource": topic}
    policy = json.dumps({"Version": "2016-09-07", "Id": "p", "Statement": [statement]})
    attributes = f"{TOPICS}/{topic}/attributes"
    api.put(f"{attributes}/access_policy", {"value": policy})
    api.put(f"{attributes}/introduction", {"value": "what is new"})
    assert api.get(attributes, name="access_policy")["attributes"] == {"access_policy": policy}
    wrong = {
        "SMN.0048": "no JSON",
        "SMN.0049": policy.replace("2016-09-07", "2020-01-01"),
        "SMN.0050": policy.replace('"p"', '""'),
        "SMN.0051": policy.replace("Allow", "Perhaps"),
    }
    for code, value in wrong.items():
        assert api.refused("PUT", f"{attributes}/access_policy", {"value": value}) == (400, code)
    assert api.refused("PUT", f"{attributes}/introduction", {"value": "x" * 121}) == (403, "SMN.0047")
    assert api.refused("PUT", f"{attributes}/colour", {"value": "red"}) == (400, "SMN.0046")
    api.delete(f"{attributes}/access_policy", 200)
    assert api.get(attributes)["attributes"] == {"introduction": "what is new"}


def test_an_endpoint_gets_messages_only_after_it_followed_the_link(api: Caller, topic: str, hook: Receiver) -> None:
    path = f"{TOPICS}/{topic}/subscriptions"
    body = {"protocol": "http", "endpoint": hook.url, "extension": {"header": {"x-key": "k 1"}}}
    urn = api.post(path, body, 201)["subscription_urn"]
    assert api.post(path, body, 200)["subscription_urn"] == urn
    publish(api, topic, message="too early")
    (headers, asked), *rest = hook.received
    assert (asked["type"], rest) == ("SubscriptionConfirmation", [])
    assert headers["x-smn-message-type"] == "SubscriptionConfirmation"
    follow(api, asked["subscribe_url"])
    message_id = publish(api, topic, subject="s", message="m")
    headers, told = hook.received[-1]
    assert (headers["x-smn-topic-urn"], headers["x-smn-message-id"]) == (topic, message_id)
    assert headers["x-key"] == "k 1"
    assert told == {
        "type": "Notification",
        "signature": "",
        "signature_version": "v1",
        "signing_cert_url": told["signing_cert_url"],
        "topic_urn": topic,
        "message_id": message_id,
        "message": "m",
        "subject": "s",
        "timestamp": "2026-01-01T00:00:00Z",
        "unsubscribe_url": told["unsubscribe_url"],
    }
    assert api.get(path)["subscriptions"][0]["status"] == 1


def test_the_link_confirms_within_two_days(api: Caller, clock: ManualClock, topic: str, hook: Receiver) -> None:
    api.post(f"{TOPICS}/{topic}/subscriptions", {"protocol": "http", "endpoint": hook.url}, 201)
    api.emulator.drain()
    clock.advance(48 * HOUR + 1)
    follow(api, hook.received[0][1]["subscribe_url"], 403)
    assert [one.status for one in api.emulator.world().smn.subscriptions.values()] == [0]


def test_who_follows_the_other_link_gets_no_more_and_may_come_back(api: Caller, topic: str, hook: Receiver) -> None:
    subscribed(api, topic, hook)
    publish(api, topic, message="one")
    follow(api, hook.received[-1][1]["unsubscribe_url"])
    publish(api, topic, message="two")
    farewell = hook.received[-1][1]
    assert (hook.messages, farewell["type"]) == (["one"], "UnsubscribeConfirmation")
    assert api.get(f"{TOPICS}/{topic}/subscriptions")["subscriptions"][0]["status"] == 3
    follow(api, farewell["subscribe_url"])
    publish(api, topic, message="three")
    assert hook.messages == ["one", "three"]


def test_a_deleted_subscription_gets_no_more(api: Caller, topic: str, hook: Receiver) -> None:
    urn = subscribed(api, topic, hook)
    path = f"/v2/{{pid}}/notifications/subscriptions/{urn}"
    api.delete(path, 200)
    publish(api, topic, message="m")
    assert hook.received[-1][1]["type"] == "UnsubscribeConfirmation"
    assert hook.messages == []
    assert api.refused("DELETE", path) == (404, "SMN.0013")


def test_subscriptions_go_with_their_topic(api: Caller, topic: str, hook: Receiver) -> None:
    subscribed(api, topic, hook)
    api.delete(f"{TOPICS}/{topic}", 200)
    assert api.get("/v2/{pid}/notifications/subscriptions")["subscription_count"] == 0
    assert api.refused("POST", f"{TOPICS}/{topic}/publish", {"message": "m"}) == (404, "SMN.0006")


def test_each_protocol_gets_its_own_text_of_a_structure(
    api: Caller, cloud: Emulator, topic: str, hook: Receiver
) -> None:
    subscribed(api, topic, hook)
    several = [{"protocol": "email", "endpoint": "a@b.cd"}, {"protocol": "sms", "endpoint": "+491700000000"}]
    made = api.post(f"{TOPICS}/{topic}/subscriptions", {"subscriptions": several}, 201)["subscriptions_result"]
    assert [one["endpoint"] for one in made] == ["a@b.cd", "+491700000000"]
    for asked in finished(cloud)[-2:]:
        follow(api, asked.body["subscribe_url"])
    structure = {"default": "plain", "http": "for machines", "email": "for people"}
    publish(api, topic, message="ignored", message_structure=json.dumps(structure))
    assert hook.messages == ["for machines"]
    sent = {one.protocol: one.body["message"] for one in finished(cloud)[-3:]}
    assert sent == {"http": "for machines", "email": "for people", "sms": "plain"}


def test_a_function_is_invoked_with_the_record_of_the_message(api: Caller, cloud: Emulator, topic: str) -> None:
    function = deploy(cloud)
    with cloud.change() as account:
        urn = account.smn.subscribe_function(topic, function)
        assert account.smn.subscribe_function(topic, function) == urn
    message_id = api.post(f"{TOPICS}/{topic}/publish", {"subject": "s", "message": '{"a": 1}'})["message_id"]
    ((source, event),) = invoked(cloud)
    (record,) = event["record"]
    assert (source, event["functionname"], record["event_source"]) == ("SMN", "hello", "smn")
    assert record["event_subscription_urn"] == function
    assert record["smn"] == {
        "topic_urn": topic,
        "timestamp": "2026-01-01T00:00:00Z",
        "message_attributes": None,
        "message": '{"a": 1}',
        "type": "notification",
        "message_id": message_id,
        "subject": "s",
    }
    assert event["timestamp"] == "Thu Jan 01 2026 00:00:00 GMT+0000 (UTC)"
    with cloud.change() as account:
        assert account.smn.unsubscribe(urn)
        assert not account.smn.unsubscribe(urn)
    api.post(f"{TOPICS}/{topic}/publish", {"message": "unheard"})
    assert len(invoked(cloud)) == 1


def test_a_message_for_a_function_that_is_gone_reaches_the_others(
    api: Caller, cloud: Emulator, topic: str, hook: Receiver
) -> None:
    with cloud.change() as account:
        account.smn.subscribe_function(topic, f"urn:fss:eu-de:{api.project_id}:function:default:gone")
    subscribed(api, topic, hook)
    publish(api, topic, message="m")
    assert (hook.messages, invoked(cloud)) == (["m"], [])


@pytest.mark.parametrize(("failures", "arrives"), [(6, True), (7, False)])
def test_an_endpoint_that_fails_is_tried_six_more_times(
    api: Caller, cloud: Emulator, clock: ManualClock, topic: str, hook: Receiver, *, failures: int, arrives: bool
) -> None:
    subscribed(api, topic, hook)
    hook.answers = [503] * failures
    publish(api, topic, message="m")
    tries = [len(hook.messages)]
    for _ in range(10):
        clock.advance(60)
        cloud.drain()
        tries.append(len(hook.messages))
    assert tries == [1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]
    assert (finished(cloud)[-1].problem == "") is arrives


def test_a_message_is_not_tried_beyond_its_time_to_live(
    api: Caller, cloud: Emulator, clock: ManualClock, topic: str, hook: Receiver
) -> None:
    subscribed(api, topic, hook)
    hook.answers = [500] * 10
    publish(api, topic, message="m", time_to_live="100")
    for _ in range(5):
        clock.advance(60)
        cloud.drain()
    assert len(hook.messages) == 2


def test_what_has_not_arrived_is_tried_again_after_a_restart(
    api: Caller, cloud: Emulator, clock: ManualClock, topic: str, hook: Receiver
) -> None:
    subscribed(api, topic, hook)
    hook.answers = [500]
    publish(api, topic, message="m")
    again = Emulator(World.loads(cloud.world().dump()), clock=clock)
    clock.advance(60)
    again.drain()
    assert hook.messages == ["m", "m"]
    assert again.world().smn.deliveries == {}


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1/hook", "http://example.com/hook", "http://10.0.0.1:80/"])
def test_nothing_beyond_this_machine_is_called(api: Caller, cloud: Emulator, topic: str, endpoint: str) -> None:
    api.post(f"{TOPICS}/{topic}/subscriptions", {"protocol": "http", "endpoint": endpoint}, 201)
    cloud.drain()
    (dropped,) = finished(cloud)
    assert "loopback addresses only" in dropped.problem
    assert cloud.world().smn.deliveries == {}


def test_pushes_may_come_twice_late_and_in_another_order(clock: ManualClock, hook: Receiver) -> None:
    cloud = Emulator(World.small(), clock=clock, dials=Dials())
    api = Caller(cloud)
    topic = api.post(TOPICS, {"name": "news", "display_name": ""}, 201)["topic_urn"]
    subscribed(api, topic, hook)
    cloud.set_dials({"pushes": Events(late_every=2, late_seconds=30, duplicate_every=3, order="newest")})
    for text in ("late", "twice"):
        publish(api, topic, message=text)
    assert hook.messages == ["twice", "twice"]
    clock.advance(30)
    cloud.drain()
    assert hook.messages == ["twice", "twice", "late"]
    api.post(f"{TOPICS}/{topic}/publish", {"message": "later too"})
    clock.advance(30)
    api.post(f"{TOPICS}/{topic}/publish", {"message": "newer"})
    cloud.drain()
    assert hook.messages[3:] == ["newer", "later too"]


def test_permissions_are_those_of_topics(cloud: Emulator, topic: str) -> None:
    with cloud.change() as account:
        next(iter(account.iam.state.users.values())).permissions = ["smn:topic:list"]
    limited = Caller(cloud)
    limited.get(f"{TOPICS}/{topic}")
    assert limited.refused("POST", f"{TOPICS}/{topic}/publish", {"message": "m"}) == (403, "SMN.00308")


def test_who_looks_sees_mails_and_what_was_dropped_or_still_waits(
    api: Caller, cloud: Emulator, topic: str, hook: Receiver
) -> None:
    subscribed(api, topic, hook)
    several = [{"protocol": "email", "endpoint": "a@b.cd"}, {"protocol": "http", "endpoint": "http://192.0.2.1/"}]
    api.post(f"{TOPICS}/{topic}/subscriptions", {"subscriptions": several}, 201)
    hook.answers = [500]
    publish(api, topic, message="m")
    shown = administer(cloud, Request("GET", "/emulator/messages")).json()["messages"]
    assert [(one["state"], one["protocol"], one["body"]["type"]) for one in shown] == [
        ("arrived", "http", "SubscriptionConfirmation"),
        ("arrived", "email", "SubscriptionConfirmation"),
        ("dropped", "http", "SubscriptionConfirmation"),
        ("waiting", "http", "Notification"),
    ]
    assert shown[-1]["problem"] == "the endpoint answered 500"


def test_topics_may_be_missed_by_the_first_reads(cloud: Emulator, api: Caller) -> None:
    cloud.set_dials({"hidden_reads": {"smn": 1}})
    urn = api.post(TOPICS, {"name": "news", "display_name": ""}, 201)["topic_urn"]
    assert api.refused("GET", f"{TOPICS}/{urn}") == (404, "SMN.0006")
    assert [topic["topic_urn"] for topic in api.get(TOPICS)["topics"]] == [urn]
