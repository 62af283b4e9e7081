import pytest

from tests.emulator.elb.cloud import Cloud


@pytest.fixture
def cloud():
    return Cloud()
