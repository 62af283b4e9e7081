"""Sinks: each delivers or says so, and never tells a secret."""

from __future__ import annotations

import hmac
import io
import json
import os
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from requests import Session

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.settings import Settings, read_settings
from shared.signing import Signer, read_key
from shared.sinks import FileSink, StreamSink, TopicSink, WebhookSink, sinks_for
from tests.shared.otc.canned import Canned, answer
from tests.support.webhook import webhook

EVENT = {"id": "1", "type": "a.kind", "data": {"text": "line\nbreak"}}


def test_a_stream_gets_one_line_an_event():
    stream = io.StringIO()
    StreamSink(stream).deliver(EVENT)
    StreamSink(stream).deliver(EVENT)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == [EVENT, EVENT]


def test_a_reader_that_has_gone_away_wants_no_more_events():
    reading, writing = os.pipe()
    os.close(reading)
    # Closing would flush once more.
    stream = os.fdopen(writing, "w", closefd=False)
    StreamSink(stream).deliver(EVENT)
    os.close(writing)
    with suppress(OSError):
        stream.close()


def test_a_file_is_appended_to(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    path.write_text("{}\n")
    FileSink(path).deliver(EVENT)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{}, EVENT]


def test_a_file_that_cannot_be_written_is_said_to_be_so(tmp_path: Path):
    with pytest.raises(TemporaryError, match="No such file") as caught:
        FileSink(tmp_path / "absent" / "events").deliver(EVENT)
    assert caught.value.code is ErrorCode.EVENT_UNDELIVERED


def test_a_webhook_gets_the_event_as_a_structured_cloudevent():
    with webhook(204) as (url, heard):
        WebhookSink(url, Session()).deliver(EVENT)
    (headers, body) = heard[0]
    assert body == EVENT
    assert headers["Content-Type"].startswith("application/cloudevents+json")


SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + b64encode(bytes(32)).decode()
AT = datetime.fromtimestamp(1614265330, UTC)


def test_a_signature_is_the_one_of_the_specification():
    headers = Signer([read_key(SECRET)], lambda: AT).headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_webhook_gets_the_bytes_that_were_signed_once_by_each_secret():
    settings = Settings.model_validate({"event_webhook_secret": f"{SECRET} {OTHER}"})
    with webhook(204) as (url, heard), webhook(204) as (other, heard_too):
        for sink in sinks_for(
            settings.model_copy(update={"event_webhooks": (url,)}),
            (other,),
            Cloud(Canned()),
            session=Session(),
            now=lambda: AT,
        ):
            sink.deliver(EVENT)
    for headers, body in (*heard, *heard_too):
        signed = f"{EVENT['id']}.1614265330.".encode() + json.dumps(body).encode()
        wanted = [b64encode(hmac.digest(read_key(each), signed, "sha256")).decode() for each in (SECRET, OTHER)]
        assert headers["webhook-signature"] == " ".join(f"v1,{each}" for each in wanted)
        assert (headers["webhook-id"], headers["webhook-timestamp"]) == (EVENT["id"], "1614265330")
    assert len(heard) == len(heard_too) == 1


@pytest.mark.parametrize(
    "secret", ["hunter2", "whsec_hunter2", "whsec_aHVudGVyMg==", "whsec_" + "A" * 200, f"{SECRET} hunter2"]
)
def test_a_secret_that_cannot_sign_is_refused_and_none_is_ever_shown(secret: str):
    with pytest.raises(PermanentError) as refused:
        read_settings({"DCS_ACCESS_EVENT_WEBHOOK_SECRET": secret}.get)
    assert refused.value.data.field == "DCS_ACCESS_EVENT_WEBHOOK_SECRET"
    assert not any(word in refused.value.data.model_dump_json() for word in secret.split())
    settings = read_settings({"DCS_ACCESS_EVENT_WEBHOOK_SECRET": SECRET}.get)
    (sink,) = sinks_for(settings, ("http://a/x",), Cloud(Canned()), session=Session())
    assert SECRET.removeprefix("whsec_") not in f"{settings!r} {settings.model_dump_json()} {sink!r} {sink.name}"
    assert repr(read_key(SECRET)) not in repr(sink)


@pytest.mark.parametrize("status", [302, 400, 500])
def test_anything_but_a_2xx_is_no_delivery_and_the_message_names_only_the_host(status: int):
    with (
        webhook(status) as (url, heard),
        pytest.raises(TemporaryError, match=f"answered {status}") as caught,
    ):
        WebhookSink(url, Session()).deliver(EVENT)
    assert len(heard) == 1
    assert "hunter2" not in caught.value.data.model_dump_json()


def test_a_webhook_without_an_answer_is_no_delivery():
    with webhook(200) as (url, _):
        pass
    with pytest.raises(TemporaryError, match="gave no answer") as caught:
        WebhookSink(url, Session()).deliver(EVENT)
    assert "hunter2" not in caught.value.data.model_dump_json()


def test_configured_sinks_come_first_and_no_webhook_gets_an_event_twice(tmp_path: Path):
    settings = Settings(event_file=str(tmp_path / "e"), event_webhooks=("http://a/x", "http://b/x"))
    sinks = sinks_for(settings, ("http://b/x", "http://c/x"), Cloud(Canned()), io.StringIO(), session=Session())
    assert [type(sink) for sink in sinks] == [StreamSink, FileSink, WebhookSink, WebhookSink, WebhookSink]
    assert sinks_for(Settings(), (), Cloud(Canned()), session=Session()) == []


def test_a_topic_gets_the_event_under_its_type() -> None:
    urn = "urn:smn:eu-de:5f0d:dcs-access-events"
    transport = Canned(answer(200, {"request_id": "r", "message_id": "m"}))
    TopicSink(Cloud(transport), urn).deliver(EVENT)
    (call,) = transport.calls
    assert (call.path, call.action) == (f"/v2/5f0d/notifications/topics/{urn}/publish", "smn:topic:publish")
    assert call.body == {"subject": EVENT["type"], "message": json.dumps(EVENT, separators=(",", ":"))}


def test_a_topic_that_refuses_is_tried_again_and_names_the_missing_action() -> None:
    refusal = answer(403, {"request_id": "r", "code": "SMN.0001", "message": "no permission"})
    with pytest.raises(TemporaryError, match="lack smn:topic:publish") as raised:
        TopicSink(Cloud(Canned(refusal)), "urn:smn:eu-de:5f0d:t").deliver(EVENT)
    assert raised.value.code is ErrorCode.EVENT_UNDELIVERED
