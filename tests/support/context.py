"""The platform's context object, as far as a function uses it."""

# ruff: noqa: N802  # its methods have the platform's names

from __future__ import annotations

import logging
from collections.abc import Mapping


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class FakeContext:
    """A context with a token or without, and a log that can be read."""

    def __init__(self, user_data: Mapping[str, str], *, token: str = "token", project_id: str = "5f0d") -> None:
        self.user_data, self.token, self.project_id = dict(user_data), token, project_id
        self.log = Lines()
        self._logger = logging.Logger("function", logging.INFO)
        self._logger.addHandler(self.log)

    def getToken(self) -> str:
        return self.token

    def getProjectID(self) -> str:
        return self.project_id

    def getUserData(self, key: str) -> str | None:
        return self.user_data.get(key)

    def getLogger(self) -> logging.Logger:
        return self._logger

    def getRequestID(self) -> str:
        return "request-1"

    def getRemainingTimeInMilliSeconds(self) -> float:
        return 85_000
