"""What a function is sent comes out of its wrapping, and what nobody can read is refused and harms nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bodies import DEEPEST, LARGEST, parsed, unwrapped
from shared.errors import ErrorCode, PermanentError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


EVENT = st.dictionaries(st.text().filter(lambda key: key != "body"), JSON, min_size=1)


@given(EVENT, st.lists(st.booleans(), max_size=3))
def test_an_event_comes_out_of_any_wrapping(event: dict[str, Any], wrappings: list[bool]) -> None:
    wrapped: Any = event
    for in_body in wrappings:
        wrapped = {"body": wrapped} if in_body else json.dumps(wrapped)
    assert unwrapped(wrapped) == event


def test_a_body_beside_other_fields_is_a_field_of_the_event() -> None:
    event = {"body": "aGVsbG8=", "httpMethod": "GET"}
    assert unwrapped(event) == event


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "request"),
        ("{", "request"),
        ('{"a": 1, "a": 2}', "a"),
        (b"\xff\xfe", "request"),
        ("[" * 100_000, "request"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "request"),
        (json.dumps("x" * LARGEST), "request"),
        ("1" * 5000, "request"),
    ],
    ids=["empty", "cut", "field twice", "no text", "no end", "too deep", "too long", "huge number"],
)
def test_what_cannot_be_read_is_refused(text: str | bytes, field: str) -> None:
    with pytest.raises(PermanentError) as raised:
        parsed(text)
    assert (raised.value.code, raised.value.data.field) == (ErrorCode.INVALID_REQUEST, field)


def test_an_event_that_is_wrapped_or_nested_without_end_is_refused() -> None:
    endless: Any = {}
    for _ in range(9):
        endless = {"body": endless}
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for event in (endless, {"record": deep}):
        with pytest.raises(PermanentError):
            unwrapped(event)
