"""The program of one instance: it loads the function, then answers one request after the other.

It runs alone, before and beside the user's code: with the standard library only, and little of that, because every
import here is part of each cold start.
"""
# ruff: noqa: N802 - the platform's own names

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False  # a type checker takes it for true; importing typing would cost more than the rest
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any

HANDLER_NOT_FOUND = 4001
HANDLER_RAISED = 4002
RESPONSE_TOO_LARGE = 4004
RESULT_NOT_JSON = 4007
INITIALIZER_RAISED = 4009
OUT_OF_MEMORY = 4205

INITIALIZER_ATTEMPTS = 4
LONGEST_LOG_TEXT = 90 * 1024
OPEN_FILES = 2048
LARGEST_FILE = 512 * 1024 * 1024

CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
PR_CAPBSET_DROP = 24


class FunctionLoadError(Exception):
    """The file that the handler names is not in the code."""


class FunctionConfigError(Exception):
    """The file has no such function."""


class FailureError(Exception):
    """An end of a request that the caller sees: its code and the body that explains it."""

    def __init__(self, code: int, prefix: str, error: BaseException) -> None:
        super().__init__(code)
        self.code = code
        text = {"errorMessage": f"{prefix}, error: {error}", "errorType": type(error).__name__}
        self.body = json.dumps({**text, "stackTrace": stack_trace(error)}).encode()


class Context:
    """What the platform hands to a handler besides the event.

    Args:
        environment: The preset `RUNTIME_*` variables.
        request: What is particular to this request: ids and the agency's credentials.
    """

    def __init__(self, environment: dict[str, str], request: dict[str, str]) -> None:
        self._environment = environment
        self._request = request
        self._started = time.monotonic()
        self._user_data = json.loads(environment["RUNTIME_USERDATA"] or "{}")

    def getRequestID(self) -> str:
        """Return the id of this request."""
        return self._request["request_id"]

    def get_trace_id(self) -> str:
        """Return the id of this request."""
        return self.getRequestID()

    def get_invoke_id(self) -> str:
        """Return the id of this delivery of the request."""
        return self._request["invoke_id"]

    def getRemainingTimeInMilliSeconds(self) -> int:
        """Return how long the handler may still run."""
        used = time.monotonic() - self._started
        return int((self.getRunningTimeInSeconds() - used) * 1000)

    def getRunningTimeInSeconds(self) -> int:
        """Return how long the handler may run in all."""
        return int(self._environment["RUNTIME_TIMEOUT"])

    def getSecurityAccessKey(self) -> str:
        """Return the agency's temporary access key."""
        return self._request["access_key"]

    def getSecuritySecretKey(self) -> str:
        """Return the agency's temporary secret key."""
        return self._request["secret_key"]

    def getSecurityToken(self) -> str:
        """Return the security token that goes with the temporary keys."""
        return self._request["security_token"]

    def getToken(self) -> str:
        """Return the agency's project token."""
        return self._request["token"]

    def getAccessKey(self) -> str:
        """Return nothing: the platform no longer keeps these keys up."""
        return ""

    def getSecretKey(self) -> str:
        """Return nothing: the platform no longer keeps these keys up."""
        return ""

    def getUserData(self, key: str) -> Any:
        """Return a user variable, None if there is none of that name."""
        return self._user_data.get(key)

    def getFunctionName(self) -> str:
        """Return the function's name."""
        return self._environment["RUNTIME_FUNC_NAME"]

    def getVersion(self) -> str:
        """Return the function's version."""
        return self._environment["RUNTIME_FUNC_VERSION"]

    def getAlias(self) -> str:
        """Return the alias that the caller used, if one."""
        return self._request["alias"]

    def getPackage(self) -> str:
        """Return the application that the function belongs to."""
        return self._environment["RUNTIME_PACKAGE"]

    def getProjectID(self) -> str:
        """Return the project that the function belongs to."""
        return self._environment["RUNTIME_PROJECT_ID"]

    def getMemorySize(self) -> int:
        """Return the function's memory in MB."""
        return int(self._environment["RUNTIME_MEMORY"])

    def getCPUNumber(self) -> int:
        """Return the function's share of a processor in thousandths."""
        return int(self._environment["RUNTIME_CPU"])

    def getLogger(self) -> logging.Logger:
        """Return the logger whose lines bear this request's id."""
        return logger(self.getRequestID(), self.get_invoke_id(), self.getUserData("RUNTIME_LOG_LEVEL") or "INFO")

    def getWorkflowID(self) -> str:
        """Return nothing: there is no workflow service."""
        return ""

    def getWorkflowRunID(self) -> str:
        """Return nothing: there is no workflow service."""
        return ""

    def getWorkflowStateID(self) -> str:
        """Return nothing: there is no workflow service."""
        return ""


