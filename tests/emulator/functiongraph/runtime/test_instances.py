"""How long an instance lives, what ends it, and that nothing of it is left."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.functiongraph.runtime.process import ProcessRunner
from emulator.functiongraph.runtime.spec import KernelCode
from tests.emulator.functiongraph.runtime.functions import URN, answers, asked, function, said

PID = "__import__('os').getpid()"
COUNTER = """
import os
count = 0
def handler(event, context):
    global count
    count += 1
    return [os.getpid(), count]
"""
STALLS = """
import os, re, time
def handler(event, context):
    with open(event, "w") as file:
        file.write(str(os.getpid()))
    print("at work", flush=True)
    {stall}
"""
SLEEPS = STALLS.format(stall="time.sleep(30)")
HOLDS_THE_INTERPRETER = STALLS.format(stall="re.match('(a+)+$', 'a' * 60 + 'b')")


def eventually(check, seconds=2.0):
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


def gone(pid):
    """Tell whether there is no such process, not even as a zombie."""
    return not Path(f"/proc/{pid}").exists()


def ended(pid):
    """Tell whether a process runs no more; reaping an orphan is not ours."""
    return gone(pid) or "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


def at_work(file):
    return int(eventually(lambda: file.exists() and file.read_text()))


@pytest.fixture
def pool():
    with ThreadPoolExecutor() as pool:
        yield pool


def test_a_warm_instance_is_used_again_and_keeps_its_module(runner):
    spec = function(COUNTER)
    (first, one), (second, two) = (said(runner.run(spec, asked())) for _ in range(2))
    assert (first, one, two) == (second, 1, 2)


@pytest.mark.parametrize("change", [{"user_data": {"A": "1"}}, {"timeout": 9}, {"version": "v1"}, {"urn": URN + "s"}])
def test_another_function_or_configuration_is_another_instance(runner, change):
    spec = function(COUNTER)
    (first, _), (second, count) = (said(runner.run(each, asked())) for each in (spec, replace(spec, **change)))
    assert (first != second, count) == (True, 1)


def test_requests_at_once_run_side_by_side_in_instances_of_their_own(runner, pool, tmp_path):
    meeting = function("""
        import os, time
        def handler(event, context):
            open(f"{event}/{os.getpid()}", "w").close()
            while len(os.listdir(event)) < 3:
                time.sleep(0.005)
            return os.getpid()
    """)
    met = list(pool.map(lambda _: said(runner.run(meeting, asked(str(tmp_path)))), range(3)))
    assert len(set(met)) == 3


def test_beyond_the_cap_idle_instances_give_way_and_busy_ones_do_not(pool, tmp_path):
    runner = ProcessRunner(max_instances=1)
    idle = said(runner.run(answers(PID), asked()))
    running = pool.submit(runner.run, function(SLEEPS), asked(str(tmp_path / "pid")))
    at_work(tmp_path / "pid")
    assert gone(idle)
    assert runner.run(answers(PID), asked()).error_code == KernelCode.OVERLOADED
    runner.close()
    assert running.result().error_code == KernelCode.EXITED


def test_an_instance_without_requests_ends_after_its_idle_life():
    runner = ProcessRunner(idle_seconds=0.05)
    pid = said(runner.run(answers(PID), asked()))
    eventually(lambda: gone(pid))
    assert said(runner.run(answers(PID), asked())) != pid
    runner.close()


def test_a_forgotten_function_starts_anew_and_others_stay_warm(runner):
    spec, other = answers(PID), answers(PID, urn=URN + "-other")
    before = [said(runner.run(each, asked())) for each in (spec, other)]
    runner.forget(URN + ":latest")
    assert gone(before[0])
    assert [said(runner.run(each, asked())) == pid for each, pid in zip((spec, other), before, strict=True)] == [
        False,
        True,
    ]


def test_a_function_forgotten_while_it_runs_answers_and_then_ends(runner, pool, tmp_path):
    go, at = tmp_path / "go", tmp_path / "pid"
    stall = f"while not os.path.exists({str(go)!r}): time.sleep(0.005)\n    return 'answered'"
    running = pool.submit(runner.run, function(STALLS.format(stall=stall)), asked(str(at)))
    pid = at_work(at)
    runner.forget(URN)
    go.touch()
    assert said(running.result()) == "answered"
    assert gone(pid)


def test_an_instance_that_died_while_idle_is_not_used(runner):
    spec = answers(PID)
    pid = said(runner.run(spec, asked()))
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: ended(pid))
    assert said(runner.run(spec, asked())) != pid


@pytest.mark.parametrize("stall", [SLEEPS, HOLDS_THE_INTERPRETER])
def test_a_handler_past_its_time_is_killed_and_its_log_is_kept(runner, tmp_path, stall):
    result = runner.run(function(stall, timeout=1), asked(str(tmp_path / "pid")))
    assert result.error_code == KernelCode.TIMED_OUT
    assert said(result)["errorMessage"] == "function invocation timed out after 1 seconds"
    assert "at work" in result.log
    assert result.duration_ms >= 1000
    assert gone((tmp_path / "pid").read_text())


def test_an_initializer_past_its_time_is_killed(runner):
    slow = "import time\ndef initializer(context): time.sleep(30)\ndef handler(event, context): pass"
    result = runner.run(function(slow, initializer_handler="index.initializer"), asked())
    assert result.error_code == KernelCode.INITIALIZER_TIMED_OUT


@pytest.mark.parametrize(
    "greedy",
    [
        "kept = b'x' * 200_000_000\n    time.sleep(30)",
        "kept = b'x' * 200_000_000\n    del kept",
        "raise MemoryError",
    ],
)
def test_more_memory_than_the_functions_is_its_end(runner, tmp_path, greedy):
    result = runner.run(function(STALLS.format(stall=greedy)), asked(str(tmp_path / "pid")))
    assert result.error_code == KernelCode.OUT_OF_MEMORY
    assert gone((tmp_path / "pid").read_text())


def test_memory_that_is_only_reserved_by_threads_does_not_count(runner):
    spec = function("""
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier
        def handler(event, context):
            meeting = Barrier(40)
            with ThreadPoolExecutor(40) as pool:
                return len([pool.submit(meeting.wait) for _ in range(40)])
    """)
    result = runner.run(spec, asked())
    assert (said(result), result.error_code) == (40, 0)
    assert 5 < result.memory_mb < 128


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda runner: runner.kill(URN), KernelCode.EXITED),
        (lambda runner: runner.cancel("request-1"), KernelCode.CANCELED),
        (lambda runner: runner.close(), KernelCode.EXITED),
    ],
)
def test_a_request_can_be_ended_mid_handler_with_all_that_it_started(runner, pool, tmp_path, end, code):
    stall = "import subprocess; subprocess.run(['sh', '-c', f'echo $$ > {event}.child; sleep 30 & wait'])"
    running = pool.submit(runner.run, function(STALLS.format(stall=stall)), asked(str(tmp_path / "pid")))
    pids = [at_work(tmp_path / name) for name in ("pid", "pid.child")]
    end(runner)
    assert running.result().error_code == code
    assert gone(pids[0])
    eventually(lambda: ended(pids[1]))


def test_ending_what_does_not_run_ends_nothing(runner):
    spec = answers(PID)
    pid = said(runner.run(spec, asked()))
    assert (runner.kill(URN), runner.cancel("request-1")) == (0, False)
    assert said(runner.run(spec, asked())) == pid


def test_a_closed_runner_refuses(runner):
    runner.close()
    runner.close()
    assert runner.run(answers(PID), asked()).error_code == KernelCode.START_FAILED


def test_a_child_has_no_file_of_ours_open(runner, tmp_path):
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        spec = function("""
            import os
            def handler(event, context):
                return [os.readlink(f"/proc/self/fd/{n}") for n in range(100) if os.path.exists(f"/proc/self/fd/{n}")]
        """)
        opened = said(runner.run(spec, asked()))
    assert str(tmp_path / "ours") not in opened
    assert len(opened) == 5  # three standard ones, the channel and the lifeline


def test_no_file_descriptor_is_left_by_instances_that_ended(runner):
    runner.run(answers("'first'"), asked())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(3):
        runner.run(answers(f"{number}"), asked())
        runner.run(answers("__import__('os')._exit(0)"), asked())
    runner.forget(URN)
    assert len(list(Path("/proc/self/fd").iterdir())) < before


def test_when_the_emulators_process_is_killed_nothing_is_left(tmp_path):
    program = f"""
        from threading import Thread
        from emulator.functiongraph.runtime.process import ProcessRunner
        from tests.emulator.functiongraph.runtime.functions import answers, asked, function, said
        runner = ProcessRunner()
        print(said(runner.run(answers({PID!r}), asked())), runner._folder, flush=True)
        for number, source in enumerate({[SLEEPS, HOLDS_THE_INTERPRETER]!r}):
            file = {str(tmp_path)!r} + "/" + str(number)
            Thread(target=runner.run, args=[function(source, timeout=60), asked(file)]).start()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as emulator:
        idle, folder = emulator.stdout.readline().split()
        pids = [idle, *(at_work(tmp_path / name) for name in "01")]
        emulator.kill()
    eventually(lambda: all(ended(pid) for pid in pids) and not Path(folder).exists())


def test_an_instance_that_the_machine_cannot_start_is_a_failed_start_and_nothing_of_it_is_left(tmp_path):
    runner = ProcessRunner(python=str(tmp_path / "missing"))
    result = runner.run(answers("1"), asked())
    assert result.error_code == KernelCode.START_FAILED
    assert "cannot be started" in said(result)["errorMessage"]
    assert runner._instances == []
    runner.close()
