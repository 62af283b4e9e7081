"""A failure at every state: the account is as before, or the exposure that was there still is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from emulator.faults import Fault
from functions.review_failure import PATIENCE
from shared.errors import ErrorCode, PermanentError
from shared.probe import ProbeAnswer
from tests.chaos.scenes import SCENES, expected, holdings
from tests.chaos.test_kills import commands
from tests.support.product import Product
from workflow.interpreter import EventType

STATES = (
    "EnsureLoadBalancer",
    "EnsureListener",
    "EnsureBackend",
    "EnsurePeering",
    "EnsureRoutes",
    "EnsureWhitelist",
    "CheckHealth",
    "ProbeRedis",
)


def failing(product: Product, state: str, *, late: bool) -> None:
    """Make a state fail for good, before or after its handler has done its work."""
    resolve = product.engine._resolver

    def failing_resolve(resource: str) -> Callable[[Any], Any]:
        handler = resolve(resource)

        def call(event: Any) -> Any:
            if event["state"]["Name"] != state:
                return handler(event)
            if late:
                handler(event)
            return PermanentError(ErrorCode.REFUSED, "It is refused for good.").envelope()

        return call

    product.engine._resolver = failing_resolve


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("scene", SCENES)
def test_a_failure_at_any_state_leaves_the_account_as_it_was(scene: str, state: str, *, late: bool) -> None:
    product, request = SCENES[scene]()
    before = product.account()
    failing(product, state, late=late)
    output = product.run(request).output
    assert output["outcome"] == "failed"
    assert output["event"]["data"]["error"]["code"] == "Refused"
    assert product.account() == before


def test_a_failed_run_gives_whom_it_took_the_anchor_from_time_to_complete_before_it_takes_all_down() -> None:
    product, request = SCENES["cross-vpc"]()
    before = product.account()
    product.emulator.faults.add(Fault(method="POST", path="*/healthmonitors", status=403, times=None))
    product.run({**request, "on_failure": "keep"})
    result = product.run({**request, "request_id": "next"})
    looks = [each for each in result.history if each.state == "ReviewFailure" and each.type is EventType.TASK_FAILED]
    assert ({each.error for each in looks}, len(looks)) == ({"NotReady"}, PATIENCE)
    assert product.account() == before


def test_a_run_that_may_not_look_at_health_takes_back_all_that_can_be_released_without_looking() -> None:
    product, request = SCENES["cross-vpc"]()
    product.emulator.faults.add(Fault(method="GET", path="*/statuses", status=403, times=None))
    result = product.run(request)
    assert result.output["outcome"] == "failed"
    assert {"RollBackBackend", "RollBackRoutes", "RollBackPeering"} <= set(result.entered)
    assert (holdings(product)["routes"], holdings(product)["vpc.peerings"]) == (0, 0)


@pytest.mark.parametrize("state", STATES)
def test_a_failed_change_leaves_the_exposure_that_was_there(state: str) -> None:
    product, request = SCENES["whitelisted"]()
    product.run(request)
    before = product.account()
    failing(product, state, late=True)
    changed = product.run({**request, "request_id": "change", "allow": ["198.51.100.7"]}).output
    assert changed["outcome"] == "failed"
    assert holdings(product) == expected("whitelisted")
    assert product.account()["elb"]["ipgroups"] == before["elb"]["ipgroups"]


def test_a_repeated_request_that_finds_the_instance_silent_leaves_the_exposure_and_its_address() -> None:
    product, request = SCENES["cross-vpc"]()
    product.run(request)
    before = product.account()
    with product.emulator.change() as account:
        account.data_plane.instance_stopped(product.instance_id)
    product.clock.advance_to(product.clock.now() + 60)
    output = product.run({**request, "request_id": "again"}).output
    assert output["event"]["data"]["error"]["code"] == "Unhealthy"
    assert product.account()["eip"] == before["eip"]
    assert holdings(product) == expected("cross-vpc")


def test_another_bandwidth_is_refused_since_it_would_be_ignored() -> None:
    product, request = SCENES["cross-vpc"]()
    product.run(request)
    output = product.run({**request, "request_id": "again", "bandwidth_mbit": 50}).output
    assert output["outcome"] == "rejected"
    assert output["event"]["data"]["error"]["field"] == "bandwidth_mbit"


def test_what_a_failed_run_made_is_kept_if_the_request_says_so() -> None:
    product, request = SCENES["cross-vpc"]()
    failing(product, "ProbeRedis", late=False)
    assert product.run({**request, "on_failure": "keep"}).output["outcome"] == "failed"
    assert holdings(product) == expected("cross-vpc")


@pytest.mark.parametrize("kind", ["listeners", "pools", "ipgroups"])
def test_what_is_being_changed_just_now_is_restored_a_little_later(kind: str) -> None:
    product, request = SCENES["cross-vpc"]()
    product.run(request)
    before = product.account()
    failing(product, "ProbeRedis", late=False)
    body = {"error_code": "ELB.8907", "error_msg": "Load Balancer is immutable"}
    product.emulator.faults.add(Fault(method="PUT", path=f"*/{kind}/*", nth=2, status=409, times=3, body=body))
    output = product.run({**request, "request_id": "again", "allow": ["198.51.100.0/24"]}).output
    assert output["outcome"] == "failed"
    assert [finding["code"] for finding in output["event"]["data"]["findings"]].count("RollBackIncomplete") == 0
    assert all(product.account()["elb"][part] == before["elb"][part] for part in ("ipgroups", "listeners", "pools"))


@pytest.mark.parametrize("on_failure", ["keep", "rollback"])
def test_a_redis_open_to_all_loses_its_listener_at_once(on_failure: str) -> None:
    product, request = SCENES["cross-vpc"]()
    before = product.account()
    product.services = type(product.services)(
        **{**vars(product.services), "probe": lambda _host, _port: ProbeAnswer.OPEN}
    )
    output = product.run({**request, "on_failure": on_failure}).output
    assert output["event"]["data"]["error"]["code"] == "OpenToAll"
    assert holdings(product)["elb.listeners"] == 0
    if on_failure == "rollback":
        assert product.account() == before


def test_a_run_cancelled_at_any_command_rolls_back_and_says_so() -> None:
    product, request = SCENES["whitelisted"]()
    for nth in range(commands(product, request)):
        product, request = SCENES["whitelisted"]()
        before = product.account()
        run = product.begin(request)
        for _ in range(nth):
            run.step()
        run._cancel_at = product.clock.now()
        output = run.to_end().output
        if output["outcome"] == "completed":
            assert product.sink.events[0]["id"] == output["event"]["id"], "too late: it had told of its end"
            continue
        assert output["event"]["data"]["error"]["code"] == "Cancelled", nth
        assert product.account() == before, nth


def test_a_withdrawal_cancelled_at_any_command_takes_nothing_more_down_and_says_so() -> None:
    for nth in itertools.count():
        product, request = SCENES["whitelisted"]()
        product.run(request)
        run = product.begin({"action": "withdraw", "instance_id": product.instance_id})
        for _ in range(nth):
            run.step()
        run._cancel_at = product.clock.now()
        changed = product.emulator.calls.mutating()
        output = run.to_end().output
        assert product.emulator.calls.mutating() == changed, nth
        if output["outcome"] == "withdrawn":
            assert holdings(product)["elb.ipgroups"] == 0, "too late: all was gone"
            break
        assert output["event"]["data"]["error"]["code"] == "Cancelled", nth
