"""What is allowed but should be known is told in the event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from emulator import World
from shared.probe import ProbeAnswer
from shared.settings import Settings
from tests.support.product import Product
from tests.support.worlds import world

CLOSED = {
    "redis-demo": {
        "whitelist": {"enable_whitelist": True, "whitelist": [{"group_name": "office", "ip_list": ["192.168.0.77"]}]}
    }
}
CLUSTER = {"redis-demo": {"cache_mode": "cluster", "ip": "", "shards": 2}}
FREE = {"redis-demo": {"password": None}}
OPEN = ("production", "no_password")


def findings(changed: World | None = None, probe: ProbeAnswer = ProbeAnswer.LOCKED, **fields: Any) -> dict[str, str]:
    """The findings of an exposure, by code."""
    output = Product(changed, probe=lambda _host, _port: probe).expose(**fields)
    assert output["outcome"] == "completed"
    return {finding["code"]: finding["message"] for finding in output["event"]["data"]["findings"]}


def test_every_exposure_is_warned_of_clear_text_and_of_no_end() -> None:
    assert findings().keys() == {"NoTls", "NeverExpires"}


@pytest.mark.parametrize(
    ("code", "changed", "fields"),
    [
        ("WellKnownPort", None, {"port": 6379}),
        ("VersionNotDocumented", world({"redis-demo": {"engine_version": "7.0"}}), {}),
        ("WhitelistChanges", world(CLOSED), {}),
        ("SingleNode", world(CLUSTER), {"node": "192.168.0.2:6379"}),
        ("NoPassword", world(FREE), {"accept": OPEN}),
        ("NobodyExpires", None, {"expires_after": "8h"}),
        ("NobodyExpires", None, {"expires_at": "2030-01-01T00:00:00Z"}),
    ],
)
def test_a_risk_is_found_where_it_is_and_only_there(
    code: str, changed: World | None, fields: Mapping[str, Any]
) -> None:
    found = findings(changed, **fields)
    assert found[code]
    assert code not in findings()


def test_an_exposure_with_an_end_is_not_called_endless() -> None:
    assert "NeverExpires" not in findings(expires_after="30m")


@pytest.mark.parametrize("version", ["4.0", "5.0", "6.0"])
def test_the_documents_versions_need_no_warning(version: str) -> None:
    assert "VersionNotDocumented" not in findings(world({"redis-demo": {"engine_version": version}}))


@pytest.mark.parametrize(
    ("answer", "code"), [(ProbeAnswer.UNSEEN, "ProbeUnseen"), (ProbeAnswer.NOT_REDIS, "ProbeNotRedis")]
)
def test_a_probe_that_does_not_see_redis_passes_with_a_finding(answer: ProbeAnswer, code: str) -> None:
    assert code in findings(probe=answer)


def test_a_redis_that_answers_anybody_passes_only_where_that_is_accepted() -> None:
    assert "ProbeOpen" in findings(world(FREE), ProbeAnswer.OPEN, accept=OPEN)
    product = Product(probe=lambda _host, _port: ProbeAnswer.OPEN)
    before = product.account()
    output = product.expose()
    assert output["outcome"] == "failed"
    assert output["event"]["data"]["error"]["code"] == "OpenToAll"
    assert product.account() == before


@pytest.mark.parametrize("answer", [ProbeAnswer.UNSEEN, ProbeAnswer.NOT_REDIS])
def test_a_required_probe_is_tried_again_and_then_fails(answer: ProbeAnswer) -> None:
    asked = []
    product = Product(probe=lambda host, port: asked.append((host, port)) or answer)
    before = product.account()
    output = product.expose(require_probe=True)
    assert output["event"]["data"]["error"]["code"] == "ProbeFailed"
    assert len(asked) == 4
    assert len(set(asked)) == 1
    assert product.account() == before


def test_the_allow_list_never_gets_the_runners_own_address() -> None:
    product = Product(probe=lambda _host, _port: ProbeAnswer.UNSEEN)
    product.expose()
    assert product.cloud.elb.ip_groups()[0].entries == ("203.0.113.0/24",)


def test_an_end_comes_with_the_name_of_whoever_brings_it() -> None:
    settings = Settings.model_validate({"expirer": "the night watch", "default_expires_after": "8h"})
    product = Product(settings=settings)
    data = product.expose()["event"]["data"]
    told = {finding["code"]: finding["message"] for finding in data["findings"]}
    assert "the night watch" in told["Expires"]
    assert not told.keys() & {"NeverExpires", "NobodyExpires"}


def test_where_a_limit_is_set_never_has_to_be_said() -> None:
    product = Product(settings=Settings.model_validate({"default_expires_after": "8h"}))
    made = datetime.fromisoformat(product.expose()["event"]["data"]["expires_at"])
    assert made - product.services.now() <= timedelta(hours=8)
    assert product.expose(expires_after="never")["event"]["data"]["expires_at"] is None
