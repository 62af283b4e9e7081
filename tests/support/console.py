"""The deployed product with the template's own triggers, and somebody who works in the console beside it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from shared.otc.transport import Call, Service
from shared.resources.ip_group import find_records
from shared.starting import ENGINE
from tests.support.serverless import Serverless

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class Watched(Serverless):
    """Topics, traces and a timer call the intake; `started` holds the runs of each machine."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.started: dict[str, set[str]] = defaultdict(set)
        self.runner.before.append(self._note)
        triggers = self.cloud.functiongraph
        for topic, function in {"requests": "on_message", "failures": "on_failure"}.items():
            triggers.create_trigger(self.urn(function), "SMN", "ACTIVE", {"topic_urn": self.topic(topic)})
        resources = yaml.safe_load(TEMPLATE.read_text())["Resources"]
        operations = resources["ChangesToOnTrace"]["Properties"]["event_data"]["operations"]
        traces = {"name": "changes", "operations": operations}
        triggers.create_trigger(self.urn("on_trace"), "CTS", "ACTIVE", traces)

    def allow_telling(self) -> None:
        """Give the platform an agency as which it may tell of failures."""
        iam = self.cloud.iam
        agency = {"name": "platform", "domain_id": iam.domain_id(), "trust_domain_name": "op_svc_cff"}
        statement = {"Effect": "Allow", "Action": ["smn:topic:publish", "smn:topic:list"]}
        policy = {"Version": "1.1", "Statement": [statement]}
        role = iam.create_policy({"display_name": "tell", "type": "XA", "description": "", "policy": policy})
        iam.grant(iam.create_agency(agency).id, role.id)
        with self.emulator.change() as account:
            for function in account.functiongraph.state.functions.values():
                function.latest.xrole = "platform"

    def every(self, schedule: str) -> None:
        """Have all exposures verified regularly."""
        data = {"name": "verify", "schedule_type": "Rate", "schedule": schedule, "user_event": ""}
        self.cloud.functiongraph.create_trigger(self.urn("on_timer"), "TIMER", "ACTIVE", data)

    def create_instance(self, tags: dict[str, str]) -> str:
        """Somebody creates an instance; its id."""
        like = self.cloud.dcs.instance(self.instance_id)
        body = {
            "name": "made-in-the-console",
            "engine": "Redis",
            "engine_version": "6.0",
            "capacity": 0.125,
            "spec_code": "redis.ha.xu1.tiny.r2.128",
            "az_codes": ["eu-de-01"],
            "vpc_id": like.vpc_id,
            "subnet_id": like.subnet_id,
            "password": "Secret-12345",
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        answer = self.call("POST", "/instances", body)
        identifier: str = answer["instances"][0]["instance_id"]
        return identifier

    def delete_instance(self, instance_id: str) -> None:
        """Somebody deletes an instance."""
        self.call("DELETE", f"/instances/{instance_id}")

    def tag(self, instance_id: str, key: str, value: str) -> None:
        """Somebody tags an instance."""
        body = {"action": "create", "tags": [{"key": key, "value": value}]}
        self.call("POST", f"/dcs/{instance_id}/tags/action", body)

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call of DCS."""
        call = Call(Service.DCS, method, f"/v2/{self.cloud.project_id}{path}", "", body=body)
        answer = self.cloud.transport.send(call)
        assert answer.status < 300, answer.body
        return json.loads(answer.body) if answer.body else {}

    def exposed(self) -> set[str]:
        """The instances that the cloud says are exposed."""
        return {record.instance for _, record in find_records(self.cloud)}

    def _note(self, function: str, event: Any) -> None:
        if function == ENGINE and "start" in event:
            self.started[event["start"]["machine"]].add(event["start"]["run"])
