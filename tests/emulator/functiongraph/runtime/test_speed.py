"""What an instance costs beyond the least that another process must cost, in the same run."""

import subprocess
import sys
import time
from statistics import median

import pytest

from tests.emulator.functiongraph.runtime.functions import answers, asked

pytestmark = pytest.mark.slow

ECHO = "import sys\nfor line in sys.stdin.buffer:\n    sys.stdout.buffer.write(line)\n    sys.stdout.buffer.flush()"


def milliseconds(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def test_a_warm_invocation_costs_little_more_than_a_round_trip_through_a_pipe(runner):
    spec = answers("event")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", ECHO], **pipes) as echo:

        def round_trip():
            echo.stdin.write(b'{"event": 1}\n')
            echo.stdin.flush()
            echo.stdout.readline()

        # In turns, so that what else the machine does slows both.
        pairs = [(milliseconds(lambda: runner.run(spec, asked(1))), milliseconds(round_trip)) for _ in range(500)]
    warm, bare = (median(times) for times in zip(*pairs, strict=True))
    assert warm < 20 * bare
    assert warm - bare < 10


def test_a_cold_start_costs_little_more_than_that_of_the_interpreter(runner):
    pairs = [
        (
            milliseconds(lambda number=number: runner.run(answers(f"{number}"), asked())),
            milliseconds(lambda: subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)),
        )
        for number in range(20)
    ]
    cold, bare = (median(times) for times in zip(*pairs, strict=True))
    assert cold < 6 * bare
