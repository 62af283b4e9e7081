from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any, ClassVar

import pytest

from cli.deploy.actions import UnclearError, actions_of, agency_actions
from cli.deploy.package import handlers
from cli.deploy.template import read_template, template_path
from shared.otc.cloud import Cloud
from shared.otc.transport import Answer, Call, Transport
from shared.probe import ProbeAnswer
from shared.services import LocalContext
from tests.support.product import Product

CHANGES = ("create", "delete", "put", "update", "modify")


class Listening:
    """A transport that writes down which actions are used."""

    def __init__(self, transport: Transport, heard: set[str]) -> None:
        self._transport, self._heard = transport, heard
        self.project_id, self.region = transport.project_id, transport.region

    def send(self, call: Call) -> Answer:
        self._heard.add(call.action)
        return self._transport.send(call)


class Overheard(Product):
    """A product whose handlers each have a transport of their own."""

    used: ClassVar[dict[str, set[str]]] = defaultdict(set)

    def resolve(self, resource: str) -> Callable[[Any], Any]:
        name = resource.rpartition(":")[2]
        cloud = Cloud(Listening(self.cloud.transport, self.used[name]))
        context = LocalContext(replace(self.services, cloud=cloud))
        return lambda event: import_module(f"functions.{name}").handler(event, context)


def test_whatever_a_handler_calls_is_among_the_actions_derived_from_its_code():
    product = Overheard()
    product.used.clear()
    product.expose()
    product.expose(allow=["198.51.100.0/24"])
    product.run({"action": "extend", "instance_id": product.instance_id, "expires_after": "2h"})
    product.run({"action": "verify"})
    product.run({"action": "repair", "instance_id": product.instance_id})
    product.withdraw()
    rolled_back = Overheard(probe=lambda _host, _port: ProbeAnswer.OPEN)
    rolled_back.expose()
    assert len(product.used) > 18
    for name, used in product.used.items():
        assert used <= actions_of(f"functions/{name}.handler"), name


def test_only_agencies_that_may_change_change_anything():
    # ELB names the permission to list flavors "create".
    reading = set(agency_actions(read_template(template_path()))["ReadAgency"]) - {"elb:flavors:create"}
    assert not [action for action in reading if action.rpartition(":")[2].startswith(CHANGES)]


def test_a_release_may_not_create_and_an_ensure_of_one_service_reaches_no_other():
    for name in handlers():
        if name.startswith("release_"):
            assert not [action for action in actions_of(f"functions/{name}.handler") if action.endswith(":create")]
    assert {action.partition(":")[0] for action in actions_of("functions/ensure_whitelist.handler")} == {"dcs"}
    assert actions_of("functions/emit_event.handler") == {"smn:topic:publish"}


def test_a_handler_that_is_not_there_has_no_actions():
    with pytest.raises(UnclearError, match="no module"):
        actions_of("functions/nothing.handler")
