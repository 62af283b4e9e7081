"""Real processes against one cloud: killed, doubled, interrupted; the account holds what it should, once."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from emulator import Emulator, Fault, World
from emulator.dataplane import ModelledDataPlane
from tests.chaos.scenes import ONE_SET, SCENES, holdings
from tests.chaos.site import PUBLIC, Ended, Process, Site, ended
from tests.support.product import Product

SLICE = 4
SEED = int(os.environ.get("CHAOS_SEED", "11"))
TOGETHER = 20.0

BUILT = ("EnsureLoadBalancer", "EnsureListener", "EnsureBackend", "EnsurePeering", "EnsureRoutes", "EnsureWhitelist")
PARTS = ("Backend", "Listener", "LoadBalancer", "Whitelist", "Routes", "Peering", "IpGroup")
CREATIONS = (
    "POST ipgroups",
    "POST loadbalancers",
    "POST peerings",
    "PUT whitelist",
    "POST listeners",
    "PUT routetables",
    "PUT routetables 2",
    "POST pools",
    "POST members",
    "POST healthmonitors",
)
DELETIONS = (
    "DELETE healthmonitors",
    "DELETE members",
    "DELETE pools",
    "DELETE listeners",
    "DELETE loadbalancers",
    "DELETE publicips",
    "DELETE peerings",
    "DELETE ipgroups",
)


CALLS = {
    "expose": CREATIONS,
    "withdraw": (*DELETIONS, "PUT whitelist", "PUT routetables", "PUT routetables 2"),
    "rollback": (*DELETIONS[1:], "PUT whitelist 2", "PUT routetables 3", "PUT routetables 4"),
}
STATES = {
    "expose": ("PlanExposure", *BUILT, "CheckHealth", "ProbeRedis", "EmitCompleted"),
    "withdraw": ("PlanWithdrawal", *(f"Release{part}" for part in PARTS), "EmitWithdrawn"),
    "rollback": ("ReviewFailure", *(f"RollBack{part}" for part in PARTS), "EmitFailed"),
}
UNREACHED = {"rollback": {"CheckHealth", "ProbeRedis", "EmitCompleted"}}
OUTCOMES = {"expose": (0, "completed"), "withdraw": (0, "withdrawn"), "rollback": (1, "failed")}
POINTS = [
    (name, edge, place) for name in CALLS for edge in ("before", "after") for place in (*CALLS[name], *STATES[name])
]


@dataclass(frozen=True)
class Case:
    """A request, and the world that it comes into."""

    request: dict[str, Any]
    world: World
    fault: Fault | None = None


@cache
def case(name: str) -> Case:
    product, request = SCENES["whitelisted"]()
    world = product.emulator.world()
    if name == "expose":
        return Case(request, world)
    if name == "rollback":
        return Case(request, world, Fault(method="POST", path="*/healthmonitors", status=403, times=None))
    product = Product(world, data_plane=ModelledDataPlane(PUBLIC))
    product.run(request)
    asked = {"action": "withdraw", "instance_id": request["instance_id"], "request_id": "chaos"}
    return Case(asked, product.emulator.world())


@cache
def unexposed() -> dict[str, Any]:
    return Product(case("expose").world).account()


def sliced() -> list[Any]:
    """All points; the default run takes a drawn few, at least one of each kind."""
    drawn = Random(SEED).sample(POINTS, len(POINTS))
    few = {next(point for point in drawn if point[0] == name) for name in CALLS}
    few |= set([point for point in drawn if point not in few][: SLICE - len(few)])
    # Who goes on alternates: the same command again, or a worker.
    return [
        pytest.param(*point, ("again", "serve")[number % 2], marks=() if point in few else pytest.mark.slow)
        for number, point in enumerate(POINTS)
    ]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Any]:
    made: list[Site] = []

    def make(world: World) -> Site:
        made.append(Site(tmp_path, world))
        return made[0]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: Any) -> Site:
    return make_site(case("expose").world)


def spoil(emulator: Emulator, fault: Fault | None) -> None:
    """Put a copy of the fault into force, since a fault counts its calls."""
    if fault is not None:
        emulator.faults.add(fault.model_copy(deep=True))


def submitted(site: Site, request: dict[str, Any], machine: str = "one") -> str:
    """Queue a request; its run."""
    return site.run("submit", site.write(request), machine=machine).out.strip()


def told_by(worker: Process) -> dict[str, Any]:
    """The next event of a worker, which is then asked to leave."""
    event = json.loads(worker.stdout.readline())
    worker.send_signal(signal.SIGTERM)
    assert ended(worker).code == 0
    return event


def taken_up(site: Site, words: tuple[str, ...], taker: str, code: int) -> dict[str, Any]:
    """Let another process take the run up to its end; its event."""
    if taker == "serve":
        return told_by(site.start("serve"))
    end = site.run(*words)
    assert end.code == code, end.err
    return end.event


def kind(event: dict[str, Any]) -> str:
    return event["type"].rpartition(".")[2]


def ask(site: Site, request: dict[str, Any]) -> tuple[str, ...]:
    """The words that ask for a request."""
    return (request["action"], "-f", site.write(request), "-o", "json")


def withdraw(site: Site, machine: str = "one") -> None:
    end = site.run("withdraw", case("expose").request["instance_id"], machine=machine)
    assert end.code == 0, end.err


@pytest.mark.parametrize("name", CALLS)
def test_every_mutating_call_and_every_task_is_a_place_to_be_killed_at(name: str) -> None:
    product = Product(case(name).world)
    spoil(product.emulator, case(name).fault)
    result = product.run(case(name).request)
    assert result.output["outcome"] == OUTCOMES[name][1]
    names = ("expose", name) if name == "rollback" else (name,)
    entered = {each.state for each in result.history if each.state_type == "Task"}
    # The run that is rolled back fails at its last call, and has no monitor to delete.
    assert entered == {state for each in names for state in STATES[each]} - UNREACHED.get(name, set())
    assert len(product.emulator.calls.mutating()) == sum(len(CALLS[each]) for each in names)


@pytest.mark.parametrize(("name", "edge", "place", "taker"), sliced())
def test_a_killed_process_leaves_its_run_to_the_next_one(
    make_site: Any, name: str, edge: str, place: str, taker: str
) -> None:
    site = make_site(case(name).world)
    spoil(site.emulator, case(name).fault)
    words = ask(site, case(name).request)
    if place in STATES[name]:
        victim = site.start_victim(edge, place, *words)
    else:
        site.when(edge, place, site.kill_unheard if edge == "before" else site.kill)
        victim = site.start(*words)
    assert ended(victim).code == -signal.SIGKILL

    code, outcome = OUTCOMES[name]
    event = taken_up(site, words, taker, code)

    assert kind(event) == outcome, event["data"]["error"]
    assert {each["id"] for each in site.delivered()} == {event["id"]}
    if name == "expose":
        assert holdings(site) == ONE_SET
        withdraw(site)
    assert site.account() == unexposed()


def at_once(site: Site, asked: list[tuple[dict[str, Any], str]]) -> list[Ended]:
    """Ask from several machines, and let none change anything before all are about to."""
    site.gather(len(asked))
    processes = [site.start(*ask(site, request), machine=machine) for request, machine in asked]
    ends = [ended(process) for process in processes]
    assert site.gathered
    return ends


@pytest.mark.parametrize("name", ["expose", pytest.param("withdraw", marks=pytest.mark.slow)])
def test_one_request_in_two_processes_at_once_is_one_run(make_site: Any, name: str) -> None:
    given = case(name)
    site = make_site(given.world)
    processes = [site.start(*ask(site, given.request)) for _ in range(2)]
    one, other = (ended(process) for process in processes)
    assert (one.code, other.code) == (0, 0), one.err + other.err
    assert one.event == other.event == site.delivered()[0]
    assert len(site.delivered()) == 1
    assert sorted(site.calls) == sorted(CALLS[name])


@pytest.mark.parametrize("name", ["expose", pytest.param("withdraw", marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_one_request_on_two_machines_at_once_has_one_outcome(make_site: Any, name: str, seed: int) -> None:
    given = case(name)
    site = make_site(given.world)
    site.jitter(seed)
    ends = at_once(site, [(given.request, "one"), (given.request, "two")])
    assert [end.code for end in ends] == [0, 0], ends
    assert ends[0].event["id"] == ends[1].event["id"]
    if name == "expose":
        assert holdings(site) == ONE_SET
        withdraw(site)
    assert site.account() == unexposed()


FORBIDDEN = (("healthmonitors", 1), ("members", 1), ("listeners", 1), ("peerings", 2), ("ipgroups", 2))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
@pytest.mark.parametrize(
    ("what", "nth"), [FORBIDDEN[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in FORBIDDEN[1:])]
)
def test_a_rival_that_may_not_do_all_takes_nothing_along(site: Site, what: str, nth: int, seed: int) -> None:
    before, request = site.account(), case("expose").request
    site.jitter(seed)
    site.emulator.faults.add(Fault(method="POST", path=f"*/{what}", status=403, nth=nth))
    ends = at_once(site, [(request, "one"), ({**request, "request_id": "rival"}, "two")])
    assert sorted(end.code for end in ends) == [0, 1], ends
    assert holdings(site) == ONE_SET
    withdraw(site)
    assert site.account() == before


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_rival_that_fails_at_the_probe_takes_nothing_along(site: Site, seed: int) -> None:
    before, request = site.account(), case("expose").request
    site.jitter(seed)
    loser = {**request, "request_id": "loser", "require_probe": True}
    winner, lost = at_once(site, [(request, "one"), (loser, "two")])
    assert winner.code == 0, winner.err
    assert (lost.code, lost.event["data"]["error"]["code"]) == (1, "ProbeFailed")
    assert holdings(site) == ONE_SET
    withdraw(site)
    assert site.account() == before


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_an_exposure_and_a_withdrawal_at_once_leave_one_exposure_or_none(make_site: Any, seed: int) -> None:
    given = case("withdraw")
    site = make_site(given.world)
    site.jitter(seed, 0.2)
    again = {**case("expose").request, "request_id": "again"}
    exposed, withdrawn = (
        ended(process)
        for process in [
            site.start(*ask(site, again), machine="one"),
            site.start(*ask(site, given.request), machine="two"),
        ]
    )
    if site.account() != unexposed():
        assert exposed.code == 0, (exposed.err, withdrawn.err)
        assert holdings(site) == ONE_SET
        withdraw(site)
    assert site.account() == unexposed(), (exposed.err, withdrawn.err)


@pytest.mark.slow
@pytest.mark.parametrize("call", CREATIONS)
def test_a_waiting_process_takes_over_from_a_killed_one(site: Site, call: str) -> None:
    words = ask(site, case("expose").request)
    waiting: list[Process] = []

    def kill() -> None:
        signed_in = site.signed_in + 1
        waiting.append(site.start(*words))
        site.until(lambda: site.signed_in == signed_in)
        worker.kill()

    site.when("after", call, kill)
    worker = site.start(*words)
    assert ended(worker).code == -signal.SIGKILL
    end = ended(waiting[0])
    assert end.code == 0, end.err
    assert holdings(site) == ONE_SET
    assert [event["id"] for event in site.delivered()] == [end.event["id"]]


def test_a_request_id_with_other_content_is_refused(site: Site) -> None:
    request = case("expose").request
    submitted(site, request)
    end = site.run(*ask(site, {**request, "port": 8080}))
    assert (end.code, end.out) == (2, "")
    assert "RequestReused" in end.err
    assert site.calls == []


@pytest.mark.parametrize(
    "call", ["POST listeners", *(pytest.param(call, marks=pytest.mark.slow) for call in CREATIONS)]
)
def test_ctrl_c_cancels_and_rolls_back(site: Site, call: str) -> None:
    cancelling = Event()

    def interrupt() -> None:
        process.send_signal(signal.SIGINT)
        # Or the run might be over before the signal is heard.
        cancelling.wait(TOGETHER)

    before = site.account()
    site.when("after", call, interrupt)
    process = site.start(*ask(site, case("expose").request))
    assert any("Cancelling" in line for line in process.stderr)
    cancelling.set()
    end = ended(process)
    assert (end.code, end.event["data"]["error"]["code"]) == (3, "Cancelled"), end.err
    assert site.account() == before


@pytest.mark.parametrize(
    "call", ["POST loadbalancers", *(pytest.param(call, marks=pytest.mark.slow) for call in CREATIONS)]
)
def test_a_terminated_worker_leaves_in_order_and_the_next_one_repeats_nothing(site: Site, call: str) -> None:
    def terminate() -> None:
        worker.send_signal(signal.SIGTERM)
        # A worker looks at its signal every now and then; by then the run should not be over.
        time.sleep(0.5)

    run_id = submitted(site, case("expose").request)
    site.when("before", call, terminate)
    worker = site.start("serve")
    left = ended(worker)
    assert (left.code, left.out) == (0, "")
    assert "Traceback" not in left.err
    event = told_by(site.start("serve"))
    assert event["id"] == f"{run_id}.completed"
    assert sorted(site.calls) == sorted(CREATIONS)


class Webhook:
    """Takes events, but answers the first few with 503; before that it does as it is told."""

    def __init__(self, refusals: int) -> None:
        self.heard: list[dict[str, Any]] = []
        self.at_refusal: Callable[[], None] = lambda: None
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                webhook.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                refused = len(webhook.heard) <= refusals
                if refused:
                    webhook.at_refusal()
                with suppress(ConnectionError):
                    self.send_response(503 if refused else 204)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def __enter__(self) -> Webhook:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.mark.parametrize("refusals", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_an_event_that_a_webhook_refuses_at_first_is_delivered_later(site: Site, refusals: int) -> None:
    with Webhook(refusals) as webhook:
        end = site.run(*ask(site, {**case("expose").request, "notify": [webhook.url]}))
    assert end.code == 0, end.err
    assert webhook.heard == [end.event] * (refusals + 1)
    assert holdings(site) == ONE_SET


@pytest.mark.slow
@pytest.mark.parametrize("taker", ["again", "serve"])
def test_an_event_that_a_killed_process_could_not_deliver_is_delivered_by_the_next(site: Site, taker: str) -> None:
    with Webhook(1) as webhook:
        words = ask(site, {**case("expose").request, "notify": [webhook.url]})
        webhook.at_refusal = site.kill
        victim = site.start(*words)
        assert ended(victim).code == -signal.SIGKILL
        event = taken_up(site, words, taker, 0)
    assert webhook.heard == [event, event]
    assert holdings(site) == ONE_SET
