"""Settings come from one look-up and are refused with the variable that is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import ErrorCode, PermanentError
from shared.request import Risk
from shared.settings import VARIABLE, Settings, read_settings


def test_without_variables_the_defaults_hold() -> None:
    assert read_settings(lambda _name: None) == Settings()


def test_an_empty_variable_counts_as_absent() -> None:
    assert read_settings(lambda _name: "") == Settings()


VPC = "5f0d8a3e-6c1b-4f7e-9d2a-0b3c4d5e6f70"


def test_every_field_is_a_variable_of_its_own() -> None:
    asked: list[str] = []
    read_settings(asked.append)
    assert asked == [VARIABLE + field.upper() for field in Settings.model_fields]


def test_values_are_read_in_their_types() -> None:
    variables = {
        "DCS_ACCESS_VPC_ID": VPC,
        "DCS_ACCESS_SETTLE_SECONDS": "12.5",
        "DCS_ACCESS_MINIMUM_FREE_ADDRESSES": "20",
        "DCS_ACCESS_EVENT_WEBHOOKS": "https://a.example/x  https://b.example/y",
    }
    settings = read_settings(variables.get)
    assert (settings.vpc_id, settings.settle_seconds, settings.minimum_free_addresses) == (VPC, 12.5, 20)
    assert settings.event_webhooks == ("https://a.example/x", "https://b.example/y")


def test_messages_may_be_allowed_to_accept_nothing() -> None:
    assert read_settings({"DCS_ACCESS_MESSAGE_ACCEPTS": "none"}.get).message_accepts == ()
    assert read_settings({"DCS_ACCESS_MESSAGE_ACCEPTS": ""}.get).message_accepts == (Risk.PRODUCTION,)


def test_what_messages_and_console_events_may_ask_for_is_read_from_words_and_json() -> None:
    variables = {
        "DCS_ACCESS_MESSAGE_ACCEPTS": "production open_world",
        "DCS_ACCESS_NOTIFY_HOSTS": "a.example b.example",
        "DCS_ACCESS_MESSAGE_MAX_AGE": "10m",
        "DCS_ACCESS_ALLOW_LISTS": '{"office": ["203.0.113.0/24", "198.51.100.7"]}',
        "DCS_ACCESS_OWN_AGENCIES": "dcs-access-change dcs-access-read",
    }
    settings = read_settings(variables.get)
    assert settings.message_accepts == (Risk.PRODUCTION, Risk.OPEN_WORLD)
    assert settings.notify_hosts == ("a.example", "b.example")
    assert settings.message_max_age == timedelta(minutes=10)
    assert settings.allow_lists == {"office": ("203.0.113.0/24", "198.51.100.7/32")}
    assert settings.own_agencies == ("dcs-access-change", "dcs-access-read")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("settle_seconds", "soon"),
        ("settle_seconds", "-1"),
        ("minimum_free_addresses", "1.5"),
        ("event_webhooks", "https://a.example hooks.example"),
        ("vpc_id", "zzz"),
        ("subnet_id", "my subnet"),
        ("helper_vpc_id", "5f0d"),
        ("notify_hosts", "http://a b"),
        ("opt_in_tag", "x y ü"),
        ("opt_in_tag", "x" * 37),
        ("application", "no spaces"),
        ("endpoint", "elsewhere"),
        ("message_accepts", "production everything"),
        ("message_max_age", "soon"),
        ("debounce_seconds", "-1"),
        ("allow_lists", "office"),
        ("allow_lists", "[" * 100_000),
        ("allow_lists", '["203.0.113.0/24"]'),
        ("allow_lists", '{"office": []}'),
        ("allow_lists", '{"office": ["203.0.113.7/24"]}'),
        ("allow_lists", '{"office": "203.0.113.0/24"}'),
    ],
)
def test_a_value_that_does_not_fit_is_named(field: str, value: str) -> None:
    with pytest.raises(PermanentError) as caught:
        read_settings({VARIABLE + field.upper(): value}.get)
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.data.field == VARIABLE + field.upper()
    assert VARIABLE + field.upper() in (caught.value.data.advice or "")
