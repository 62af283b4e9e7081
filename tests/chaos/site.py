"""Real processes: the test serves the cloud, and each command runs in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Condition, Lock
from typing import Any

from cli.emulating import write_clouds
from cli.emulator import CLOUD
from emulator import Emulator, World
from emulator.core.message import Request
from emulator.core.problems import ApiError
from emulator.dataplane import ModelledDataPlane
from emulator.faults import ConnectionLost
from emulator.server import serve

# The probe is a real connection: it must end on this machine, and refused.
PUBLIC = "127.66.0.0/16"
ACCESS = (str(Path(sys.executable).with_name("dcs-access")),)
_VICTIM = (sys.executable, "-m", "tests.chaos.victim")
_ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0
_TOGETHER = 20.0

Process = subprocess.Popen[str]


@dataclass(frozen=True)
class Ended:
    """What a process said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def event(self) -> dict[str, Any]:
        """The event on its standard output."""
        return json.loads(self.out)


class Site:
    """A cloud that processes reach over HTTP, and the machines they run on, each with a store of its own."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self.emulator = Emulator(world, data_plane=ModelledDataPlane(PUBLIC))
        self.calls: list[str] = []
        self.signed_in = 0
        self.gathered = False
        self._seen: Counter[str] = Counter()
        self._handled: dict[int, str] = {}
        self._acts: dict[tuple[str, str], Callable[[], object]] = {}
        self._lock = Lock()
        self._processes: list[Process] = []
        self.emulator.before_call.append(self._before)
        self.emulator.after_call += [self._after, self._check_at_once]
        self._server = serve(self.emulator)
        write_clouds(folder / "clouds.yaml", self.emulator, self._server.url)

    def close(self) -> None:
        """End what still runs."""
        self.kill()
        for process in self._processes:
            process.communicate()
        self._server.close()
        self.emulator.close()

    def kill(self) -> None:
        """Kill what runs."""
        for process in self._processes:
            process.kill()

    def kill_unheard(self) -> None:
        """Kill what runs before the call that it makes is carried out.

        Raises:
            ConnectionLost: the emulator must not see the call.
        """
        self.kill()
        raise ConnectionLost

    def account(self) -> dict[str, Any]:
        """All the account holds."""
        return self.emulator.snapshot()

    def write(self, request: dict[str, Any]) -> str:
        """Put a request into a file; its path."""
        path = self.folder / f"{request['action']}-{request['request_id']}.json"
        path.write_text(json.dumps(request))
        return str(path)

    def when(self, edge: str, call: str, act: Callable[[], object]) -> None:
        """Act once, while a call is handled: `before` or `after` it is carried out."""
        self._acts[edge, call] = act

    def gather(self, processes: int) -> None:
        """Hold every mutating call until so many processes are about to make one."""
        come: set[str] = set()
        condition = Condition()

        def hold(request: Request) -> None:
            if request.method == "GET" or request.path.endswith("/auth/tokens"):
                return
            with condition:
                come.add(request.headers["x-auth-token"])
                condition.notify_all()
                self.gathered = condition.wait_for(lambda: len(come) >= processes, _TOGETHER)

        self.emulator.before_call.append(hold)

    def jitter(self, seed: int, most: float = 0.05) -> None:
        """Let every call take up to `most` seconds longer, as drawn."""
        random = Random(seed)
        self.emulator.before_call.append(lambda _: time.sleep(random.random() * most))

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for other processes.

        Raises:
            TimeoutError: they did not get there.
        """
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.01)

    def start(self, *words: str, machine: str = "one") -> Process:
        """Start a command on a machine."""
        return self._start(ACCESS, words, machine)

    def start_victim(self, edge: str, state: str, *words: str) -> Process:
        """Start a command that is killed at a state."""
        return self._start(_VICTIM, (edge, state, *words), "one")

    def run(self, *words: str, machine: str = "one") -> Ended:
        """Run a command to its end."""
        return ended(self.start(*words, machine=machine))

    def delivered(self, machine: str = "one") -> list[dict[str, Any]]:
        """The events that a machine's processes put into its file."""
        return [json.loads(line) for line in (self.folder / f"{machine}.jsonl").read_text().splitlines()]

    def _start(self, program: tuple[str, ...], words: tuple[str, ...], machine: str) -> Process:
        environment = {
            "HOME": str(self.folder),
            "PYTHONPATH": str(_ROOT),
            "OS_CLIENT_CONFIG_FILE": str(self.folder / "clouds.yaml"),
            "OS_CLOUD": CLOUD,
            "DCS_ACCESS_STORE": str(self.folder / machine),
            "DCS_ACCESS_EVENT_FILE": str(self.folder / f"{machine}.jsonl"),
        }
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*program, *words],
            env=environment,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        self._processes.append(process)
        return process

    def _before(self, request: Request) -> None:
        name = self._name(request)
        if name is not None:
            self._act("before", name)

    def _after(self, request: Request) -> None:
        name = self._handled.pop(id(request), None)
        if name is not None:
            self._act("after", name)

    def _act(self, edge: str, name: str) -> None:
        act = self._acts.pop((edge, name), None)
        if act is not None:
            act()

    def _name(self, request: Request) -> str | None:
        """Name a mutating call: its method, what it is about, and from the second on its number."""
        try:
            route, _ = self.emulator.router.find(request.method, request.path)
        except ApiError:
            return None
        if route.path.endswith("/auth/tokens"):
            self.signed_in += 1
        if not route.mutating:
            return None
        kind = f"{request.method} {[part for part in route.path.split('/') if not part.startswith('{')][-1]}"
        with self._lock:
            self._seen[kind] += 1
            name = kind if self._seen[kind] == 1 else f"{kind} {self._seen[kind]}"
            self.calls.append(name)
            self._handled[id(request)] = name
        return name

    def _check_at_once(self, request: Request) -> None:
        """Have members checked as soon as they have a monitor: nobody here tests the wait."""
        if (request.method, request.path.rpartition("/")[2]) != ("POST", "healthmonitors"):
            return
        with self.emulator.change() as account:
            for member in account.world.elb.members:
                checked = account.elb.checked(member)
                if checked is not None:
                    checked.due = account.now()


def ended(process: Process) -> Ended:
    """Wait for a process to end."""
    out, err = process.communicate(timeout=_PATIENCE)
    return Ended(process.returncode, out, err)
