"""What a handler is given, and what its caller gets back."""

import re
from pathlib import Path

import pytest

from emulator.functiongraph.runtime.spec import KernelCode
from tests.emulator.functiongraph.runtime.functions import answers, asked, function, said

RAISES = """
def fail():
    raise KeyError("missing")

def handler(event, context):
    fail()
"""


@pytest.mark.parametrize("value", [{"a": [1, None, "ü"]}, [], "text", 3, None])
def test_the_body_is_the_handlers_result_as_json(runner, value):
    result = runner.run(answers("event"), asked(value))
    assert (result.error_code, said(result)) == (0, value)


def test_a_context_tells_the_function_the_request_and_the_agencys_credentials(runner):
    spec = answers(
        "[context.getRequestID(), context.getToken(), context.getSecurityAccessKey(),"
        " context.getSecuritySecretKey(), context.getSecurityToken(), context.getAlias(), context.getFunctionName(),"
        " context.getVersion(), context.getPackage(), context.getProjectID(), context.getMemorySize(),"
        " context.getCPUNumber(), context.getRunningTimeInSeconds(), context.getWorkflowID()]"
    )
    given = {"token": "t", "access_key": "a", "secret_key": "s", "security_token": "st", "alias": "live"}
    first = said(runner.run(spec, asked(**given)))
    assert first[:6] == ["request-1", "t", "a", "s", "st", "live"]
    assert first[6:] == ["probe", "latest", "default", "project", 128, 300, 10, ""]
    assert said(runner.run(spec, asked(request_id="request-2", token="new")))[:3] == ["request-2", "new", ""]


def test_time_left_shrinks_while_the_handler_runs(runner):
    left, later = said(
        runner.run(
            function("""
                import time
                def handler(event, context):
                    first = context.getRemainingTimeInMilliSeconds()
                    time.sleep(0.05)
                    return [first, context.getRemainingTimeInMilliSeconds()]
            """),
            asked(),
        )
    )
    assert 9000 < later <= left - 50 < 10_000


def test_user_variables_come_by_the_context_alone(runner):
    spec = answers(
        '[context.getUserData("COLOUR"), context.getUserData("OTHER"), __import__("os").environ.get("COLOUR")]',
        user_data={"COLOUR": "blue"},
    )
    assert said(runner.run(spec, asked())) == ["blue", None, None]


def test_a_function_sees_the_preset_environment_and_nothing_of_ours(runner, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_EMULATOR", "x")
    environment = said(runner.run(answers('dict(__import__("os").environ)'), asked()))
    assert environment["RUNTIME_HANDLER"] == "index.handler"
    assert environment["RUNTIME_USERDATA"] == "{}"
    assert {name for name in environment if not name.startswith("RUNTIME_")} == {"PATH", "LANG", "TMPDIR", "TZ"}


@pytest.mark.parametrize("library", ["yaml", "requests", "pydantic", "emulator"])
def test_a_library_that_the_zip_does_not_bring_is_missed(runner, library):
    result = runner.run(function(f"import {library}\ndef handler(event, context): pass"), asked())
    assert result.error_code == KernelCode.HANDLER_NOT_FOUND
    assert said(result)["errorType"] == "ModuleNotFoundError"
    assert said(result)["errorMessage"].startswith("function entry exception, error: No module named")


def test_packages_beside_the_handler_and_handlers_in_folders_are_found(runner):
    files = {
        "steps/one.py": "from steps import two\nfrom shared.words import WORD\n"
        "def handler(event, context): return [WORD, two.NAME, __name__]",
        "steps/two.py": "NAME = __name__",
        "shared/__init__.py": "",
        "shared/words.py": "WORD = 'hello'",
    }
    spec = function(files=files, handler="steps/one.handler")
    assert said(runner.run(spec, asked())) == ["hello", "steps.two", "steps.one"]


def test_a_handlers_file_may_bear_the_name_of_a_module_of_python(runner):
    spec = function(files={"json.py": "def handler(event, context): return 'mine'"}, handler="json.handler")
    assert said(runner.run(spec, asked())) == "mine"


def test_an_exception_is_the_callers_to_read_and_the_instance_goes_on(runner):
    spec = function(RAISES)
    first, second = runner.run(spec, asked()), runner.run(spec, asked())
    body = said(first)
    assert first.error_code == second.error_code == KernelCode.HANDLER_RAISED
    assert body["errorMessage"] == "function invocation exception, error: 'missing'"
    assert body["errorType"] == "KeyError"
    assert [re.search(r"line (\d+), in (\w+)", frame).groups() for frame in body["stackTrace"]] == [
        ("6", "handler"),
        ("3", "fail"),
    ]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("{1, 2}", KernelCode.RESULT_NOT_JSON),
        ("b'bytes'", KernelCode.RESULT_NOT_JSON),
        ("'x' * (6 * 1024 * 1024 - 1)", KernelCode.RESPONSE_TOO_LARGE),
        ("__import__('sys').exit(0)", KernelCode.EXITED),
        ("__import__('os')._exit(0)", KernelCode.EXITED),
        ("__import__('os').kill(__import__('os').getpid(), 11)", KernelCode.EXITED),
    ],
)
def test_a_handler_that_does_not_answer_well_says_how(runner, expression, code):
    result = runner.run(answers(expression), asked())
    assert result.error_code == code
    assert said(result)["errorMessage"]
    assert runner.run(answers("'next'"), asked()).error_code == 0


