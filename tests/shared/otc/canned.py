"""A transport that answers from a list and keeps what was asked."""

from __future__ import annotations

import json
from typing import Any

from shared.errors import TemporaryError
from shared.otc.transport import Answer, Call


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, b"" if body is None else json.dumps(body).encode(), headers)


class Canned:
    """Answers in the order given; an exception is raised."""

    project_id = "5f0d"
    region = "eu-de"

    def __init__(self, *answers: Answer | TemporaryError) -> None:
        self._answers = list(answers)
        self.calls: list[Call] = []

    def send(self, call: Call) -> Answer:
        self.calls.append(call)
        following = self._answers.pop(0)
        if isinstance(following, TemporaryError):
            raise following
        return following
