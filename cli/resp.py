"""Just enough of the Redis protocol to write a key and to read it."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

_TIMEOUT = 5.0


class RedisError(Exception):
    """The server refused, or did not answer."""


class RedisConnection:
    """One connection to a Redis server."""

    def __init__(self, host: str, port: int, password: str | None = None) -> None:
        try:
            self._socket = socket.create_connection((host, port), _TIMEOUT)
        except OSError as problem:
            raise RedisError(f"{host}:{port} cannot be reached: {problem}") from None
        self._reader = self._socket.makefile("rb")
        try:
            if password:
                self.call("AUTH", password)
        except RedisError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._socket.close()

    def call(self, *words: str) -> str | None:
        """Send one command and give its answer; None for a key that is not there.

        Raises:
            RedisError: the server refused it, or did not answer.
        """
        encoded = [word.encode() for word in words]
        command = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        try:
            self._socket.sendall(command)
            return self._answer()
        except OSError as problem:
            raise RedisError(f"no answer: {problem}") from None

    def _answer(self) -> str | None:
        line = self._reader.readline()
        kind, rest = line[:1], line[1:].strip().decode()
        if kind == b"-":
            raise RedisError(rest)
        if kind != b"$":
            return rest
        size = int(rest)
        return None if size < 0 else self._reader.read(size + 2)[:-2].decode()
