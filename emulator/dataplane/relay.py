"""The load balancers' data path: one event loop in a thread that listens in public and dials instances."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from emulator.dataplane.plane import Backend, Frontend

CHUNK = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Locate = Callable[[str, str, int], tuple[str, int] | None]


class CannotListenError(OSError):
    """A published listener could not be bound."""


@dataclass(eq=False)
class Carried:
    """One client connection and where it goes."""

    task: asyncio.Task[None] | None
    backend: Backend | None = None


@dataclass
class Listening:
    """A bound listener; `frontend` changes in place while the socket stays."""

    frontend: Frontend
    server: asyncio.Server | None = None
    turn: int = 0
    carried: set[Carried] = field(default_factory=set)


class Relay:
    """Carries TCP connections from public listeners to backends.

    Args:
        locate: Where the process behind (VPC, address, port) really listens, None if none does.
        connect_timeout: Seconds after which a connection is given up whose packets get lost on the way.
    """

    def __init__(self, locate: Locate, connect_timeout: float = 5.0) -> None:
        self._locate, self._connect_timeout = locate, connect_timeout
        self._listening: dict[tuple[str, int], Listening] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()

    def publish(self, frontends: Sequence[Frontend]) -> None:
        """Listen for exactly these frontends.

        Raises:
            CannotListenError: If one cannot be bound; all others are.
        """
        self._run(self._publish({(frontend.address, frontend.port): frontend for frontend in frontends}))

    def close(self) -> None:
        """Stop listening and drop every connection; safe to repeat."""
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _shut(self) -> None:
        await self._publish({})
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _publish(self, wanted: dict[tuple[str, int], Frontend]) -> None:
        for door in set(self._listening) - set(wanted):
            self._withdraw(self._listening.pop(door))
        refused = [problem for frontend in wanted.values() if (problem := await self._bind_or_update(frontend))]
        if refused:
            raise CannotListenError("; ".join(refused))

    async def _bind_or_update(self, frontend: Frontend) -> str | None:
        door = (frontend.address, frontend.port)
        if standing := self._listening.get(door):
            self._update(standing, frontend)
            return None
        listening = Listening(frontend)
        try:
            listening.server = await asyncio.start_server(
                lambda reader, writer: self._serve(listening, reader, writer), *door
            )
        except OSError as error:
            return f"{frontend.address}:{frontend.port}: {error.strerror}"
        self._listening[door] = listening
        return None

    def _withdraw(self, listening: Listening) -> None:
        if listening.server:
            listening.server.close()
        for carried in listening.carried:
            drop(carried)

    def _update(self, listening: Listening, frontend: Frontend) -> None:
        """Take the new rules; who is connected stays so, except where the way to the member is gone."""
        listening.frontend = frontend
        passable = {(item.vpc_id, item.ip, item.port) for item in frontend.backends if item.reachable}
        for carried in listening.carried:
            backend = carried.backend
            if backend and (backend.vpc_id, backend.ip, backend.port) not in passable:
                drop(carried)

    async def _serve(self, listening: Listening, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carried = Carried(asyncio.current_task())
        listening.carried.add(carried)
        try:
            await self._carry(listening, carried, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # Either side may break a connection, and so may we; the client learns of it below.
        finally:
            listening.carried.discard(carried)
            if not writer.is_closing():
                reset(writer)

    async def _carry(
        self,
        listening: Listening,
        carried: Carried,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        client: str = writer.get_extra_info("peername")[0]
        if not listening.frontend.admission.admits(client):
            return
        listening.turn += 1
        load = [other.backend for other in listening.carried]
        backend = choose(listening.frontend, client, listening.turn, load)
        if backend is None:
            return
        if not backend.reachable:
            await silence(reader, self._connect_timeout)
            return
        address = self._locate(backend.vpc_id, backend.ip, backend.port)
        if address is None:
            return
        carried.backend = backend
        await couple(reader, writer, *await asyncio.open_connection(*address))


def choose(frontend: Frontend, client: str, turn: int, load: Sequence[Backend | None]) -> Backend | None:
    """Pick the backend of a new connection by the pool's algorithm and the members' weights."""
    eligible = [backend for backend in frontend.backends if backend.weight > 0]
    if not eligible:
        return None
    if frontend.algorithm == "LEAST_CONNECTIONS":
        return min(eligible, key=lambda backend: load.count(backend) / backend.weight)
    by_weight = [backend for backend in eligible for _ in range(backend.weight)]
    number = sum(map(int, client.split("."))) if frontend.algorithm == "SOURCE_IP" else turn
    return by_weight[number % len(by_weight)]


async def silence(reader: asyncio.StreamReader, seconds: float) -> None:
    """Answer nothing until the time is over or the client gives up."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(CHUNK):
                pass
    except TimeoutError:
        return


async def couple(
    client_reader: asyncio.StreamReader,
    client_writer: asyncio.StreamWriter,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Carry bytes both ways until both sides have ended.

    Raises:
        OSError: If one side broke.
    """
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(pump(client_reader, writer))
            both.create_task(pump(reader, client_writer))
        client_writer.close()
    except* OSError as broken:
        raise ConnectionError from broken
    finally:
        writer.transport.abort()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way, then pass the end on."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def drop(carried: Carried) -> None:
    """End a connection from our side."""
    if carried.task:
        carried.task.cancel()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a TCP reset."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
