"""Log groups, streams and the query of lines on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from emulator.account import Account
from emulator.core.message import Answer, created, no_content, ok
from emulator.core.resources import Strict, owned, seen
from emulator.core.text import NumberOrText
from emulator.lts.errors import LtsErrors, group_not_found, stream_not_found
from emulator.lts.models import LogGroup, LogLine, LogStream

ERRORS = LtsErrors()
MAX_GROUPS = MAX_STREAMS = 100
LogName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]([\w.-]*[\w-])?$")]
Days = Annotated[int, Field(ge=1, le=365)]


class LogTag(Strict):
    """A tag, which may be longer here than elsewhere."""

    key: str = Field(min_length=1, max_length=128)
    value: str = Field(max_length=255)


class GroupBody(Strict):
    """A new log group."""

    log_group_name: LogName
    ttl_in_days: Days
    tags: list[LogTag] = []
    log_group_name_alias: str | None = None


class GroupChange(Strict):
    """What may change in a log group."""

    ttl_in_days: Days
    tags: list[LogTag] | None = None
    log_group_name_alias: str | None = None


class StreamBody(Strict):
    """A new log stream."""

    log_stream_name: LogName
    ttl_in_days: Days | None = None
    tags: list[LogTag] = []
    log_stream_name_alias: str | None = None
    enterprise_project_name: str | None = None


class LinesBody(Strict):
    """Which lines are wanted; times in milliseconds, `line_num` is the last line of the page before."""

    start_time: NumberOrText
    end_time: NumberOrText
    labels: dict[str, str] | None = None
    keywords: str = ""
    line_num: NumberOrText | None = None
    is_desc: bool = False
    search_type: str = "init"
    limit: int = Field(default=50, ge=1, le=5000)
    highlight: bool = True
    is_count: bool = False
    is_iterative: bool = False


def create_group(account: Account, project_id: str, body: GroupBody) -> Answer:
    """LTS API: creating a log group.

    Assumed: the code for a name that is taken and for the hundred-and-first group.
    """
    groups = owned(account.lts.state.groups, project_id)
    if any(group.name == body.log_group_name for group in groups):
        raise ERRORS.invalid("log_group_name", "exists already")
    if len(groups) >= MAX_GROUPS:
        raise ERRORS.invalid("log_group_name", f"is beyond the {MAX_GROUPS} groups of an account")
    group = account.add(
        account.lts.state.groups,
        LogGroup,
        "lts",
        project_id,
        name=body.log_group_name,
        ttl_in_days=body.ttl_in_days,
        tags={tag.key: tag.value for tag in body.tags},
    )
    return created({"log_group_id": group.id})


def list_groups(account: Account, project_id: str) -> Answer:
    """LTS API: querying all log groups of an account."""
    groups = seen(owned(account.lts.state.groups, project_id), account.now())
    return ok({"log_groups": [_group(group) for group in groups]})


def update_group(account: Account, project_id: str, log_group_id: str, body: GroupChange) -> Answer:
    """LTS API: modifying a log group."""
    group = _find_group(account, project_id, log_group_id)
    group.ttl_in_days = body.ttl_in_days
    if body.tags is not None:
        group.tags = {tag.key: tag.value for tag in body.tags}
    account.touch(group)
    return ok(_group(group))


def delete_group(account: Account, project_id: str, log_group_id: str) -> Answer:
    """LTS API: deleting a log group; its streams go with it."""
    account.lts.delete_group(_find_group(account, project_id, log_group_id))
    return no_content()


def create_stream(account: Account, project_id: str, log_group_id: str, body: StreamBody) -> Answer:
    """LTS API: creating a log stream.

    Assumed: the code for a name that is taken and for the hundred-and-first stream.
    """
    group = _find_group(account, project_id, log_group_id)
    streams = account.lts.streams(group)
    if any(stream.name == body.log_stream_name for stream in streams):
        raise ERRORS.invalid("log_stream_name", "exists already")
    if len(streams) >= MAX_STREAMS:
        raise ERRORS.invalid("log_stream_name", f"is beyond the {MAX_STREAMS} streams of a group")
    stream = account.add(
        account.lts.state.streams,
        LogStream,
        "lts",
        project_id,
        name=body.log_stream_name,
        group_id=group.id,
        ttl_in_days=body.ttl_in_days,
        tags={tag.key: tag.value for tag in body.tags},
    )
    return created({"log_stream_id": stream.id})


def list_streams(account: Account, project_id: str, log_group_id: str) -> Answer:
    """LTS API: querying all log streams in a specified log group."""
    streams = seen(account.lts.streams(_find_group(account, project_id, log_group_id)), account.now())
    shown = [
        {
            "creation_time": int(stream.created_at * 1000),
            "log_stream_name": stream.name,
            "log_stream_id": stream.id,
            "tag": stream.tags,
            "filter_count": 0,
            "is_favorite": False,
        }
        for stream in streams
    ]
    return ok({"log_streams": shown})


def delete_stream(account: Account, project_id: str, log_group_id: str, log_stream_id: str) -> Answer:
    """LTS API: deleting a log stream."""
    account.lts.delete_stream(_find_stream(account, project_id, log_group_id, log_stream_id))
    return no_content()


def query_lines(account: Account, project_id: str, log_group_id: str, log_stream_id: str, body: LinesBody) -> Answer:
    """LTS API: querying logs; a page begins behind `line_num`, in the order asked for.

    Assumed: lines of functions carry no labels; what is not kept any more is the lines older than the retention, and
    all but the newest 10,000 of a stream.
    """
    stream = _find_stream(account, project_id, log_group_id, log_stream_id)
    if body.search_type not in ("init", "forwards", "backwards"):
        raise ERRORS.invalid("search_type", "is init, forwards or backwards")
    found = [line for line in account.lts.lines(stream) if _wanted(line, body)]
    page = _page(found, body)
    answer: dict[str, Any] = {
        "logs": [{"content": _marked(line.content, body), "line_num": str(line.number), "labels": {}} for line in page],
        "isQueryComplete": True,
    }
    return ok({**answer, "count": len(found)} if body.is_count else answer)


def _wanted(line: LogLine, body: LinesBody) -> bool:
    millis = line.number // 1_000_000
    # Lines written by functions carry no labels, so that a filter by label finds none of them.
    return body.start_time <= millis <= body.end_time and body.keywords in line.content and not body.labels


def _page(found: list[LogLine], body: LinesBody) -> list[LogLine]:
    ordered = found[::-1] if body.is_desc else found
    if body.search_type == "init" or body.line_num is None:
        return ordered[: body.limit]
    later = (body.search_type == "forwards") != body.is_desc
    beyond = [line for line in ordered if (line.number > body.line_num if later else line.number < body.line_num)]
    return beyond[: body.limit] if body.search_type == "forwards" else beyond[-body.limit :]


def _marked(content: str, body: LinesBody) -> str:
    if not (body.highlight and body.keywords):
        return content
    return content.replace(body.keywords, f"<HighLightTag>{body.keywords}</HighLightTag>")


def _group(group: LogGroup) -> dict[str, Any]:
    return {
        "creation_time": int(group.created_at * 1000),
        "log_group_name": group.name,
        "log_group_id": group.id,
        "ttl_in_days": group.ttl_in_days,
        "tag": group.tags,
    }


def _find_group(account: Account, project_id: str, group_id: str) -> LogGroup:
    group = account.lts.group(project_id, group_id)
    if group is None:
        raise group_not_found()
    return group


def _find_stream(account: Account, project_id: str, group_id: str, stream_id: str) -> LogStream:
    group = _find_group(account, project_id, group_id)
    stream = next((one for one in account.lts.streams(group) if one.id == stream_id), None)
    if stream is None:
        raise stream_not_found()
    return stream