def test_the_largest_bodies_pass(runner):
    text = "x" * (6 * 1024 * 1024 - 2)
    assert said(runner.run(answers("event", memory_size=512), asked(text))) == text


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (function(code=b"no zip"), "cannot be unpacked"),
        (function(handler="index.handler"), "handler 'handler' not found"),
        (function(handler="other.handler"), "not found module 'other.py'"),
        (function("def handler(:"), "invalid syntax"),
        (function("raise OSError('at import')"), "at import"),
    ],
)
def test_code_that_cannot_be_entered_is_an_entry_exception(runner, spec, message):
    result = runner.run(spec, asked())
    assert result.error_code == KernelCode.HANDLER_NOT_FOUND
    assert re.search(message, said(result)["errorMessage"])


def test_a_process_that_exits_while_it_is_loaded_failed_to_start(runner):
    assert runner.run(function("import os\nos._exit(0)"), asked()).error_code == KernelCode.START_FAILED
    assert runner.run(answers("1", runtime="Node.js20.15"), asked()).error_code == KernelCode.START_FAILED


def test_code_and_working_directory_are_read_only_and_the_temporary_folder_is_not(runner):
    spec = function("""
        import os, tempfile
        def writable(folder):
            try:
                with open(os.path.join(folder, "new"), "w"):
                    return True
            except OSError:
                return False
        def handler(event, context):
            root = os.environ["RUNTIME_CODE_ROOT"]
            try:
                open(os.path.join(root, "index.py"), "a").close()
            except PermissionError:
                return [writable(root), writable("."), writable(tempfile.gettempdir()), tempfile.gettempdir(), root]
    """)
    code, here, temporary, folder, root = said(runner.run(spec, asked()))
    assert (code, here, temporary) == (False, False, True)
    assert folder != "/tmp"
    runner.close()
    assert not Path(folder).exists()
    assert not Path(root).exists()


INITIALIZED = """
import os
def initializer(context):
    with open(os.environ["TMPDIR"] + "/tries", "a") as tries:
        tries.write("x")
    if os.path.getsize(os.environ["TMPDIR"] + "/tries") < {until}:
        raise RuntimeError("not yet")
def handler(event, context):
    return os.path.getsize(os.environ["TMPDIR"] + "/tries")
"""


@pytest.mark.parametrize("until", [1, 4])
def test_an_initializer_runs_once_per_instance_and_again_if_it_fails(runner, until):
    spec = function(INITIALIZED.format(until=until), initializer_handler="index.initializer")
    assert [said(runner.run(spec, asked())) for _ in range(2)] == [until, until]


def test_an_initializer_that_keeps_failing_is_the_answer(runner):
    spec = function(INITIALIZED.format(until=5), initializer_handler="index.initializer")
    result = runner.run(spec, asked())
    assert result.error_code == KernelCode.INITIALIZER_RAISED
    assert said(result)["errorMessage"] == "function initialization exception, error: not yet"


def test_the_log_holds_prints_and_log_lines_in_order_between_its_frame(runner):
    spec = function("""
        import subprocess, sys
        def handler(event, context):
            log = context.getLogger()
            print("printed")
            log.info("said %s", event)
            log.debug("hidden")
            print("complained", file=sys.stderr)
            subprocess.run(["echo", "echoed"])
            log.error("last")
    """)
    runner.run(spec, asked("first"))
    lines = runner.run(spec, asked("second", request_id="request-2")).log.splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
    patterns = [
        time + r"Z Start invoke request 'request-2', version: latest",
        "printed",
        time + r"\.\d{9}\+00:00 request-2 [0-9a-f-]{36} INFO said second",
        "complained",
        "echoed",
        time + r"\.\d{9}\+00:00 request-2 [0-9a-f-]{36} ERROR last",
        time + r"Z Finish invoke request 'request-2', duration: \d+\.\d{3}ms, billing duration: \d+ms, "
        r"memory used: \d+\.\d{3}MB, billing memory: 128MB, cpu used: 0\.300U, storage used: 0\.000MB",
    ]
    assert len(lines) == len(patterns)
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(patterns, lines, strict=True))


def test_a_user_variable_sets_the_log_level_and_long_lines_are_split(runner):
    spec = answers("context.getLogger().debug('x' * 100_000)", user_data={"RUNTIME_LOG_LEVEL": "DEBUG"})
    lines = runner.run(spec, asked()).log.splitlines()[1:-1]
    assert [line.count("x") for line in lines] == [92_160, 7_840]
