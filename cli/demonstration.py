"""All of it on this machine: an emulated cloud, a real Redis, from the request to the event and back."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import click

from cli.demo_serverless import deployed
from cli.emulating import running, write_clouds
from cli.emulator import CLOUD
from cli.options import App
from cli.resp import RedisConnection, RedisError
from cli.running import Exit, event_of, follow, report
from emulator import Emulator, World
from emulator.dataplane.loopback import LoopbackDataPlane


@dataclass(frozen=True)
class RedisInstance:
    """Where the instance is inside, and its password."""

    id: str
    vpc_id: str
    ip: str
    port: int
    password: str


CarryOut = Callable[[dict[str, Any]], dict[str, Any] | None]
"""Carries a request out; its event if that went well."""

CONFIG = "OS_CLIENT_CONFIG_FILE"
CLIENTS = "127.0.0.0/8"
_KEY, _VALUE = "greeting", "hello from outside"


def demonstrate(port: int, *, serverless: bool, quiet: bool) -> Exit:
    """Expose an emulated instance, served by a real Redis, use it from outside, and withdraw it."""
    with _ended_in_order(), TemporaryDirectory(prefix="dcs-access-") as folder:
        plane = LoopbackDataPlane()
        with running(World.small(), plane) as (account, server), _signed_in(Path(folder), account, server.url):
            app = App(os_cloud=CLOUD, store=Path(folder) / "store", quiet=quiet)
            _say(f"An emulated cloud serves {server.url}; its account holds two VPCs and a Redis instance.")
            before = account.snapshot()
            with _worker(app, serverless=serverless) as carry_out:
                ok = _show(carry_out, account, plane, port)
            same = account.snapshot() == before
            _say("The account is as it was before." if same else "The account is NOT as it was before.")
    return Exit.OK if ok and same else Exit.FAILED


def _show(carry_out: CarryOut, account: Emulator, plane: LoopbackDataPlane, port: int) -> bool:
    instance = _instance(account)
    about = {"instance_id": instance.id}
    elsewhere = next(vpc.id for vpc in account.world().vpc.vpcs.values() if vpc.id != instance.vpc_id)
    asked = {"allow": [CLIENTS], "port": port, "vpc_id": elsewhere, "accept": ["production"]}
    exposed = carry_out({"action": "expose", "request_id": str(uuid4()), **about, **asked})
    if exposed is None:
        return False
    used = _use(exposed["data"]["endpoint"], instance, plane)
    if sys.stdin.isatty() and sys.stdout.isatty():
        click.echo("Press Enter to withdraw it. ", nl=False)
        sys.stdin.readline()
    withdrawn = carry_out({"action": "withdraw", "request_id": str(uuid4()), **about}) is not None
    return used and withdrawn


@contextmanager
def _worker(app: App, *, serverless: bool) -> Iterator[CarryOut]:
    """Who carries requests out: this process, or what is deployed to the emulated cloud."""
    if not serverless:
        yield partial(_run, app)
        return
    with deployed(app) as application:
        yield application.carry_out


def _instance(account: Emulator) -> RedisInstance:
    world = account.world()
    found = next(iter(world.dcs.instances.values()))
    vpc = world.vpc.subnets[found.subnet_id].vpc_id
    return RedisInstance(found.id, vpc, found.ip, found.port, found.password or "")


def _run(app: App, request: dict[str, Any]) -> dict[str, Any] | None:
    _say(f"Queued: {json.dumps(request)}")
    with app.compose() as composed:
        view = follow(app, composed, composed.enqueue(request).run_id)
    code = report(app, view)
    return event_of(view) if code is Exit.OK else None


def _use(endpoint: dict[str, Any], instance: RedisInstance, plane: LoopbackDataPlane) -> bool:
    address, port = endpoint["address"], endpoint["port"]
    private = plane.locate(instance.vpc_id, instance.ip, instance.port)
    _say(f"Try it yourself: redis-cli -h {address} -p {port} -a {instance.password}")
    try:
        assert private is not None
        with RedisConnection(address, port, instance.password) as outside:
            outside.call("SET", _KEY, _VALUE)
            read = outside.call("GET", _KEY)
        with RedisConnection(*private, instance.password) as inside:
            direct = inside.call("GET", _KEY)
    except RedisError as problem:
        _say(f"Redis was not reached: {problem}")
        return False
    _say(f"Written and read at {address}:{port}: {_KEY} = {read!r}; read on the Redis itself: {direct!r}")
    return read == direct == _VALUE


@contextmanager
def _ended_in_order() -> Iterator[None]:
    # Neither the servers nor the files of the demo may outlive it.
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _signed_in(folder: Path, account: Emulator, url: str) -> Iterator[None]:
    config = folder / "clouds.yaml"
    write_clouds(config, account, url)
    before = os.environ.get(CONFIG)
    os.environ[CONFIG] = str(config)
    try:
        yield
    finally:
        os.environ.pop(CONFIG)
        if before is not None:
            os.environ[CONFIG] = before


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)
