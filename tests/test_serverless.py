"""The whole chain: a served cloud runs the very zip, in processes of its own, from a message to the event."""

from __future__ import annotations

import hmac
import json
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from cli.deploy.actions import statements
from cli.deploy.run import site_of
from cli.emulating import running, write_clouds
from cli.resp import RedisConnection
from cli.session import connect
from cli.subscriber import Subscriber, subscribed
from emulator import World
from emulator.dataplane.loopback import LoopbackDataPlane
from shared.otc.transport import Call, Service
from tests.cli.support import run
from tests.support.webhook import webhook

SECONDS = 50.0
KEY = bytes(range(24))
SECRET = f"whsec_{b64encode(KEY).decode()}"
TEMPLATE = Path(__file__).parents[1] / "template.yaml"


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


class Stage:
    """A served cloud with the product deployed to it, and somebody who hears its events."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.folder, self.plane = folder, LoopbackDataPlane()
        self.port = free_port()
        self.webhook, self.heard = opened.enter_context(webhook(204))
        self.account, self.server = opened.enter_context(running(World.small(), self.plane))
        clouds = folder / "clouds.yaml"
        write_clouds(clouds, self.account, self.server.url)
        opened.enter_context(pytest.MonkeyPatch.context()).setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
        self.before = self.account.snapshot()
        self.transport = connect("emulator")
        self.deploy()
        topic = self.topic("events")
        self.events: Subscriber = opened.enter_context(subscribed(self.site.cloud, topic))

    def deploy(self, *words: str) -> dict[str, Any]:
        """Deploy by the command line; what it printed."""
        lists = json.dumps({"lab": ["127.0.0.0/8"]})
        given = [f"AllowLists={lists}", f"VpcId={self.vpc('vpc-elb')}", "SettleSeconds=1", "DebounceSeconds=2"]
        given += [f"OptInPort={self.port}", f"EventWebhooks={self.webhook}", f"EventWebhookSecret={SECRET}"]
        parameters = [word for each in given for word in ("--parameter", each)]
        done = self.type("deploy", *parameters, *words, "-q", "-o", "json")
        answer: dict[str, Any] = json.loads(done)
        return answer

    def type(self, *words: str) -> str:
        done = run("--os-cloud", "emulator", *words)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    @cached_property
    def site(self) -> Any:
        return site_of(self.transport, "dcs-access")

    def topic(self, name: str) -> str:
        return f"urn:smn:{self.transport.region}:{self.transport.project_id}:dcs-access-{name}"

    def publish(self, **request: Any) -> None:
        self.site.cloud.smn.publish(self.topic("requests"), "request", json.dumps(request))

    def event(self, kind: str, *others: str) -> dict[str, Any]:
        """The next event that is none of the others."""
        until = time.monotonic() + SECONDS
        while (event := self.events.next(until - time.monotonic())) is not None:
            found = event["type"].rpartition(".")[2]
            if found not in others:
                assert found == kind, json.dumps(event, indent=1)
                return event
        raise AssertionError(f"no {kind}: {self.log()[-20:]}")

    def log(self) -> list[dict[str, Any]]:
        """What the functions wrote down, as far as it is JSON."""
        with self.account.change() as held:
            (stream,) = held.world.lts.streams.values()
            lines = [line.content for line in held.lts.lines(stream)]
        return [json.loads(line[line.index("{") :]) for line in lines if "{" in line]

    def vpc(self, name: str) -> str:
        return next(vpc.id for vpc in self.account.world().vpc.vpcs.values() if vpc.name == name)

    @property
    def instance(self) -> Any:
        return next(iter(self.account.world().dcs.instances.values()))

    def dcs(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A call that somebody makes in the console."""
        call = Call(Service.DCS, method, f"/v2/{self.transport.project_id}{path}", "", body=body)
        answer = self.transport.send(call)
        assert answer.status < 300, answer.body
        return json.loads(answer.body) if answer.body else {}

    def expose(self) -> dict[str, Any]:
        self.publish(
            action="expose",
            instance_id=self.instance.id,
            allow=["127.0.0.0/8"],
            port=self.port,
            accept=["production"],
        )
        return self.event("completed")

    def withdraw(self) -> dict[str, Any]:
        self.publish(action="withdraw", instance_id=self.instance.id)
        return self.event("withdrawn", "verified", "drifted")

    def left(self) -> dict[str, Any]:
        """What the account holds of the product's work."""
        held = self.account.snapshot()
        return {service: held[service] for service in ("elb", "eip", "vpc", "dcs")}

    def work_before(self) -> dict[str, Any]:
        return {service: self.before[service] for service in ("elb", "eip", "vpc", "dcs")}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as opened, pytest.MonkeyPatch.context() as environment:
        folder = tmp_path_factory.mktemp("serverless")
        environment.setenv("XDG_CONFIG_HOME", str(folder))
        environment.setenv("HOME", str(folder))
        yield Stage(folder, opened)


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_message_exposes_a_real_redis_tells_and_sets_off_no_verification(stage: Stage):
    event = stage.expose()
    endpoint = event["data"]["endpoint"]
    with RedisConnection(endpoint["address"], endpoint["port"], stage.instance.password) as redis:
        assert redis.call("PING") == "PONG"
    taken = [line for line in stage.log() if line.get("fate")]
    assert "started" in {line["fate"] for line in taken}
    assert [line for line in taken if line["fate"] == "started"] == taken[:1]
    stage.withdraw()
    assert stage.left() == stage.work_before()


