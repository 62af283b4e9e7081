"""An emulated cloud of this process, and the clouds.yaml by which tools find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from cli.emulator import CLOUD, refused
from emulator import Emulator, World
from emulator.dataplane import CannotListenError
from emulator.dataplane.loopback import LoopbackDataPlane
from emulator.dataplane.redis_process import RedisServerError
from emulator.server import Server, serve
from emulator.world import WorldError


@contextmanager
def running(
    world: World, plane: LoopbackDataPlane | None = None, *, address: str = "127.0.0.1", port: int = 0
) -> Iterator[tuple[Emulator, Server]]:
    """An emulated cloud with real Redis servers behind it, until the block ends.

    Raises:
        PermanentError: `InvalidRequest`, when it cannot run here.
    """
    account = _started(world, plane or LoopbackDataPlane())
    try:
        with _listening(account, address, port) as server:
            yield account, server
    finally:
        account.close()


def _started(world: World, plane: LoopbackDataPlane) -> Emulator:
    try:
        return Emulator(world, data_plane=plane)
    except (RedisServerError, CannotListenError) as problem:
        plane.close()
        if isinstance(problem, RedisServerError):
            raise refused(str(problem), "world", "Put a Redis server on the PATH.") from None
        raise refused(
            f"A listener of the world cannot be bound: {problem}.", "world", "Give it another address or port."
        ) from None


def _listening(account: Emulator, address: str, port: int) -> Server:
    try:
        return serve(account, address, port)
    except OSError as problem:
        raise refused(
            f"{address}:{port} cannot be listened on: {problem.strerror}.", "port", "Choose another."
        ) from None


def read_world(path: Path | None) -> World:
    """The world in a file, or the small one.

    Raises:
        PermanentError: `InvalidRequest`.
    """
    try:
        return World.small() if path is None else World.load(path)
    except (WorldError, OSError, UnicodeDecodeError) as problem:
        raise refused(str(problem), "world", "Correct the world file.") from None


def write_clouds(path: Path, account: Emulator, url: str) -> None:
    """Write a clouds.yaml by which OpenStack's tools find the emulated cloud; only its owner may read it."""
    world = account.world()
    user, project = next(iter(world.iam.users.values())), next(iter(world.iam.projects.values()))
    auth = {
        "auth_url": f"{url}/v3",
        "username": user.name,
        "password": user.password,
        "user_domain_name": world.iam.domain.name,
        "project_name": project.name,
        "project_domain_name": world.iam.domain.name,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"clouds": {CLOUD: {"auth": auth, "region_name": world.region}}}))
