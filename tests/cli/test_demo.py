"""The demo is the whole product in one command, on a real Redis."""

from __future__ import annotations

import re
import socket

import pytest

from cli.resp import RedisConnection, RedisError
from cli.running import Exit
from emulator.dataplane.redis_process import RedisProcess
from tests.cli.support import Terminal, run


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.usefixtures("terminal")
def test_the_demo_writes_from_outside_reads_inside_and_leaves_no_trace(free_port: int):
    shown = run("demo", "--port", str(free_port))
    assert shown.exit_code == Exit.OK
    assert re.search(rf"redis-cli -h 127\.\S+ -p {free_port} -a \S+", shown.stdout)
    assert "read on the Redis itself: 'hello from outside'" in shown.stdout
    assert "The account is as it was before." in shown.stdout


@pytest.mark.usefixtures("terminal")
def test_the_demo_deploys_asks_by_message_hears_the_event_and_takes_all_of_it_away(free_port: int):
    shown = run("demo", "--serverless", "--port", str(free_port))
    assert shown.exit_code == Exit.OK, shown.stderr
    assert "28 x function" in shown.stdout
    assert shown.stdout.count("Published to urn:smn:") == 2
    assert "Received by an HTTP subscriber of the topic of events: dcs-public-access.exposure.completed" in shown.stdout
    assert "read on the Redis itself: 'hello from outside'" in shown.stdout
    assert "The account is as it was before." in shown.stdout


def test_a_demo_that_cannot_have_its_port_says_so_and_fails(terminal: Terminal):
    shown = run("demo", "-q", "--port", "0")
    assert shown.exit_code == Exit.REFUSED
    assert "--port" in shown.stderr


def test_a_key_is_written_and_read_and_a_refusal_is_an_error():
    redis = RedisProcess("s3cret")
    try:
        with RedisConnection("127.0.0.1", redis.port, "s3cret") as connection:
            assert connection.call("SET", "ключ", "a\r\nb") == "OK"
            assert connection.call("GET", "ключ") == "a\r\nb"
            assert connection.call("GET", "absent") is None
            with pytest.raises(RedisError, match="unknown command"):
                connection.call("NONSENSE")
        with pytest.raises(RedisError, match="WRONGPASS"):
            RedisConnection("127.0.0.1", redis.port, "wrong")
    finally:
        redis.stop()
    with pytest.raises(RedisError, match="cannot be reached"):
        RedisConnection("127.0.0.1", redis.port)
