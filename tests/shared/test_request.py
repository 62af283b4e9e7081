"""Requests are read strictly, spelled out once, and refused with the field that is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests import Request, RequestException
from urllib3.util import parse_url

from shared.errors import ErrorCode, PermanentError
from shared.request import ExposeRequest, normalised, parse_request, request_schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXPOSE = {"action": "expose", "request_id": "r-1", "instance_id": "i-1", "allow": ["203.0.113.7"]}
WITHDRAW = {"action": "withdraw", "request_id": "r-2", "instance_id": "i-1"}


def refused(data: Any) -> PermanentError:
    with pytest.raises(PermanentError) as caught:
        parse_request(data)
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.data.advice
    return caught.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_id", None),
        ("request_id", ""),
        ("request_id", "with space"),
        ("request_id", "x" * 129),
        ("request_id", 7),
        ("instance_id", None),
        ("instance_id", "../secrets"),
        ("instance_id", "x" * 65),
        ("instance_id", 12),
        ("project_id", "a b"),
        ("node", "192.168.0.11"),
        ("node", "192.168.0.11:0"),
        ("node", "192.168.0.11:65536"),
        ("node", "192.168.0.11:http"),
        ("node", "8.8.8.8:6379"),
        ("node", "redis.example:6379"),
        ("allow", None),
        ("allow", []),
        ("allow", "203.0.113.7"),
        ("allow.0", ["203.0.113.0/33"]),
        ("allow.0", ["203.0.113.7/24"]),
        ("allow.0", ["2001:db8::/32"]),
        ("allow.0", ["everybody"]),
        ("allow.0", [3405803783]),
        ("allow.1", ["203.0.113.7", "203.0.113"]),
        ("allow", [f"10.{n // 250}.{n % 250}.1" for n in range(301)]),
        ("port", 0),
        ("port", 65536),
        ("port", -1),
        ("port", "80"),
        ("port", 80.5),
        ("port", True),
        ("vpc_id", "no/such"),
        ("vpc_id", 1),
        ("subnet_id", ""),
        ("same_vpc", "somehow"),
        ("helper_vpc_id", "a;b"),
        ("availability_zones", []),
        ("availability_zones", "eu-de-01"),
        ("flavor", 1),
        ("bandwidth_mbit", 0),
        ("bandwidth_mbit", 2001),
        ("bandwidth_mbit", 301),
        ("bandwidth_mbit", 1050),
        ("bandwidth_mbit", "5"),
        ("accept.0", ["everything"]),
        ("accept", "production"),
        ("on_failure", "ignore"),
        ("expires_after", "soon"),
        ("expires_after", "0m"),
        ("expires_after", "8"),
        ("expires_after", "99999w"),
        ("expires_after", 3600),
        ("expires_at", "tomorrow"),
        ("expires_at", "2027-01-01T00:00:00"),
        ("require_probe", "yes"),
        ("require_probe", 1),
        ("notify.0", ["ftp://example.com"]),
        ("notify", [f"https://hooks.example/{n}" for n in range(6)]),
        ("alow", ["203.0.113.7"]),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    name = field.partition(".")[0]
    data = {**EXPOSE, name: value}
    if value is None:
        del data[name]
    error = refused(data)
    assert error.data.field == field
    assert field in str(error)


@pytest.mark.parametrize("data", [None, [], "expose", 7, {}, {"action": "inspect"}, {"action": ["expose"]}])
def test_what_is_no_request_at_all_is_refused(data: Any) -> None:
    error = refused(data)
    assert error.data.field in {"request", "action"}


def test_every_wrong_field_is_told_at_once_and_no_value_is_quoted() -> None:
    secret = "hunter2-secret"
    error = refused({**EXPOSE, "port": secret, "allow": [secret], "password": secret})
    for field in ("port", "allow.0", "password"):
        assert field in str(error)
    assert secret not in error.data.model_dump_json()


@pytest.mark.parametrize(
    "field",
    sorted(ExposeRequest.model_fields.keys() - {"action", "request_id", "project_id", "instance_id", "node", "notify"}),
)
def test_a_withdrawal_takes_nothing_that_only_an_exposure_needs(field: str) -> None:
    assert refused({**WITHDRAW, field: None}).data.field == field


@pytest.mark.parametrize(
    "url",
    [
        r"https://evil.example\@hooks.example/x",
        r"https://hooks.example\.evil.example/x",
        r"https://hooks.example/a\b",
        "https://evil.example@hooks.example@hooks.example/x",
        "https://[evil.example]@hooks.example/x",
        "https://[::1/x",
        "https://[:::]/x",
        "https://[::1]evil.example/x",
        "https://hooks.example:/x",
        "https://hooks.example:0/x",
        "https://hooks.example:65536/x",
        "https://h%6foks.example/x",
        "https://\uff48ooks.example/x",
        "https://hooks.example\t.evil.example/x",
        "https://hooks.example/x\n",
        " https://hooks.example/x",
        "https:///x",
        "https://hooks.example/abc'SECRET",
        'https://hooks.example/abc"SECRET',
        "https://hooks.example/abc<SECRET>",
    ],
)
def test_a_webhook_whose_host_or_end_somebody_may_read_in_another_way_is_refused(url: str) -> None:
    error = refused({**EXPOSE, "notify": [url]})
    assert error.data.field == "notify.0"
    assert "example/path" in error.data.message
    assert "SECRET" not in error.data.model_dump_json()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://me:p%40ss@h_1.example/T0/x?token=a,b#c", "https://[2001:db8::1]:8443/ä"]
)
def test_a_plain_webhook_is_taken_as_it_is(url: str) -> None:
    assert parse_request({**EXPOSE, "notify": [url]}).notify == (url,)


@given(st.text(r"ab.:/\@[]?#%é1 " + "\t\x00", max_size=16))
def test_a_webhook_that_is_taken_is_sent_to_the_host_that_was_read_in_it(rest: str) -> None:
    url = f"https://{rest}"
    try:
        parse_request({**EXPOSE, "notify": [url]})
        sent = Request("POST", url).prepare().url
    except (PermanentError, RequestException):
        return
    assert sent is not None
    host = parse_url(sent).host
    assert host is not None
    assert (urlsplit(url).hostname, urlsplit(sent).hostname) == (host.strip("[]"),) * 2


def test_both_expiries_together_are_refused() -> None:
    error = refused({**EXPOSE, "expires_after": "8h", "expires_at": "2027-01-01T00:00:00Z"})
    assert "not both" in str(error)


def test_the_defaults_are_the_documents() -> None:
    request = parse_request(EXPOSE)
    assert isinstance(request, ExposeRequest)
    assert (request.port, request.same_vpc, request.bandwidth_mbit) == (80, "documented", 5)
    assert (request.on_failure, request.accept, request.require_probe) == ("rollback", (), False)


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("30m", 1800), ("8h", 28800), ("7d", 604800), ("2w", 1209600)]
)
def test_an_expiry_counts_from_the_plan(text: str, seconds: int) -> None:
    request = parse_request({**EXPOSE, "expires_after": text})
    assert isinstance(request, ExposeRequest)
    assert request.expiry(NOW) == int(NOW.timestamp()) + seconds


def test_never_is_said_and_overrules_the_limit_that_silence_gets() -> None:
    limit = timedelta(hours=8)
    silent, outspoken = parse_request(EXPOSE), parse_request({**EXPOSE, "expires_after": "never"})
    assert isinstance(silent, ExposeRequest)
    assert isinstance(outspoken, ExposeRequest)
    assert silent.expiry(NOW, limit) == int((NOW + limit).timestamp())
    assert (silent.expiry(NOW), outspoken.expiry(NOW, limit)) == (None, None)


def test_an_extension_says_until_when() -> None:
    extend = {"action": "extend", "request_id": "r", "instance_id": "i"}
    assert "expires_after or expires_at" in str(refused(extend))
    assert normalised({**extend, "expires_after": "never"})["expires_after"] == "never"


def test_a_moment_of_expiry_is_the_same_in_every_zone() -> None:
    texts = ("2027-01-01T00:00:00Z", "2027-01-01T02:00:00+02:00")
    requests = [parse_request({**EXPOSE, "expires_at": text}) for text in texts]
    assert len({request.expiry(NOW) for request in requests if isinstance(request, ExposeRequest)}) == 1


addresses = st.ip_addresses(v=4).map(str)
requests = st.fixed_dictionaries(
    {
        "action": st.just("expose"),
        "request_id": st.text("abc-019", min_size=1, max_size=20),
        "instance_id": st.uuids().map(str),
        "allow": st.lists(addresses, min_size=1, max_size=5),
    },
    optional={
        "port": st.integers(1, 65535),
        "node": st.just("192.168.0.11:6379"),
        "bandwidth_mbit": st.integers(1, 300),
        "accept": st.lists(st.sampled_from(["production", "open_world", "no_password"]), max_size=3),
        "availability_zones": st.lists(st.just("eu-de-01"), min_size=1, max_size=2),
        "expires_at": st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
            datetime.isoformat
        ),
        "notify": st.lists(st.just("https://hooks.example/x"), max_size=2),
        "require_probe": st.booleans(),
    },
) | st.fixed_dictionaries(
    {
        "action": st.just("expose"),
        "request_id": st.just("r"),
        "instance_id": st.just("i"),
        "allow": st.just(["198.51.100.0/24"]),
        "expires_after": st.tuples(st.integers(1, 500), st.sampled_from("smhdw")).map(
            lambda pair: f"{pair[0]}{pair[1]}"
        ),
    }
)


@given(requests)
def test_a_normalised_request_is_a_fixed_point_and_means_the_same(data: dict[str, Any]) -> None:
    once = normalised(data)
    assert normalised(once) == once
    assert json.loads(json.dumps(once)) == once
    assert parse_request(once) == parse_request(data)


def test_two_spellings_of_one_request_are_one() -> None:
    long = {**EXPOSE, "port": 80, "allow": ["203.0.113.7/32"], "on_failure": "rollback"}
    assert normalised(long) == normalised(dict(reversed(EXPOSE.items())))


def test_the_schema_knows_every_field_and_refuses_unknown_ones() -> None:
    schema = request_schema()
    expose = schema["$defs"]["ExposeRequest"]
    assert expose["properties"].keys() == ExposeRequest.model_fields.keys()
    assert expose["additionalProperties"] is False
    assert set(expose["required"]) == {"action", "request_id", "instance_id", "allow"}
