import pytest

from emulator.functiongraph.runtime.process import ProcessRunner


@pytest.fixture
def runner():
    runner = ProcessRunner()
    yield runner
    runner.close()
