"""The transport inside a function: a token, a `requests` session, real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from emulator import Emulator, Fault, World
from emulator.server import serve
from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.otc.cloud import Cloud
from shared.otc.problems import ambiguous
from shared.otc.transport import READ_TIMEOUT, Call, Service, TokenTransport


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


class _Patience(BaseAdapter):
    """Answers at once, and notes how long it would have been waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def send(self, request: requests.PreparedRequest, timeout: Any = None, **_: Any) -> requests.Response:  # type: ignore[override]  # only what is looked at
        self.seconds.append(timeout[1])
        answer = requests.Response()
        answer.status_code, answer.request, answer.url, answer._content = 200, request, request.url or "", b"{}"
        return answer

    def close(self) -> None:
        """Nothing is open."""


def test_the_answer_of_a_call_is_waited_for_as_long_as_the_call_says():
    call = Call(Service.FUNCTIONGRAPH, "POST", "/invocations", "functiongraph:function:invoke")
    with requests.Session() as session:
        session.mount("http://", patience := _Patience())
        endpoints = dict.fromkeys(Service, "http://fgs.example")
        transport = TokenTransport(session, "token", project_id="5f0d", region="eu-de", endpoints=endpoints)
        transport.send(call)
        transport.send(replace(call, timeout=95.0))
    assert patience.seconds == [READ_TIMEOUT, 95.0]