def test_a_webhook_gets_the_event_too_signed_by_a_function_that_alone_can_read_the_secret(stage: Stage):
    stage.publish(action="withdraw", instance_id="none such", request_id="signed")
    event = stage.event("rejected", "verified", "drifted")
    eventually(lambda: any(body["id"] == event["id"] for _, body in stage.heard))
    headers, body = next(each for each in stage.heard if each[1]["id"] == event["id"])
    assert body == event
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{json.dumps(body)}".encode()
    assert headers["webhook-signature"] == f"v1,{b64encode(hmac.digest(KEY, signed, 'sha256')).decode()}"
    config = stage.site.cloud.functiongraph.function(stage.site.urn("on_message"))
    assert config.encrypted_user_data == {"DCS_ACCESS_EVENT_WEBHOOKS": "", "DCS_ACCESS_EVENT_WEBHOOK_SECRET": ""}


def test_deployed_again_nothing_changes(stage: Stage):
    assert stage.deploy()["changes"] == []


def test_a_tagged_instance_becomes_an_exposure_by_its_trace_alone_and_its_deletion_withdraws_it(stage: Stage):
    like = stage.instance
    body = {
        "name": "made-in-the-console",
        "engine": "Redis",
        "engine_version": "6.0",
        "capacity": 0.125,
        "spec_code": "redis.ha.xu1.tiny.r2.128",
        "az_codes": ["eu-de-01"],
        "vpc_id": stage.vpc("vpc-dcs"),
        "subnet_id": like.subnet_id,
        "password": "Secret-12345",
        "tags": [{"key": "dcs-access-allow", "value": "lab"}],
    }
    made = stage.dcs("POST", "/instances", body)["instances"][0]["instance_id"]
    completed = stage.event("completed")
    assert completed["data"]["instance"]["id"] == made
    endpoint = completed["data"]["endpoint"]
    assert endpoint["port"] == stage.port
    with RedisConnection(endpoint["address"], endpoint["port"], "Secret-12345") as redis:
        assert redis.call("PING") == "PONG"
    stage.dcs("DELETE", f"/instances/{made}")
    withdrawn = stage.event("withdrawn", "verified", "drifted")
    assert withdrawn["subject"] == completed["subject"]
    assert stage.left() == stage.work_before()


def test_the_timer_finds_a_deleted_route_and_says_so(stage: Stage):
    stage.expose()
    cloud = stage.site.cloud
    tables = [cloud.vpc.route_table(table.id) for table in cloud.vpc.route_tables()]
    table, route = next((one, each) for one in tables for each in one.routes or () if each.type == "peering")
    cloud.vpc.change_routes(table.id, delete=[route.destination])
    hasty = TEMPLATE.read_text("utf-8").replace("schedule_type: Rate", "schedule_type: Cron")
    (stage.folder / "hasty.yaml").write_text(hasty)
    changes = stage.deploy("--template", str(stage.folder / "hasty.yaml"), "--parameter", "VerifyEvery=@every 3s")
    assert [(change["do"], change["kind"]) for change in changes["changes"]] == [("replace", "trigger")]
    drifted = stage.event("drifted", "verified")
    assert route.destination in json.dumps(drifted["data"])
    assert len(stage.deploy()["changes"]) == 1
    stage.withdraw()
    assert stage.left() == stage.work_before()


def test_without_one_action_the_run_fails_and_names_it_and_the_next_deployment_grants_it_again(stage: Stage):
    iam = stage.site.cloud.iam
    policy = next(one for one in iam.policies() if one.display_name == "dcs-access-change")
    actions = [action for each in policy.policy["Statement"] for action in each["Action"]]
    fewer = statements(action for action in actions if action != "elb:listeners:create")
    fields = {"display_name": policy.display_name, "type": policy.type, "description": policy.description}
    iam.update_policy(policy.id, {**fields, "policy": {"Version": "1.1", "Statement": fewer}})
    stage.publish(
        action="expose", instance_id=stage.instance.id, allow=["127.0.0.0/8"], port=stage.port, accept=["production"]
    )
    error = stage.event("failed", "verified", "drifted")["data"]["error"]
    assert error["code"] == "Forbidden"
    assert "elb:listeners:create" in error["message"]
    assert [(change["do"], change["kind"]) for change in stage.deploy()["changes"]] == [("update", "policy")]
    assert stage.left() == stage.work_before()


def test_a_request_that_is_refused_is_told_and_changes_nothing(stage: Stage):
    stage.publish(action="expose", instance_id=stage.instance.id, allow=["0.0.0.0/0"], accept=["open_world"])
    rejected = stage.event("rejected", "verified", "drifted")
    assert rejected["data"]["error"]["field"] == "accept"
    assert stage.left() == stage.work_before()
