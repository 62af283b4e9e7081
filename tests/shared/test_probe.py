"""What the probe sees at a public address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from shared.probe import ProbeAnswer, judge, probe


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"-NOAUTH Authentication required.", ProbeAnswer.LOCKED),
        (b"-WRONGPASS invalid username-password pair", ProbeAnswer.LOCKED),
        (b"-DENIED Redis is running in protected mode", ProbeAnswer.LOCKED),
        (b"-ERR operation not permitted", ProbeAnswer.LOCKED),
        (b"-ERR Authentication required", ProbeAnswer.LOCKED),
        (b"+PONG\r", ProbeAnswer.OPEN),
        (b"-LOADING Redis is loading the dataset in memory", ProbeAnswer.OPEN),
        (b"-NOPERM this user has no permissions to run the 'ping' command", ProbeAnswer.OPEN),
        (b"-ERR max number of clients reached", ProbeAnswer.UNSEEN),
        (b"", ProbeAnswer.UNSEEN),
        (b"-ERR unknown command", ProbeAnswer.NOT_REDIS),
        (b"HTTP/1.1 400 Bad Request", ProbeAnswer.NOT_REDIS),
        (b"\x15\x03\x01\x00\x02\x02", ProbeAnswer.NOT_REDIS),
        (b"+PONGO", ProbeAnswer.NOT_REDIS),
    ],
)
def test_the_first_line_of_the_answer_decides(line: bytes, answer: ProbeAnswer):
    assert judge(line) is answer


@contextmanager
def _server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def test_a_locked_redis_is_asked_without_any_password():
    heard = []

    def talk(connection: socket.socket) -> None:
        heard.append(connection.recv(100))
        connection.sendall(b"-NOAUTH Auth")
        connection.sendall(b"entication required.\r\n")

    with _server(talk) as port:
        assert probe("127.0.0.1", port) is ProbeAnswer.LOCKED
    assert heard == [b"*1\r\n$4\r\nPING\r\n"]


def test_a_connection_closed_before_an_answer_is_unseen():
    with _server(lambda connection: None) as port:
        assert probe("127.0.0.1", port) is ProbeAnswer.UNSEEN


def test_a_refused_connection_is_unseen():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert probe("127.0.0.1", port) is ProbeAnswer.UNSEEN


def test_silence_ends_with_the_time_out():
    done = threading.Event()
    with _server(lambda connection: bool(done.wait(5))) as port:
        assert probe("127.0.0.1", port, timeout=0.05) is ProbeAnswer.UNSEEN
        done.set()


def test_an_endless_answer_is_read_to_a_bound():
    def flood(connection: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(1_000):
                connection.sendall(b"x" * 10_000)
            pytest.fail("all of it was read")

    with _server(flood) as port:
        assert probe("127.0.0.1", port) is ProbeAnswer.NOT_REDIS
