"""One child process that runs a function: its start, its messages, its memory and its end."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from emulator.functiongraph.runtime import bootstrap

SEND_SECONDS = 10.0
CHUNK = 1 << 20
LONGEST_LOG = 1 << 20


class LostError(Exception):
    """The process is gone: there will be no answer."""


@dataclass(frozen=True)
class Reply:
    """One answer of the child: how far it is, with which code, after how long, and the body for the caller."""

    stage: str
    code: int
    duration_ms: float
    body: bytes


class Child:
    """A process that shares nothing with this one but a channel, a lifeline and a log file.

    Args:
        python: The interpreter; only its standard library is seen.
        environment: All of the process's environment.
        directory: Where it stands.

    Raises:
        OSError: If the machine has no room for it.
    """

    def __init__(self, python: str, environment: dict[str, str], directory: Path) -> None:
        self._received = bytearray()
        self._peak = 0.0
        with ExitStack() as held, ExitStack() as passed_on:
            self._channel, channel = socket.socketpair()
            held.callback(self._channel.close)
            passed_on.callback(channel.close)
            # Nothing is ever written to it; it closes when this process ends, however it ends, and the child goes then.
            lifeline, own_end = os.pipe()
            held.callback(os.close, own_end)
            passed_on.callback(os.close, lifeline)
            self._log = held.enter_context(tempfile.TemporaryFile(buffering=0))
            fcntl.fcntl(self._log, fcntl.F_SETFL, os.O_APPEND)
            self._process = subprocess.Popen(  # noqa: S603
                [
                    *(python, "-I", "-S", "-u", "-X", "utf8", bootstrap.__file__),
                    *(str(channel.fileno()), str(lifeline)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=directory,
                pass_fds=[channel.fileno(), lifeline],
                start_new_session=True,
            )
            self._held = held.pop_all()

    @property
    def alive(self) -> bool:
        """Whether the process still has its end of the channel open."""
        self._channel.setblocking(False)
        try:
            return bool(self._channel.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def send(self, head: dict[str, str], body: bytes) -> None:
        """Send one request.

        Raises:
            LostError: If nobody is there to read it.
        """
        self._channel.settimeout(SEND_SECONDS)
        try:
            self._channel.sendall(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
        except OSError as error:
            raise LostError from error

    def receive(self, seconds: float) -> Reply | None:
        """Return the next answer, or None if it is not complete within `seconds`.

        Raises:
            LostError: If the process ends first.
        """
        if reply := self._take_reply():
            return reply
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._channel.settimeout(left)
            try:
                data = self._channel.recv(CHUNK)
            except TimeoutError:
                return None
            except OSError as error:
                raise LostError from error
            if not data:
                raise LostError
            self._received += data
            if reply := self._take_reply():
                return reply
        return None

    def _take_reply(self) -> Reply | None:
        line, found, _ = self._received.partition(b"\n")
        if not found:
            return None
        head = json.loads(line)
        end = len(line) + 1 + head["size"]
        if len(self._received) < end:
            return None
        body = bytes(self._received[len(line) + 1 : end])
        del self._received[:end]
        return Reply(head["stage"], head["code"], head["duration_ms"], body)

    def peak_memory(self) -> float:
        """Return the most memory in MB that the process has held so far (0 where the system does not tell)."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return self._peak
        if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
            self._peak = max(self._peak, int(found[1]) / 1024)
        return self._peak

    def take_log(self) -> str:
        """Return what was written to standard output and error since last asked, the latest MB of it."""
        size = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), LONGEST_LOG, max(0, size - LONGEST_LOG))
        self._log.truncate(0)
        return text.decode(errors="replace")

    def kill(self) -> None:
        """End the process and what it started, at once; safe from any thread before `end`."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process and let go of all that it held."""
        self.kill()
        self._process.wait()
        self._held.close()
