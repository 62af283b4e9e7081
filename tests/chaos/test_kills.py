"""The process is killed around every command and every mutating call; a restart goes on from the last record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chaos.scenes import SCENES, expected, holdings
from tests.support.product import Product
from workflow.engines.virtual import VirtualRun
from workflow.machines import load_machine


class Killed(BaseException):
    """The process is gone: no handler's `except` may see it."""


def restart(product: Product, request: dict[str, Any], saved: str) -> VirtualRun:
    """A new process takes the run up where the record ends."""
    return product.engine.resume(load_machine(request["action"]), json.loads(saved))


def commands(product: Product, request: dict[str, Any]) -> int:
    """How many commands an undisturbed run takes."""
    run, count = product.begin(request), 0
    while run.step():
        count += 1
    return count


def run_killed_after(product: Product, request: dict[str, Any], nth: int) -> dict[str, Any]:
    """Carry out nth commands, lose what the last one told, and go on in a new process."""
    run = product.begin(request)
    for _ in range(nth):
        saved = json.dumps(run.to_json())
        run.step()
    return restart(product, request, saved).to_end().output


def run_killed_at(product: Product, request: dict[str, Any], nth: int, *, after: bool) -> dict[str, Any]:
    """Kill the process before or after its nth mutating call, and go on in a new one."""
    seen = [0]

    def kill(call: Any) -> None:
        if call.method == "GET":
            return
        seen[0] += 1
        if seen[0] == nth:
            raise Killed

    hooks = product.emulator.after_call if after else product.emulator.before_call
    run = product.begin(request)
    hooks.append(kill)
    saved = json.dumps(run.to_json())
    try:
        while run.step():
            saved = json.dumps(run.to_json())
    except Killed:
        run = restart(product, request, saved)
    output = run.to_end().output
    hooks.remove(kill)
    return output


def withdrawal(product: Product) -> dict[str, Any]:
    return {"action": "withdraw", "instance_id": product.instance_id, "request_id": "withdrawal"}


@pytest.mark.parametrize("scene", SCENES)
def test_a_run_killed_after_any_command_ends_in_one_exposure(scene: str) -> None:
    for nth in range(1, commands(*SCENES[scene]()) + 1):
        product, request = SCENES[scene]()
        before = product.account()
        assert run_killed_after(product, request, nth)["outcome"] == "completed", nth
        assert holdings(product) == expected(scene), nth
        product.withdraw()
        assert product.account() == before, nth


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("scene", SCENES)
def test_a_run_killed_around_any_mutating_call_ends_in_one_exposure(scene: str, *, after: bool) -> None:
    for nth in range(1, 11):
        product, request = SCENES[scene]()
        before = product.account()
        assert run_killed_at(product, request, nth, after=after)["outcome"] == "completed", nth
        assert holdings(product) == expected(scene), nth
        product.withdraw()
        assert product.account() == before, nth


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("scene", SCENES)
def test_a_withdrawal_killed_around_any_mutating_call_leaves_nothing(scene: str, *, after: bool) -> None:
    for nth in range(1, 11):
        product, request = SCENES[scene]()
        before = product.account()
        product.run(request)
        assert run_killed_at(product, withdrawal(product), nth, after=after)["outcome"] == "withdrawn", nth
        assert product.account() == before, nth


@pytest.mark.parametrize("scene", SCENES)
def test_a_withdrawal_killed_after_any_command_leaves_nothing(scene: str) -> None:
    product, request = SCENES[scene]()
    product.run(request)
    for nth in range(1, commands(product, withdrawal(product)) + 1):
        product, request = SCENES[scene]()
        before = product.account()
        product.run(request)
        assert run_killed_after(product, withdrawal(product), nth)["outcome"] == "withdrawn", nth
        assert product.account() == before, nth
