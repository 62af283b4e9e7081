"""The transport inside a function: a token, a `requests` session, real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator import Emulator, Fault, World
from emulator.server import serve
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.problems import ambiguous
from shared.otc.transport import Service, TokenTransport


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator(World.small())
    yield emulator
    emulator.close()


@pytest.fixture
def cloud(emulator: Emulator) -> Iterator[Cloud]:
    with emulator.change() as account:
        user, project = (next(iter(table.values())) for table in (account.world.iam.users, account.world.iam.projects))
        token = account.iam.issue(user, project, "password").id
    with serve(emulator) as server, requests.Session() as session:
        endpoints = dict.fromkeys(Service, server.url)
        yield Cloud(TokenTransport(session, token, project_id=project.id, region="eu-de", endpoints=endpoints))


def test_a_token_is_enough_for_every_service(cloud: Cloud):
    assert cloud.elb.ip_groups() == []
    assert cloud.eip.public_ips() == []
    assert cloud.vpc.vpcs(ids=[vpc.id for vpc in cloud.vpc.vpcs()]) == cloud.vpc.vpcs()
    assert cloud.dcs.instances()[0].status == "RUNNING"


def test_a_token_that_has_expired_is_told(emulator: Emulator, cloud: Cloud):
    with emulator.change() as account:
        account.iam.expire_tokens()
    for look in (cloud.elb.ip_groups, cloud.eip.public_ips, cloud.vpc.peerings, cloud.dcs.instances):
        with pytest.raises(PermanentError) as caught:
            look()
        assert caught.value.code is ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_mutation_whose_answer_is_lost_is_sent_once(emulator: Emulator, cloud: Cloud, when: str):
    cloud.elb.ip_groups()
    emulator.faults.add(Fault.model_validate({"method": "POST", "when": when, "lost": True}))
    with pytest.raises(TemporaryError) as caught:
        cloud.elb.create_ip_group("g", "", ["203.0.113.0/24"])
    assert ambiguous(caught.value)
    assert len([call for call in emulator.calls if call.mutating]) == 1
    assert len(cloud.elb.ip_groups()) == (1 if when == "after" else 0)
