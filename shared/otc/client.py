"""What the clients of all services share: sending, reading into models, following pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from shared.errors import TemporaryError
from shared.otc.models import QuotaUsage, Seen
from shared.otc.problems import problem, unanswered, unexpected
from shared.otc.transport import Answer, Call, Service, Transport

PAGE = 2000
"""The largest page of ELB, VPC and EIP lists."""

Query = Iterable[tuple[str, str]]


SeenT = TypeVar("SeenT", bound=Seen)


class ServiceClient:
    """One service over a transport.

    Every method raises `TemporaryError` or `PermanentError` as `shared.otc.problems` reads the answer,
    `AmbiguousError` where a mutation may have been carried out.
    """

    service: ClassVar[Service]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _project(self) -> str:
        return self._transport.project_id

    def _call(
        self,
        method: str,
        action: str,
        *segments: str,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
    ) -> Call:
        # Ids may come from a request, so each is quoted as one segment; a URN is one, with its colons.
        path = "".join(f"/{quote(segment, safe=':')}" for segment in segments)
        return Call(self.service, method, path, action, tuple(query), body)

    def _exchange(self, call: Call) -> Answer:
        try:
            answer = self._transport.send(call)
        except TemporaryError as error:
            raise unanswered(call, error) from None
        if not 200 <= answer.status < 300:
            raise problem(call, answer)
        return answer

    def _send(self, call: Call) -> dict[str, Any]:
        answer = self._exchange(call)
        return decoded(call, answer) if answer.body else {}

    def _one(self, call: Call, model: type[SeenT], *keys: str) -> SeenT:
        return read(call, model, _at(self._send(call), keys))

    def _all(self, call: Call, model: type[SeenT], key: str) -> list[SeenT]:
        return [read(call, model, item) for item in self._pages(call, key)]

    def _usages(self, call: Call, *keys: str, name: str) -> dict[str, QuotaUsage]:
        items = _at(self._send(call), keys)
        if not isinstance(items, list):
            raise unexpected(call, "it lists no quotas")
        return {str(item.get(name)): read(call, QuotaUsage, item) for item in items}

    def _pages(self, call: Call, key: str) -> Iterator[Any]:
        marker: str | None = None
        while True:
            page = self._send(_page(call, marker))
            items = listed(call, page, key)
            yield from items
            following = _next_marker(page, items, key)
            if following is None:
                return
            if following == marker:
                raise unexpected(call, "the list's next page is the page itself")
            marker = following


def given(**values: Any) -> dict[str, Any]:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def _at(body: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _page(call: Call, marker: str | None) -> Call:
    paging = (("limit", str(PAGE)),) + ((("marker", marker),) if marker else ())
    return replace(call, query=(*call.query, *paging))


def _next_marker(page: Mapping[str, Any], items: Sequence[Any], key: str) -> str | None:
    """The marker of the next page: ELB and VPC v3 name it, peerings link to it, v1 lists leave it to us."""
    if not items:
        return None
    last = str(items[-1].get("id"))
    links = page.get(f"{key}_links")
    if links is not None:
        return last if any(link.get("rel") == "next" for link in links) else None
    if len(items) < PAGE:
        return None
    named = page.get("page_info")
    return last if named is None else named.get("next_marker")


def decoded(call: Call, answer: Answer) -> dict[str, Any]:
    """The body as a JSON object, or `UnexpectedAnswer`."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        raise unexpected(call, "it is not JSON") from None
    if not isinstance(body, dict):
        raise unexpected(call, "it is not a JSON object")
    return body


def listed(call: Call, page: Mapping[str, Any], key: str) -> list[Any]:
    """The list under a key of a page, or `UnexpectedAnswer`."""
    items = page.get(key)
    if not isinstance(items, list):
        raise unexpected(call, f"it has no list {key!r}")
    return items


def read(call: Call, model: type[SeenT], data: Any) -> SeenT:
    """The data as a model, or `UnexpectedAnswer`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # Only places: values may be anything, a password too.
        places = ", ".join(".".join(map(str, item["loc"])) or "the body" for item in error.errors())
        raise unexpected(call, f"{model.__name__} lacks or misstates {places}") from None
    except (LookupError, TypeError, AttributeError):
        raise unexpected(call, f"{model.__name__} has a list of the wrong shape") from None
