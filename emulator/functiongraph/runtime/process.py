"""Warm instances, one child process each.

What differs from the platform: any `PythonX.Y` is run by the interpreter that runs the emulator, and sees its standard
library only: none of the libraries that the platform's runtime bundles, so that whatever a zip does not bring is
missed. The code is read-only and the folder for temporary files is the instance's own, named by `TMPDIR`; the rest of
the file system, and the network, are the machine's. Between requests an instance is not frozen. Its memory is what its
process holds, without the processes that it starts, and limited only where `/proc` tells (Linux); those processes end
with it unless they leave its session. Imports have a minute, apart from the time of the initializer and the handler.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Condition, Thread

from emulator.functiongraph.runtime.code import CodeStore
from emulator.functiongraph.runtime.instance import BrokenError, Instance, error_body
from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation, KernelCode, RunResult

# Reads until the runner closes or its process ends, however it ends; then the files go.
JANITOR = 'read -r _; chmod -R u+w "$1"; rm -rf "$1"'
CLOSE_SECONDS = 10.0


class ProcessRunner:
    """Runs requests in instances that are kept warm; a `Runner`.

    Args:
        python: The interpreter; this one by default.
        max_instances: How many there may be; beyond them a request is refused as overload, as the platform does beyond
            an account's concurrency.
        idle_seconds: How long an instance without a request lives.
    """

    def __init__(self, *, python: str = sys.executable, max_instances: int = 100, idle_seconds: float = 60.0) -> None:
        self._python = python
        self._max_instances = max_instances
        self._idle_seconds = idle_seconds
        self._folder = Path(tempfile.mkdtemp(prefix="emulated-functions-"))
        self._codes = CodeStore(self._folder / "code")
        # A session of its own: Ctrl-C in a terminal is for the emulator.
        self._janitor = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", JANITOR, "janitor", str(self._folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._instances: list[Instance] = []
        self._closed = False
        self._changed = Condition()
        self._reaper = Thread(target=self._reap, name="idle-instances", daemon=True)
        self._reaper.start()

    def run(self, spec: FunctionSpec, invocation: Invocation) -> RunResult:
        """Run one request in a warm instance, else in a new one."""
        try:
            instance = self._take(spec)
        except BrokenError as broken:
            return RunResult(broken.code, error_body(broken), "", 0.0, 0.0)
        try:
            return instance.run(invocation)
        finally:
            self._give_back(instance)

    def _take(self, spec: FunctionSpec) -> Instance:
        with self._changed:
            if self._closed:
                raise BrokenError(KernelCode.START_FAILED, "the runtime is closed")
            for instance in sorted(self._instances, key=lambda each: each.idle_since, reverse=True):
                if not instance.busy and instance.spec == spec and instance.alive:
                    instance.busy = True
                    return instance
            if len(self._instances) >= self._max_instances:
                self._evict()
            instance = Instance(spec, self._codes, self._folder, self._python)
            self._instances.append(instance)
            return instance

    def _evict(self) -> None:
        idle = [instance for instance in self._instances if not instance.busy]
        if not idle:
            raise BrokenError(KernelCode.OVERLOADED)
        self._drop(min(idle, key=lambda each: each.idle_since))

    def _drop(self, instance: Instance) -> None:
        self._instances.remove(instance)
        instance.end()
        self._codes.trim({each.spec.code_digest for each in self._instances})
        self._changed.notify_all()

    def _give_back(self, instance: Instance) -> None:
        with self._changed:
            instance.busy = False
            instance.idle_since = time.monotonic()
            if self._closed or not instance.usable:
                self._drop(instance)
            self._changed.notify_all()

    def _reap(self) -> None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                due = {each: each.idle_since + self._idle_seconds for each in self._instances if not each.busy}
                for instance in [each for each, at in due.items() if at <= now]:
                    self._drop(instance)
                left = [at - now for at in due.values() if at > now]
                self._changed.wait(min(left, default=None))

    def forget(self, urn: str) -> None:
        """End the instances of a function, of every version, as soon as each is idle."""
        with self._changed:
            for instance in self._of(urn):
                instance.usable = False
                if not instance.busy:
                    self._drop(instance)

    def kill(self, urn: str) -> int:
        """Kill the instances of a function that run a request, mid-handler; each request then answers 4204.

        Returns:
            How many there were.
        """
        with self._changed:
            busy = [instance for instance in self._of(urn) if instance.busy]
            for instance in busy:
                instance.kill(KernelCode.EXITED)
            return len(busy)

    def cancel(self, request_id: str) -> bool:
        """Stop a running request by force (FunctionGraph API: stopping an invocation); it then answers 4208.

        Returns:
            Whether it ran here.
        """
        with self._changed:
            found = [each for each in self._instances if each.busy and each.request_id == request_id]
            for instance in found:
                instance.kill(KernelCode.CANCELED)
            return bool(found)

    def _of(self, urn: str) -> list[Instance]:
        return [instance for instance in self._instances if function_of(instance.spec.urn) == function_of(urn)]

    def close(self) -> None:
        """End every instance and remove all files; safe to repeat."""
        with self._changed:
            self._closed = True
            for instance in list(self._instances):
                if instance.busy:
                    instance.kill(KernelCode.EXITED)
                else:
                    self._drop(instance)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._instances, CLOSE_SECONDS)
        self._reaper.join(CLOSE_SECONDS)
        self._janitor.communicate()


def function_of(urn: str) -> str:
    """Return a function's URN without version or alias."""
    return ":".join(urn.split(":")[:7])