def logger(request_id: str, invoke_id: str, level: str) -> logging.Logger:
    """Return the root logger, which from now on writes `time requestId invokeId LEVEL message`."""
    import logging  # noqa: PLC0415 - a handler that does not log need not pay for it

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = self.format(record)
            now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            head = f"{now}.{int(record.created % 1 * 1e9):09d}+00:00 {request_id} {invoke_id} {record.levelname}"
            for start in range(0, len(text) or 1, LONGEST_LOG_TEXT):
                sys.stdout.write(f"{head} {text[start : start + LONGEST_LOG_TEXT]}\n")

    root, lines = logging.getLogger(), Lines()
    lines.name = "platform"
    root.handlers = [handler for handler in root.handlers if handler.name != lines.name] + [lines]
    root.setLevel(level)
    return root


def stack_trace(error: BaseException) -> list[str]:
    """Return the frames of the user's code, innermost last."""
    import traceback  # noqa: PLC0415 - only a failure pays for it

    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<frozen")]
    return [line.strip() for line in traceback.format_list(own)]


def function_of(named: str, code_root: str) -> Callable[..., Any]:
    """Return the function that `folder/file.function` names; a file is executed once.

    Raises:
        FunctionLoadError: If there is no such file.
        FunctionConfigError: If the file has no such function.
    """
    path, _, name = named.rpartition(".")
    module_name = path.replace("/", ".")
    file = os.path.join(code_root, path + ".py")  # noqa: PTH118 - pathlib would cost as much as the rest
    if module_name not in loaded:
        spec = spec_from_file_location(module_name, file)
        if spec is None or spec.loader is None or not os.path.isfile(file):  # noqa: PTH113
            raise FunctionLoadError(f"not found module '{path}.py'")
        # By its path and not by its name, which a module of the standard library may have too.
        sys.modules[module_name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
        loaded[module_name] = module
    function = getattr(loaded[module_name], name, None)
    if not callable(function):
        raise FunctionConfigError(f"handler '{name}' not found in module '{path}.py'")
    return function  # type: ignore[no-any-return]


loaded: dict[str, Any] = {}


def imported(environment: dict[str, str]) -> Callable[..., Any]:
    """Return the handler.

    Raises:
        FailureError: If it is not there, or its module fails.
    """
    try:
        return function_of(environment["RUNTIME_HANDLER"], environment["RUNTIME_CODE_ROOT"])
    except Exception as error:  # noqa: BLE001 - the border to the user's code
        raise FailureError(HANDLER_NOT_FOUND, "function entry exception", error) from None


def initialize(context: Context, environment: dict[str, str]) -> None:
    """Run the initializer, again if it fails.

    Raises:
        FailureError: If it fails each time.
    """
    for attempt in range(1, INITIALIZER_ATTEMPTS + 1):
        try:
            function_of(environment["RUNTIME_INITIALIZER_HANDLER"], environment["RUNTIME_CODE_ROOT"])(context)
        except Exception as error:  # noqa: BLE001 - the border to the user's code
            if attempt == INITIALIZER_ATTEMPTS:
                raise FailureError(INITIALIZER_RAISED, "function initialization exception", error) from None
        else:
            return


def call(handler: Callable[..., Any], event: bytes, context: Context) -> Any:
    """Return what the handler returns.

    Raises:
        FailureError: If it raises.
    """
    try:
        return handler(json.loads(event), context)
    except MemoryError as error:
        raise FailureError(OUT_OF_MEMORY, "function invocation exception", error) from None
    except Exception as error:  # noqa: BLE001 - the border to the user's code
        raise FailureError(HANDLER_RAISED, "function invocation exception", error) from None


def body_of(result: Any, largest: int) -> bytes:
    """Write a result as JSON.

    Raises:
        FailureError: If it cannot be, or is too large.
    """
    try:
        body = json.dumps(result).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FailureError(RESULT_NOT_JSON, "function result is invalid", error) from None
    if len(body) > largest:
        excess = ValueError(f"response body size {len(body)} exceeds the limit of {largest}")
        raise FailureError(RESPONSE_TOO_LARGE, "the return value of the function is too large", excess)
    return body


def answer(channel: int, stage: str, code: int = 0, body: bytes = b"", duration_ms: float = 0.0) -> None:
    """Write one answer: a line of JSON, then the body that it announces."""
    head = json.dumps({"stage": stage, "code": code, "duration_ms": duration_ms, "size": len(body)})
    rest = memoryview(head.encode() + b"\n" + body)
    while rest:
        rest = rest[os.write(channel, rest) :]


def loaded_handler(channel: int, environment: dict[str, str], request: dict[str, str]) -> Callable[..., Any]:
    """Return the handler, having said how far it is after each part whose time is limited.

    Raises:
        FailureError: If it cannot be loaded.
    """
    handler = imported(environment)
    answer(channel, "imported")
    if environment["RUNTIME_INITIALIZER_HANDLER"]:
        initialize(Context(environment, request), environment)
        answer(channel, "initialized")
    return handler


def serve(channel: int, environment: dict[str, str]) -> None:
    """Answer requests until there are no more, or until the function could not be loaded."""
    handler = None
    with os.fdopen(channel, "rb", closefd=False) as requests:
        while line := requests.readline():
            request = json.loads(line)
            event = requests.read(request["size"])
            try:
                handler = handler or loaded_handler(channel, environment, request)
            except FailureError as failure:
                answer(channel, "failed", failure.code, failure.body)
                return
            context, started = Context(environment, request), time.perf_counter()
            try:
                code, body = 0, body_of(call(handler, event, context), int(environment["RUNTIME_MAX_RESP_BODY_SIZE"]))
            except FailureError as failure:
                code, body = failure.code, failure.body
            answer(channel, "done", code, body, (time.perf_counter() - started) * 1000)


def die_with(lifeline: int) -> None:
    """End this process and all that it started when the other end of a pipe closes, whatever runs here then."""
    if hasattr(fcntl, "F_SETSIG"):
        # The kernel's own doing: it needs no thread here, which a long call into C could keep from running.
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, 9)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        try:
            end_at_close(lifeline)
        except BlockingIOError:
            return
    else:
        from threading import Thread  # noqa: PLC0415 - only where the kernel cannot

        Thread(target=end_at_close, args=[lifeline], daemon=True).start()


def end_at_close(lifeline: int) -> None:
    """Wait until the other end closes, then end this process and all that it started."""
    os.read(lifeline, 1)
    os.killpg(0, 9)


def obey_file_modes() -> None:
    """Give up root's right to write what is read-only, for good."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return
    import ctypes  # noqa: PLC0415 - only root pays for it

    libc = ctypes.CDLL(None)
    libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    for index in range(3):
        sets[index] &= ~(1 << CAP_DAC_OVERRIDE)
    libc.capset(header, sets)


def limit_files() -> None:
    """Set the platform's limits on open files, and on the size of a file."""
    import resource  # noqa: PLC0415 - beside the call that needs it

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(channel: int, lifeline: int) -> None:
    """Be an instance."""
    die_with(lifeline)
    obey_file_modes()
    limit_files()
    for descriptor in (channel, lifeline):
        os.set_inheritable(descriptor, False)
    environment = dict(os.environ)
    sys.path.insert(0, environment["RUNTIME_CODE_ROOT"])
    try:
        serve(channel, environment)
    finally:
        # Without waiting for threads that the handler left behind.
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
