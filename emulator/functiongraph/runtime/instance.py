"""One instance of a function: one request at a time, within the function's limits."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from uuid import uuid4

from emulator.functiongraph.runtime.child import Child, LostError, Reply
from emulator.functiongraph.runtime.code import BadCodeError, CodeStore, remove
from emulator.functiongraph.runtime.environment import millicores, preset
from emulator.functiongraph.runtime.spec import FunctionSpec, Invocation, KernelCode, RunResult

MEMORY_LOOK_SECONDS = 0.05
# The platform's limit for imports alone is not documented.
IMPORT_SECONDS = 60
TEMPORARY = "tmp"

ENDS = {
    KernelCode.TIMED_OUT: "function invocation timed out",
    KernelCode.INITIALIZER_TIMED_OUT: "function initialization timed out",
    KernelCode.START_FAILED: "the runtime process exited while the function was loaded",
    KernelCode.EXITED: "the runtime process exited",
    KernelCode.OUT_OF_MEMORY: "the function ran out of memory",
    KernelCode.CANCELED: "the invocation was canceled",
    KernelCode.OVERLOADED: "too many instances are at work",
}


class BrokenError(Exception):
    """The instance ended without the handler's answer, or has to be ended."""

    def __init__(self, code: KernelCode, message: str = "") -> None:
        super().__init__(message or ENDS[code])
        self.code = code


class Instance:
    """A process that is started at the first request, kept for further ones, and not kept once anything went wrong.

    Its memory is the most that it ever held resident, all threads and libraries included, processes that the handler
    starts left out.

    Args:
        spec: What it runs.
        codes: Where unpacked code is.
        folder: Where to make a folder of its own.
        python: The interpreter.
    """

    def __init__(self, spec: FunctionSpec, codes: CodeStore, folder: Path, python: str) -> None:
        self.spec = spec
        self.request_id = ""
        self.usable = True
        self.busy = True
        self.idle_since = 0.0
        self._codes = codes
        self._folder = folder
        self._python = python
        self._home: Path | None = None
        self._child: Child | None = None
        self._loaded = False
        self._verdict: KernelCode | None = None
        # When what is waited for now began.
        self._since = 0.0
        self._lock = Lock()

    @property
    def alive(self) -> bool:
        """Whether a further request can be sent to it."""
        return self.usable and self._child is not None and self._child.alive

    def run(self, invocation: Invocation) -> RunResult:
        """Run one request to its end."""
        self.request_id = invocation.request_id
        self._since, began = time.monotonic(), datetime.now(UTC)
        try:
            child = self._child or self._start()
            reply = self._exchange(child, invocation)
        except BrokenError as broken:
            self.usable = False
            elapsed = (time.monotonic() - self._since) * 1000
            reply = Reply("failed", broken.code, elapsed, error_body(broken))
        self.request_id = ""
        return self._result(invocation, reply, began)

    def _start(self) -> Child:
        try:
            return self._launched()
        except OSError as error:
            raise BrokenError(KernelCode.START_FAILED, f"the instance cannot be started: {error}") from error

    def _launched(self) -> Child:
        if not self.spec.runtime.startswith("Python"):
            raise BrokenError(KernelCode.START_FAILED, f"there is no runtime {self.spec.runtime} here")
        try:
            root = self._codes.root(self.spec.code_digest, self.spec.code)
        except BadCodeError as error:
            raise BrokenError(KernelCode.HANDLER_NOT_FOUND, f"function entry exception, error: {error}") from error
        self._home = Path(mkdtemp(dir=self._folder))
        (self._home / TEMPORARY).mkdir()
        self._home.chmod(0o555)
        with self._lock:
            if self._verdict is not None:
                raise BrokenError(self._verdict)
            self._child = Child(self._python, preset(self.spec, root, self._home / TEMPORARY), self._home)
        return self._child

    def _exchange(self, child: Child, invocation: Invocation) -> Reply:
        head = {
            "request_id": invocation.request_id,
            "invoke_id": str(uuid4()),
            "token": invocation.token,
            "access_key": invocation.access_key,
            "secret_key": invocation.secret_key,
            "security_token": invocation.security_token,
            "alias": invocation.alias,
        }
        try:
            child.send(head, invocation.event)
        except LostError:
            raise BrokenError(self._verdict or KernelCode.EXITED) from None
        return self._load(child) or self._await(child, self.spec.timeout, KernelCode.TIMED_OUT, KernelCode.EXITED)

    def _load(self, child: Child) -> Reply | None:
        limits = [IMPORT_SECONDS] + ([self.spec.initializer_timeout] if self.spec.initializer_handler else [])
        for limit in () if self._loaded else limits:
            reply = self._await(child, limit, KernelCode.INITIALIZER_TIMED_OUT, KernelCode.START_FAILED)
            if reply.stage == "failed":
                self.usable = False
                return reply
        self._loaded = True
        return None

    def _await(self, child: Child, seconds: float, late: KernelCode, lost: KernelCode) -> Reply:
        self._since = time.monotonic()
        deadline = self._since + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                reply = child.receive(min(MEMORY_LOOK_SECONDS, left))
            except LostError:
                raise BrokenError(self._verdict or lost) from None
            if child.peak_memory() > self.spec.memory_size:
                raise BrokenError(KernelCode.OUT_OF_MEMORY)
            if reply:
                return reply
        raise BrokenError(late, f"{ENDS[late]} after {seconds} seconds")

    def _result(self, invocation: Invocation, reply: Reply, began: datetime) -> RunResult:
        memory = self._child.peak_memory() if self._child else 0.0
        written = self._child.take_log() if self._child else ""
        if reply.code == KernelCode.OUT_OF_MEMORY:
            self.usable = False
        if written and not written.endswith("\n"):
            written += "\n"
        log = (
            f"{stamp(began)} Start invoke request '{invocation.request_id}', version: {self.spec.version}\n"
            f"{written}"
            f"{stamp(datetime.now(UTC))} Finish invoke request '{invocation.request_id}', "
            f"duration: {reply.duration_ms:.3f}ms, billing duration: {-int(-reply.duration_ms // 1)}ms, "
            f"memory used: {memory:.3f}MB, billing memory: {self.spec.memory_size}MB, "
            f"cpu used: {millicores(self.spec.memory_size) / 1000:.3f}U, storage used: {self._storage():.3f}MB\n"
        )
        return RunResult(reply.code, reply.body, log, reply.duration_ms, memory)

    def _storage(self) -> float:
        files = (self._home / TEMPORARY).rglob("*") if self._home else ()
        return sum(file.lstat().st_size for file in files if file.is_file()) / 2**20

    def kill(self, verdict: KernelCode) -> None:
        """End the process from another thread; the request that it runs then answers with `verdict`."""
        with self._lock:
            self._verdict = verdict
            # The request may be over by now; the next one must not meet its end.
            self.usable = False
            if self._child:
                self._child.kill()

    def end(self) -> None:
        """End the process and remove its files; nothing may run any more."""
        self.usable = False
        with self._lock:
            if self._child:
                self._child.end()
        if self._home:
            remove(self._home)


def error_body(error: BrokenError) -> bytes:
    """Write what a caller sees of an instance that ended."""
    return json.dumps({"errorMessage": str(error), "errorType": error.code.name, "stackTrace": []}).encode()


def stamp(at: datetime) -> str:
    """Write a time as the platform's log does."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
