from __future__ import annotations

from typing import Any

import pytest

from emulator import Emulator, ManualClock
from tests.emulator.client import Caller

GROUPS = "/v2/{pid}/groups"
START = 1767225600000


@pytest.fixture
def group(api: Caller) -> str:
    group_id: str = api.post(GROUPS, {"log_group_name": "functions", "ttl_in_days": 7}, 201)["log_group_id"]
    return group_id


@pytest.fixture
def stream(api: Caller, group: str) -> str:
    path = f"{GROUPS}/{group}/streams"
    stream_id: str = api.post(path, {"log_stream_name": "on_message"}, 201)["log_stream_id"]
    return stream_id


@pytest.fixture
def ten(cloud: Emulator, group: str, stream: str) -> None:
    """Ten lines at the same moment."""
    with cloud.change() as account:
        for number in range(10):
            account.lts.write(group, stream, f"{number} {'odd' if number % 2 else 'even'}")


def lines(api: Caller, group: str, stream: str, **fields: Any) -> dict[str, Any]:
    body = {"start_time": START, "end_time": START + 1000, **fields}
    found: dict[str, Any] = api.post(f"{GROUPS}/{group}/streams/{stream}/content/query", body)
    return found


def numbers(found: dict[str, Any]) -> list[int]:
    return [int(line["content"][0]) for line in found["logs"]]


def test_groups_and_streams_are_made_listed_changed_and_deleted(api: Caller, group: str, stream: str) -> None:
    (shown,) = api.get(GROUPS)["log_groups"]
    assert shown == {
        "creation_time": START,
        "log_group_name": "functions",
        "log_group_id": group,
        "ttl_in_days": 7,
        "tag": {},
    }
    assert api.post(f"{GROUPS}/{group}", {"ttl_in_days": 8})["ttl_in_days"] == 8
    (shown,) = api.get(f"{GROUPS}/{group}/streams")["log_streams"]
    assert (shown["log_stream_id"], shown["log_stream_name"], shown["filter_count"]) == (stream, "on_message", 0)
    api.delete(f"{GROUPS}/{group}/streams/{stream}")
    assert api.get(f"{GROUPS}/{group}/streams")["log_streams"] == []
    api.delete(f"{GROUPS}/{group}")
    assert api.get(GROUPS)["log_groups"] == []


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("", {"log_group_name": "functions", "ttl_in_days": 7}, "LTS.0009"),
        ("", {"log_group_name": ".hidden", "ttl_in_days": 7}, "LTS.0009"),
        ("", {"log_group_name": "g", "ttl_in_days": 366}, "LTS.0009"),
        ("", {"log_group_name": "g"}, "LTS.0009"),
        ("/{group}/streams", {"log_stream_name": "on_message"}, "LTS.0009"),
        ("/unknown/streams", {"log_stream_name": "s"}, "LTS.0201"),
        ("/{group}/streams/unknown/content/query", {"start_time": 0, "end_time": 1}, "LTS.0208"),
    ],
)
def test_what_is_wrong_or_missing_is_a_400(api: Caller, group: str, path: str, body: dict[str, Any], code: str) -> None:
    assert api.refused("POST", GROUPS + path.replace("{group}", group), body) == (400, code)


@pytest.mark.usefixtures("ten")
def test_lines_are_found_by_time_and_keyword(api: Caller, group: str, stream: str) -> None:
    found = lines(api, group, stream, keywords="odd", is_count=True, limit=3)
    assert (numbers(found), found["count"], found["isQueryComplete"]) == ([1, 3, 5], 5, True)
    assert found["logs"][0]["content"] == "1 <HighLightTag>odd</HighLightTag>"
    assert lines(api, group, stream, keywords="odd", highlight=False)["logs"][0]["content"] == "1 odd"
    assert numbers(lines(api, group, stream, is_desc=True, limit=2)) == [9, 8]
    for start in (START + 1, str(START + 1)):
        assert lines(api, group, stream, start_time=start)["logs"] == [], "a number or text, as the page has it"
    assert lines(api, group, stream, labels={"hostName": "h"})["logs"] == []


@pytest.mark.usefixtures("ten")
@pytest.mark.parametrize(
    ("is_desc", "search_type", "page"),
    [
        (False, "forwards", [6, 7, 8]),
        (True, "backwards", [8, 7, 6]),
        (False, "backwards", [2, 3, 4]),
        (True, "forwards", [4, 3, 2]),
    ],
)
def test_a_page_begins_next_to_a_line_in_either_direction(
    api: Caller, group: str, stream: str, search_type: str, page: list[int], *, is_desc: bool
) -> None:
    fifth = lines(api, group, stream)["logs"][5]["line_num"]
    found = lines(api, group, stream, line_num=fifth, is_desc=is_desc, search_type=search_type, limit=3)
    assert numbers(found) == page


@pytest.mark.usefixtures("ten")
def test_lines_are_kept_as_long_as_the_group_says(
    api: Caller, cloud: Emulator, clock: ManualClock, group: str, stream: str
) -> None:
    clock.advance(7 * 86_400 - 1)
    assert len(lines(Caller(cloud), group, stream)["logs"]) == 10
    clock.advance(2)
    assert lines(Caller(cloud), group, stream)["logs"] == []


def test_what_is_written_to_no_stream_is_lost(api: Caller, cloud: Emulator, group: str, stream: str) -> None:
    with cloud.change() as account:
        account.lts.write(group, "unknown", "lost")
        account.lts.write("unknown", stream, "lost")
    assert lines(api, group, stream)["logs"] == []
